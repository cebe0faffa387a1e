#ifndef PLAT_WOLFSSL_TLS_VERIFY_H
#define PLAT_WOLFSSL_TLS_VERIFY_H

/**
 * @file
 * Hands the certificates of a handshake to chain.h, which alone decides about them, and keeps the
 * verdict.
 */

#include "wolfssl/x509/chain.h"

/** Written by tls_verify.c only. */
typedef struct plat_tls_verify {
    const char *host; /* borrowed until the connection is closed */
    const plat_roots *roots;
    union {
        plat_trust
            trust;       /* not refused: what the chain, or that of the resumed session, is worth */
        const char *why; /* refused: one line of static text */
    } u;
    plat_result verdict : 8; /* PLAT_WOULD_BLOCK: no chain was seen yet */
    uint16_t chain_limit;    /* certificates that wolfSSL reads at most */
    bool full_chain;         /* chain_limit was reached; the server may have sent more */
} plat_tls_verify;

/** The host that certificates have to name. */
void plat_tls_verify_init(plat_tls_verify *v, const plat_roots *roots, const char *host);

/** Judges the certificates of a new connection from now on. */
void plat_tls_verify_attach(plat_tls_verify *v, WOLFSSL *ssl);

/** A session was offered: its trust counts unless a chain is seen. */
void plat_tls_verify_adopt(plat_tls_verify *v, const plat_trust *trust);

/** Whether a chain was seen and refused; then u.why tells why. */
bool plat_tls_verify_has_refused(const plat_tls_verify *v);

#endif
