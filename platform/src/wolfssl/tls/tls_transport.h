#ifndef PLAT_WOLFSSL_TLS_TRANSPORT_H
#define PLAT_WOLFSSL_TLS_TRANSPORT_H

/**
 * @file
 * The bytes between wolfSSL and the stream below a TLS stream.  wolfSSL asks for the five bytes of
 * a record's header and then for its body.  To save system calls the transport reads more than that
 * at once, and keeps the rest until wolfSSL asks for it.
 */

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "platform/stream.h"

/** Bytes that are read ahead at most: some dozens of acknowledgements, each in its own record. */
#define PLAT_TLS_READ_AHEAD 1024

/** Written by tls_transport.c only. */
typedef struct plat_tls_transport {
    plat_stream *lower;           /* the stream below; borrowed */
    uint8_t *ahead;               /* what was read ahead; NULL: nothing is kept between two calls */
    uint16_t ahead_at;            /* the first byte that wolfSSL has not taken */
    uint16_t ahead_end;           /* behind the last byte */
    uint32_t taken;               /* bytes that wolfSSL took since plat_tls_transport_lend */
    plat_result lower_result : 8; /* what the stream below returned last, or its first failure */
    bool lower_empty;             /* the last read from below returned less than it had room for */
    uint8_t growth;               /* bytes below for each byte received, in eighths; 0: not known */
} plat_tls_transport;

/** lower must live as long as the transport. */
void plat_tls_transport_init(plat_tls_transport *t, plat_stream *lower);

/** Lets a new connection read and write here.  Nothing is kept of an earlier one. */
void plat_tls_transport_attach(plat_tls_transport *t, WOLFSSL *ssl);

/** Gives back what was read ahead. */
void plat_tls_transport_drop(plat_tls_transport *t);

/**
 * Before each call of wolfSSL that may read: lends room for what is read ahead, on the caller's
 * stack.  Most connections are idle, and need no memory of their own for it.
 */
void plat_tls_transport_lend(plat_tls_transport *t, uint8_t room[PLAT_TLS_READ_AHEAD]);

/**
 * After that call: bytes that wolfSSL left, for want of space or of the rest of a record, move to
 * memory of their own.
 * @return  false: there is no memory, and these bytes are lost
 */
bool plat_tls_transport_keep(plat_tls_transport *t, const uint8_t room[PLAT_TLS_READ_AHEAD]);

/** Whether bytes are read ahead. */
bool plat_tls_transport_has_bytes(const plat_tls_transport *t);

/** Whether another record, or a part of one, may be available without waiting. */
bool plat_tls_transport_may_have_more(const plat_tls_transport *t);

/** Reports that got bytes were decrypted from the bytes taken since the last call, which shows how
 * many bytes TLS adds. */
void plat_tls_transport_note_growth(plat_tls_transport *t, size_t got);

/** Returns how many TLS bytes to wait for in order to receive least bytes of data. */
size_t plat_tls_transport_least_below(const plat_tls_transport *t, size_t least);

#ifndef NDEBUG
/** Whether the members agree with each other. */
bool plat_tls_transport_valid(const plat_tls_transport *t);
#endif

#endif
