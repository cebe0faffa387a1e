#ifndef PLAT_WOLFSSL_TLS_CONTEXT_H
#define PLAT_WOLFSSL_TLS_CONTEXT_H

/**
 * @file
 * What all TLS streams with the same roots share: the roots, the sessions to resume, and wolfSSL's
 * settings.
 */

#include <stdbool.h>

#include "wolfssl/tls/sessions.h"
#include "wolfssl/tls/tls_login.h"
#include "wolfssl/tls/trust.h"

#include <wolfssl/ssl.h>

/** The versions of TLS that a stream may use. */
typedef enum plat_tls_range {
    PLAT_TLS_RANGE_ALL = 0, /* TLS 1.2 and 1.3 */
    PLAT_TLS_RANGE_1_2,
    PLAT_TLS_RANGE_1_3,
    PLAT_TLS_RANGES
} plat_tls_range;

struct plat_tls_context;

/**
 * What one stream uses: a context, a range of versions and a client certificate. Streams without a
 * certificate point to a profile that is part of the context, so they need no memory for one. Only
 * tls_context.c writes it, but tls_login.c writes the members of login.
 */
typedef struct plat_tls_profile {
    struct plat_tls_context *context;
    plat_tls_range range;
    plat_tls_login login; /* if it has no identity, the profile is one of context->plain */
} plat_tls_profile;

/** A shared context. Only tls_context.c writes its members. */
typedef struct plat_tls_context {
    struct plat_tls_context *next;
    unsigned users; /* number of streams that use it; the last one frees it */
    plat_trust_key key;
    plat_roots roots;
    plat_sessions sessions;
    WOLFSSL_CTX *ctx;
    plat_tls_profile plain[PLAT_TLS_RANGES];
} plat_tls_context;

/**
 * Finds or makes the profile of a config. Loads the roots if no other stream has loaded them. Any
 * thread may call it.
 * @param[out] fault  after a failure: the source and the reason, if these are known
 * @retval PLAT_ERR_ARG          min_version is above max_version, or is unknown
 * @retval PLAT_ERR_TRUST_STORE  the roots cannot be read
 * @retval PLAT_ERR_MEMORY       no memory is left
 * @retval PLAT_ERR_CRYPTO       wolfSSL cannot be initialised
 */
plat_result plat_tls_profile_acquire(const plat_stream_config *config, plat_tls_profile **out,
                                     plat_roots_fault *fault);

/**
 * Finds or makes the profile that differs from *p only in its identity, and ends the use of *p.
 * After a failure *p is unchanged.
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_tls_profile_change(plat_tls_profile **p, plat_identity *identity);

/** Ends the use of a profile. */
void plat_tls_profile_release(plat_tls_profile *p);

/** Limits the versions of a connection. Returns false if wolfSSL refuses. */
bool plat_tls_profile_limit(const plat_tls_profile *p, WOLFSSL *ssl);

/** Returns whether a version of TLS, as wolfSSL names it, is within the range. */
bool plat_tls_profile_allows(const plat_tls_profile *p, const char *version);

/**
 * Return whether a cipher suite, or a group for the key exchange, is one of those that are offered.
 * `name` is the name that wolfSSL reports.
 */
bool plat_tls_suite_is_safe(const char *name);
bool plat_tls_group_is_safe(const char *name);

#endif
