/* The peer is the theoretical limit: it sends prepared packets, as many per call as the window
 * allows, and only counts the bytes of the answers. No client can do less. It uses the same
 * streams as our client. */

#include <stdlib.h>
#include <string.h>

#include "bench_stream.h"

enum { BLOCK = 2 * 1024 * 1024, INPUT = 256 * 1024, HEAD_MAX = 128 };

struct bench_peer {
    bench_stream stream;
    const bench_job *job;
    unsigned long waiting; /* number of messages that are published and not sent */
    size_t packet_len;     /* bytes of a message, in either direction */
    size_t rest;           /* bytes of an incomplete message */
    uint8_t *block;        /* prepared packets, one after the other */
    uint8_t *acks;
    uint8_t *input;
};

static uint8_t *put_publish(uint8_t *p, const char *topic, const bench_job *job)
{
    const unsigned qos = job->qos;
    size_t topic_len = strlen(topic);
    size_t remaining = 2 + topic_len + (qos > 0 ? 2 : 0) + job->size;

    *p++ = (uint8_t)(0x30 | qos << 1);
    for (; remaining > 127; remaining >>= 7) {
        *p++ = (uint8_t)(0x80 | (remaining & 0x7F));
    }
    *p++ = (uint8_t)remaining;
    *p++ = 0;
    *p++ = (uint8_t)topic_len;
    memcpy(p, topic, topic_len);
    p += topic_len;
    if (qos > 0) {
        *p++ = 0;
        *p++ = 1;
    }
    memcpy(p, bench_payload, job->size);
    return p + job->size;
}

static void prepare(bench_peer *p)
{
    const bench_job *job = p->job;
    /* In the topic that the broker makes from BENCH_FILTER, "a=1" replaces the '#'. */
    const char *topic = job->kind == BENCH_RECEIVE ? BENCH_FILTER "=1" : BENCH_TOPIC;

    p->block = malloc(BLOCK + INPUT + INPUT);
    p->acks = p->block + BLOCK;
    p->input = p->acks + INPUT;
    p->packet_len = (size_t)(put_publish(p->block, topic, job) - p->block);
    for (size_t at = p->packet_len; at + p->packet_len <= BLOCK; at += p->packet_len) {
        memcpy(p->block + at, p->block, p->packet_len);
    }
    for (size_t i = 0; i < INPUT; i += 4) {
        memcpy(p->acks + i, "\x40\x02\x00\x01", 4);
    }
}

static void subscribe(bench_peer *p)
{
    size_t len = strlen(BENCH_FILTER);
    uint8_t packet[HEAD_MAX] = { 0x82, (uint8_t)(5 + len), 0, 1, 0, (uint8_t)len };

    memcpy(packet + 6, BENCH_FILTER, len);
    packet[6 + len] = (uint8_t)p->job->qos;
    bench_stream_send(&p->stream, packet, 7 + len);
}

/* Reads len bytes of answers without looking at them. */
static void expect(bench_peer *p, size_t len)
{
    while (len > 0) {
        len -= bench_stream_recv(&p->stream, p->input, len);
    }
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    static const uint8_t connect[] = "\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05"
                                     "bench";
    bench_peer *p = calloc(1, sizeof *p);

    (void)number;
    p->job = job;
    if (job->kind != BENCH_IDLE) {
        prepare(p);
    }
    uint8_t connack[4];
    p->input = job->kind == BENCH_IDLE ? connack : p->input;
    bench_stream_open(&p->stream, job);
    bench_stream_send(&p->stream, connect, sizeof connect - 1);
    expect(p, 4);
    if (job->kind == BENCH_RECEIVE) {
        subscribe(p);
        expect(p, 5);
    }
    return p;
}

bool peer_publish(bench_peer *p)
{
    if ((p->waiting + 1) * p->packet_len > BLOCK) {
        return false;
    }
    p->waiting++;
    return true;
}

static void turn_receive(bench_peer *p)
{
    size_t got = p->rest + bench_stream_recv(&p->stream, p->input, INPUT);
    size_t messages = got / p->packet_len;

    p->rest = got % p->packet_len;
    if (p->job->qos > 0 && messages > 0) {
        bench_stream_send(&p->stream, p->acks, messages * 4);
    }
    bench_ended(messages);
}

void peer_turn(bench_peer *p, unsigned long target)
{
    (void)target;
    if (p->job->kind == BENCH_RECEIVE) {
        turn_receive(p);
        return;
    }
    unsigned long sent = p->waiting;
    p->waiting = 0;
    bench_stream_send(&p->stream, p->block, sent * p->packet_len);
    if (p->job->qos == 0) {
        bench_ended(sent);
        return;
    }
    size_t got = p->rest + bench_stream_recv(&p->stream, p->input, INPUT);
    p->rest = got % 4;
    bench_ended(got / 4);
}

void peer_close(bench_peer *p)
{
    bench_stream_send(&p->stream, (const uint8_t *)"\xE0\x00", 2);
    p->stream.stream->ops->deinit(p->stream.stream);
    free(p->block);
    free(p);
}
