#ifndef IOTHUB_INTERNAL_H
#define IOTHUB_INTERNAL_H

/**
 * @file
 * What the files of the client call in each other, one block a file.
 */

#include "client_struct.h"
#include "connection/life.h"
#include "connection/wall_clock.h"
#include "context/result_map.h"
#include "hub/topics.h"
#include "text/text_writer.h"

/** What the log says once may be noted by functions that only look. */
static inline iothub_client *client_own(const iothub_client *c)
{
    const union {
        const iothub_client *seen;
        iothub_client *own;
    } both = { c };
    return both.own;
}

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
           c->context.state == IOTHUB_RENEWING || c->context.state == IOTHUB_STOPPING;
}

/** iothub_start, iothub_stop, iothub_reconnect_now, iothub_set_token: granted by the next turn. */
iothub_result session_start(iothub_client *c);
void session_stop(iothub_client *c, uint32_t grace_ms);
iothub_result session_reconnect_now(iothub_client *c);
iothub_result session_set_token(iothub_client *c, const char *shared_access_signature);

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

iothub_result telemetry_send(iothub_client *c, const iothub_telemetry *t, iothub_op *op);

/* twin.c */
iothub_result twin_queue_get(iothub_client *c, void *tag, iothub_op *op);
iothub_result twin_queue_report(iothub_client *c, mqc_span json, void *tag, iothub_op *op);
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

iothub_result methods_respond(iothub_client *c, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op);

/* c2d.c */
iothub_result c2d_accept(iothub_client *c, uint32_t delivery);
void c2d_on_message(iothub_client *c, const topic_parts *p, const mqc_message *m);

#endif
