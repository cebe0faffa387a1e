#ifndef PLAT_WOLFSSL_TLS_STREAM_H
#define PLAT_WOLFSSL_TLS_STREAM_H

/**
 * @file
 * TLS on wolfSSL over any other stream, as a client.  The certificate chain and the
 * host name are always verified; nothing switches that off.
 */

#include "platform/stream.h"
#include "wolfssl/tls/tls_resumption.h"
#include "wolfssl/tls/tls_transport.h"
#include "wolfssl/tls/tls_verify.h"

typedef enum plat_tls_state {
    PLAT_TLS_CLOSED = 0,
    PLAT_TLS_LOWER, /* the stream below is opening */
    PLAT_TLS_HANDSHAKE,
    PLAT_TLS_OPEN,
    PLAT_TLS_FAILED /* until close; every call repeats the failure */
} plat_tls_state;

/** Written by tls_stream.c only. */
typedef struct plat_tls_stream {
    plat_stream base;
    struct plat_tls_context *context; /* shared; NULL: there are no roots */
    struct WOLFSSL *ssl;              /* from HANDSHAKE on */
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
 * Make a closed stream over lower, which must live as long.  ca_file NULL: the
 * system's roots.  Loads the roots when no other stream has them.  After a failure
 * the stream is there all the same: its detail says why, and deinit ends it.
 */
plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const char *ca_file);

/** The stream that a plat_tls_stream is. */
plat_stream *plat_tls_base(plat_tls_stream *s);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tls_stream_valid(const plat_tls_stream *s);
#endif

#endif
