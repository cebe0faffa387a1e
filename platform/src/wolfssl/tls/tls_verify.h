#ifndef PLAT_WOLFSSL_TLS_VERIFY_H
#define PLAT_WOLFSSL_TLS_VERIFY_H

/**
 * @file
 * Passes the certificates of a handshake to chain.h, which alone decides about them, and keeps the
 * verdict.
 */

#include "wolfssl/x509/chain.h"

/** The verification of one connection. Only tls_verify.c writes its members. */
typedef struct plat_tls_verify {
    const char *host; /* the caller's text, valid until the connection is closed */
    const plat_roots *roots;
    union {
        /* If not refused: how long the chain, or that of the resumed session, is trusted. */
        plat_trust trust;
        const char *why; /* if refused: the reason, one line of static text */
    } u;
    plat_result verdict : 8; /* PLAT_WOULD_BLOCK: no chain was received yet */
    uint16_t chain_limit;    /* most certificates that wolfSSL reads */
    bool full_chain;         /* chain_limit was reached, so the server may have sent more */
} plat_tls_verify;

/** Initialises the struct with the host that certificates must name. */
void plat_tls_verify_init(plat_tls_verify *v, const plat_roots *roots, const char *host);

/** From this call on, the certificates of a new connection are verified. */
void plat_tls_verify_attach(plat_tls_verify *v, WOLFSSL *ssl);

/** Call it when a session was offered: its trust counts unless a chain is received. */
void plat_tls_verify_adopt(plat_tls_verify *v, const plat_trust *trust);

/** Returns whether a chain was received and refused; then u.why is the reason. */
bool plat_tls_verify_has_refused(const plat_tls_verify *v);

#endif
