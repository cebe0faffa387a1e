#ifndef PLAT_STREAM_H
#define PLAT_STREAM_H

/**
 * @file
 * A non-blocking byte stream.  TCP, TLS over it, and the scripted stream of the
 * tests implement it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What an opening stream is busy with; each stage gets its own deadline. */
typedef enum plat_stage {
    PLAT_STAGE_RESOLVE = 1,
    PLAT_STAGE_CONNECT,
    PLAT_STAGE_TLS,
    PLAT_STAGE_OPEN /* bytes may flow */
} plat_stage;

/** What to wait for before a stream, a client or a thread's wake-up can make progress. */
typedef struct plat_poll {
    intptr_t fd;         /**< descriptor to watch; -1: none, and the next three do not matter */
    bool want_read;      /**< watch fd until it can be read */
    bool want_write;     /**< watch fd until it can be written */
    uint32_t generation; /**< changes whenever fd stands for another open file than before */
    bool ready_now;      /**< do not sleep: for example, TLS holds bytes that were not read yet */
    uint64_t wake_at_ms; /**< monotonic time of the next call without an event; 0: never */
} plat_poll;

/** How far the bytes of an open stream have come; see plat_stream_ops.flow. */
typedef struct plat_flow {
    uint64_t received;  /* bytes that arrived since open, also those that recv has not given yet */
    uint64_t delivered; /* bytes sent since open that the peer's system has acknowledged */
    uint64_t pending;   /* bytes that send took, and that it has not acknowledged */
    bool awaited;       /* it owes an answer; false: it answers, but has no room for more bytes */
} plat_flow;

typedef struct plat_stream plat_stream;

typedef struct plat_stream_ops {
    /**
     * Begin to open.  Never blocks; a closed stream only.  host must stay until close.
     * now_ms is the monotonic clock, here and below.
     */
    plat_result (*open)(plat_stream *s, const char *host, uint16_t port, uint64_t now_ms);

    /**
     * Continue to open.  PLAT_OK: open.  PLAT_WOULD_BLOCK: busy with *stage, call
     * again as poll says.  Anything else: failed in *stage; close it.
     */
    plat_result (*progress)(plat_stream *s, uint64_t now_ms, plat_stage *stage);

    /**
     * PLAT_OK with *got > 0, PLAT_WOULD_BLOCK, PLAT_EOF or an error.  As much as there is: less
     * than cap says that a further call would block, most likely.
     */
    plat_result (*recv)(plat_stream *s, uint8_t *buf, size_t cap, size_t *got);

    /**
     * PLAT_OK with *sent > 0, PLAT_WOULD_BLOCK or an error.  After WOULD_BLOCK the
     * next call must offer the same bytes again, possibly at another address
     * and possibly followed by more.
     */
    plat_result (*send)(plat_stream *s, const uint8_t *buf, size_t len, size_t *sent);

    /**
     * What to wait for; want_send: until send may take bytes; least: fewer bytes to read than that
     * need not end the wait, 1 for any (a hint).  Called before each sleep, and only
     * then: what a stream puts off, to go along with bytes that are to come, now waits no longer.
     *
     * Called on a closed stream as well.  A descriptor that one call has shown stays open until
     * the next but one: the next call no longer shows it and says ready_now, so that whoever
     * watches it stops, and comes back soon.  Its number is therefore never that of something else
     * while it is watched.
     */
    void (*poll)(plat_stream *s, bool want_send, size_t least, plat_poll *out);

    /**
     * Signs of life that recv and send do not show: a TLS record that arrives piece by piece, and
     * bytes that send took long before the peer did.  The counts may include what layers below add,
     * and never go back.  Called a few times while a PINGREQ has no answer, and at the deadline of
     * a stage.  NULL: the stream cannot tell; then what send took counts as taken by the peer.
     */
    void (*flow)(plat_stream *s, plat_flow *out);

    /** Whether the open connection took up a TLS session of an earlier one; false before that. */
    bool (*resumed)(const plat_stream *s);

    /** Why the last call failed, for people: one line, never a secret.  "" without failure. */
    const char *(*detail)(const plat_stream *s);

    /** Drop the connection at once, best effort close_notify.  Idempotent; may be reopened. */
    void (*close)(plat_stream *s);

    /** Close and give back everything; the storage may be reused. */
    void (*deinit)(plat_stream *s);
} plat_stream_ops;

/** First member of every implementation. */
struct plat_stream {
    const plat_stream_ops *ops;
};

/** Room for any stream that a plat_net makes; the caller owns it. */
#define PLAT_STREAM_SIZE 208
typedef union plat_stream_storage {
    plat_stream stream;
    uint64_t align;
    void *align_ptr;
    unsigned char bytes[PLAT_STREAM_SIZE];
} plat_stream_storage;

#ifdef __cplusplus
}
#endif
#endif
