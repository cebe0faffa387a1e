#ifndef CHAIN_KEYS_H
#define CHAIN_KEYS_H

/** @file The keys of the certificates that plans describe: fixed, and made at the first use. */

#include "chain_der.h"
#include "chain_plan.h"

/** subjectPublicKeyInfo */
void keys_put_public(chain_der *d, uint8_t key);

/** AlgorithmIdentifier of a signature with this key. */
void keys_put_algorithm(chain_der *d, uint8_t key, plan_hash hash);

/** The content of a BIT STRING: a signature over len bytes. */
void keys_put_signature(chain_der *d, uint8_t key, plan_hash hash, const uint8_t *bytes,
                        size_t len);

#endif
