#ifndef TEST_PKI_H
#define TEST_PKI_H

/**
 * @file
 * Good and bad certificates of many kinds, made at run time with wolfCrypt.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/rsa.h>

/** Keys of each kind, made once. A root and the certificates below it must have different keys. */
typedef enum pki_key {
    PKI_ROOT,
    PKI_INTERMEDIATE,
    PKI_OTHER, /* key of a root or a CA that is not trusted */
    PKI_LEAF,
    PKI_RSA, /* 2048 bits */
    PKI_RSA_1024,
    PKI_P224,
    PKI_P384,
    PKI_KEYS
} pki_key;

typedef struct pki_cert {
    byte der[2048];
    size_t len;
    char name[CTC_NAME_SIZE]; /* the common name of the subject */
} pki_cert;

typedef struct pki_spec {
    const char *name; /* the common name of the subject */
    pki_key key;
    const pki_cert *issuer; /* NULL: self-signed */
    pki_key issuer_key;
    const char *dns; /* one dNSName; if dns_len is 0, its length is strlen(dns) */
    size_t dns_len;
    const char *ip; /* one iPAddress, written as text */
    bool ca;
    int path_len; /* -1: none; with ca only */
    const char *key_usage;
    const char *extended_key_usage;
    int from_days; /* first day of the validity, relative to today */
    int to_days;
    int signature; /* a CTC_ constant of wolfCrypt; 0: SHA-256 with the issuer's kind of key */
} pki_spec;

void pki_make_keys(void);
void pki_free_keys(void);

/**
 * Returns whether wolfSSL can make this key: later releases refuse the weak ones, PKI_RSA_1024 and
 * PKI_P224.
 */
bool pki_has_key(pki_key key);

void pki_make(pki_cert *out, const pki_spec *spec);

/** Writes the private key as DER, for use by the server. */
size_t pki_key_der(pki_key key, byte *out, size_t cap);

/** SubjectPublicKeyInfo. */
size_t pki_public_der(pki_key key, byte *out, size_t cap);

/** Signs the len bytes of a TBSCertificate in out with SHA-256, which makes out a certificate. */
void pki_sign(pki_cert *out, size_t len, pki_key signer);

/**
 * Writes certificates to a file in a private directory of this process. Call pki_remove_files to
 * remove the directory with its files.
 */
const char *pki_write_pem(const char *file, const pki_cert *const *certs, size_t count);
void pki_remove_files(void);

#endif
