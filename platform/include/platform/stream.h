#ifndef PLAT_STREAM_H
#define PLAT_STREAM_H

/**
 * @file
 * A non-blocking byte stream.  TCP, TLS and WebSocket over any other stream, and the scripted
 * stream of the tests implement it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"
#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a stream that is being opened is busy with.  Each stage has its own deadline. */
typedef enum plat_stage {
    PLAT_STAGE_RESOLVE = 1, /**< The stream looks up the host name. */
    PLAT_STAGE_CONNECT,     /**< The stream connects to an address. */
    PLAT_STAGE_TLS,         /**< The TLS handshake is in progress. */
    PLAT_STAGE_UPGRADE,     /**< The stream waits for the answer to a WebSocket upgrade. */
    PLAT_STAGE_OPEN         /**< The stream is open: bytes can be sent and received. */
} plat_stage;

/** What to wait for before a stream, a client or a thread's wake-up can make progress. */
typedef struct plat_poll {
    intptr_t fd;         /**< descriptor to watch; -1: none, and the next three do not matter */
    uint32_t generation; /**< changes whenever fd stands for another open file than before */
    bool want_read;      /**< watch fd until it can be read */
    bool want_write;     /**< watch fd until it can be written */
    bool ready_now;      /**< do not sleep: for example, TLS has bytes that were not read yet */
    uint64_t wake_at_ms; /**< monotonic time of the next call without an event; 0: never */
} plat_poll;

/** Counts of the bytes that an open stream has received and delivered; see plat_stream_ops.flow. */
typedef struct plat_flow {
    uint64_t received;  /**< bytes that arrived since open, including those that recv has not
                             returned yet */
    uint64_t delivered; /**< bytes sent since open that the peer's system has acknowledged */
    uint64_t pending;   /**< bytes that send took and the peer's system has not acknowledged */
    bool awaited;       /**< the peer's system owes an answer; false: it answers, but has no room
                             for more bytes */
} plat_flow;

/** A stream. */
typedef struct plat_stream plat_stream;

/**
 * The functions of a stream.  A stream is closed at first; open and progress open it.  After a
 * failure each call except close, deinit, poll and detail repeats that failure, until close makes
 * it a closed stream again.  Only one thread at a time may call them.
 */
typedef struct plat_stream_ops {
    /**
     * Begins to open a closed stream.  Never blocks.
     * @param s       the stream
     * @param host    name or address of the peer; it must stay valid until close
     * @param port    TCP port of the peer
     * @param now_ms  the time by plat_clock.monotonic_ms
     * @retval PLAT_ERR_STATE   the stream is not closed
     * @retval PLAT_ERR_ARG     host is not a host name
     * @retval PLAT_ERR_MEMORY  no memory, thread or descriptor is left
     */
    plat_result (*open)(plat_stream *s, const char *host, uint16_t port, uint64_t now_ms);

    /**
     * Continues to open the stream.  Never blocks.
     * @param s           the stream, after open
     * @param now_ms      the time by plat_clock.monotonic_ms
     * @param[out] stage  what the stream is busy with, or what has failed
     * @retval PLAT_OK           the stream is open
     * @retval PLAT_WOULD_BLOCK  not yet: wait for what poll reports and call again
     * @return any other result: opening has failed; close the stream
     */
    plat_result (*progress)(plat_stream *s, uint64_t now_ms, plat_stage *stage);

    /**
     * Receives the available bytes, up to cap.  Never blocks.
     * @param s         an open stream
     * @param[out] buf  the bytes
     * @param cap       size of buf, at least 1
     * @param[out] got  how many bytes were received; if fewer than cap, a further call would most
     *                  likely return PLAT_WOULD_BLOCK
     * @retval PLAT_OK           *got is at least 1
     * @retval PLAT_WOULD_BLOCK  no bytes are available
     * @retval PLAT_EOF          the peer has closed the connection in order
     * @return any other result: the connection broke
     */
    plat_result (*recv)(plat_stream *s, uint8_t *buf, size_t cap, size_t *got);

    /**
     * Sends bytes.  Never blocks.
     * @param s          an open stream
     * @param buf        the bytes.  After PLAT_WOULD_BLOCK the next call must pass the same bytes
     *                   again, possibly at another address and possibly followed by more.
     * @param len        their number, at least 1
     * @param[out] sent  how many bytes the stream took, from the first one on
     * @retval PLAT_OK           *sent is at least 1
     * @retval PLAT_WOULD_BLOCK  the stream accepts no bytes now
     * @return any other result: the connection broke
     */
    plat_result (*send)(plat_stream *s, const uint8_t *buf, size_t len, size_t *sent);

    /**
     * Reports what to wait for.  Call it before each sleep, and only then, because the stream now
     * flushes anything that it has deferred (such as a TCP acknowledgement).
     *
     * Call it for a closed stream as well.  A descriptor that one call has reported stays open at
     * least until the second call after that.  If the stream has dropped the descriptor, the next
     * call no longer reports it and sets ready_now; so the caller stops watching it and calls again
     * soon, and only that second call closes it.  The number of a descriptor therefore never stands
     * for another file while it is watched.
     *
     * @param s          the stream, in any state
     * @param want_send  wait until send may take bytes
     * @param least      number of received bytes that are worth waking up for, 1: any.  A hint: the
     *                   stream may wake its caller for fewer.
     * @param[out] out   what to wait for
     */
    void (*poll)(plat_stream *s, bool want_send, size_t least, plat_poll *out);

    /**
     * Reports signs of life that recv and send do not show: a TLS record that arrives in pieces,
     * and bytes that send took long before the peer received them.  The counts may include bytes
     * that lower layers add.  They never decrease while the stream is open.
     *
     * The client calls it a few times while a PINGREQ is unanswered, and at the deadline of a
     * stage.
     *
     * This function may be NULL if the system cannot tell; then what send took counts as received
     * by the peer.
     *
     * @param s         the stream, in any state
     * @param[out] out  the counts of its bytes
     */
    void (*flow)(plat_stream *s, plat_flow *out);

    /**
     * Reports whether the connection has resumed a TLS session of an earlier one.
     * @param s  the stream, in any state
     * @return false unless the stream is open and has resumed a session
     */
    bool (*resumed)(const plat_stream *s);

    /**
     * Reports the port that an open connection goes to.  NULL: it is always that of open.
     * @param s  the stream, in any state
     * @return the port; 0: the stream is not open
     */
    uint16_t (*port)(const plat_stream *s);

    /**
     * Explains why the last call has failed.
     * @param s  the stream, in any state
     * @return one line that never contains a secret, valid until the next call; "" if the stream
     * has not failed
     */
    const char *(*detail)(const plat_stream *s);

    /**
     * Sets the client certificate that the next connections present if the server asks for one,
     * instead of that of plat_stream_config.  The stream takes a reference, and ends its reference
     * to the one before.
     *
     * This function may be NULL: the stream has no TLS.
     *
     * @param s         a closed stream
     * @param identity  the certificate with its key; NULL: none
     * @retval PLAT_ERR_STATE   the stream is not closed; nothing has changed
     * @retval PLAT_ERR_MEMORY  no memory is left; nothing has changed
     */
    plat_result (*set_identity)(plat_stream *s, plat_identity *identity);

    /**
     * Closes the connection immediately.  TLS tries to send a close_notify, but does not wait until
     * that has been sent.  The stream can be opened again.
     * @param s  the stream, in any state
     */
    void (*close)(plat_stream *s);

    /**
     * Closes the stream and gives back everything that it owns.  The storage may be used again.
     * @param s  the stream, in any state
     */
    void (*deinit)(plat_stream *s);
} plat_stream_ops;

/** The first member of every implementation. */
struct plat_stream {
    const plat_stream_ops *ops; /**< the functions of this stream */
};

#ifndef PLAT_STREAM_SIZE
/**
 * Size of a plat_stream_storage in bytes.  A port that needs another size defines this macro for
 * all files that include this header; CMake does so with -DIOTHUB_STREAM_SIZE=BYTES.
 */
#define PLAT_STREAM_SIZE 224
#endif

/** Memory for any stream that a plat_net makes.  The caller owns it.  Its members are private. */
typedef union plat_stream_storage {
    plat_stream stream;                    /**< private: aligns the memory */
    uint64_t align;                        /**< private: aligns the memory */
    void *align_ptr;                       /**< private: aligns the memory */
    unsigned char bytes[PLAT_STREAM_SIZE]; /**< private: the memory */
} plat_stream_storage;

#ifdef __cplusplus
}
#endif
#endif
