#include <string.h>

#include "context/options_check.h"
#include "drive/memory.h"
#include "telemetry/backlog.h"
#include "telemetry/telemetry_limits.h"

/* --- set-up ------------------------------------------------------------------- */

_Static_assert(sizeof(iothub_client) <= IOTHUB_CLIENT_SIZE, "IOTHUB_CLIENT_SIZE is too small");
#if UINTPTR_MAX > UINT32_MAX
_Static_assert(sizeof(iothub_client) + 64 > IOTHUB_CLIENT_SIZE, "IOTHUB_CLIENT_SIZE is too large");
#endif

/* Keys and tokens do not outlive the client. */
static void wipe(iothub_client *c)
{
    void *memory = c->memory;
    const size_t len = c->memory_len;
    const bool from_heap = c->from_heap;
    volatile unsigned char *at = memory; /* volatile: these are no dead stores */

    for (size_t i = 0; i < len; i++) {
        at[i] = 0;
    }
    if (from_heap) { /* iothub_free is still to come */
        c->memory = memory;
        c->magic = IOTHUB_ENDED_MAGIC;
    }
}

static iothub_result set_up(iothub_client *c, const char *connection_string,
                            const iothub_options *checked, client_place *place, iothub_error *error)
{
    memset(c, 0, sizeof *c);
    c->options = *checked;
    c->memory = place->memory;
    c->memory_len = place->len;
    c->from_heap = place->from_heap;
    iothub_result r = memory_divide(c, connection_string, &place->missing, error);
    if (r == IOTHUB_OK) {
        r = door_open(c, error);
    }
    if (r != IOTHUB_OK) {
        wipe(c);
    }
    return r;
}

iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error)
{
    iothub_options checked;

    place->missing = 0;
    if (connection_string == NULL || place->memory == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_ARG,
                          place->memory == NULL ? "memory: is NULL" : "connection string: is NULL");
        return NULL;
    }
    if (options_take(&checked, o, error) != IOTHUB_OK ||
        options_check(&checked, error) != IOTHUB_OK ||
        memory_check_sizes(&checked, error) != IOTHUB_OK) {
        return NULL;
    }
    iothub_client *c = memory_place_client(place, &checked, error);
    if (c == NULL || set_up(c, connection_string, &checked, place, error) != IOTHUB_OK) {
        return NULL;
    }
    return c;
}

iothub_client *iothub_init(void *memory, size_t memory_len, const char *connection_string,
                           const iothub_options *o, iothub_error *error)
{
    client_place place = { .memory = memory, .len = memory_len };
    return client_init(&place, connection_string, o, error);
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
