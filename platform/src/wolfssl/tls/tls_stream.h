#ifndef PLAT_WOLFSSL_TLS_STREAM_H
#define PLAT_WOLFSSL_TLS_STREAM_H

/**
 * @file
 * A TLS client over any other stream, with wolfSSL.  The certificate chain and the host name are
 * always verified; there is no switch that turns this off.
 */

#include "platform/stream.h"
#include "wolfssl/tls/tls_resumption.h"
#include "wolfssl/tls/tls_transport.h"
#include "wolfssl/tls/tls_verify.h"

/** What the stream is doing. */
typedef enum plat_tls_state {
    PLAT_TLS_CLOSED = 0,
    PLAT_TLS_LOWER, /* the stream below is being opened */
    PLAT_TLS_HANDSHAKE,
    PLAT_TLS_OPEN,
    PLAT_TLS_FAILED /* until close; every call repeats the failure */
} plat_tls_state;

/** Written by tls_stream.c only. */
typedef struct plat_tls_stream {
    plat_stream base;
    struct plat_tls_context *context; /* shared; NULL: there are no roots */
    struct WOLFSSL *ssl;              /* wolfSSL's connection; NULL before HANDSHAKE */
    char *detail;                     /* see failure_text.h */
    plat_tls_transport transport;     /* the stream below, which this one opens and closes */
    plat_tls_verify verify;           /* from HANDSHAKE on */
    plat_tls_resumption resumption;   /* from HANDSHAKE on */
    plat_tls_state state : 3;
    plat_stage failed_in : 3;
    bool wants_write : 1;  /* wolfSSL holds bytes that the stream below did not take */
    bool below_failed : 1; /* the stream below has the text of the failure */
    plat_result failure : 8;
    uint16_t retry_len; /* after WOULD_BLOCK of send: the record that must be repeated */
    uint16_t port;
} plat_tls_stream;

/**
 * Makes a closed stream.  Loads the roots if no other stream has loaded them.  After a failure the
 * stream exists all the same: its detail tells the cause, and deinit must be called.
 * @param lower    the stream below; it must live as long as this one, which opens and closes it
 * @param ca_file  PEM file of the roots; NULL: those of the system
 * @retval PLAT_ERR_TRUST_STORE  the roots cannot be read
 * @retval PLAT_ERR_MEMORY       no memory is left
 * @retval PLAT_ERR_CRYPTO       wolfSSL cannot be initialised
 */
plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const char *ca_file);

/** Returns &s->base. */
plat_stream *plat_tls_base(plat_tls_stream *s);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tls_stream_valid(const plat_tls_stream *s);
#endif

#endif
