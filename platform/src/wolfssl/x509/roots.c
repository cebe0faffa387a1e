#include "wolfssl/x509/roots.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "posix/read_file.h"
#include "wolfssl/x509/certificate.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

#define LARGEST_FILE (16L * 1024 * 1024)

#ifndef NDEBUG
bool plat_roots_valid(const plat_roots *r)
{
    if ((r->list == NULL) != (r->count == 0)) {
        return false;
    }
    return r->count == 0 || (r->list[0].der != NULL && r->list[r->count - 1].der != NULL);
}
#endif

static bool holds(const byte *text, long len, const char *what)
{
    const size_t n = strlen(what);
    for (long at = 0; at + (long)n <= len; at++) {
        if (text[at] == (byte)what[0] && memcmp(text + at, what, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns whether the bytes begin like DER: with a SEQUENCE whose length takes more than one
 * byte. */
static bool looks_like_der(const byte *bytes, size_t len)
{
    return len > 1 && bytes[0] == PLAT_DER_SEQUENCE && (bytes[1] & 0x80u) != 0;
}

static const char *explain_content(const byte *text, long len)
{
    if (len == 0) {
        return "it is empty, and must hold certificates in PEM form";
    }
    if (holds(text, len, "-----BEGIN CERTIFICATE-----") ||
        holds(text, len, "-----BEGIN TRUSTED CERTIFICATE-----")) {
        return "there are certificates in it, and none of them can be read";
    }
    if (holds(text, len, "PRIVATE KEY-----")) {
        return "it is a private key, and must be a file with certificates in PEM form";
    }
    if (looks_like_der(text, (size_t)len)) {
        return "it looks like DER, and none of its certificates can be read";
    }
    return "there is no certificate in PEM form in it (-----BEGIN CERTIFICATE-----)";
}

/* Adds a certificate, or frees it if it cannot be used. */
static plat_result add(plat_roots *r, DerBuffer *der)
{
    plat_certificate cert;
    if (!plat_certificate_read(&cert, (plat_der){ der->buffer, der->length })) {
        wc_FreeDer(
            /* Skipped, since one unusual certificate in the system's file must not disable the
             * others. */
            &der);
        return PLAT_OK;
    }
    if ((r->count & (r->count - 1)) == 0) { /* the list is full at each power of two */
        size_t cap = r->count == 0 ? 1 : 2 * r->count;
        plat_root *list = realloc(r->list, cap * sizeof *list);
        if (list == NULL) {
            wc_FreeDer(&der);
            return PLAT_ERR_MEMORY;
        }
        r->list = list;
    }
    plat_root *root = &r->list[r->count++];
    root->subject_hash = cert.subject_hash;
    root->der = der;
    return PLAT_OK;
}

static plat_result add_pem(plat_roots *r, const byte *pem, long len)
{
    plat_result result = PLAT_OK;
    while (len > 0 && result == PLAT_OK) {
        DerBuffer *der = NULL;
        EncryptedInfo info = { 0 };
        int rc = wc_PemToDer(pem, len, CERT_TYPE, &der, NULL, &info, NULL);
        if (rc == 0) {
            result = add(r, der);
        } else {
            wc_FreeDer(&der);
            result = rc == MEMORY_E ? PLAT_ERR_MEMORY : PLAT_OK;
        }
        if (info.consumed <= 0 || info.consumed > len) {
            break;
        }
        pem += info.consumed;
        len -= info.consumed;
    }
    return result;
}

static plat_result add_der(plat_roots *r, plat_der in)
{
    plat_result result = PLAT_OK;
    plat_der_item item;
    while (in.len > 0 && result == PLAT_OK && plat_der_next(&in, &item)) {
        DerBuffer *der = NULL;
        if (wc_AllocDer(&der, (word32)item.whole.len, CERT_TYPE, NULL) != 0) {
            return PLAT_ERR_MEMORY;
        }
        memcpy(der->buffer, item.whole.at, item.whole.len);
        result = add(r, der);
    }
    return result;
}

plat_result plat_roots_add(plat_roots *r, const void *bytes, size_t len, const char **why)
{
    const size_t before = r->count;
    *why = "it is larger than 16 MB";
    if (len > LARGEST_FILE) {
        return PLAT_ERR_TRUST_STORE;
    }
    plat_result result = looks_like_der(bytes, len) ? add_der(r, (plat_der){ bytes, len })
                                                    : add_pem(r, bytes, (long)len);
    if (result == PLAT_OK && r->count > before) {
        *why = NULL;
        return PLAT_OK;
    }
    *why = result != PLAT_OK ? "not enough memory to load it" : explain_content(bytes, (long)len);
    return result != PLAT_OK ? result : PLAT_ERR_TRUST_STORE;
}

plat_result plat_roots_add_file(plat_roots *r, const char *file, const char **why)
{
    plat_file_content f;
    plat_result result = plat_read_file(file, LARGEST_FILE, &f, why);
    if (result != PLAT_OK) {
        return result == PLAT_ERR_MEMORY ? result : PLAT_ERR_TRUST_STORE;
    }
    result = plat_roots_add(r, f.bytes, f.len, why);
    free(f.bytes);
    return result;
}

void plat_roots_free(plat_roots *r)
{
    assert(plat_roots_valid(r));
    for (size_t i = 0; i < r->count; i++) {
        wc_FreeDer(&r->list[i].der);
    }
    free(r->list);
    *r = (plat_roots){ 0 };
}
