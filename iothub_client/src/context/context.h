#ifndef IOTHUB_CONTEXT_H
#define IOTHUB_CONTEXT_H

/**
 * @file
 * The state that all parts of a client share: options, identity, engine, lock, numbers of requests,
 * and texts of refusals. Each part has a pointer to it.
 */

#include "context/lock.h"
#include "hub/names.h"
#include "hub/topics.h"
#include "iothub/options.h"
#include "mqtt_core/engine.h"

/* One lane for each purpose, so that an answer never waits behind queued telemetry. */
enum { IOTHUB_LANE_METHOD = 0, IOTHUB_LANE_TWIN, IOTHUB_LANE_TELEMETRY, IOTHUB_LANES };

/* The kind of a message that the client sends for itself; the others are iothub_op_kind. */
enum { IOTHUB_OP_OF_CLIENT = 0 };

/** How a client finds its hub; see connection/home.h. */
typedef struct iothub_home iothub_home;

/* The members that are used most come first, because small offsets make short instructions. */
typedef struct iothub_context {
    mqc_engine *engine;
    iothub_lock *lock; /* NULL: only one thread at a time uses the client */
    void *handle;      /* the client, for callbacks */
    iothub_home *home; /* NULL: the connection string names the hub */

    iothub_op last_op;
    uint32_t generation; /* increases when a connection ends; 0: no connection was tried yet */
    bool processing;     /* inside iothub_process */
    bool logging;        /* the log callback is running inside a call other than iothub_process */
    bool closing;        /* iothub_deinit is running: no more requests are accepted */
    bool poked;          /* there is work, so poll must not sleep */
    iothub_state state : 8; /* state of the connection; session.c sets it with context_set_state */
    bool joined : 1;        /* the lock is that of another context */
    bool prefers_websocket : 1; /* IOTHUB_AUTO: the next attempt begins with WebSocket */

    uint16_t events_len; /* length of the topic of telemetry */
    char *scratch;       /* buffer after that topic, into which the property bag is written */
    uint32_t scratch_len;
    uint32_t ignored; /* messages */
    iothub_options options;
    hub_names identity; /* the names, in the client's memory */
    iothub_lock lock_memory;
    iothub_error error; /* used only if there is no lock; otherwise each thread has its own error */
} iothub_context;

/** Initialises the context. handle is the client, for callbacks. */
void context_init(iothub_context *context, void *handle, mqc_engine *engine,
                  const iothub_options *options);
/** Sets what the next attempt begins with, with the transport IOTHUB_AUTO. */
void context_prefer_websocket(iothub_context *context, bool websocket);
void context_set_identity(iothub_context *context, const hub_names *identity);
/** Sets the memory for a ready-made token. */
void context_set_token(iothub_context *context, char *token);
/** Sets the scratch buffer, which follows the topic of telemetry. That topic has events_len bytes.
 */
void context_set_scratch(iothub_context *context, char *scratch, size_t len, size_t events_len);

/** These functions set a callback of the options; NULL removes it. */
void context_set_c2d(iothub_context *context, iothub_c2d_callback *c2d);
void context_set_desired(iothub_context *context, iothub_desired_callback *desired);
void context_set_method(iothub_context *context, iothub_method_callback *method);

/** Gives the client a home, which finds its hub instead of the connection string. */
static inline void context_set_home(iothub_context *context, iothub_home *home)
{
    context->home = home;
}

/** From now on this context logs for the client of the other context, and uses its lock. */
static inline void context_join(iothub_context *context, const iothub_context *other)
{
    context->handle = other->handle;
    context->lock = other->lock;
    context->joined = true;
}

mqc_time context_now(const iothub_context *context);

static inline const plat_clock *context_clock(const iothub_context *context)
{
    return context->options.platform->clock;
}

static inline topic_identity context_topics(const iothub_context *context)
{
    topic_identity id = { context->identity.device_id, context->identity.module_id };
    return id;
}

/** Returns the host to connect to, NUL-terminated. */
static inline const char *context_host(const iothub_context *context)
{
    const hub_names *id = &context->identity;
    const mqc_span name = id->gateway_host_name.len > 0 ? id->gateway_host_name : id->host_name;

    return (const char *)name.ptr;
}

/** Returns the topic of telemetry. */
static inline char *context_events(const iothub_context *context)
{
    return context->scratch - context->events_len;
}

/** Marks that the next turn has work, so that nothing sleeps before it. */
static inline void context_poke(iothub_context *context)
{
    context->poked = true;
}

/** Removes const, because functions with a const context may set the flags of the log. */
static inline iothub_context *context_own(const iothub_context *context)
{
    const union {
        const iothub_context *seen;
        iothub_context *own;
    } both = { context };
    return both.own;
}

/* --- the connection, as far as everybody may know it ------------------------------ */

void context_set_state(iothub_context *context, iothub_state state);
/** Increases the generation, so that everything of the ended connection becomes out of date. */
void context_end_connection(iothub_context *context);

/* --- turns ------------------------------------------------------------------------- */

/** Begins a turn. Returns true if there was something to do. */
static inline bool context_begin_turn(iothub_context *context)
{
    bool poked = context->poked;

    context->processing = true;
    context->poked = false;
    return poked;
}

static inline void context_end_turn(iothub_context *context)
{
    context->processing = false;
}

/** Begins the end of the client: requests are refused, and callbacks run as in a turn. */
void context_begin_end(iothub_context *context);
/** Notes that the log callback runs. Returns true if it was running already. */
bool context_set_logging(iothub_context *context, bool logging);

/* --- the lock ------------------------------------------------------------------------ */

/** Makes the lock for the first runner. */
plat_result context_make_lock(iothub_context *context);
void context_drop_lock(iothub_context *context);

static inline void context_enter(const iothub_context *context)
{
    if (context->lock != NULL) {
        lock_enter(context->lock);
    }
}

static inline void context_leave(const iothub_context *context)
{
    if (context->lock != NULL) {
        lock_leave(context->lock, context->poked);
    }
}

/** Returns true if a runner drives the client. */
static inline bool context_has_runner(const iothub_context *context)
{
    return context->lock != NULL && context->lock->state != IOTHUB_RUNNER_NONE;
}

/**
 * Release and take the lock around a call of a stream, which may take long, so that other threads
 * can make requests. Requests use neither the stream nor bytes that the engine has offered.
 */
static inline bool context_open_lock(const iothub_context *context)
{
    bool opens = context_has_runner(context);

    if (opens) {
        lock_leave(context->lock, false);
    }
    return opens;
}

static inline void context_close_lock(const iothub_context *context, bool opened)
{
    if (opened) {
        lock_enter(context->lock);
    }
}

/**
 * Returns true if the caller is inside iothub_process, and therefore in a callback, or in a
 * callback of the runner.
 */
bool context_in_callback(const iothub_context *context);

/* --- requests ------------------------------------------------------------------------ */

/** Returns the latest refusal of the calling thread. */
iothub_error *context_error(iothub_context *context);
/** Stores the reason of a refusal. Returns code. */
iothub_result context_refuse(iothub_context *context, iothub_result code, const char *text);
/** Refuses a call for the engine's reason. `queue` names the queue in the text. */
iothub_result context_refuse_mqc(iothub_context *context, mqc_result r, const char *queue);
/** Refuses data that can never fit because an option is too small. */
iothub_result context_refuse_size(iothub_context *context, const char *what, size_t len,
                                  const char *option, size_t size);
/** Calls mqc_publish, unless the client is being ended. */
mqc_result context_publish(iothub_context *context, const mqc_outgoing *m);

/**
 * Returns the number of the next request. If the request is accepted, context_take_op uses the
 * number up.
 */
static inline iothub_op context_next_op(const iothub_context *context)
{
    return context->last_op == UINT32_MAX ? 1 : context->last_op + 1;
}

static inline void context_take_op(iothub_context *context, iothub_op next, iothub_op *op)
{
    context->last_op = next;
    if (op != NULL) {
        *op = next;
    }
}

/* --- messages that nobody wants ------------------------------------------------------- */

static inline void context_count_ignored(iothub_context *context)
{
    context->ignored++;
}

#ifndef NDEBUG
bool context_valid(const iothub_context *context);
#endif

#endif
