#include "fake_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void fake_hub_init(fake_hub *h)
{
    memset(h, 0, sizeof *h);
    h->twin_status = 200;
    h->twin = "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}";
    h->version = 1;
}

/* --- to the client --------------------------------------------------------- */

static void feed_packet(scripted_stream *s, uint8_t first, const uint8_t *body, size_t len)
{
    uint8_t header[5] = { first };
    size_t n = 1;
    size_t rest = len;

    do {
        header[n++] = (uint8_t)((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
        rest >>= 7;
    } while (rest > 0);
    scripted_feed(s, header, n);
    scripted_feed(s, body, len);
}

static void feed_id(scripted_stream *s, uint8_t first, uint16_t id)
{
    const uint8_t body[2] = { (uint8_t)(id >> 8), (uint8_t)id };
    feed_packet(s, first, body, 2);
}

void fake_hub_send(scripted_stream *s, const char *topic, const void *payload, size_t len,
                   uint16_t packet_id)
{
    size_t topic_len = strlen(topic);
    uint8_t *body = malloc(topic_len + len + 4);
    size_t n = 0;

    body[n++] = (uint8_t)(topic_len >> 8);
    body[n++] = (uint8_t)topic_len;
    memcpy(body + n, topic, topic_len);
    n += topic_len;
    if (packet_id != 0) {
        body[n++] = (uint8_t)(packet_id >> 8);
        body[n++] = (uint8_t)packet_id;
    }
    if (len > 0) {
        memcpy(body + n, payload, len);
    }
    feed_packet(s, packet_id != 0 ? 0x32 : 0x30, body, n + len);
    free(body);
}

void fake_hub_ack(fake_hub *h, scripted_stream *s, unsigned n)
{
    feed_id(s, 0x40, fake_hub_at(h, n)->packet_id);
}

/* --- from the client --------------------------------------------------------- */

typedef struct reader {
    const uint8_t *p, *end;
} reader;

static unsigned u16(reader *r)
{
    assert_true(r->end - r->p >= 2);
    r->p += 2;
    return (unsigned)r->p[-2] << 8 | r->p[-1];
}

static void text(reader *r, char *out, size_t cap)
{
    size_t n = u16(r);

    assert_true((size_t)(r->end - r->p) >= n && n < cap);
    memcpy(out, r->p, n);
    out[n] = '\0';
    r->p += n;
}

static void on_connect(fake_hub *h, scripted_stream *s, reader r)
{
    char protocol[8];

    text(&r, protocol, sizeof protocol);
    assert_string_equal(protocol, "MQTT");
    assert_int_equal(*r.p++, 4);
    uint8_t flags = *r.p++;
    h->clean_session = (flags & 0x02) != 0;
    h->keep_alive_s = (uint16_t)u16(&r);
    text(&r, h->client_id, sizeof h->client_id);
    if (flags & 0x80) {
        text(&r, h->user_name, sizeof h->user_name);
    }
    h->password[0] = '\0';
    if (flags & 0x40) {
        text(&r, h->password, sizeof h->password);
    }
    h->connects++;
    if (!h->session_present) {
        h->held[0] = '\0';
    }
    if (!h->mute_connect) {
        const uint8_t body[2] = { h->return_code == 0 && h->session_present, h->return_code };
        feed_packet(s, 0x20, body, 2);
    }
}

/* Removes a filter from the subscriptions of the client. */
static void forget(fake_hub *h, const char *filter)
{
    char entry[402];

    snprintf(entry, sizeof entry, "%s ", filter);
    char *at = strstr(h->held, entry);
    if (at != NULL) {
        memmove(at, at + strlen(entry), strlen(at + strlen(entry)) + 1);
    }
}

static void hold(fake_hub *h, const char *filter)
{
    forget(h, filter);
    size_t len = strlen(h->held);
    snprintf(h->held + len, sizeof h->held - len, "%s ", filter);
}

static void on_subscribe(fake_hub *h, scripted_stream *s, reader r)
{
    uint8_t body[16] = { r.p[0], r.p[1] };
    size_t n = 2;
    size_t at = 0;

    (void)u16(&r);
    while (r.p < r.end) {
        char filter[400];
        text(&r, filter, sizeof filter);
        at += (size_t)snprintf(h->filters + at, sizeof h->filters - at, "%s%s", at ? " " : "",
                               filter);
        uint8_t qos = *r.p++;
        h->wanted_qos[n - 2] = (char)('0' + qos);
        h->wanted_qos[n - 1] = '\0';
        bool refuse = h->refuse_filter != NULL && strstr(filter, h->refuse_filter) != NULL;
        body[n++] = refuse ? 0x80 : qos;
        if (!refuse) {
            hold(h, filter);
        }
    }
    h->subscribes++;
    if (!h->mute_subscribe) {
        feed_packet(s, 0x90, body, n);
    }
}

static void on_unsubscribe(fake_hub *h, scripted_stream *s, reader r)
{
    uint16_t id = (uint16_t)u16(&r);

    size_t at = 0;

    while (r.p < r.end) {
        char filter[400];
        text(&r, filter, sizeof filter);
        forget(h, filter);
        at += (size_t)snprintf(h->unfiltered + at, sizeof h->unfiltered - at, "%s%s",
                               at > 0 ? " " : "", filter);
    }
    h->unsubscribes++;
    if (!h->mute_unsubscribe) {
        feed_id(s, 0xB0, id);
    }
}

static void answer_twin(fake_hub *h, scripted_stream *s, const char *topic)
{
    const char *rid = strstr(topic, "$rid=");
    bool get = strncmp(topic, "$iothub/twin/GET/", 17) == 0;
    char answer[128];

    if (strncmp(topic, "$iothub/twin/", 13) != 0 || h->twin_status == 0) {
        return;
    }
    assert_non_null(rid);
    if (get || h->twin_status != 200) {
        snprintf(answer, sizeof answer, "$iothub/twin/res/%d/?%s", h->twin_status, rid);
    } else {
        snprintf(answer, sizeof answer, "$iothub/twin/res/204/?%s&$version=%llu", rid,
                 (unsigned long long)++h->version);
    }
    fake_hub_send(s, answer, h->twin, get && h->twin_status == 200 ? strlen(h->twin) : 0, 0);
}

static void on_publish(fake_hub *h, scripted_stream *s, uint8_t flags, reader r)
{
    fake_hub_publish *p = &h->log[h->publishes++ % FAKE_HUB_LOG];

    memset(p, 0, sizeof *p);
    p->qos = (flags >> 1) & 3;
    p->dup = (flags & 8) != 0;
    p->retain = (flags & 1) != 0;
    text(&r, p->topic, sizeof p->topic);
    if (p->qos > 0) {
        p->packet_id = (uint16_t)u16(&r);
    }
    p->payload_len = (size_t)(r.end - r.p);
    memcpy(p->payload, r.p,
           p->payload_len < sizeof p->payload ? p->payload_len : sizeof p->payload - 1);
    if (p->qos > 0 && !h->mute_publish) {
        feed_id(s, 0x40, p->packet_id);
    }
    answer_twin(h, s, p->topic);
}

static void on_packet(fake_hub *h, scripted_stream *s, uint8_t first, reader r)
{
    switch (first >> 4) {
    case 1: on_connect(h, s, r); break;
    case 3: on_publish(h, s, first & 0x0F, r); break;
    case 4: h->acked[h->acks++ % FAKE_HUB_LOG] = (uint16_t)u16(&r); break;
    case 5: /* PUBREC, PUBREL and PUBCOMP answer QoS 2 packets that the test itself has sent */
    case 6:
    case 7: break;
    case 8: on_subscribe(h, s, r); break;
    case 10: on_unsubscribe(h, s, r); break;
    case 12:
        h->pings++;
        if (h->mute_ping) {
            break;
        }
        feed_packet(s, 0xD0, NULL, 0);
        break;
    case 14: h->disconnects++; break;
    default: fail_msg("the client sent a packet of type %d", first >> 4);
    }
}

/* Returns the length of the first packet, or 0 if it has not arrived completely. */
static size_t packet_len(const uint8_t *p, size_t len, size_t *header)
{
    size_t rest = 0;

    for (size_t i = 1; i < len && i < 5; i++) {
        rest |= (size_t)(p[i] & 0x7F) << (7 * (i - 1));
        if ((p[i] & 0x80) == 0) {
            *header = i + 1;
            return len - i - 1 >= rest ? i + 1 + rest : 0;
        }
    }
    return 0;
}

bool fake_hub_serve(fake_hub *h, scripted_stream *s)
{
    bool any = false;

    for (;;) {
        size_t len;
        size_t header = 0;
        const uint8_t *p = scripted_sent(s, &len);
        size_t n = packet_len(p, len, &header);
        if (n == 0) {
            return any;
        }
        uint8_t *copy = malloc(n); /* a copy, because an answer may move the stream's memory */
        memcpy(copy, p, n);
        scripted_drain(s, n);
        on_packet(h, s, copy[0], (reader){ copy + header, copy + n });
        free(copy);
        any = true;
    }
}

const fake_hub_publish *fake_hub_at(const fake_hub *h, unsigned n)
{
    assert_true(n < h->publishes && h->publishes - n <= FAKE_HUB_LOG);
    return &h->log[n % FAKE_HUB_LOG];
}

const fake_hub_publish *fake_hub_last(const fake_hub *h, const char *topic_prefix)
{
    for (unsigned n = h->publishes; n > 0 && h->publishes - n < FAKE_HUB_LOG; n--) {
        const fake_hub_publish *p = &h->log[(n - 1) % FAKE_HUB_LOG];
        if (strncmp(p->topic, topic_prefix, strlen(topic_prefix)) == 0) {
            return p;
        }
    }
    return NULL;
}
