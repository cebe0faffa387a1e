#ifndef PLAT_PKCS11_KEY_H
#define PLAT_PKCS11_KEY_H

/** @file Signs with a private key of an open token. */

#include <stdbool.h>

#include "pkcs11/pkcs11_token.h"

/** A private key, valid as long as the session of its token.  Written by pkcs11_key.c only. */
typedef struct plat_pkcs11_key {
    CK_OBJECT_HANDLE object;
    plat_key_kind kind;
    bool asks_each_time; /* the token requires the PIN for each signature */
} plat_pkcs11_key;

/** Finds the private key that the URI names.  The user has logged in. */
plat_result plat_pkcs11_key_find(plat_pkcs11_key *key, const plat_pkcs11_token *t,
                                 const plat_pkcs11_place *place, plat_identity_fault *fault);

/** Signs, with the meaning of plat_signer.sign. */
plat_result plat_pkcs11_key_sign(const plat_pkcs11_key *key, plat_pkcs11_token *t,
                                 const plat_pkcs11_place *place, const plat_sign_request *request,
                                 uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault);

#endif
