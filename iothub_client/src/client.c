#include <string.h>

#include "backlog.h"
#include "memory.h"
#include "options_check.h"
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
    bool idle = c->session.number == 0; /* nothing can leave */
    const char *then = idle ? ", and nothing leaves before iothub_start and iothub_process"
                            : ", process and try again";
    const mqc_span parts[] = { mqc_span_str(queue), MQC_SPAN_LIT(": "),
                               mqc_span_str(mqc_result_str(r)),
                               mqc_span_str(r == MQC_ERR_NO_SPACE ? then : "") };

    if (c->closing) {
        return iothub_fail_parts(
            client_error(c), IOTHUB_ERR_STATE,
            (const mqc_span[]){ parts[0], MQC_SPAN_LIT(": the client is being ended") }, 2);
    }
    return iothub_fail_parts(client_error(c), iothub_from_mqc(r), parts, 4);
}

iothub_result client_refuse_size(iothub_client *c, const char *what, size_t len, const char *option,
                                 size_t size)
{
    char text[100];
    iothub_text t;

    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, what);
    iothub_text_put(&t, ": too big: ");
    iothub_text_put_u64(&t, len);
    iothub_text_put(&t, " bytes and the topic do not fit ");
    iothub_text_put(&t, option);
    iothub_text_put(&t, " (");
    (void)iothub_text_finish(&t);
    return iothub_fail_number(client_error(c), IOTHUB_ERR_TOO_BIG, text, size, ")");
}

mqc_result client_publish(iothub_client *c, const mqc_outgoing *m)
{
    return c->closing ? MQC_ERR_STATE : mqc_publish(&c->engine, m, NULL);
}

/* --- set-up ------------------------------------------------------------------- */

/* Keys and tokens do not outlive the client. */
static void wipe(iothub_client *c)
{
    volatile unsigned char *at = c->memory; /* volatile: these are no dead stores */

    for (size_t i = 0; i < c->memory_len; i++) {
        at[i] = 0;
    }
    c->magic = 0;
}

iothub_result client_init(iothub_client *c, const char *connection_string, const iothub_options *o,
                          void *memory, size_t memory_len, size_t *missing, iothub_error *error)
{
    *missing = 0;
    if (c == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "client is NULL");
    }
    memset(c, 0, sizeof *c);
    if (connection_string == NULL || memory == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           memory == NULL ? "memory: is NULL" : "connection string: is NULL");
    }
    iothub_result r = options_take(&c->options, o, error);
    if (r == IOTHUB_OK) {
        r = options_check(&c->options, error);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    c->memory = memory;
    c->memory_len = memory_len;
    r = memory_divide(c, connection_string, missing, error);
    if (r == IOTHUB_OK) {
        r = door_open(c, error);
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

bool client_end(iothub_client *c)
{
    if (!door_may_end(c)) {
        return false;
    }
    guard_stop(c);
    client_enter(c);
    door_close(c);
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
    return true;
}

void iothub_deinit(iothub_client *c)
{
    (void)client_end(c);
}

/* --- wishes, granted by the next iothub_process ----------------------------------- */

static iothub_result wish_start(iothub_client *c)
{
    switch (c->wish.kind) {
    case IOTHUB_WISH_NONE:
        if (c->session.state != IOTHUB_STOPPED) {
            return client_refuse(c, IOTHUB_ERR_STATE,
                                 "iothub_start: already started; once is enough");
        }
        c->wish.kind = IOTHUB_WISH_START;
        break;
    case IOTHUB_WISH_STOP: c->wish.kind = IOTHUB_WISH_STOP_START; break;
    case IOTHUB_WISH_START_STOP: c->wish.kind = IOTHUB_WISH_START; break;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START:
        return client_refuse(c, IOTHUB_ERR_STATE,
                             "iothub_start: already started; the next iothub_process begins");
    }
    c->kick = true;
    return IOTHUB_OK;
}

iothub_result iothub_start(iothub_client *c)
{
    iothub_result r = client_begin(c);
    return r == IOTHUB_OK ? client_return(c, wish_start(c)) : r;
}

static void wish_stop(iothub_client *c, uint32_t grace_ms)
{
    bool starting = c->wish.kind == IOTHUB_WISH_START || c->wish.kind == IOTHUB_WISH_START_STOP;

    c->wish.kind = starting ? IOTHUB_WISH_START_STOP : IOTHUB_WISH_STOP;
    c->wish.stop_at = client_now(c) + grace_ms;
    c->kick = true;
}

iothub_result iothub_stop(iothub_client *c, uint32_t grace_ms)
{
    iothub_result r = client_begin(c);

    if (r == IOTHUB_OK) {
        wish_stop(c, grace_ms);
        client_leave(c);
    }
    return r;
}

static iothub_result hurry(iothub_client *c)
{
    if (c->session.state == IOTHUB_WAITING) {
        session_hurry(c);
    } else if (c->session.state == IOTHUB_CONNECTED) {
        renewal_hurry(c);
    } else {
        return client_refuse(
            c, IOTHUB_ERR_STATE,
            "iothub_reconnect_now: neither connected nor waiting for the next attempt");
    }
    return IOTHUB_OK;
}

iothub_result iothub_reconnect_now(iothub_client *c)
{
    iothub_result r = client_begin(c);
    return r == IOTHUB_OK ? client_return(c, hurry(c)) : r;
}

/* --- looking in ------------------------------------------------------------------------ */

iothub_state iothub_get_state(const iothub_client *c)
{
    if (client_begin(c) != IOTHUB_OK) {
        return IOTHUB_STOPPED;
    }
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
    if (out == NULL) {
        return;
    }
    *out = (iothub_stats){ 0 };
    if (client_begin(c) == IOTHUB_OK) {
        *out = c->stats;
        queue_count(c, out);
        client_leave(c);
    }
}
