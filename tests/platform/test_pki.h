#ifndef TEST_PKI_H
#define TEST_PKI_H

/** @file Certificates of every good and bad kind, made at run time with wolfCrypt. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/rsa.h>

/** One key of each kind, made once; roots and their children must not share one. */
typedef enum pki_key {
    PKI_ROOT,
    PKI_INTERMEDIATE,
    PKI_OTHER, /* a root or CA that is not trusted */
    PKI_LEAF,
    PKI_RSA, /* 2048 bits */
    PKI_RSA_1024,
    PKI_P224,
    PKI_KEYS
} pki_key;

typedef struct pki_cert {
    byte der[2048];
    size_t len;
    char name[CTC_NAME_SIZE]; /* the common name of the subject */
} pki_cert;

typedef struct pki_spec {
    const char *name; /* the subject's common name */
    pki_key key;
    const pki_cert *issuer; /* NULL: self-signed */
    pki_key issuer_key;
    const char *dns; /* one dNSName; dns_len 0: strlen */
    size_t dns_len;
    const char *ip; /* one iPAddress, as text */
    bool ca;
    int path_len; /* -1: none; with ca only */
    const char *key_usage;
    const char *extended_key_usage;
    int from_days; /* validity, relative to today */
    int to_days;
    int signature; /* CTC_...; 0: SHA-256 with the issuer's key */
} pki_spec;

void pki_make_keys(void);
void pki_free_keys(void);

/** Later releases of wolfSSL make no weak keys: PKI_RSA_1024, PKI_P224. */
bool pki_has_key(pki_key key);

void pki_make(pki_cert *out, const pki_spec *spec);

/** The private key as DER, for the server. */
size_t pki_key_der(pki_key key, byte *out, size_t cap);

/** SubjectPublicKeyInfo. */
size_t pki_public_der(pki_key key, byte *out, size_t cap);

/** Makes a certificate of the len bytes of a TBSCertificate in out, with SHA-256. */
void pki_sign(pki_cert *out, size_t len, pki_key signer);

/** A private directory for this process; removed with its files by pki_remove_files. */
const char *pki_write_pem(const char *file, const pki_cert *const *certs, size_t count);
void pki_remove_files(void);

#endif
