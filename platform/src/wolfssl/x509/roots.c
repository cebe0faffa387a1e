#include "wolfssl/x509/roots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static const char *const no_memory = "not enough memory to load it";

static const char *explain_open(int error)
{
    switch (error) {
    case ENOENT: return "there is no such file";
    case ENOTDIR: return "there is no such file: a part of the path is no directory";
    case EACCES: return "this user may not read it";
    case EMFILE:
    case ENFILE: return "no descriptor left to open it";
    default: return "it cannot be opened";
    }
}

/* Returns why a file cannot be read, or NULL if it can. */
static const char *examine(const struct stat *about)
{
    if (S_ISDIR(about->st_mode)) {
        return "it is a directory, and must be a file with certificates in PEM form";
    }
    if (!S_ISREG(about->st_mode)) {
        return "it is no regular file";
    }
    if (about->st_size == 0) {
        return "it is empty, and must hold certificates in PEM form";
    }
    return about->st_size > LARGEST_FILE ? "it is larger than 16 MB" : NULL;
}

static const char *read_stream(FILE *f, byte **bytes, long *len)
{
    struct stat about;
    if (fstat(fileno(f), &about) != 0) {
        return "it cannot be read";
    }
    const char *fault = examine(&about);
    if (fault != NULL) {
        return fault;
    }
    *len = (long)about.st_size;
    *bytes = malloc((size_t)*len);
    if (*bytes == NULL) {
        return no_memory;
    }
    return fread(*bytes, 1, (size_t)*len, f) == (size_t)*len ? NULL : "it cannot be read";
}

/* Reads a file. Returns NULL, or the reason of a failure. O_NONBLOCK is used, because opening a
 * FIFO must not block. */
static const char *read_file(const char *file, byte **bytes, long *len)
{
    *bytes = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (f == NULL) {
        const char *fault = explain_open(errno);
        if (fd >= 0) {
            (void)close(fd);
        }
        return fault;
    }
    const char *fault = read_stream(f, bytes, len);
    (void)fclose(f);
    if (fault != NULL) {
        free(*bytes);
        *bytes = NULL;
    }
    return fault;
}

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

static const char *explain_content(const byte *text, long len)
{
    if (holds(text, len, "-----BEGIN CERTIFICATE-----") ||
        holds(text, len, "-----BEGIN TRUSTED CERTIFICATE-----")) {
        return "there are certificates in it, and none of them can be read";
    }
    if (holds(text, len, "PRIVATE KEY-----")) {
        return "it is a private key, and must be a file with certificates in PEM form";
    }
    if (len > 1 && text[0] == 0x30 && (text[1] & 0x80u) != 0) {
        return "it looks like DER, and must be in PEM form (-----BEGIN CERTIFICATE-----)";
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

plat_result plat_roots_load(plat_roots *r, const char *file, const char **why)
{
    byte *pem;
    long len;
    *r = (plat_roots){ 0 };
    *why = read_file(file, &pem, &len);
    if (*why != NULL) {
        return *why == no_memory ? PLAT_ERR_MEMORY : PLAT_ERR_TRUST_STORE;
    }
    plat_result result = plat_roots_load_pem(r, pem, (size_t)len);
    if (result != PLAT_OK) {
        *why = result == PLAT_ERR_MEMORY ? no_memory : explain_content(pem, len);
    }
    free(pem);
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
