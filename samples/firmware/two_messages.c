#include "two_messages.h"

#include <stdio.h>

#include <mqtt_core/engine.h>
#include <mqtt_core/engine_struct.h>

#define TOPIC "iothub_device/firmware"

enum { PATIENCE_MS = 20000, WINDOW = 2, MESSAGES = 2 };

typedef struct session {
    const plat_platform *platform;
    plat_stream *stream;
    mqc_engine engine;
    int ended;    /* messages that have ended */
    int received; /* messages that came back */
    bool failed;
} session;

static uint64_t now_ms(const session *s)
{
    return s->platform->clock->monotonic_ms(s->platform->clock);
}

static bool fail(session *s, const char *what, const char *why)
{
    printf("%s: %s\n", what, why);
    s->failed = true;
    return false;
}

static bool prepare(session *s)
{
    static uint8_t rx[512], ring[512], control[256];
    static mqc_entry entries[WINDOW];
    static mqc_inbound inbound[WINDOW];
    static plat_stream_storage storage;
    const mqc_memory memory = {
        .rx = rx,
        .rx_len = sizeof rx,
        .control = control,
        .control_len = sizeof control,
        .inbound = inbound,
        .inbound_len = WINDOW,
        .lanes = { { .ring = ring,
                     .ring_len = sizeof ring,
                     .entries = entries,
                     .entries_len = WINDOW,
                     .window = WINDOW } },
        .lane_count = 1,
    };
    const plat_stream_config config = { .kind = PLAT_STREAM_TCP };
    const plat_net *net = s->platform->net;

    return mqc_init(&s->engine, &memory) == MQC_OK &&
           net->stream(net, &storage, &config, &s->stream) == PLAT_OK;
}

/* Sleeps until the stream or the engine has work, at most until `until`. */
static void sleep_until(session *s, uint64_t until)
{
    const uint64_t now = now_ms(s);
    mqc_time deadline;
    plat_poll poll;

    if (mqc_next_deadline(&s->engine, &deadline) && deadline < until) {
        until = deadline;
    }
    s->stream->ops->poll(s->stream, mqc_tx_ready(&s->engine), 1, &poll);
    if (until > now) {
        s->platform->net->wait(s->platform->net, &poll, 1, (int)(until - now));
    }
}

static bool open_stream(session *s, const char *host, uint16_t port, uint64_t until)
{
    plat_stage stage;
    plat_result r = s->stream->ops->open(s->stream, host, port, now_ms(s));

    while (r == PLAT_OK) {
        r = s->stream->ops->progress(s->stream, now_ms(s), &stage);
        if (r == PLAT_OK) {
            return true;
        }
        if (r == PLAT_WOULD_BLOCK && now_ms(s) < until) {
            sleep_until(s, until);
            r = PLAT_OK;
        }
    }
    return fail(s, "cannot connect",
                r == PLAT_WOULD_BLOCK ? "no answer in time" : s->stream->ops->detail(s->stream));
}

static void publish(session *s, const char *text, uint8_t qos)
{
    const mqc_outgoing message = {
        .topic = mqc_span_str(TOPIC),
        .payload = mqc_span_str(text),
        .qos = qos,
    };

    if (mqc_publish(&s->engine, &message, NULL) != MQC_OK) {
        fail(s, "cannot publish", text);
    }
}

static void on_connected(session *s)
{
    const mqc_subscription subscription = { .filter = mqc_span_str(TOPIC), .qos = 1 };

    printf("connected to the broker\n");
    if (mqc_subscribe(&s->engine, &subscription, 1, NULL) != MQC_OK) {
        fail(s, "cannot subscribe", TOPIC);
    }
}

static void on_message(session *s, const mqc_message *m)
{
    printf("received: %.*s (QoS %u)\n", (int)m->payload.len, (const char *)m->payload.ptr, m->qos);
    s->received++;
    if (m->qos > 0) {
        (void)mqc_ack(&s->engine, m->packet_id); /* a failure is latched, see mqc_tick */
    }
}

static void on_event(session *s, const mqc_event *ev)
{
    switch (ev->type) {
    case MQC_EVENT_CONNECTED: on_connected(s); break;
    case MQC_EVENT_REFUSED: fail(s, "cannot log in", "the broker refused"); break;
    case MQC_EVENT_SUBSCRIBED:
        publish(s, "hello with QoS 0", 0);
        publish(s, "hello with QoS 1", 1);
        break;
    case MQC_EVENT_DONE:
        printf("%s\n", ev->u.done.outcome == MQC_OUTCOME_ACKED ? "acknowledged" : "sent");
        s->ended++;
        break;
    case MQC_EVENT_PUBLISH: on_message(s, &ev->u.publish); break;
    case MQC_EVENT_OVERSIZE:
    case MQC_EVENT_UNSUBSCRIBED: break;
    }
}

static void receive(session *s)
{
    size_t cap;
    size_t got;
    mqc_event ev;
    uint8_t *at = mqc_rx_space(&s->engine, &cap);

    if (cap > 0) {
        plat_result r = s->stream->ops->recv(s->stream, at, cap, &got);
        if (r == PLAT_OK) {
            (void)mqc_rx_commit(&s->engine, got, now_ms(s)); /* a failure is latched */
        } else if (r != PLAT_WOULD_BLOCK) {
            fail(s, "connection lost", plat_result_str(r));
        }
    }
    while (mqc_next_event(&s->engine, &ev)) {
        on_event(s, &ev);
    }
}

static void transmit(session *s)
{
    const uint8_t *data;
    size_t len;
    size_t sent;

    while (data = mqc_tx_data(&s->engine, &len), len > 0) {
        plat_result r = s->stream->ops->send(s->stream, data, len, &sent);
        if (r == PLAT_WOULD_BLOCK) {
            return;
        }
        if (r != PLAT_OK) {
            fail(s, "connection lost", plat_result_str(r));
            return;
        }
        mqc_tx_consume(&s->engine, sent, now_ms(s));
    }
}

static bool is_complete(const session *s)
{
    return s->ended == MESSAGES && s->received == MESSAGES;
}

static bool converse(session *s, uint64_t until)
{
    const mqc_connect_options options = {
        .client_id = mqc_span_str("firmware"),
        .keep_alive_s = 60,
        .clean_session = true,
        .timeout_ms = PATIENCE_MS,
    };

    if (mqc_connect(&s->engine, &options, now_ms(s)) != MQC_OK) {
        return fail(s, "cannot log in", "CONNECT was not accepted");
    }
    while (!s->failed && !is_complete(s)) {
        const mqc_result r = mqc_tick(&s->engine, now_ms(s));
        if (r != MQC_OK) {
            return fail(s, "MQTT", mqc_result_str(r));
        }
        if (now_ms(s) >= until) {
            return fail(s, "no answer in time", "the messages did not come back");
        }
        transmit(s);
        receive(s);
        transmit(s);
        if (!s->failed && !is_complete(s)) {
            sleep_until(s, until);
        }
    }
    return !s->failed;
}

bool two_messages(const plat_platform *platform, const char *host, uint16_t port)
{
    static session s;
    const uint64_t until = platform->clock->monotonic_ms(platform->clock) + PATIENCE_MS;

    s = (session){ .platform = platform };
    if (!prepare(&s)) {
        return fail(&s, "cannot start", "memory is too small");
    }
    bool ok = open_stream(&s, host, port, until) && converse(&s, until);
    if (ok && mqc_disconnect(&s.engine) == MQC_OK) {
        transmit(&s);
    }
    s.stream->ops->deinit(s.stream);
    printf("%s\n", ok ? "both messages came back" : "failed");
    return ok;
}
