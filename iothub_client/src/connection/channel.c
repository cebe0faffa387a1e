#include "connection/channel.h"

#include <assert.h>
#include <string.h>

#include "connection/life.h"
#include "context/options_check.h"
#include "context/result_map.h"

/* An attempt lasts at most this many times the limit of its stage, even if bytes are
 * transferred. */
enum { MOST_TIMES = 10 };

/* IOTHUB_AUTO: how long the way that begins has no rival, in ms. */
enum { HEAD_START_MS = 400 };

void channel_init(iothub_channel *ch, iothub_context *context)
{
    ch->context = context;
    stage_set_deadline(&ch->stage, IOTHUB_NEVER);
}

#ifndef NDEBUG
bool channel_valid(const iothub_channel *ch)
{
    if (!stage_valid(&ch->stage)) {
        return false;
    }
    if (ch->stream == NULL && ch->state != CHANNEL_CLOSED) {
        return false;
    }
    if (channel_is_opening(ch) && ch->stage.deadline == IOTHUB_NEVER) {
        return false; /* the attempt has reached its limit */
    }
    return !ch->want_write || ch->state == CHANNEL_OPEN;
}
#endif

void channel_deinit(iothub_channel *ch)
{
    assert(channel_valid(ch));
    if (ch->stream != NULL) {
        ch->stream->ops->deinit(ch->stream);
    }
}

iothub_result channel_why(const iothub_channel *ch, plat_result r, iothub_error *error)
{
    const char *detail = ch->stream != NULL ? ch->stream->ops->detail(ch->stream) : "";

    if (r == PLAT_EOF) {
        detail = "the hub closed the connection";
    }
    return iothub_fail(error, iothub_from_plat(r), "%s",
                       detail[0] != '\0' ? detail : plat_result_str(r));
}

/* --- time ------------------------------------------------------------------------------- */

static uint64_t moved_bytes(const iothub_channel *ch)
{
    plat_flow f = { 0 };

    (void)channel_flow(ch, &f);
    return f.received + f.delivered;
}

static bool can_be_slow(const iothub_channel *ch, iothub_state state)
{
    return state >= IOTHUB_SECURING && state <= IOTHUB_SUBSCRIBING && ch->stream != NULL &&
           ch->stream->ops->flow != NULL;
}

void channel_begin_stage(iothub_channel *ch, iothub_state state, mqc_time now)
{
    stage_begin(&ch->stage, life_budget_ms(&ch->context->options, state, false),
                can_be_slow(ch, state), now);
}

bool channel_stage_goes_on(iothub_channel *ch, iothub_state state, mqc_time now)
{
    const uint32_t budget_ms = life_budget_ms(&ch->context->options, state, false);
    const mqc_time until =
        state < IOTHUB_SUBSCRIBING ? ch->began + (mqc_time)budget_ms * MOST_TIMES : IOTHUB_NEVER;

    return can_be_slow(ch, state) &&
           stage_goes_on(&ch->stage, budget_ms, moved_bytes(ch), until, now);
}

void channel_set_deadline(iothub_channel *ch, mqc_time when)
{
    stage_set_deadline(&ch->stage, when);
}

const char *channel_late_text(const iothub_channel *ch, iothub_state state)
{
    if (ch->context->options.proxy != NULL && ch->state == CHANNEL_CONNECTING) {
        return "no connection through the proxy within connect_timeout_ms";
    }
    return ch->state == CHANNEL_UPGRADING
               ? "no answer to the WebSocket upgrade within tls_timeout_ms"
               : life_late_text(state);
}

bool channel_is_late(iothub_channel *ch, mqc_time now)
{
    assert(channel_valid(ch));
    return now >= ch->stage.deadline && !channel_stage_goes_on(ch, channel_as_state(ch), now);
}

/* --- opening ------------------------------------------------------------------------------ */

iothub_state channel_as_state(const iothub_channel *ch)
{
    switch (ch->state) {
    case CHANNEL_CLOSED: break;
    case CHANNEL_RESOLVING: return IOTHUB_RESOLVING;
    case CHANNEL_CONNECTING: return IOTHUB_CONNECTING;
    case CHANNEL_SECURING:
    case CHANNEL_UPGRADING: return IOTHUB_SECURING;
    case CHANNEL_OPEN: return IOTHUB_LOGGING_IN;
    }
    return IOTHUB_STOPPED;
}

static void enter(iothub_channel *ch, channel_state state, mqc_time now)
{
    ch->state = state;
    stage_set_deadline(&ch->stage, IOTHUB_NEVER);
    if (channel_is_opening(ch)) {
        channel_begin_stage(ch, channel_as_state(ch), now);
    }
}

static plat_stream_config config_of(const iothub_options *o)
{
    plat_stream_config config = { .kind = PLAT_STREAM_TLS, .ca_file = o->ca_file };
    const iothub_tls *tls = o->tls;
    if (tls == NULL) {
        return config;
    }
    config.ca_data = tls->ca_data;
    config.ca_len = tls->ca_len;
    if (tls->ca_data != NULL && tls->ca_len == 0) {
        config.ca_len = strlen(tls->ca_data);
    }
    config.roots = tls->roots;
    config.min_version = tls->min_version;
    config.max_version = tls->max_version;
    return config;
}

/* Returns the port that the attempt begins with. */
static uint16_t first_port_of(const iothub_context *context)
{
    const iothub_options *o = &context->options;

    return o->transport == IOTHUB_AUTO && context->prefers_websocket ? options_websocket_port(o)
                                                                     : options_port(o);
}

/* Without that query, a hub asks for a client certificate after the upgrade request. The service
 * of DPS, which has no device id here, does not know the query. */
static plat_websocket_config websocket_of(const iothub_context *context)
{
    const bool is_hub = context->identity.device_id.len != 0;

    return (plat_websocket_config){
        .websockets = context->options.platform->websockets,
        .path = "/$iothub/websocket",
        .query_without_identity = is_hub ? "?iothub-no-client-cert=true" : NULL,
        .subprotocol = "mqtt",
    };
}

/* Makes the stream at the first attempt; later attempts open the same stream again. */
static iothub_result make_stream(iothub_channel *ch, iothub_error *error)
{
    const iothub_options *o = &ch->context->options;
    const plat_websocket_config websocket = websocket_of(ch->context);
    const plat_tunnel_config tunnel = { .tunnels = o->platform->tunnels, .proxy = o->proxy };
    plat_stream_config config = config_of(o);
    const plat_net *net = o->platform->net;

    const plat_second_way second_way = { .websocket = &websocket,
                                         .port = options_websocket_port(o),
                                         .first_port = options_port(o),
                                         .delay_ms = HEAD_START_MS };
    config.websocket = o->transport == IOTHUB_MQTT_WS ? &websocket : NULL;
    config.second_way = o->transport == IOTHUB_AUTO ? &second_way : NULL;
    config.tunnel = o->proxy != NULL ? &tunnel : NULL;
    config.bind = o->bind;
    plat_result r = net->stream(net, &ch->memory, &config, &ch->stream);
    if (r == PLAT_OK) {
        return IOTHUB_OK;
    }
    iothub_result why = channel_why(ch, r, error);
    channel_deinit(ch);
    ch->stream = NULL;
    return why;
}

static plat_result present(iothub_channel *ch, plat_identity *identity)
{
    const plat_stream_ops *ops = ch->stream->ops;

    if (ops->set_identity == NULL) {
        return identity == NULL ? PLAT_OK : PLAT_ERR_STATE;
    }
    return ops->set_identity(ch->stream, identity);
}

iothub_result channel_open(iothub_channel *ch, plat_identity *identity, iothub_error *error)
{
    assert(channel_valid(ch));
    const iothub_context *context = ch->context;
    const mqc_time now = context_now(context);

    if (ch->stream == NULL) {
        iothub_result why = make_stream(ch, error);
        if (ch->stream == NULL) {
            return why;
        }
    }
    plat_result r = present(ch, identity);
    if (r == PLAT_OK) {
        r = ch->stream->ops->open(ch->stream, context_host(context), first_port_of(context), now);
    }
    if (r != PLAT_OK) {
        return channel_why(ch, r, error);
    }
    ch->began = now;
    enter(ch, CHANNEL_RESOLVING, now);
    return IOTHUB_OK;
}

static channel_state state_of(plat_stage stage)
{
    if (stage <= PLAT_STAGE_RESOLVE) {
        return CHANNEL_RESOLVING;
    }
    if (stage <= PLAT_STAGE_CONNECT) {
        return CHANNEL_CONNECTING;
    }
    return stage <= PLAT_STAGE_TLS ? CHANNEL_SECURING : CHANNEL_UPGRADING;
}

channel_answer channel_progress(iothub_channel *ch, mqc_time now, iothub_error *error)
{
    assert(channel_valid(ch));
    plat_stage stage = PLAT_STAGE_RESOLVE;
    bool opened = context_open_lock(ch->context);
    plat_result r = ch->stream->ops->progress(ch->stream, now, &stage);
    context_close_lock(ch->context, opened);

    if (r == PLAT_OK) {
        /* The next attempt begins with the way that was open first in this one. */
        context_prefer_websocket(ch->context, channel_is_websocket(ch));
        enter(ch, CHANNEL_OPEN, now);
        return CHANNEL_READY;
    }
    /* A stream that tries its next address reports an early stage again, but the state never
     * goes back. */
    if (state_of(stage) > ch->state) {
        enter(ch, state_of(stage), now);
    }
    if (r == PLAT_WOULD_BLOCK) {
        return CHANNEL_WAITS;
    }
    (void)channel_why(ch, r, error);
    return CHANNEL_FAILED;
}

void channel_close(iothub_channel *ch)
{
    assert(channel_valid(ch));
    if (ch->stream != NULL) {
        ch->stream->ops->close(ch->stream);
    }
    ch->want_write = false;
    enter(ch, CHANNEL_CLOSED, 0);
}

void channel_adopt(iothub_channel *ch, mqc_time now)
{
    assert(channel_valid(ch));
    ch->began = now;
    enter(ch, ch->state, now);
}

/* --- bytes ---------------------------------------------------------------------------------- */

channel_answer channel_watch(iothub_channel *ch, iothub_error *error)
{
    assert(channel_valid(ch));
    uint8_t byte;
    size_t got;
    plat_result r = ch->stream->ops->recv(ch->stream, &byte, 1, &got);

    if (r == PLAT_WOULD_BLOCK) {
        return CHANNEL_WAITS;
    }
    if (r == PLAT_OK) {
        (void)iothub_fail(error, IOTHUB_ERR_PROTOCOL, "the hub sent data before CONNECT");
    } else {
        (void)channel_why(ch, r, error);
    }
    return CHANNEL_FAILED;
}

bool channel_flow(const iothub_channel *ch, plat_flow *out)
{
    bool known = ch->stream != NULL && ch->stream->ops->flow != NULL;

    if (known) {
        ch->stream->ops->flow(ch->stream, out);
    }
    return known;
}

bool channel_is_websocket(const iothub_channel *ch)
{
    const iothub_options *o = &ch->context->options;

    if (o->transport != IOTHUB_AUTO) {
        return o->transport == IOTHUB_MQTT_WS;
    }
    return ch->stream->ops->port != NULL &&
           ch->stream->ops->port(ch->stream) == options_websocket_port(o);
}

bool channel_resumed(const iothub_channel *ch)
{
    return ch->stream->ops->resumed(ch->stream);
}
