/* The peer is the MQTT engine alone, with a loop as small as an application could write. */

#include <mqtt_core/engine_struct.h>
#include <stdlib.h>
#include <string.h>

#include "bench_stream.h"

struct bench_peer {
    bench_stream stream;
    mqc_engine engine;
    const bench_job *job;
    void *memory;
    bool subscribed;
};

typedef struct sizes {
    size_t rx;
    size_t ring;
    size_t control;
    size_t entries;
    size_t inbound;
} sizes;

/* Uses one block that is as small as possible for a connection that is idle most of the time. */
static void give_memory(bench_peer *p)
{
    const bool idle = p->job->kind == BENCH_IDLE;
    const sizes z =
        idle ? (sizes){ 1024, 2048, 256, 8, 8 }
             : (sizes){ 2 * BENCH_PAYLOAD_MAX, bench_window_bytes(p->job), 4096, 512, 256 };
    size_t len =
        z.entries * sizeof(mqc_entry) + z.inbound * sizeof(mqc_inbound) + z.rx + z.ring + z.control;
    mqc_entry *entries = p->memory = malloc(len);
    mqc_inbound *inbound = (mqc_inbound *)(entries + z.entries);
    uint8_t *bytes = (uint8_t *)(inbound + z.inbound);
    const mqc_memory memory = {
        .rx = bytes,
        .rx_len = z.rx,
        .control = bytes + z.rx,
        .control_len = z.control,
        .inbound = inbound,
        .inbound_len = z.inbound,
        .lanes = { { .ring = bytes + z.rx + z.control,
                     .ring_len = z.ring,
                     .entries = entries,
                     .entries_len = z.entries,
                     .window = (uint16_t)p->job->window } },
        .lane_count = 1,
    };

    memset(p->memory, 0xFF, len); /* touches all of it, so that it counts as used memory */
    if (mqc_init(&p->engine, &memory) != MQC_OK) {
        bench_fail("engine", "memory");
    }
}

static void take_event(bench_peer *p, const mqc_event *ev)
{
    switch (ev->type) {
    case MQC_EVENT_PUBLISH:
        if (ev->u.publish.qos > 0) {
            (void)mqc_ack(&p->engine, ev->u.publish.packet_id);
        }
        bench_ended(1);
        break;
    case MQC_EVENT_DONE: bench_ended(1); break;
    case MQC_EVENT_SUBSCRIBED: p->subscribed = true; break;
    case MQC_EVENT_CONNECTED:
    case MQC_EVENT_UNSUBSCRIBED:
    case MQC_EVENT_REFUSED:
    case MQC_EVENT_OVERSIZE: break;
    }
}

static void take_events(bench_peer *p)
{
    mqc_event ev;

    while (mqc_next_event(&p->engine, &ev)) {
        take_event(p, &ev);
    }
    if (mqc_error(&p->engine) != MQC_OK) {
        bench_fail("engine", mqc_result_str(mqc_error(&p->engine)));
    }
}

static void transmit(bench_peer *p, mqc_time now)
{
    const uint8_t *data;
    size_t len;

    while (data = mqc_tx_data(&p->engine, &len), len > 0) {
        bench_stream_send(&p->stream, data, len);
        mqc_tx_consume(&p->engine, len, now);
    }
}

/* Waits until many answers have arrived, if the engine considers that worthwhile. Returns the
 * time after the wait. */
static mqc_time sleep_for_many(bench_peer *p, mqc_time now)
{
    mqc_time until;
    size_t least = mqc_rx_least(&p->engine, &until);

    if (least == 1) {
        return now;
    }
    bench_stream_wait(&p->stream, least, until > now ? (int)(until - now) : 0);
    now = bench_now_ms();
    (void)mqc_tick(&p->engine, now);
    return now;
}

static void receive(bench_peer *p, mqc_time now)
{
    size_t cap;

    now = sleep_for_many(p, now);
    uint8_t *at = mqc_rx_space(&p->engine, &cap);
    if (cap > 0) {
        (void)mqc_rx_commit(&p->engine, bench_stream_recv(&p->stream, at, cap), now);
    }
    take_events(p);
}

void peer_turn(bench_peer *p, unsigned long target)
{
    mqc_time now = bench_now_ms();

    (void)target;
    transmit(p, now);
    if (p->job->kind != BENCH_RECEIVE && p->job->qos == 0 && p->subscribed) {
        /* QoS 0 messages end when they are sent, so there is no answer to wait for. */
        take_events(p);
        return;
    }
    receive(p, now);
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    bench_peer *p = calloc(1, sizeof *p);
    const mqc_connect_options o = { .client_id = mqc_span_str("bench"), .clean_session = true };
    const mqc_subscription s = { mqc_span_str(BENCH_FILTER), (uint8_t)job->qos };

    (void)number;
    p->job = job;
    give_memory(p);
    bench_stream_open(&p->stream, job);
    (void)mqc_connect(&p->engine, &o, bench_now_ms());
    while (mqc_get_state(&p->engine) != MQC_CONNECTED) {
        peer_turn(p, 0);
    }
    if (job->kind == BENCH_RECEIVE) {
        (void)mqc_subscribe(&p->engine, &s, 1, NULL);
    } else {
        p->subscribed = true;
    }
    while (!p->subscribed) {
        peer_turn(p, 0);
    }
    return p;
}

bool peer_publish(bench_peer *p)
{
    const mqc_outgoing m = {
        .topic = mqc_span_of(BENCH_TOPIC, sizeof BENCH_TOPIC - 1),
        .payload = mqc_span_of(bench_payload, p->job->size),
        .qos = (uint8_t)p->job->qos,
    };

    return mqc_publish(&p->engine, &m, NULL) == MQC_OK;
}

void peer_close(bench_peer *p)
{
    (void)mqc_disconnect(&p->engine);
    transmit(p, bench_now_ms());
    p->stream.stream->ops->deinit(p->stream.stream);
    free(p->memory);
    free(p);
}
