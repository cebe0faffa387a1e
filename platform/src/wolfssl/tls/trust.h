#ifndef PLAT_WOLFSSL_TRUST_H
#define PLAT_WOLFSSL_TRUST_H

/**
 * @file
 * The root certificates that a stream trusts: identifies sets of them, and loads them.
 */

#include <stdbool.h>

#include "platform/platform.h"
#include "wolfssl/x509/roots.h"

/** Identifies what a config trusts, so that streams which trust the same can share it. */
typedef struct plat_trust_key {
    const char *file;   /* ca_file; NULL: none */
    char *copy;         /* the memory of `file` if the key is a copy; NULL: the path is borrowed */
    uint8_t sha256[32]; /* hash of ca_data; 0 if there is none */
    unsigned roots;     /* set of plat_roots_set; it is 0 only if there is a file or data */
} plat_trust_key;

/**
 * Makes the key of what a config trusts. The key borrows the path of the file.
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_trust_key_of(plat_trust_key *key, const plat_stream_config *config);

/** Copies a key and its path. Free the copy with plat_trust_key_free. */
plat_result plat_trust_key_copy(plat_trust_key *out, const plat_trust_key *key);
void plat_trust_key_free(plat_trust_key *key);

/** Returns whether two keys stand for the same roots. */
bool plat_trust_key_equals(const plat_trust_key *a, const plat_trust_key *b);

/**
 * Loads all roots that a config names.
 * @param r           empty; it stays so after a failure
 * @param[out] fault  after a failure: the source and the reason, if these are known
 * @retval PLAT_ERR_TRUST_STORE  one of the sources cannot be read, or contains no certificate
 * @retval PLAT_ERR_MEMORY       no memory is left
 */
plat_result plat_trust_load(plat_roots *r, const plat_stream_config *config,
                            plat_roots_fault *fault);

#endif
