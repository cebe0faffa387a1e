#ifndef TEST_KEY_FORMS_H
#define TEST_KEY_FORMS_H

/** @file The forms in which OpenSSL writes private keys. */

#include "test_pki.h"

/** The passphrase of all encrypted forms. */
#define KEY_PASSPHRASE "correct horse battery staple"

/** One form. */
typedef struct key_form {
    const char *name;
    bool pem;           /* true: PEM; false: DER */
    bool traditional;   /* true: PKCS #1 or SEC 1; false: PKCS #8 */
    const char *cipher; /* a cipher such as "AES-256-CBC"; NULL: not encrypted */
    /* For PBES2: "hmacWithSHA256" and so on, or "scrypt"; otherwise an identifier of PBES1. */
    const char *prf;
    bool supported; /* the library can read this form */
} key_form;

extern const key_form key_forms[];
extern const size_t key_form_count;

/** Writes a key in a form and returns the number of bytes. */
size_t write_key_form(const key_form *form, pki_key key, uint8_t *out, size_t cap);

#endif
