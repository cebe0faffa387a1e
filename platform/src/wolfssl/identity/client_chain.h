#ifndef PLAT_WOLFSSL_CLIENT_CHAIN_H
#define PLAT_WOLFSSL_CLIENT_CHAIN_H

/**
 * @file
 * The certificates that a client presents. They are read from PEM or DER, checked, and kept as the
 * PEM text that wolfSSL needs. They are not verified against roots, because the server does that.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"

/** Largest number of certificates, and largest size of their DER in bytes. */
#define PLAT_CLIENT_CHAIN_MAX   9
#define PLAT_CLIENT_CHAIN_BYTES 16384

/** A checked chain. Only client_chain.c writes it. */
typedef struct plat_client_chain {
    uint8_t *pem; /* all certificates, the device's own first; allocated with wolfSSL_Malloc */
    size_t pem_len;
    /* SubjectPublicKeyInfo of the device's own certificate; it is in the memory of pem. */
    uint8_t *key;
    size_t key_len;
    plat_identity_info info; /* includes the kind of that key */
} plat_client_chain;

/**
 * Reads a chain.
 * @param bytes  PEM text, or DER certificates one directly after another
 * @param[out] c  the chain, to be freed with plat_client_chain_free; empty after a failure
 * @retval PLAT_ERR_IDENTITY  there is no certificate, or the chain cannot be used
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_client_chain_read(plat_client_chain *c, const uint8_t *bytes, size_t len,
                                   plat_identity_fault *fault);

/** Frees a chain. Afterwards c is empty. */
void plat_client_chain_free(plat_client_chain *c);

#endif
