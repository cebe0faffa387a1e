#ifndef PLAT_WOLFSSL_IDENTITY_H
#define PLAT_WOLFSSL_IDENTITY_H

/** @file The identity of platform/identity.h: a chain, and a key or a signer. */

#include "wolfssl/identity/client_chain.h"
#include "wolfssl/identity/private_key.h"

/**
 * What streams do with an identity. They find these functions in the identity, so that a program
 * without identities does not link them.
 */
typedef struct plat_identity_use {
    plat_identity *(*hold)(plat_identity *identity);
    void (*release)(plat_identity *identity);
    plat_result (*sign)(const plat_identity *identity, const plat_sign_request *request,
                        uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault);
} plat_identity_use;

/** An identity. Only identity.c writes it; after it was made, only users changes. */
struct plat_identity {
    const plat_identity_use *use;
    plat_client_chain chain;
    plat_private_key key;      /* empty if the signer has it */
    const plat_signer *signer; /* NULL: key signs */
    uint64_t number;           /* No other identity of this process ever has this number. */
    unsigned users;            /* number of references; protected by a lock of identity.c */
};

/** Makes and shares identities. */
extern const plat_identities plat_wolfssl_identities;

/** Signs with the key or the signer of an identity, as plat_signer.sign does. */
plat_result plat_identity_sign(const plat_identity *identity, const plat_sign_request *request,
                               uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault);

/** The functions hold and release of the table. Both accept NULL. */
plat_identity *plat_identity_hold(plat_identity *identity);
void plat_identity_release(plat_identity *identity);

#endif
