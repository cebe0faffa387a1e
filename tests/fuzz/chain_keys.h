#ifndef CHAIN_KEYS_H
#define CHAIN_KEYS_H

/**
 * @file
 * The keys of the certificates that a plan describes. They are the same in every run and are made
 * when they are first used.
 */

#include "chain_der.h"
#include "chain_plan.h"

/** subjectPublicKeyInfo */
void keys_put_public(chain_der *d, uint8_t key);

/** Writes the AlgorithmIdentifier of a signature with this key. */
void keys_put_algorithm(chain_der *d, uint8_t key, plan_hash hash);

/** Writes a signature over len bytes, as the content of a BIT STRING. */
void keys_put_signature(chain_der *d, uint8_t key, plan_hash hash, const uint8_t *bytes,
                        size_t len);

#endif
