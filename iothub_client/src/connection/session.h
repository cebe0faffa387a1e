#ifndef IOTHUB_SESSION_H
#define IOTHUB_SESSION_H

/**
 * @file
 * The conductor of the connection. Only this part calls the state machine of life.h, and only it
 * knows all parts of this folder. It knows no feature: their open work is passed in as
 * session_busy, and they notice the end of a connection by the generation of the context.
 */

#include "connection/attempt.h"
#include "connection/back_off.h"
#include "connection/busy.h"
#include "connection/changeover.h"
#include "connection/credential.h"
#include "connection/gap.h"
#include "connection/life.h"
#include "connection/subscribe.h"
#include "connection/wish.h"

typedef struct session_counts {
    uint32_t connects;
    uint32_t failed_attempts;
    uint32_t losses;
    uint32_t ack_timeouts;
    uint32_t read_stalls;
    uint32_t tls_resumptions;
    uint32_t websocket_connects;
} session_counts;

typedef struct iothub_session {
    iothub_context *context;
    iothub_wish wish;
    iothub_back_off back_off;
    credential_part credential;
    iothub_subscribe subscribe;
    iothub_gap gap;
    session_counts counts;
    iothub_changeover changeover;
} iothub_session;

void session_init(iothub_session *s, iothub_context *context);
void session_deinit(iothub_session *s);

/* --- what the application asks for, granted by the next turn ------------------------------ */

iothub_result session_start(iothub_session *s);
void session_stop(iothub_session *s, uint32_t grace_ms);
iothub_result session_reconnect_now(iothub_session *s);
iothub_result session_set_token(iothub_session *s, const char *shared_access_signature);
iothub_result session_provide_token(iothub_session *s, const char *token);
iothub_result session_token_failed(iothub_session *s, const char *text);
iothub_result session_set_credentials(iothub_session *s, const iothub_credential *list,
                                      size_t count);
/**
 * Replaces the credentials as soon as the first one of the list has logged in. The others are used
 * only after that.
 */
iothub_result session_try_credentials(iothub_session *s, const iothub_credential *list,
                                      size_t count);

/** Returns true from iothub_stop until the client has stopped. */
static inline bool session_is_leaving(const iothub_session *s)
{
    return wish_is_stop(&s->wish) || s->context->state == IOTHUB_STOPPING;
}

/* --- time ----------------------------------------------------------------------------------- */

/** Ends the present state in the next turn. */
void session_hurry(iothub_session *s);

/** Returns true if a stop or a renewal waits for the end of requests. */
static inline bool session_is_changing(const iothub_session *s)
{
    const iothub_state state = s->context->state;

    return s->wish.kind != IOTHUB_WISH_NONE || s->changeover.renewal.due ||
           state == IOTHUB_RENEWING || state == IOTHUB_STOPPING;
}

/** Returns true if session_on_time has something to do. */
static inline bool session_is_due(const iothub_session *s, mqc_time now)
{
    return now >= channel_deadline(changeover_read_channel(&s->changeover)) ||
           now >= s->back_off.look_at || session_is_changing(s);
}

void session_on_time(iothub_session *s, const session_busy *busy, mqc_time now);
/** Notifies the application if its token or certificate expires soon, or asks it for a token. */
static inline void session_watch_token(iothub_session *s, mqc_time now)
{
    if (!credential_has_key(&s->credential)) {
        credential_on_time(&s->credential, now);
    }
}
mqc_time session_deadline(const iothub_session *s);

/* --- what the streams and the engine report --------------------------------------------------- */

/** Returns the channel in use. */
static inline iothub_channel *session_channel(iothub_session *s)
{
    return changeover_channel(&s->changeover);
}

/** Returns the channel that is not in use. */
static inline iothub_channel *session_spare(iothub_session *s)
{
    return changeover_spare(&s->changeover);
}

/** Returns true if bytes wait to be sent that the stream may accept. */
static inline bool session_may_send(const iothub_session *s)
{
    return life_has_stream(s->context->state) &&
           !changeover_read_channel(&s->changeover)->want_write && mqc_tx_ready(s->context->engine);
}

/** Continues to open the channels that are being opened. */
void session_open_channels(iothub_session *s, mqc_time now);
static inline void session_progress(iothub_session *s, mqc_time now)
{
    const iothub_state state = s->context->state;
    const bool opening = state >= IOTHUB_RESOLVING && state <= IOTHUB_SECURING;

    if (opening || state == IOTHUB_PROVISIONING || channel_in_use(session_spare(s))) {
        session_open_channels(s, now);
    }
}

void session_on_stream_error(iothub_session *s, plat_result r);
/**
 * Handles an error of the engine. deferred means that the application has deferred messages that it
 * has not accepted yet.
 */
void session_on_engine_error(iothub_session *s, mqc_result r, bool deferred);
void session_on_connack(iothub_session *s, bool session_present);
void session_on_refusal(iothub_session *s, uint8_t return_code);
/**
 * Handles a SUBACK. Returns true if the twin must be requested, because the client has connected,
 * or has subscribed to desired properties again.
 */
bool session_on_suback(iothub_session *s, mqc_span return_codes);
void session_on_unsuback(iothub_session *s);

/* --- features ------------------------------------------------------------------------------- */

/**
 * Subscribes for callbacks that were set and unsubscribes for those that were removed, if the
 * client is connected.
 */
void session_update_subscriptions(iothub_session *s);
/** Returns true if the hub has confirmed the subscription on this connection. */
bool session_has_feature(const iothub_session *s, topic_feature feature);

#endif
