#ifndef PLAT_WOLFSSL_TLS_EXPLAIN_H
#define PLAT_WOLFSSL_TLS_EXPLAIN_H

/**
 * @file
 * What an error of wolfSSL means, for people.
 */

#include <stdbool.h>
#include <stddef.h>

#include "wolfssl/tls/tls_context.h"

const char *plat_tls_explain(WOLFSSL *ssl, int error);

/**
 * For a failure after the chain was as long as wolfSSL can read: it passes over the others without
 * a word, shows the first ones to the judge, and reads the next message from the wrong place.
 */
extern const char plat_tls_too_many_certificates[];

/** Of a connection that the peer closed without a farewell. */
const char *plat_tls_explain_end(WOLFSSL *ssl);

/** Whether these are the first bytes of an HTTP answer, or of a page in old HTTP without a head. */
bool plat_tls_is_http(const void *bytes, size_t len);

/** A certificate so bad that wolfSSL gives up before it asks for our opinion. */
bool plat_tls_blames_certificate(int error);

#endif
