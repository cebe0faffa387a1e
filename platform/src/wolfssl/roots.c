#include "wolfssl/roots.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "wolfssl/certificate.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

#define LARGEST_FILE (16L * 1024 * 1024)

static bool read_stream(FILE *f, byte **bytes, long *len)
{
    if (fseek(f, 0, SEEK_END) != 0) {
        return false;
    }
    *len = ftell(f);
    if (*len <= 0 || *len > LARGEST_FILE || fseek(f, 0, SEEK_SET) != 0) {
        return false;
    }
    *bytes = malloc((size_t)*len);
    return *bytes != NULL && fread(*bytes, 1, (size_t)*len, f) == (size_t)*len;
}

static bool read_file(const char *file, byte **bytes, long *len)
{
    *bytes = NULL;
    FILE *f = fopen(file, "rb");
    if (f == NULL) {
        return false;
    }
    bool ok = read_stream(f, bytes, len);
    (void)fclose(f);
    if (!ok) {
        free(*bytes);
    }
    return ok;
}

/* Takes over der, also when it is of no use to us. */
static plat_result add(plat_roots *r, DerBuffer *der)
{
    plat_certificate cert;
    if (!plat_certificate_read(&cert, (plat_der){ der->buffer, der->length })) {
        wc_FreeDer(&der); /* an exotic one in a system's bundle must not lock out the others */
        return PLAT_OK;
    }
    if ((r->count & (r->count - 1)) == 0) { /* full at each power of two */
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

static plat_result parse(plat_roots *r, const byte *pem, long len)
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
    return result != PLAT_OK ? result : r->count > 0 ? PLAT_OK : PLAT_ERR_TRUST_STORE;
}

plat_result plat_roots_load_pem(plat_roots *r, const void *pem, size_t len)
{
    *r = (plat_roots){ 0 };
    if (len > LARGEST_FILE) {
        return PLAT_ERR_TRUST_STORE;
    }
    plat_result result = parse(r, pem, (long)len);
    if (result != PLAT_OK) {
        plat_roots_free(r);
    }
    return result;
}

plat_result plat_roots_load(plat_roots *r, const char *file)
{
    byte *pem;
    long len;
    *r = (plat_roots){ 0 };
    if (!read_file(file, &pem, &len)) {
        return PLAT_ERR_TRUST_STORE;
    }
    plat_result result = plat_roots_load_pem(r, pem, (size_t)len);
    free(pem);
    return result;
}

void plat_roots_free(plat_roots *r)
{
    for (size_t i = 0; i < r->count; i++) {
        wc_FreeDer(&r->list[i].der);
    }
    free(r->list);
    *r = (plat_roots){ 0 };
}
