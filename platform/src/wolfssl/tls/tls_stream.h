#ifndef PLAT_WOLFSSL_TLS_STREAM_H
#define PLAT_WOLFSSL_TLS_STREAM_H

/**
 * @file
 * A TLS client over any other stream, with wolfSSL.  The certificate chain and the host name are
 * always verified; there is no switch that turns this off.
 */

#include "platform/platform.h"
#include "wolfssl/tls/tls_resumption.h"
#include "wolfssl/tls/tls_transport.h"
#include "wolfssl/tls/tls_verify.h"

/** The states of the stream. */
typedef enum plat_tls_state {
    PLAT_TLS_CLOSED = 0,
    PLAT_TLS_LOWER, /* the stream below is being opened */
    PLAT_TLS_HANDSHAKE,
    PLAT_TLS_OPEN,
    PLAT_TLS_FAILED /* every call returns the failure again, until close */
} plat_tls_state;

/** A TLS stream. Only tls_stream.c writes its members. */
typedef struct plat_tls_stream {
    plat_stream base;
    struct plat_tls_profile *profile; /* roots, versions and identity; NULL if there are no roots */
    struct WOLFSSL *ssl;              /* wolfSSL's connection; NULL before the state HANDSHAKE */
    char *detail;                     /* text of the last failure; see failure_text.h */
    plat_tls_transport transport;     /* the stream below, which this one opens and closes */
    plat_tls_verify verify;           /* used from the state HANDSHAKE on */
    plat_tls_resumption resumption;   /* used from the state HANDSHAKE on */
    plat_tls_state state : 3;
    plat_stage failed_in : 3;
    bool wants_write : 1;  /* wolfSSL has bytes to send that the stream below has not accepted */
    bool below_failed : 1; /* the stream below has the text of the failure */
    plat_result failure : 8;
    /* After WOULD_BLOCK of send: length of the record that must be sent again. */
    uint16_t retry_len;
    uint16_t port;
} plat_tls_stream;

/**
 * Makes a closed stream.  Loads the roots if no other stream has loaded them.  After a failure the
 * stream exists all the same: its detail tells the cause, and deinit must be called.
 * @param lower   the stream below; it must live as long as this one, which opens and closes it
 * @param config  what to trust and to present; it is not needed afterwards
 * @return as plat_tls_profile_acquire
 */
plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const plat_stream_config *config);

/** Returns &s->base. */
plat_stream *plat_tls_base(plat_tls_stream *s);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tls_stream_valid(const plat_tls_stream *s);
#endif

#endif
