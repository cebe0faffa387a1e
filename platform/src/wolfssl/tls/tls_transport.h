#ifndef PLAT_WOLFSSL_TLS_TRANSPORT_H
#define PLAT_WOLFSSL_TLS_TRANSPORT_H

/**
 * @file
 * The bytes between wolfSSL and the stream below a TLS stream. wolfSSL asks for the five bytes of a
 * record's header and then for its body. To save system calls, the transport reads more than that
 * at a time, and keeps the rest until wolfSSL asks for it.
 */

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "platform/stream.h"

/**
 * The most bytes that are read ahead: some dozens of acknowledgements, each in a record of its own.
 */
#define PLAT_TLS_READ_AHEAD 1024

/** A transport. Only tls_transport.c writes its members. */
typedef struct plat_tls_transport {
    plat_stream *lower; /* the stream below; not owned */
    uint8_t *ahead;     /* bytes that were read ahead; NULL: none are kept between two calls */
    uint16_t ahead_at;  /* index of the first byte that wolfSSL has not taken */
    uint16_t ahead_end; /* index after the last byte */
    uint32_t taken;     /* number of bytes that wolfSSL took since plat_tls_transport_lend */
    plat_result lower_result : 8; /* the last result of the stream below, or its first failure */
    /* The last read from the stream below returned less than there was room for. */
    bool lower_empty;
    uint8_t growth; /* bytes of TLS per byte of data, in eighths; 0: not known yet */
} plat_tls_transport;

/** Initialises the transport. lower must live as long as the transport. */
void plat_tls_transport_init(plat_tls_transport *t, plat_stream *lower);

/**
 * Makes a new connection read and write through the transport. Nothing of an earlier connection is
 * kept.
 */
void plat_tls_transport_attach(plat_tls_transport *t, WOLFSSL *ssl);

/** Frees what was read ahead. */
void plat_tls_transport_drop(plat_tls_transport *t);

/**
 * Call it before each call of wolfSSL that may read. It lends the transport room for bytes that are
 * read ahead, on the caller's stack. Most connections are idle, so they need no memory of their own
 * for it.
 */
void plat_tls_transport_lend(plat_tls_transport *t, uint8_t room[PLAT_TLS_READ_AHEAD]);

/**
 * Call it after that call of wolfSSL. Bytes that wolfSSL has not taken, because it had no room or
 * the record is incomplete, are copied to memory of their own.
 * @return false: there is no memory, and these bytes are lost
 */
bool plat_tls_transport_keep(plat_tls_transport *t, const uint8_t room[PLAT_TLS_READ_AHEAD]);

/** Returns whether the transport holds bytes that were read ahead. */
bool plat_tls_transport_has_bytes(const plat_tls_transport *t);

/** Returns whether another record, or a part of one, may be available without waiting. */
bool plat_tls_transport_may_have_more(const plat_tls_transport *t);

/**
 * Reports that `got` bytes of data were decrypted from the bytes taken since the last call. This
 * shows how many bytes TLS adds.
 */
void plat_tls_transport_note_growth(plat_tls_transport *t, size_t got);

/** Returns how many bytes of TLS to wait for in order to receive `least` bytes of data. */
size_t plat_tls_transport_least_below(const plat_tls_transport *t, size_t least);

#ifndef NDEBUG
/** Returns whether the members agree with each other. */
bool plat_tls_transport_valid(const plat_tls_transport *t);
#endif

#endif
