#ifndef PLAT_WOLFSSL_TLS_STREAM_H
#define PLAT_WOLFSSL_TLS_STREAM_H

/**
 * @file
 * TLS on wolfSSL over any other stream, as a client.  The certificate chain and the
 * host name are always verified; nothing switches that off.
 */

#include "platform/stream.h"
#include "wolfssl/x509/trust_time.h"

typedef enum plat_tls_state {
    PLAT_TLS_CLOSED = 0,
    PLAT_TLS_LOWER, /* the stream below is opening */
    PLAT_TLS_HANDSHAKE,
    PLAT_TLS_OPEN,
    PLAT_TLS_FAILED /* until close; every call repeats the failure */
} plat_tls_state;

typedef struct plat_tls_stream {
    plat_stream base;
    plat_stream *lower; /* borrowed; this stream opens and closes it */
    struct plat_tls_context *context;
    struct WOLFSSL *ssl; /* from HANDSHAKE on */
    const char *host;    /* borrowed until close */
    char *detail;        /* see failure_text.h */
    uint8_t *ahead;      /* what was read ahead; NULL between two calls that left nothing of it */
    uint16_t ahead_at;   /* the first byte that wolfSSL has not taken */
    uint16_t ahead_end;
    uint16_t port;
    bool offered;      /* a session of an earlier connection */
    bool unproven;     /* and it did not bring us a byte yet */
    bool new_ticket;   /* of this connection, not kept yet */
    bool wants_write;  /* wolfSSL holds bytes that the stream below did not take */
    bool lower_empty;  /* the last read from below brought less than it had room for */
    bool below_failed; /* the stream below knows why */
    plat_tls_state state;
    plat_result failure;
    plat_stage failed_in;
    plat_result verdict;      /* on the chain; WOULD_BLOCK while none was seen */
    plat_result lower_result; /* what the stream below said last */
    uint16_t retry_len;       /* after WOULD_BLOCK of send: the record that must be repeated */
    uint8_t growth;           /* of what is received, by TLS, in eighths; 0: not known */
    bool full_chain;          /* as many certificates as wolfSSL can read; there may be more */
    uint32_t taken;           /* bytes from below by one call of recv */
    plat_trust trust;         /* what the chain, or that of the resumed session, is worth */
} plat_tls_stream;

/**
 * Make a closed stream over lower, which must live as long.  ca_file NULL: the
 * system's roots.  Loads the roots when no other stream has them.  After a failure
 * the stream is there all the same: its detail says why, and deinit ends it.
 */
plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const char *ca_file);

/** The stream that a plat_tls_stream is. */
plat_stream *plat_tls_base(plat_tls_stream *s);

#endif
