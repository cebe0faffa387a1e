#ifndef IOTHUB_INTERNAL_H
#define IOTHUB_INTERNAL_H

/**
 * @file
 * What the files of the client call in each other, one block a file.
 */

#include "client_struct.h"
#include "connection/life.h"
#include "connection/wall_clock.h"
#include "hub/topics.h"
#include "text/text_writer.h"

/* map.c: results of the layers below. */
iothub_result iothub_from_plat(plat_result r);
iothub_result iothub_from_mqc(mqc_result r);

/* lock.c: other threads are kept out between enter and leave, but for the callbacks. */
void lock_enter(iothub_lock *g);
/** work: the thread that drives the client has something to do. */
void lock_leave(iothub_lock *g, bool work);

static inline void client_enter(const iothub_client *c)
{
    if (c->lock != NULL) {
        lock_enter(c->lock);
    }
}

static inline void client_leave(const iothub_client *c)
{
    if (c->lock != NULL) {
        lock_leave(c->lock, c->kick);
    }
}

/** The log, and what the log says once, may be written to by functions that only look. */
static inline iothub_client *client_own(const iothub_client *c)
{
    const union {
        const iothub_client *seen;
        iothub_client *own;
    } both = { c };
    return both.own;
}

/* door.c: who comes in from outside, and what was forgotten. */
iothub_result door_refuse(const iothub_client *c);
void door_hint(iothub_client *c);

/** Every public function begins with it: IOTHUB_OK when c is a client, and entered. */
static inline iothub_result client_begin(const iothub_client *c)
{
    if (c == NULL || c->magic != IOTHUB_CLIENT_MAGIC) {
        return door_refuse(c);
    }
    client_enter(c);
    if (c->unserved) {
        door_hint(client_own(c));
    }
    return IOTHUB_OK;
}

/** Leave, and return r. */
static inline iothub_result client_return(const iothub_client *c, iothub_result r)
{
    client_leave(c);
    return r;
}

/** The client begins, and can be used. */
iothub_result door_open(iothub_client *c, iothub_error *error);
/** Whether it may end now: it is one, and this is no callback of it. */
bool door_may_end(iothub_client *c);
/** It ends. */
void door_close(iothub_client *c);

/** Iff a thread of the client's own drives it. */
static inline bool lock_has_runner(const iothub_client *c)
{
    return c->lock != NULL && c->lock->state != IOTHUB_RUNNER_NONE;
}

/** Between them a runner is in a call of a stream, which may take its time: others may make
 * requests.  They touch neither a stream nor bytes that the engine has lent. */
static inline bool lock_open(const iothub_client *c)
{
    bool opens = lock_has_runner(c);

    if (opens) {
        lock_leave(c->lock, false);
    }
    return opens;
}

static inline void lock_close(const iothub_client *c, bool opened)
{
    if (opened) {
        lock_enter(c->lock);
    }
}

/** The caller is inside iothub_process, and so in a callback, or in one of the runner's. */
bool lock_in_callback(const iothub_client *c);
/** The client goes away: the runner first, and when nothing is left the lock itself. */
void lock_stop(iothub_client *c);
void lock_deinit(iothub_client *c);

/** Where the latest refusal of the calling thread stands. */
iothub_error *client_error(iothub_client *c);

/* notify.c: every callback leaves from here, and only from here: without the lock. */
void callback_status(iothub_client *c, iothub_result reason, const char *text,
                     uint32_t retry_in_ms);
/** Ask the application how long to wait. */
uint32_t callback_retry(iothub_client *c, const iothub_retry *r);
void callback_done(iothub_client *c, const iothub_done *d);
iothub_disposition callback_c2d(iothub_client *c, const iothub_message *m);
void callback_desired(iothub_client *c, const iothub_desired *d);
iothub_method_verdict callback_method(iothub_client *c, const iothub_method_call *call);
void callback_token_expiring(iothub_client *c, int64_t seconds_left);
/** A line for the log; the format is that of iothub_fail. */
IOTHUB_FORMAT(4, 5)
void callback_log(const iothub_client *c, iothub_log_level level, const char *module,
                  const char *format, ...);
void callback_log_text(const iothub_client *c, iothub_log_level level, const char *module,
                       const char *text);

/* context.c */
static inline const plat_clock *client_clock(const iothub_client *c)
{
    return c->options.platform->clock;
}

mqc_time client_now(const iothub_client *c);
/** Remember why a call is refused, and return code. */
iothub_result client_refuse(iothub_client *c, iothub_result code, const char *text);
/** Refuse with the engine's reason; queue says which queue. */
iothub_result client_refuse_mqc(iothub_client *c, mqc_result r, const char *queue);
/** Refuse what can never fit: so many bytes, because an option is too small. */
iothub_result client_refuse_size(iothub_client *c, const char *what, size_t len, const char *option,
                                 size_t size);
/** mqc_publish, refused once the client is being torn down. */
mqc_result client_publish(iothub_client *c, const mqc_outgoing *m);

static inline topic_identity client_topics(const iothub_client *c)
{
    topic_identity id = { c->identity.device_id, c->identity.module_id };
    return id;
}

/** The name of the next request, which client_take_op gives away once it is accepted. */
static inline iothub_op client_next_op(const iothub_client *c)
{
    return c->last_op == UINT32_MAX ? 1 : c->last_op + 1;
}

static inline void client_take_op(iothub_client *c, iothub_op next, iothub_op *op)
{
    c->last_op = next;
    if (op != NULL) {
        *op = next;
    }
}

/* events.c: of the engine. */
void event_take(iothub_client *c, const mqc_event *ev);

/* loop.c */
void loop_take_events(iothub_client *c);
/** What iothub_process does. */
void loop_turn(iothub_client *c);
/** What to wait for before the next turn: polls has IOTHUB_POLL_FDS places; -1: no deadline.
 * Returns the deadline, 0: none. */
mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms);

/* direct.c: telemetry, and a runner that sleeps. */
/** Bytes wait that the stream might take. */
bool wake_may_send(iothub_client *c);
/** The runner is about to sleep. */
void wake_on_sleep(iothub_lock *g, iothub_op last, mqc_time wake_at);
/** When it has to wake up at the latest, whatever it waits for; 0: whenever. */
mqc_time wake_latest(const iothub_client *c, mqc_time now);
/** A message was queued: send it now, let the next turn do it, or leave it to the acknowledgement
 * it has to wait for.  ends_when_sent: the application hears of it at once. */
void wake_on_queued(iothub_client *c, bool ends_when_sent);

/* back_off.c: how long to wait after a failure. */
/** Counts the failure.  IOTHUB_RETRY_STOP: no more attempts. */
uint32_t back_off_ms(iothub_client *c, iothub_result reason, const char *text);
/** A random time up to limit_ms, less what was spent since began. */
uint32_t back_off_random_ms(const iothub_client *c, uint32_t limit_ms, mqc_time began);
/** True when the wall clock was set, which may end a wait, or call for a new token. */
bool back_off_look(iothub_client *c, mqc_time now);
/** 0: the wall clock is of no interest. */
mqc_time back_off_next_look(const iothub_client *c);
/** The connection ends: when it was up for long, older failures are another story. */
void back_off_forget(iothub_client *c);
/** The hub took the credential. */
void back_off_accepted(iothub_client *c);
/** A start: nothing has failed yet. */
void back_off_reset(iothub_client *c);
/** The hub closed the connection; true when it looks as if for another client, again. */
bool back_off_evicted(iothub_client *c);

/* dial.c: streams. */
/** Begin to open *slot, making it in memory when it is NULL. */
iothub_result channel_open(iothub_client *c, plat_stream **slot, plat_stream_storage *memory,
                           iothub_error *error);
/** progress of the stream; others may make requests meanwhile. */
plat_result channel_progress(iothub_client *c, plat_stream *s, mqc_time now, plat_stage *stage);
/** Why a stream failed with r. */
iothub_result channel_why(const plat_stream *s, plat_result r, iothub_error *error);

/* renewal.c: the planned change of the connection. */
/** Begin it as soon as nothing postpones it, at the latest in patience_ms. */
void renewal_begin(iothub_client *c, uint64_t patience_ms);
void renewal_hurry(iothub_client *c);
/** Give the connection in the making up. */
void renewal_cancel(iothub_client *c);
/** Use the connection in the making from now on; the old one is closed. */
void renewal_adopt(iothub_client *c);
void renewal_progress(iothub_client *c, mqc_time now);
/** True: it is time to leave the old connection. */
bool renewal_on_time(iothub_client *c, mqc_time now);
/** 0: the renewal does not wait for time. */
mqc_time renewal_next_deadline(const iothub_client *c);

/** Whether the application wants a stop. */
static inline bool wish_is_stop(const iothub_wish *wish)
{
    return wish->kind == IOTHUB_WISH_STOP || wish->kind == IOTHUB_WISH_STOP_START;
}

/* session.c: the state of the connection. */
void session_feed(iothub_client *c, life_input in, iothub_result reason, const char *text);
void session_opened(iothub_client *c, plat_result r, plat_stage stage);
void session_stream_failed(iothub_client *c, plat_result r);
void session_engine_failed(iothub_client *c, mqc_result r);
/** stage.c: how long the state may take before stage_more_ms is asked. */
uint32_t stage_begin_ms(const iothub_client *c, const plat_stream *s, iothub_state state,
                        iothub_pace *pace);
/** How much longer, 0: it took too long.  began: the attempt. */
uint32_t stage_more_ms(const iothub_client *c, plat_stream *s, iothub_state state, mqc_time began,
                       iothub_pace *pace);
void session_refused(iothub_client *c, uint8_t return_code);
void session_subscribed(iothub_client *c, uint16_t packet_id, mqc_span return_codes);
/** End the present state now: the wait for the next attempt. */
void session_hurry(iothub_client *c);
/** A ready-made token was replaced: log in with it soon. */
void session_new_token(iothub_client *c);
/** iothub_stop was called and is not over. */
bool session_is_leaving(const iothub_client *c);
/** A wish or the change of the connection may go on as soon as requests have ended. */
static inline bool session_is_changing(const iothub_client *c)
{
    return c->wish.kind != IOTHUB_WISH_NONE || c->renewal.due ||
           c->session.state == IOTHUB_RENEWING || c->session.state == IOTHUB_STOPPING;
}

void session_look(iothub_client *c, mqc_time now);
static inline void session_on_time(iothub_client *c, mqc_time now)
{
    bool due = c->session.deadline != 0 && now >= c->session.deadline;

    if (due || now >= c->back_off.look_at || session_is_changing(c)) {
        session_look(c, now);
    }
}
/** False: nothing of the session waits for time. */
bool session_next_deadline(const iothub_client *c, mqc_time *when);

/* credential.c: user name and token, and how long they are good. */
/** Could log in now: the clock is set, a given token has not run out. */
iothub_result credential_ready(iothub_client *c, iothub_error *error);
/** Fill *o; its texts stand in the scratch buffer. */
iothub_result credential_connect(iothub_client *c, mqc_connect_options *o, iothub_error *error);
typedef struct credential_size {
    size_t connect; /* of CONNECT; without a key, its token comes on top */
    size_t scratch;
} credential_size;
/** What logging in takes at most. */
credential_size credential_measure(const iothub_client *c);
/** Check a ready-made token against the identity and start to watch its end. */
iothub_result credential_take_token(iothub_client *c, mqc_span signature, iothub_error *error);
void credential_on_time(iothub_client *c, mqc_time now);

/* subscribe.c: the topics of the features in use. */
typedef enum subscribe_answer {
    SUBSCRIBE_IGNORED, /* nobody waits for it */
    SUBSCRIBE_REFUSED,
    SUBSCRIBE_DONE
} subscribe_answer;

/** Queue SUBSCRIBE. */
mqc_result subscribe_start(iothub_client *c);
/** What a SUBACK says; *error names a filter that the hub refused. */
subscribe_answer subscribe_on_suback(iothub_client *c, uint16_t packet_id, mqc_span return_codes,
                                     iothub_error *error);
/**
 * Count and log a message for a feature without callback, which an earlier run of the session
 * subscribed to, and end that subscription: the hub keeps the messages to come for a later run.
 */
void subscribe_unwanted(iothub_client *c, topic_feature feature, const char *text);

/* telemetry_end.c */
/** Count a message that has ended. */
void telemetry_count_end(iothub_client *c, iothub_result result);

/* twin.c */
void twin_on_connected(iothub_client *c);
/** fault: why the body could not be received; NULL: it was. */
void twin_on_response(iothub_client *c, const topic_parts *p, mqc_span body,
                      const iothub_error *fault);
void twin_on_desired(iothub_client *c, const topic_parts *p, mqc_span json,
                     const iothub_error *fault);
/** What the hub last said to a request that ends without an answer; 0: nothing. */
int twin_last_status(const iothub_client *c, const mqc_done *m);
/** True when the finished publish was the client's own. */
bool twin_takes_done(iothub_client *c, const mqc_done *m);
void twin_look(iothub_client *c, mqc_time now);
static inline void twin_on_time(iothub_client *c, mqc_time now)
{
    if ((c->twin.hold_until | c->twin.retry_at) != 0) {
        twin_look(c, now);
    }
}
/** 0: the twin does not wait for time. */
mqc_time twin_next_deadline(const iothub_client *c);

/* methods.c */
/** oversize: the payload could not be received. */
void methods_on_call(iothub_client *c, const topic_parts *p, mqc_span payload, bool oversize);
void methods_on_lost(iothub_client *c);
/** Whether somebody may still wait for an answer. */
bool methods_open(const iothub_client *c);

/* c2d.c */
void c2d_on_message(iothub_client *c, const topic_parts *p, const mqc_message *m);

#endif
