#include <assert.h>

#include "engine_valid.h"
#include "ids.h"
#include "mqtt_core/topic.h"
#include "outbox.h"
#include "packet.h"

/* A position in the ring at which bytes are written, also across the end of the ring. */
typedef struct ring_cursor {
    uint8_t *p;
    uint8_t *end;
    uint8_t *start;
    bool turns; /* the packet reaches the end of the ring */
} ring_cursor;

static inline void put_byte(ring_cursor *c, size_t v)
{
    *c->p++ = (uint8_t)v;
    if (c->turns && c->p == c->end) {
        c->p = c->start;
    }
}

static inline void put_u16(ring_cursor *c, size_t v)
{
    put_byte(c, v >> 8);
    put_byte(c, v);
}

static inline void put_span(ring_cursor *c, mqc_span s)
{
    size_t room = (size_t)(c->end - c->p);

    if (c->turns && s.len >= room) {
        memcpy(c->p, s.ptr, room);
        s = mqc_span_of(s.ptr + room, s.len - room);
        c->p = c->start;
    }
    if (s.len > 0) {
        memcpy(c->p, s.ptr, s.len);
        c->p += s.len;
    }
}

/* Section 3.3. */
static inline void put_packet(ring_cursor c, const mqc_outgoing *m, size_t remaining,
                              uint16_t packet_id)
{
    const mqc_span topic = m->topic;

    put_byte(&c, MQC_PUBLISH * 16u | m->qos * 2u | (m->retain ? MQC_PUBLISH_RETAIN : 0));
    for (; remaining > 0x7F; remaining >>= 7) {
        put_byte(&c, remaining | 0x80u);
    }
    put_byte(&c, remaining);
    put_u16(&c, topic.len);
    put_span(&c, topic);
    if (m->qos > 0) {
        put_u16(&c, packet_id);
    }
    put_span(&c, m->payload);
}

/* Most packets are contiguous, so they are written without a check for each byte. */
static void put_into_ring(const mqc_outbox *o, const mqc_outgoing *m, size_t len, size_t remaining,
                          uint16_t packet_id)
{
    size_t at = mqc_ring_forward(o, o->ring_head, o->ring_used);
    ring_cursor c = { o->ring + at, o->ring + o->ring_len, o->ring, false };

    if (len < o->ring_len - at) {
        put_packet(c, m, remaining, packet_id);
    } else {
        c.turns = true;
        put_packet(c, m, remaining, packet_id);
    }
}

static bool topic_valid(const mqc_outgoing *m)
{
    return m->topic_checked ? m->topic.len - 1u < MQC_STRING_MAX : mqc_topic_name_valid(m->topic);
}

static bool outgoing_valid(const mqc_engine *e, const mqc_outgoing *m)
{
    return m->qos <= 2 && !(m->keep && m->qos != 0) && m->lane < e->lane_count &&
           (m->payload.ptr != NULL || m->payload.len == 0) && m->topic.ptr != NULL &&
           topic_valid(m);
}

mqc_result mqc_publish(mqc_engine *e, const mqc_outgoing *m, uint16_t *packet_id)
{
    uint16_t id = 0;

    if (e == NULL || m == NULL) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    if (e->connection.error != MQC_OK) {
        return e->connection.error;
    }
    if (!outgoing_valid(e, m)) {
        return MQC_ERR_ARG;
    }
    mqc_outbox *lane = e->lanes + m->lane;
    size_t head = 2 + m->topic.len + (m->qos > 0 ? 2u : 0);
    size_t remaining = head + m->payload.len;
    size_t len = mqc_packet_len(remaining);
    if (m->payload.len > MQC_REMAINING_MAX - head || len > lane->ring_len) {
        return MQC_ERR_TOO_BIG;
    }
    if (!mqc_outbox_room(lane, len) || (m->qos > 0 && (id = mqc_new_packet_id(e)) == 0)) {
        return MQC_ERR_NO_SPACE;
    }
    if (packet_id != NULL) {
        *packet_id = id;
    }
    put_into_ring(lane, m, len, remaining, id);
    mqc_outbox_add(lane, m, len, id);
    return MQC_OK;
}
