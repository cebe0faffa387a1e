#ifndef PLAT_WOLFSSL_TLS_CONTEXT_H
#define PLAT_WOLFSSL_TLS_CONTEXT_H

/**
 * @file
 * What all TLS streams with the same roots share: the roots, the sessions to resume, and wolfSSL's
 * settings.
 */

#include <stdbool.h>

#include "wolfssl/tls/sessions.h"
#include "wolfssl/x509/roots.h"

#include <wolfssl/ssl.h>

/** A shared context. Only tls_context.c writes its members. */
typedef struct plat_tls_context {
    struct plat_tls_context *next;
    unsigned users; /* number of streams that use it; the last one frees it */
    plat_roots roots;
    plat_sessions sessions;
    WOLFSSL_CTX *ctx;
    char *file; /* the requested ca_file; NULL: the system's roots */
} plat_tls_context;

/**
 * Finds the context of a file, or makes it if no stream uses it yet.  Any thread may call it.
 * @param ca_file     PEM file of the roots; NULL: those of the system
 * @param[out] fault  after a failure: the file and the reason, if these are known
 * @retval PLAT_ERR_TRUST_STORE  the roots cannot be read
 * @retval PLAT_ERR_MEMORY       no memory is left
 * @retval PLAT_ERR_CRYPTO       wolfSSL cannot be initialised
 */
plat_result plat_tls_context_acquire(const char *ca_file, plat_tls_context **out,
                                     plat_roots_fault *fault);

/** Ends the use of a context. */
void plat_tls_context_release(plat_tls_context *c);

/**
 * Return whether a cipher suite, or a group for the key exchange, is one of those that are offered.
 * `name` is the name that wolfSSL reports.
 */
bool plat_tls_suite_is_safe(const char *name);
bool plat_tls_group_is_safe(const char *name);

#endif
