#ifndef PLAT_WOLFSSL_TLS_CONTEXT_H
#define PLAT_WOLFSSL_TLS_CONTEXT_H

/**
 * @file
 * What all TLS streams with the same roots share: the roots, sessions to resume and
 * wolfSSL's settings.
 */

#include <stdbool.h>

#include "wolfssl/tls/sessions.h"
#include "wolfssl/x509/roots.h"

#include <wolfssl/ssl.h>

typedef struct plat_tls_context {
    struct plat_tls_context *next;
    unsigned users;
    plat_roots roots;
    plat_sessions sessions;
    WOLFSSL_CTX *ctx;
    char *file; /* as asked for; NULL: the system's bundle */
} plat_tls_context;

/**
 * The context for this file, made when nobody uses it yet.  Any thread.  On failure
 * *fault names the culprit, if there is one.
 */
plat_result plat_tls_context_acquire(const char *ca_file, plat_tls_context **out,
                                     plat_roots_fault *fault);
void plat_tls_context_release(plat_tls_context *c);

/** Whether a cipher suite, or a group for the key exchange, by wolfSSL's name, was offered. */
bool plat_tls_suite_is_safe(const char *name);
bool plat_tls_group_is_safe(const char *name);

#endif
