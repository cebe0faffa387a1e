#ifndef CHAIN_OPENSSL_H
#define CHAIN_OPENSSL_H

/**
 * @file
 * Asks OpenSSL for its verdict on a chain. Each trusted certificate is a trust anchor, even an
 * intermediate one; the host is checked, revocation is not.
 */

#include "chain_make.h"

/** Returns NULL if OpenSSL accepts the chain, otherwise its error text. */
const char *chain_openssl(const made_chain *made, const plan *p);

#endif
