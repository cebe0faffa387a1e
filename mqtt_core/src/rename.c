#include <assert.h>

#include "engine_valid.h"
#include "outbox.h"
#include "packet.h"

/*
 * Replaces the beginning of topics inside a ring.  Shorter packets move towards the head, oldest
 * first, and longer ones away from it, newest first; so no byte is overwritten before it was moved.
 */

typedef struct replacement {
    mqc_span from;
    mqc_span to;
} replacement;

/* The position of a packet in the ring, and its changes. */
typedef struct place {
    size_t at; /* offset in the ring */
    /* Number of bytes that are replaced: the fixed header, the length of the topic, and its
     * beginning. */
    size_t front;
    size_t remaining; /* remaining length after the change */
    size_t topic_len; /* afterwards */
    size_t len;       /* length of the whole packet after the change */
    bool renamed;     /* false: the packet is moved without a change */
} place;

static uint8_t byte_at(const mqc_outbox *o, size_t at, size_t n)
{
    return o->ring[mqc_ring_forward(o, at, n)];
}

static bool begins_with(const mqc_outbox *o, size_t at, mqc_span text)
{
    size_t n = 0;

    while (n < text.len && byte_at(o, at, n) == text.ptr[n]) {
        n++;
    }
    return n == text.len;
}

static place look_at(const mqc_outbox *o, const mqc_entry *e, size_t at, const replacement *r)
{
    place p = { .at = at, .len = e->len };
    size_t header = 1;

    if (mqc_has_ended(e) || e->len == 0) { /* the space of the packet may already be free */
        return p;
    }
    while ((byte_at(o, at, header) & 0x80u) != 0) {
        header++;
    }
    header++;
    const size_t topic_len = (size_t)byte_at(o, at, header) << 8 | byte_at(o, at, header + 1);
    const size_t topic = mqc_ring_forward(o, at, header + 2);
    if (topic_len < r->from.len || !begins_with(o, topic, r->from)) {
        return p;
    }
    p.renamed = true;
    p.front = header + 2 + r->from.len;
    p.topic_len = topic_len - r->from.len + r->to.len;
    p.remaining = e->len - header - r->from.len + r->to.len;
    p.len = mqc_packet_len(p.remaining);
    return p;
}

/* --- moving bytes ----------------------------------------------------------------- */

static void put(mqc_outbox *o, size_t *at, size_t byte)
{
    o->ring[*at] = (uint8_t)byte;
    *at = mqc_ring_forward(o, *at, 1);
}

/* Writes the fixed header and the beginning of the topic. Returns where the rest belongs. */
static size_t put_front(mqc_outbox *o, size_t at, uint8_t first, const place *p, mqc_span to)
{
    size_t remaining = p->remaining;

    put(o, &at, first);
    for (; remaining > 0x7F; remaining >>= 7) {
        put(o, &at, remaining | 0x80u);
    }
    put(o, &at, remaining);
    put(o, &at, p->topic_len >> 8);
    put(o, &at, p->topic_len);
    for (size_t i = 0; i < to.len; i++) {
        put(o, &at, to.ptr[i]);
    }
    return at;
}

static void move_down(mqc_outbox *o, size_t to, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        o->ring[mqc_ring_forward(o, to, i)] = byte_at(o, from, i);
    }
}

static void move_up(mqc_outbox *o, size_t to, size_t from, size_t len)
{
    while (len-- > 0) {
        o->ring[mqc_ring_forward(o, to, len)] = byte_at(o, from, len);
    }
}

static void shrink(mqc_outbox *o, const replacement *r)
{
    size_t from = o->ring_head;
    size_t to = from;

    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = mqc_entry_at(o, i);
        const place p = look_at(o, e, from, r);
        const size_t rest = e->len - p.front;
        size_t at = to;
        if (p.renamed) {
            at = put_front(o, to, byte_at(o, from, 0), &p, r->to);
        }
        move_down(o, at, mqc_ring_forward(o, from, p.front), rest);
        from = mqc_ring_forward(o, from, e->len);
        to = mqc_ring_forward(o, to, p.len);
        mqc_outbox_resize(o, e, p.len);
    }
}

/* growth is the number of bytes by which all packets together become longer. */
static void grow(mqc_outbox *o, const replacement *r, size_t growth)
{
    size_t from_end = mqc_ring_forward(o, o->ring_head, o->ring_used);
    size_t to_end = mqc_ring_forward(o, from_end, growth);

    for (size_t i = o->count; i-- > 0;) {
        mqc_entry *e = mqc_entry_at(o, i);
        const place p = look_at(o, e, mqc_ring_back(o, from_end, e->len), r);
        const size_t rest = e->len - p.front;
        const uint8_t first = byte_at(o, p.at, 0);
        move_up(o, mqc_ring_back(o, to_end, rest), mqc_ring_back(o, from_end, rest), rest);
        from_end = p.at;
        to_end = mqc_ring_back(o, to_end, p.len);
        if (p.renamed) {
            (void)put_front(o, to_end, first, &p, r->to);
        }
        mqc_outbox_resize(o, e, p.len);
    }
}

/* --- the whole lane ------------------------------------------------------------------ */

/* Adds up the sizes of all packets after the change. */
static mqc_result measure(const mqc_outbox *o, const replacement *r, size_t *total)
{
    size_t at = o->ring_head;

    *total = 0;
    for (size_t i = 0; i < o->count; i++) {
        const mqc_entry *e = mqc_entry_at(o, i);
        const place p = look_at(o, e, at, r);
        if (p.topic_len > MQC_STRING_MAX || p.remaining > MQC_REMAINING_MAX) {
            return MQC_ERR_TOO_BIG;
        }
        *total += p.len;
        at = mqc_ring_forward(o, at, e->len);
    }
    return *total <= o->ring_len ? MQC_OK : MQC_ERR_NO_SPACE;
}

mqc_result mqc_rename_topics(mqc_engine *e, uint8_t lane, mqc_span from, mqc_span to)
{
    const replacement r = { from, to };
    size_t total;

    if (e == NULL || lane >= e->lane_count || from.len == 0 || to.len == 0) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    if (e->connection.state != MQC_IDLE) {
        return MQC_ERR_STATE;
    }
    mqc_outbox *o = &e->lanes[lane];
    mqc_outbox_rewind(o);
    mqc_result result = measure(o, &r, &total);
    if (result != MQC_OK) {
        return result;
    }
    if (total <= o->ring_used) {
        shrink(o, &r);
    } else {
        grow(o, &r, total - o->ring_used);
    }
    assert(mqc_engine_valid(e));
    return MQC_OK;
}
