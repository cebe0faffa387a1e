#ifndef PLAT_WOLFSSL_IDENTITY_H
#define PLAT_WOLFSSL_IDENTITY_H

/** @file The identity of platform/identity.h: a chain, and a key or a signer. */

#include "wolfssl/identity/client_chain.h"
#include "wolfssl/identity/private_key.h"

/** An identity.  Written by identity.c only; nothing but users changes after it was made. */
struct plat_identity {
    plat_client_chain chain;
    plat_private_key key;      /* empty: the signer has it */
    const plat_signer *signer; /* NULL: key signs */
    uint64_t number;           /* no other identity of this process has it, now or later */
    unsigned users;            /* references; guarded by a lock of identity.c */
};

/** Makes and shares identities. */
extern const plat_identities plat_wolfssl_identities;

/** Signs with the key or the signer of an identity, with the meaning of plat_signer.sign. */
plat_result plat_identity_sign(const plat_identity *identity, const plat_sign_request *request,
                               uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault);

/** hold and release of the table, for streams.  Both take NULL. */
plat_identity *plat_identity_hold(plat_identity *identity);
void plat_identity_release(plat_identity *identity);

#endif
