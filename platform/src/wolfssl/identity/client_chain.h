#ifndef PLAT_WOLFSSL_CLIENT_CHAIN_H
#define PLAT_WOLFSSL_CLIENT_CHAIN_H

/**
 * @file
 * The certificates that a client presents: read from PEM or DER and checked, then kept as the PEM
 * text that wolfSSL takes.  They are not verified against roots: that is what the server does.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"

/** Most certificates, and most bytes of their DER. */
#define PLAT_CLIENT_CHAIN_MAX   9
#define PLAT_CLIENT_CHAIN_BYTES 16384

/** A checked chain.  Written by client_chain.c only. */
typedef struct plat_client_chain {
    uint8_t *pem; /* all certificates, the device's own first; from wolfSSL_Malloc */
    size_t pem_len;
    uint8_t *key; /* SubjectPublicKeyInfo of the device's own certificate; in the memory of pem */
    size_t key_len;
    plat_identity_info info; /* with the kind of that key */
} plat_client_chain;

/**
 * Reads a chain.
 * @param bytes   PEM text, or DER certificates one directly after another
 * @param[out] c  the chain; the caller calls plat_client_chain_free.  Empty after a failure
 * @retval PLAT_ERR_IDENTITY  there is no certificate, or the chain cannot be used
 * @retval PLAT_ERR_MEMORY    no memory is left
 */
plat_result plat_client_chain_read(plat_client_chain *c, const uint8_t *bytes, size_t len,
                                   plat_identity_fault *fault);

/** Frees a chain.  c is empty then. */
void plat_client_chain_free(plat_client_chain *c);

#endif
