#ifndef PLAT_WOLFSSL_TLS_EXPLAIN_H
#define PLAT_WOLFSSL_TLS_EXPLAIN_H

/**
 * @file
 * Texts that tell people what an error of wolfSSL means.  Each is one line of static text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "wolfssl/tls/tls_context.h"

/** Explains the error that a call of wolfSSL has left. */
const char *plat_tls_explain(WOLFSSL *ssl, int error);

/**
 * For a failure after a chain that was as long as wolfSSL can read.  wolfSSL skips further
 * certificates without an error, passes the first ones to the verification, and then reads the next
 * message from the wrong position.
 */
extern const char plat_tls_too_many_certificates[];

/** What this side has done in the handshake before an alert arrived. */
typedef struct plat_tls_progress {
    bool presented; /* it has a client certificate */
    bool accepted;  /* it has accepted the server's certificate */
} plat_tls_progress;

/**
 * Returns whether the alert that was received last is about this side's certificate. *why is then
 * the meaning of the alert.
 */
bool plat_tls_explain_refusal(WOLFSSL *ssl, plat_tls_progress progress, const char **why);

/** Explains why the peer has closed the connection without a close_notify. */
const char *plat_tls_explain_end(WOLFSSL *ssl);

/**
 * Returns whether bytes are the beginning of an HTTP answer, or of a page from an old server
 * without headers.
 */
bool plat_tls_is_http(const void *bytes, size_t len);

/**
 * Returns whether an error is about a certificate that wolfSSL has refused before our verification
 * ran.
 */
bool plat_tls_blames_certificate(int error);

#endif
