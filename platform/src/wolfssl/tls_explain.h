#ifndef PLAT_WOLFSSL_TLS_EXPLAIN_H
#define PLAT_WOLFSSL_TLS_EXPLAIN_H

/**
 * @file
 * What an error of wolfSSL means, for people.
 */

#include <stdbool.h>

#include "wolfssl/tls_context.h"

const char *plat_tls_explain(WOLFSSL *ssl, int error);

/** A certificate so bad that wolfSSL gives up before it asks for our opinion. */
bool plat_tls_blames_certificate(int error);

#endif
