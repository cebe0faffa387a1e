#include <string.h>

#include "context/options_check.h"
#include "drive/memory.h"
#include "telemetry/backlog.h"
#include "telemetry/telemetry_limits.h"

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
    lock_stop(c);
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
    lock_deinit(c);
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

static iothub_result replace_token(iothub_client *c, const char *shared_access_signature)
{
    if (c->identity.key.len > 0) {
        return client_refuse(
            c, IOTHUB_ERR_STATE,
            "iothub_set_token: the client makes its tokens from its key, and needs none");
    }
    if (shared_access_signature == NULL) {
        return client_refuse(c, IOTHUB_ERR_ARG, "iothub_set_token: SharedAccessSignature is NULL");
    }
    iothub_result r =
        credential_take_token(c, mqc_span_str(shared_access_signature), client_error(c));
    if (r == IOTHUB_OK) {
        session_new_token(c);
    }
    return r;
}

iothub_result iothub_set_token(iothub_client *c, const char *shared_access_signature)
{
    iothub_result r = client_begin(c);
    return r == IOTHUB_OK ? client_return(c, replace_token(c, shared_access_signature)) : r;
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

void iothub_get_stats(const iothub_client *c, iothub_stats *out)
{
    if (out == NULL) {
        return;
    }
    *out = (iothub_stats){ 0 };
    if (client_begin(c) == IOTHUB_OK) {
        *out = c->stats;
        limits_count(c, out);
        client_leave(c);
    }
}
