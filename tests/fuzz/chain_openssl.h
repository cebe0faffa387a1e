#ifndef CHAIN_OPENSSL_H
#define CHAIN_OPENSSL_H

/**
 * @file
 * What OpenSSL thinks of a chain: each trusted certificate is an anchor as it is
 * (partial chains), the host is checked, revocation is not.
 */

#include "chain_make.h"

/** NULL: accepted; otherwise OpenSSL's text. */
const char *chain_openssl(const made_chain *made, const plan *p);

#endif
