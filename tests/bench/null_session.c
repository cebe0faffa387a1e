#include "null_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 256 * 1024, BATCH = 200, FILTERS = 16, HEAD_MAX = 5 + 2 + NULL_TOPIC + 2 };

enum packet_type {
    CONNECT = 1,
    PUBLISH = 3,
    PUBACK = 4,
    SUBSCRIBE = 8,
    UNSUBSCRIBE = 10,
    PINGREQ = 12,
    DISCONNECT = 14
};

typedef struct packet {
    unsigned type;
    unsigned qos;
    const uint8_t *body;
    size_t len;
    size_t whole; /* length of the packet with its fixed header */
} packet;

null_counts null_totals;
bool null_one_by_one;

/* One buffer for all sessions, since they run one after the other on one thread. */
static uint8_t input[NULL_REST_MAX + INPUT];
static uint8_t output[INPUT];
static size_t output_len;

static void put(const uint8_t *bytes, size_t len)
{
    memcpy(output + output_len, bytes, len);
    output_len += len;
}

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Returns false if the packet has not arrived completely. */
static bool next_packet(const uint8_t *at, size_t len, packet *out)
{
    size_t remaining = 0;
    size_t head = 1;
    unsigned shift = 0;

    do {
        if (head >= len || shift > 21) {
            return false;
        }
        remaining |= (size_t)(at[head] & 0x7Fu) << shift;
        shift += 7;
    } while ((at[head++] & 0x80u) != 0);
    *out = (packet){ at[0] >> 4, at[0] >> 1 & 3u, at + head, remaining, head + remaining };
    return out->whole <= len;
}

static void on_publish(const packet *p)
{
    null_totals.published++;
    if (p->qos > 0 && p->len > 4 && u16(p->body) + 4u <= p->len) {
        const uint8_t *id = p->body + 2 + u16(p->body);
        put((const uint8_t[]){ 0x40, 2, id[0], id[1] }, 4);
    }
}

/* Prepares the messages to send. In their topic, a '#' at the end of the filter is replaced by
 * text, as in C2D messages. */
static void begin_flood(null_session *s, const char *filter, size_t len, const null_flood *flood)
{
    static const char wanted[] = "devicebound";

    if (memmem(filter, len, wanted, sizeof wanted - 1) == NULL || len + 2 >= sizeof s->topic) {
        return;
    }
    bool open = filter[len - 1] == '#';
    snprintf(s->topic, sizeof s->topic, "%.*s%s", (int)(open ? len - 1 : len), filter,
             open ? "a=1" : "");
    s->unsent = flood->count;
}

/* Grants every filter. A filter for C2D messages starts the flood of messages. */
static void on_subscribe(null_session *s, const packet *p, const null_flood *flood)
{
    uint8_t suback[2 + 2 + FILTERS] = { 0x90, 2, p->body[0], p->body[1] };
    size_t count = 0;
    size_t at = 2;

    while (at + 2 < p->len && count < FILTERS) {
        size_t len = u16(p->body + at);
        at += 2 + len;
        if (at >= p->len) {
            break;
        }
        begin_flood(s, (const char *)p->body + at - len, len, flood);
        suback[4 + count++] = p->body[at++] & 1;
    }
    suback[1] = (uint8_t)(2 + count);
    put(suback, 4 + count);
}

static bool on_packet(null_session *s, const packet *p, const null_flood *flood)
{
    switch (p->type) {
    case CONNECT:
        null_totals.connects++;
        put((const uint8_t[]){ 0x20, 2, 0, 0 }, 4);
        break;
    case PUBLISH: on_publish(p); break;
    case PUBACK:
        null_totals.acknowledged++;
        s->in_flight -= s->in_flight > 0;
        break;
    case SUBSCRIBE: on_subscribe(s, p, flood); break;
    case UNSUBSCRIBE: put((const uint8_t[]){ 0xB0, 2, p->body[0], p->body[1] }, 4); break;
    case PINGREQ: put((const uint8_t[]){ 0xD0, 0 }, 2); break;
    default: return false; /* DISCONNECT, or a packet that no client of the bench sends */
    }
    return true;
}

/* Keeps an answer; the answers to one read never exceed INPUT bytes. */
static void keep(null_session *s, const uint8_t *data, size_t len)
{
    if (len > 0 && s->pending == NULL) {
        s->pending = malloc(INPUT);
    }
    if (len > 0) {
        memmove(s->pending + s->pending_len, data, len);
        s->pending_len += len;
    }
}

static bool send_all(null_session *s, const uint8_t *data, size_t len)
{
    ssize_t n = 1;

    while (len > 0 && n > 0 && s->pending_len == 0) {
        n = null_link_write(&s->link, data, len);
        if (n < 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    keep(s, data, len);
    return true;
}

static bool send_output(null_session *s)
{
    size_t len = output_len;

    output_len = 0;
    return send_all(s, output, len);
}

static bool send_pending(null_session *s)
{
    size_t len = s->pending_len;

    s->pending_len = 0;
    return send_all(s, s->pending, len);
}

static uint8_t *put_length(uint8_t *p, size_t remaining)
{
    for (; remaining > 127; remaining >>= 7) {
        *p++ = (uint8_t)(0x80 | (remaining & 0x7F));
    }
    *p++ = (uint8_t)remaining;
    return p;
}

/* The packets are the same each time, except for their ids. */
static size_t make_batch(null_session *s, const null_flood *flood, size_t count)
{
    const unsigned qos = flood->qos;
    size_t topic_len = strlen(s->topic);
    size_t remaining = 2 + topic_len + (qos > 0 ? 2 : 0) + flood->size;
    uint8_t *p = output;

    for (size_t i = 0; i < count; i++) {
        *p++ = (uint8_t)(0x30 | qos << 1);
        p = put_length(p, remaining);
        *p++ = 0;
        *p++ = (uint8_t)topic_len;
        memcpy(p, s->topic, topic_len);
        p += topic_len;
        if (qos > 0) {
            s->packet_id = s->packet_id == UINT16_MAX ? 1 : (uint16_t)(s->packet_id + 1);
            *p++ = (uint8_t)(s->packet_id >> 8);
            *p++ = (uint8_t)s->packet_id;
        }
        memset(p, 'x', flood->size);
        p += flood->size;
    }
    return (size_t)(p - output);
}

static size_t batch_of(const null_flood *flood)
{
    const size_t fit = INPUT / (HEAD_MAX + flood->size);

    return fit < BATCH ? fit : BATCH;
}

static bool pour(null_session *s, const null_flood *flood)
{
    const size_t batch = batch_of(flood);

    while (s->unsent > 0 && s->pending_len == 0) {
        size_t room = flood->qos > 0 ? flood->window - s->in_flight : batch;
        size_t count = room < s->unsent ? room : s->unsent;
        if (count == 0) {
            return true;
        }
        count = count < batch ? count : batch;
        s->unsent -= count;
        s->in_flight += flood->qos > 0 ? (unsigned)count : 0;
        if (!send_all(s, output, make_batch(s, flood, count))) {
            return false;
        }
    }
    return true;
}

/* Handles packets. Returns false if the connection has ended. */
static bool take_packets(null_session *s, const uint8_t *at, size_t len, const null_flood *flood)
{
    packet p;

    while (len > 0 && next_packet(at, len, &p)) {
        if (!on_packet(s, &p, flood)) {
            return false;
        }
        if (null_one_by_one && !send_output(s)) {
            return false;
        }
        at += p.whole;
        len -= p.whole;
    }
    if (len > NULL_REST_MAX) {
        return false;
    }
    if (len > 0) {
        s->rest = realloc(s->rest, len);
        memcpy(s->rest, at, len);
    }
    s->rest_len = len;
    return true;
}

bool null_session_run(null_session *s, const null_flood *flood)
{
    if (!send_pending(s)) {
        return false;
    }
    if (s->pending_len > 0) {
        return true;
    }
    ssize_t n;
    do {
        if (s->rest_len > 0) {
            memcpy(input, s->rest, s->rest_len);
        }
        n = null_link_read(&s->link, input + s->rest_len, INPUT);
        if (n < 0) {
            return false;
        }
        if (n > 0 && !take_packets(s, input, s->rest_len + (size_t)n, flood)) {
            return false;
        }
        if (!send_output(s)) {
            return false;
        }
        /* TLS may hold more bytes, which epoll does not report. */
    } while (n == INPUT && s->pending_len == 0);
    return pour(s, flood);
}

void null_session_free(null_session *s)
{
    null_link_close(&s->link);
    free(s->rest);
    free(s->pending);
    free(s);
}
