#include <string.h>

#include "backlog.h"
#include "memory.h"
#include "queue.h"

mqc_time client_now(const iothub_client *c)
{
    const plat_clock *clock = c->options.platform->clock;
    return clock->monotonic_ms(clock);
}

iothub_result client_refuse(iothub_client *c, iothub_result code, const char *text)
{
    return iothub_fail(client_error(c), code, text);
}

iothub_result client_refuse_mqc(iothub_client *c, mqc_result r, const char *queue)
{
    const mqc_span parts[] = {
        mqc_span_str(queue), MQC_SPAN_LIT(": "), mqc_span_str(mqc_result_str(r)),
        mqc_span_str(r == MQC_ERR_NO_SPACE ? ", process and try again" : "")
    };
    return iothub_fail_parts(client_error(c), iothub_from_mqc(r), parts, 4);
}

mqc_result client_publish(iothub_client *c, const mqc_outgoing *m)
{
    return c->closing ? MQC_ERR_STATE : mqc_publish(&c->engine, m, NULL);
}

/* --- set-up ------------------------------------------------------------------- */

/* 0 would mean never in one place and at once in another. */
static const char *check_timeouts(const iothub_options *o)
{
    const uint32_t timeouts[] = { o->resolve_timeout_ms,   o->connect_timeout_ms,
                                  o->tls_timeout_ms,       o->login_timeout_ms,
                                  o->subscribe_timeout_ms, o->request_timeout_ms,
                                  o->stall_timeout_ms };

    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        if (timeouts[i] == 0) {
            return "options: a timeout is 0";
        }
    }
    return NULL;
}

/* Percent-encoded they share the user name of CONNECT, which MQTT ends at 65535. */
enum { NAME_MAX_LEN = 4096 };

static bool is_too_long(const char *name)
{
    return name != NULL && strlen(name) > NAME_MAX_LEN;
}

static const char *check_names(const iothub_options *o)
{
    if (o->ca_file != NULL && o->ca_file[0] == '\0') {
        return "options: ca_file is empty; NULL means the system's roots";
    }
    return is_too_long(o->model_id) || is_too_long(o->user_agent)
               ? "options: model_id or user_agent is over 4096 characters"
               : NULL;
}

static const char *check_queue(const iothub_options *o)
{
    if (o->queue_max_age_s > UINT32_MAX / 1000) {
        return "options: queue_max_age_s is over 4294967";
    }
    if (o->when_full != IOTHUB_REFUSE_NEW && o->when_full != IOTHUB_DROP_OLDEST) {
        return "options: when_full is neither IOTHUB_REFUSE_NEW nor IOTHUB_DROP_OLDEST";
    }
    return NULL;
}

static iothub_result check_options(const iothub_options *o, iothub_error *error)
{
    const char *fault = NULL;

    if (o->platform == NULL || o->platform->clock == NULL || o->platform->crypto == NULL ||
        o->platform->net == NULL) {
        fault = "options: platform is not set, e.g. to plat_posix()";
    } else if (o->port == 0) {
        fault = "options: port is 0";
    } else if (o->keep_alive_s == 0 || o->keep_alive_s > 1177) {
        fault = "options: keep_alive_s must be 1 to 1177";
    } else if (o->window == 0) {
        fault = "options: window is 0";
    } else if (o->sas_lifetime_s < 2) {
        fault = "options: sas_lifetime_s is below 2";
    } else if (o->retry_min_ms == 0 || o->retry_max_ms < o->retry_min_ms ||
               o->auth_retry_min_ms == 0 || o->auth_retry_max_ms < o->auth_retry_min_ms) {
        fault = "options: retry_min_ms and auth_retry_min_ms must be 1 to their maximum";
    }
    if (fault == NULL) {
        fault = check_names(o);
    }
    if (fault == NULL) {
        fault = check_queue(o);
    }
    if (fault == NULL) {
        fault = check_timeouts(o);
    }
    return fault == NULL ? IOTHUB_OK : iothub_fail(error, IOTHUB_ERR_ARG, fault);
}

/* An application built against an older, shorter struct gets defaults for what it does not know. */
static void copy_options(iothub_options *to, const iothub_options *from)
{
    size_t size = from->struct_size < sizeof *to ? from->struct_size : sizeof *to;

    iothub_options_init(to);
    memcpy(to, from, size);
    to->struct_size = sizeof *to;
}

/* Keys and tokens do not outlive the client.  A client without platform is not initialised. */
static void wipe(iothub_client *c)
{
    volatile unsigned char *at = c->memory; /* volatile: these are no dead stores */

    for (size_t i = 0; i < c->memory_len; i++) {
        at[i] = 0;
    }
    c->options.platform = NULL;
}

static const char *missing_argument(const char *connection_string, const iothub_options *o,
                                    const void *memory)
{
    if (connection_string == NULL) {
        return "connection string: is NULL";
    }
    if (o == NULL) {
        return "options: is NULL";
    }
    return memory == NULL ? "memory: is NULL" : NULL;
}

iothub_result client_init(iothub_client *c, const char *connection_string, const iothub_options *o,
                          void *memory, size_t memory_len, size_t *missing, iothub_error *error)
{
    *missing = 0;
    if (c == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "client is NULL");
    }
    memset(c, 0, sizeof *c);
    const char *absent = missing_argument(connection_string, o, memory);
    if (absent != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, absent);
    }
    copy_options(&c->options, o);
    c->memory = memory;
    c->memory_len = memory_len;
    iothub_result r = check_options(&c->options, error);
    if (r == IOTHUB_OK) {
        r = memory_divide(c, connection_string, missing, error);
    }
    if (r != IOTHUB_OK) {
        wipe(c);
    }
    return r;
}

iothub_result iothub_init(iothub_client *c, const char *connection_string, const iothub_options *o,
                          void *memory, size_t memory_len, iothub_error *error)
{
    size_t missing;
    return client_init(c, connection_string, o, memory, memory_len, &missing, error);
}

void iothub_deinit(iothub_client *c)
{
    if (c->options.platform == NULL) {
        return;
    }
    guard_stop(c);
    client_enter(c);
    c->processing = true; /* for the callbacks to come */
    c->closing = true;
    mqc_reset(&c->engine);
    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        (void)mqc_discard(&c->engine, (uint8_t)lane);
    }
    loop_take_events(c);
    backlog_deinit(c);
    if (c->stream != NULL) {
        c->stream->ops->deinit(c->stream);
    }
    if (c->spare != NULL) {
        c->spare->ops->deinit(c->spare);
    }
    client_leave(c);
    guard_deinit(c);
    wipe(c);
}

/* --- wishes, granted by the next iothub_process ----------------------------------- */

static iothub_result wish_start(iothub_client *c)
{
    switch (c->wish.kind) {
    case IOTHUB_WISH_NONE:
        if (c->session.state != IOTHUB_STOPPED) {
            return client_refuse(c, IOTHUB_ERR_STATE, "iothub_start: already started");
        }
        c->wish.kind = IOTHUB_WISH_START;
        break;
    case IOTHUB_WISH_STOP: c->wish.kind = IOTHUB_WISH_STOP_START; break;
    case IOTHUB_WISH_START_STOP: c->wish.kind = IOTHUB_WISH_START; break;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START: break; /* the same wish */
    }
    c->kick = true;
    return IOTHUB_OK;
}

iothub_result iothub_start(iothub_client *c)
{
    client_enter(c);
    return client_return(c, wish_start(c));
}

iothub_result iothub_stop(iothub_client *c, uint32_t grace_ms)
{
    client_enter(c);
    bool starting = c->wish.kind == IOTHUB_WISH_START || c->wish.kind == IOTHUB_WISH_START_STOP;

    c->wish.kind = starting ? IOTHUB_WISH_START_STOP : IOTHUB_WISH_STOP;
    c->wish.stop_at = client_now(c) + grace_ms;
    c->kick = true;
    return client_return(c, IOTHUB_OK);
}

static iothub_result hurry(iothub_client *c)
{
    if (c->session.state == IOTHUB_WAITING) {
        session_hurry(c);
    } else if (c->session.state == IOTHUB_CONNECTED) {
        renewal_hurry(c);
    } else {
        return client_refuse(c, IOTHUB_ERR_STATE, "iothub_reconnect_now: nothing to cut short");
    }
    return IOTHUB_OK;
}

iothub_result iothub_reconnect_now(iothub_client *c)
{
    client_enter(c);
    return client_return(c, hurry(c));
}

/* --- looking in ------------------------------------------------------------------------ */

iothub_state iothub_get_state(const iothub_client *c)
{
    client_enter(c);
    iothub_state s = c->session.state;
    client_leave(c);
    return s;
}

const char *iothub_state_str(iothub_state s)
{
    switch (s) {
    case IOTHUB_STOPPED: return "stopped";
    case IOTHUB_RESOLVING: return "resolving";
    case IOTHUB_CONNECTING: return "connecting";
    case IOTHUB_SECURING: return "securing";
    case IOTHUB_LOGGING_IN: return "logging in";
    case IOTHUB_SUBSCRIBING: return "subscribing";
    case IOTHUB_CONNECTED: return "connected";
    case IOTHUB_RENEWING: return "renewing";
    case IOTHUB_STOPPING: return "stopping";
    case IOTHUB_WAITING: return "waiting";
    }
    return "unknown";
}

void iothub_get_stats(const iothub_client *c, iothub_stats *out)
{
    client_enter(c);
    *out = c->stats;
    queue_count(c, out);
    client_leave(c);
}
