#ifndef IOTHUB_CHANNEL_H
#define IOTHUB_CHANNEL_H

/**
 * @file
 * One way to the hub: a stream, how far it is open, and how long that may take.  A client has two:
 * a renewal opens the second while the first is in use.
 */

#include "connection/stage.h"
#include "context/context.h"
#include "platform/stream.h"

typedef enum channel_state {
    CHANNEL_CLOSED = 0,
    CHANNEL_RESOLVING,
    CHANNEL_CONNECTING,
    CHANNEL_SECURING,
    CHANNEL_OPEN /* bytes may flow */
} channel_state;

typedef enum channel_answer {
    CHANNEL_WAITS, /* perhaps one stage further */
    CHANNEL_READY, /* open now */
    CHANNEL_FAILED /* it should be closed */
} channel_answer;

typedef struct iothub_channel {
    iothub_context *context;
    plat_stream_storage memory;
    plat_stream *stream; /* NULL until the first attempt */
    mqc_time began;      /* the attempt */
    iothub_stage stage;  /* of opening, or of the connection over it */
    channel_state state;
    bool want_write; /* the stream would not take all */
} iothub_channel;

void channel_init(iothub_channel *ch, iothub_context *context);
void channel_deinit(iothub_channel *ch);

/** Begin to open it; it is closed after a failure. */
iothub_result channel_open(iothub_channel *ch, iothub_error *error);
/** Go on to open it; others may make requests meanwhile. */
channel_answer channel_progress(iothub_channel *ch, mqc_time now, iothub_error *error);
void channel_close(iothub_channel *ch);

/** True while it opens, and when it is open. */
static inline bool channel_in_use(const iothub_channel *ch)
{
    return ch->state != CHANNEL_CLOSED;
}

static inline bool channel_is_opening(const iothub_channel *ch)
{
    return ch->state > CHANNEL_CLOSED && ch->state < CHANNEL_OPEN;
}

/** The state of a connection that goes on with this channel; STOPPED: there is nothing to go on
 * with. */
iothub_state channel_as_state(const iothub_channel *ch);

/** The connection goes on with this channel: its attempt begins now. */
void channel_adopt(iothub_channel *ch, mqc_time now);

/* --- time ------------------------------------------------------------------------------- */

/** Of the stage of opening, and of what follows. */
static inline mqc_time channel_deadline(const iothub_channel *ch)
{
    return ch->stage.deadline;
}

/** True when the stage of opening took too long. */
bool channel_is_late(iothub_channel *ch, mqc_time now);

/** A stage of the connection over this channel begins. */
void channel_begin_stage(iothub_channel *ch, iothub_state state, mqc_time now);
/** The deadline of that stage is over: true when it goes on all the same. */
bool channel_stage_goes_on(iothub_channel *ch, iothub_state state, mqc_time now);
/** A state of the connection ends at a time of its own, whether it has this channel or had it. */
void channel_set_deadline(iothub_channel *ch, mqc_time when);

/* --- bytes, once it is open --------------------------------------------------------------- */

/** Others may make requests meanwhile. */
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

/** channel_send by another thread than the runner's, under the lock. */
static inline plat_result channel_send_locked(iothub_channel *ch, const void *data, size_t len,
                                              size_t *sent)
{
    return ch->stream->ops->send(ch->stream, data, len, sent);
}

/** CHANNEL_FAILED when the hub speaks before it was spoken to, or has closed the channel. */
channel_answer channel_watch(iothub_channel *ch, iothub_error *error);
/** What the stream knows of bytes on their way.  False: it cannot tell. */
bool channel_flow(const iothub_channel *ch, plat_flow *out);
/** Whether the stream took up an earlier TLS session. */
bool channel_resumed(const iothub_channel *ch);
/** What to wait for; also of one that is closed: who watches its descriptor hears that it is
 * gone. */
static inline void channel_poll(iothub_channel *ch, bool want_write, size_t least, plat_poll *p)
{
    if (ch->stream != NULL) {
        ch->stream->ops->poll(ch->stream, want_write, least, p);
    }
}

/** Why a call of the stream ended with r. */
iothub_result channel_why(const iothub_channel *ch, plat_result r, iothub_error *error);

/** What this part alone is responsible for; debug builds look at each entry. */
bool channel_valid(const iothub_channel *ch);

#endif
