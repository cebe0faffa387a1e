#include "mqtt_loop.h"

/* Each send becomes one TLS record, and the broker can use a record only when all of it has
 * arrived. On a slow link a large record would take longer than the broker waits for a sign of
 * life. */
enum { PART = 4096 };

static bool fail(mqtt_loop *l, plat_result r)
{
    const char *detail = l->stream->ops->detail(l->stream);

    l->part = plat_result_str(r);
    l->why = r == PLAT_EOF ? "the broker closed the connection" : detail;
    return false;
}

static plat_result make_stream(mqtt_loop *l, const mqtt_target *target)
{
    static plat_stream_storage storage;
    const plat_websocket_config websocket = {
        .websockets = l->platform->websockets,
        .path = target->path,
        .subprotocol = "mqtt",
    };
    const plat_stream_config config = {
        .kind = target->tls ? PLAT_STREAM_TLS : PLAT_STREAM_TCP,
        .ca_file = target->ca_file,
        .websocket = target->path != NULL ? &websocket : NULL,
    };

    return l->platform->net->stream(l->platform->net, &storage, &config, &l->stream);
}

bool mqtt_loop_init(mqtt_loop *l, const plat_platform *platform, const mqtt_target *target)
{
    /* All memory that the engine uses; it allocates none itself. */
    static uint8_t rx[64 * 1024], ring[64 * 1024], control[4 * 1024];
    static mqc_entry entries[16];
    static mqc_inbound inbound[256];
    const mqc_memory memory = {
        .rx = rx,
        .rx_len = sizeof rx,
        .control = control,
        .control_len = sizeof control,
        .inbound = inbound,
        .inbound_len = 256,
        .lanes = { { .ring = ring,
                     .ring_len = sizeof ring,
                     .entries = entries,
                     .entries_len = 16,
                     .window = 16 } },
        .lane_count = 1,
    };

    l->platform = platform;
    plat_result r = make_stream(l, target);
    return r == PLAT_OK ? mqc_init(&l->engine, &memory) == MQC_OK : fail(l, r);
}

mqc_time mqtt_loop_now(const mqtt_loop *l)
{
    return l->platform->clock->monotonic_ms(l->platform->clock);
}

bool mqtt_loop_open(mqtt_loop *l, const char *host, unsigned port, mqc_time until)
{
    plat_stage stage;
    plat_result r = l->stream->ops->open(l->stream, host, (uint16_t)port, mqtt_loop_now(l));

    while (r == PLAT_OK || r == PLAT_WOULD_BLOCK) {
        r = l->stream->ops->progress(l->stream, mqtt_loop_now(l), &stage);
        if (r == PLAT_OK) {
            return true;
        }
        if (mqtt_loop_now(l) >= until) {
            l->part = host;
            l->why = "no answer in time";
            return false;
        }
        if (r == PLAT_WOULD_BLOCK) {
            mqtt_loop_sleep(l, until);
        }
    }
    return fail(l, r);
}

mqc_result mqtt_loop_tick(mqtt_loop *l)
{
    mqc_time now = mqtt_loop_now(l);
    plat_flow f;

    if (mqc_wants_flow(&l->engine, now)) { /* send returns long before the bytes reach the broker */
        l->stream->ops->flow(l->stream, &f);
        const mqc_flow flow = { f.received, f.delivered, f.pending, f.awaited };
        mqc_report_flow(&l->engine, &flow, now);
    }
    return mqc_tick(&l->engine, now);
}

bool mqtt_loop_receive(mqtt_loop *l)
{
    size_t cap;
    size_t got = 0;
    uint8_t *at = mqc_rx_space(&l->engine, &cap);

    if (cap == 0) {
        return true; /* the engine first waits for acknowledgements */
    }
    plat_result r = l->stream->ops->recv(l->stream, at, cap, &got);
    if (r == PLAT_WOULD_BLOCK) {
        return true;
    }
    if (r != PLAT_OK) {
        return fail(l, r);
    }
    (void)mqc_rx_commit(&l->engine, got, mqtt_loop_now(l)); /* mqc_error returns the reason */
    return true;
}

bool mqtt_loop_transmit(mqtt_loop *l)
{
    const uint8_t *data;
    size_t len;
    size_t sent;

    l->blocked = false;
    while (data = mqc_tx_data(&l->engine, &len), len > 0) {
        size_t part = len < PART ? len : PART;
        plat_result r = l->stream->ops->send(l->stream, data, part, &sent);
        if (r == PLAT_WOULD_BLOCK) {
            l->blocked = true;
            return true;
        }
        if (r != PLAT_OK) {
            return fail(l, r);
        }
        mqc_tx_consume(&l->engine, sent, mqtt_loop_now(l));
    }
    return true;
}

void mqtt_loop_sleep(mqtt_loop *l, mqc_time until)
{
    mqc_time now = mqtt_loop_now(l);
    mqc_time deadline;
    plat_poll p;

    size_t least = mqc_rx_least(&l->engine, &deadline);
    if (least > 1 && deadline < until) {
        until = deadline;
    }
    l->stream->ops->poll(l->stream, l->blocked, least, &p);
    if (mqc_next_deadline(&l->engine, &deadline) && deadline < until) {
        until = deadline;
    }
    if (p.wake_at_ms != 0 && p.wake_at_ms < until) {
        until = p.wake_at_ms;
    }
    if (!p.ready_now && until > now) {
        l->platform->net->wait(l->platform->net, &p, 1, (int)(until - now));
    }
}
