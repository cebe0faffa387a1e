#ifndef IOTHUB_KEY_REQUEST_H
#define IOTHUB_KEY_REQUEST_H

/**
 * @file
 * The key of the next certificate, and the request that proves its possession. The key is made
 * here, or a signer has it.
 */

#include <stdbool.h>

#include "iothub/certificate.h"
#include "mqtt_core/span.h"

/* Passes signatures on to the caller's signer, but not the release, because the caller keeps it. */
typedef struct lent_signer {
    plat_signer base;
    const plat_signer *owner; /* NULL: keys are made */
} lent_signer;

typedef struct key_request {
    const iothub_certificate_options *options;
    lent_signer signer;
    plat_made_key key; /* empty before the first request, and with a signer */
    char csr[PLAT_CSR_BASE64_MAX + 1];
} key_request;

/** The options must stay where they are. */
void key_request_init(key_request *k, const iothub_certificate_options *options);

/** Makes a new key and its request. After a failure *fault has the reason, and csr is "". */
bool key_request_make(key_request *k, mqc_span common_name, plat_identity_fault *fault);

/** Returns the key of the latest request; NULL: a signer has it. */
static inline const plat_made_key *key_request_key(const key_request *k)
{
    return k->signer.owner == NULL ? &k->key : NULL;
}

/** Erases the key, which is in an identity now. */
void key_request_erase(key_request *k);

#endif
