#ifndef IOTHUB_CHANNEL_H
#define IOTHUB_CHANNEL_H

/**
 * @file A connection to the hub below MQTT: a stream, the stage of opening it, and the deadline of
 * that stage. A client has two, so that a renewal can open the second while the first is in use.
 */

#include "connection/stage.h"
#include "context/context.h"
#include "platform/stream.h"

typedef enum channel_state {
    CHANNEL_CLOSED = 0,
    CHANNEL_RESOLVING,
    CHANNEL_CONNECTING,
    CHANNEL_SECURING,
    CHANNEL_UPGRADING, /* the WebSocket; the state of the connection is still IOTHUB_SECURING */
    CHANNEL_OPEN       /* bytes can be sent and received */
} channel_state;

typedef enum channel_answer {
    CHANNEL_WAITS, /* not open yet, but the stage may have changed */
    CHANNEL_READY, /* open now */
    CHANNEL_FAILED /* it should be closed */
} channel_answer;

typedef struct iothub_channel {
    iothub_context *context;
    plat_stream *stream; /* NULL before the first attempt */
    mqc_time began;      /* the attempt */
    iothub_stage stage;  /* the current stage of opening, or the state of the connection over it */
    channel_state state;
    bool want_write; /* the stream did not accept all bytes, so wait until it is writable */
    plat_stream_storage memory; /* memory of the stream */
} iothub_channel;

void channel_init(iothub_channel *ch, iothub_context *context);
void channel_deinit(iothub_channel *ch);

/**
 * Begins to open the channel, with a certificate to present or NULL. After a failure it is closed.
 */
iothub_result channel_open(iothub_channel *ch, plat_identity *identity, iothub_error *error);
/**
 * Continues to open the channel. The lock is released meanwhile, so that other threads can make
 * requests.
 */
channel_answer channel_progress(iothub_channel *ch, mqc_time now, iothub_error *error);
void channel_close(iothub_channel *ch);

/** Returns true while the channel is being opened, and when it is open. */
static inline bool channel_in_use(const iothub_channel *ch)
{
    return ch->state != CHANNEL_CLOSED;
}

static inline bool channel_is_opening(const iothub_channel *ch)
{
    return ch->state > CHANNEL_CLOSED && ch->state < CHANNEL_OPEN;
}

/**
 * Returns the state of a connection that continues with this channel. IOTHUB_STOPPED means that the
 * channel is closed.
 */
iothub_state channel_as_state(const iothub_channel *ch);

/** Call it when the connection continues with this channel; its attempt begins now. */
void channel_adopt(iothub_channel *ch, mqc_time now);

/* --- time ------------------------------------------------------------------------------- */

/** Returns the deadline of the current stage. */
static inline mqc_time channel_deadline(const iothub_channel *ch)
{
    return ch->stage.deadline;
}

/** Returns the error text for a state of this channel that has reached its limit. */
const char *channel_late_text(const iothub_channel *ch, iothub_state state);

/** Returns true if the stage of opening took too long. */
bool channel_is_late(iothub_channel *ch, mqc_time now);

/** Begins a stage of the connection over this channel. */
void channel_begin_stage(iothub_channel *ch, iothub_state state, mqc_time now);
/** Call it when the deadline of the stage has passed. Returns true if the deadline is extended. */
bool channel_stage_goes_on(iothub_channel *ch, iothub_state state, mqc_time now);
/** Sets the deadline of a state of the connection; allowed even after this channel was closed. */
void channel_set_deadline(iothub_channel *ch, mqc_time when);

/* --- bytes, once it is open --------------------------------------------------------------- */

/** Receives bytes. The lock is released meanwhile, so that other threads can make requests. */
static inline plat_result channel_recv(iothub_channel *ch, void *at, size_t cap, size_t *got)
{
    bool opened = context_open_lock(ch->context);
    plat_result r = ch->stream->ops->recv(ch->stream, at, cap, got);
    context_close_lock(ch->context, opened);
    return r;
}

static inline plat_result channel_send(iothub_channel *ch, const void *data, size_t len,
                                       size_t *sent)
{
    bool opened = context_open_lock(ch->context);
    plat_result r = ch->stream->ops->send(ch->stream, data, len, sent);
    context_close_lock(ch->context, opened);
    ch->want_write = r == PLAT_WOULD_BLOCK;
    return r;
}

/**
 * Sends like channel_send, but is called with the lock held by a thread other than the runner's.
 */
static inline plat_result channel_send_locked(iothub_channel *ch, const void *data, size_t len,
                                              size_t *sent)
{
    return ch->stream->ops->send(ch->stream, data, len, sent);
}

/** Returns CHANNEL_FAILED if the hub has sent data before CONNECT, or has closed the channel. */
channel_answer channel_watch(iothub_channel *ch, iothub_error *error);
/**
 * Reports received, delivered and pending bytes of the stream. Returns false if the stream cannot
 * tell.
 */
bool channel_flow(const iothub_channel *ch, plat_flow *out);
/** Returns true if the connection is over WebSocket. */
bool channel_is_websocket(const iothub_channel *ch);
/** Returns true if the stream has resumed an earlier TLS session. */
bool channel_resumed(const iothub_channel *ch);
/**
 * Reports what to wait for. It also works for a closed channel, so that an event loop learns that
 * the descriptor is closed.
 */
static inline void channel_poll(iothub_channel *ch, bool want_write, size_t least, plat_poll *p)
{
    if (ch->stream != NULL) {
        ch->stream->ops->poll(ch->stream, want_write, least, p);
    }
}

/** Returns the reason for which a call of the stream failed with r. */
iothub_result channel_why(const iothub_channel *ch, plat_result r, iothub_error *error);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool channel_valid(const iothub_channel *ch);

#endif
