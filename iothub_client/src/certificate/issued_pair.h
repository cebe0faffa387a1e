#ifndef IOTHUB_ISSUED_PAIR_H
#define IOTHUB_ISSUED_PAIR_H

/**
 * @file
 * A private key and the chain that was issued for it, as one value: the key is useless with the
 * chain of another one, so both are saved together.
 */

#include "hub/issued_chain.h"
#include "platform/csr.h"
#include "platform/kv.h"

/* Size of the length of the key, which comes first; then the key, and the chain as DER. */
enum { ISSUED_PAIR_HEAD = 2 };

typedef struct issued_pair {
    size_t key_len;   /* 0: a signer has the key */
    size_t chain_len; /* 0: the pair is empty */
    uint8_t bytes[ISSUED_PAIR_HEAD + PLAT_MADE_KEY_MAX + ISSUED_CHAIN_ROOM];
} issued_pair;

/** Begins a pair with this key, or with the key of a signer if key is NULL. */
void issued_pair_begin(issued_pair *p, const plat_made_key *key);
/** Reads the chain of the pair from a JSON array, as issued_chain_read does. */
iothub_result issued_pair_read_chain(issued_pair *p, mqc_span array, const plat_crypto *crypto,
                                     iothub_error *why);
/** Takes the chain as DER. Returns false if it is too large. */
bool issued_pair_take_chain(issued_pair *p, mqc_span der);

/** Reads a pair from the cache. Returns PLAT_EOF if there is none, or if the value is no pair. */
plat_result issued_pair_load(issued_pair *p, plat_kv *kv, const char *name);
plat_result issued_pair_save(const issued_pair *p, plat_kv *kv, const char *name);

/** Makes an identity of the pair. signer is used if the pair has no key. */
plat_result issued_pair_identity(const issued_pair *p, const plat_identities *identities,
                                 const plat_signer *signer, plat_identity **out,
                                 plat_identity_fault *fault);

/** Erases the pair. */
void issued_pair_erase(issued_pair *p);

#endif
