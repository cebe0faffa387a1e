#include "internal.h"

/* What became of the bytes at the front of the input. */
typedef enum step {
    STEP_AGAIN, /* understood; there may be more */
    STEP_EVENT, /* understood, and the caller wants to know */
    STEP_WAIT   /* nothing to be done now */
} step;

static mqc_span unread(const mqc_input *in)
{
    return mqc_span_of(in->buf + in->start, in->end - in->start);
}

static step fail(mqc_engine *e, mqc_result error, unsigned type)
{
    (void)mqc_fail(e, error, type);
    return STEP_WAIT;
}

static step starve(mqc_engine *e)
{
    e->in.unread = false;
    return STEP_WAIT;
}

/* --- one packet ---------------------------------------------------------- */

static step on_connack(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    uint8_t code;
    bool present;

    if (mqc_decode_connack(body, &code, &present) != MQC_OK || (present && e->clean_session)) {
        return fail(e, MQC_ERR_MALFORMED, MQC_CONNACK);
    }
    ev->u.connack.return_code = code;
    ev->u.connack.session_present = present;
    if (code != 0) {
        ev->type = MQC_EVENT_REFUSED;
        (void)mqc_fail(e, MQC_ERR_REFUSED, MQC_CONNACK);
        return STEP_EVENT;
    }
    ev->type = MQC_EVENT_CONNECTED;
    e->state = MQC_CONNECTED;
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_resume(&e->lanes[i], present);
    }
    return STEP_EVENT;
}

static step on_puback(mqc_engine *e, mqc_span body)
{
    uint16_t id;

    if (mqc_decode_id(body, &id) != MQC_OK) {
        return fail(e, MQC_ERR_MALFORMED, MQC_PUBACK);
    }
    for (size_t i = 0; i < e->lane_count; i++) {
        if (mqc_outbox_acked(&e->lanes[i], id)) {
            return STEP_AGAIN;
        }
    }
    return fail(e, MQC_ERR_PROTOCOL, MQC_PUBACK);
}

static step on_suback(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    if (mqc_decode_suback(body, &ev->u.suback.packet_id, &ev->u.suback.return_codes) != MQC_OK) {
        return fail(e, MQC_ERR_MALFORMED, MQC_SUBACK);
    }
    if (!mqc_request_answered(e, MQC_SUBACK, ev->u.suback.packet_id,
                              ev->u.suback.return_codes.len)) {
        return fail(e, MQC_ERR_PROTOCOL, MQC_SUBACK);
    }
    ev->type = MQC_EVENT_SUBSCRIBED;
    return STEP_EVENT;
}

static step on_unsuback(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    if (mqc_decode_id(body, &ev->u.packet_id) != MQC_OK) {
        return fail(e, MQC_ERR_MALFORMED, MQC_UNSUBACK);
    }
    if (!mqc_request_answered(e, MQC_UNSUBACK, ev->u.packet_id, 0)) {
        return fail(e, MQC_ERR_PROTOCOL, MQC_UNSUBACK);
    }
    ev->type = MQC_EVENT_UNSUBSCRIBED;
    return STEP_EVENT;
}

/* A QoS 1 message needs a place in the inbox, otherwise it stays where it is. */
static bool admit(mqc_engine *e, uint16_t packet_id)
{
    if (packet_id != 0) {
        if (mqc_inbox_full(&e->inbox)) {
            e->in.flow = MQC_INPUT_STALLED;
            return false;
        }
        mqc_inbox_add(&e->inbox, packet_id);
    }
    if (e->in.flow == MQC_INPUT_STALLED) {
        e->in.flow = MQC_INPUT_RESUMED;
    }
    return true;
}

static step on_publish(mqc_engine *e, uint8_t flags, mqc_span body, mqc_event *ev)
{
    if (mqc_decode_publish(flags, body, &ev->u.publish) != MQC_OK) {
        return fail(e, MQC_ERR_MALFORMED, MQC_PUBLISH);
    }
    ev->type = MQC_EVENT_PUBLISH;
    return admit(e, ev->u.publish.packet_id) ? STEP_EVENT : STEP_WAIT;
}

static step on_packet(mqc_engine *e, const mqc_header *h, mqc_span body, mqc_event *ev)
{
    switch (h->type) {
    case MQC_CONNACK: return on_connack(e, body, ev);
    case MQC_PUBLISH: return on_publish(e, h->flags, body, ev);
    case MQC_PUBACK: return on_puback(e, body);
    case MQC_SUBACK: return on_suback(e, body, ev);
    case MQC_UNSUBACK: return on_unsuback(e, body, ev);
    default: /* PINGRESP; several may come when reading was stalled for long */
        e->ping_pending = false;
        return STEP_AGAIN;
    }
}

/* May a server send this packet to us at this moment? */
static bool expected(const mqc_engine *e, const mqc_header *h)
{
    if (e->state == MQC_CONNECTING || h->type == MQC_CONNACK) {
        return e->state == MQC_CONNECTING && h->type == MQC_CONNACK;
    }
    switch (h->type) {
    case MQC_PUBLISH: return mqc_publish_qos(h->flags) < 2; /* nothing is subscribed with more */
    case MQC_PUBACK:
    case MQC_SUBACK:
    case MQC_UNSUBACK:
    case MQC_PINGRESP: return true;
    default: return false;
    }
}

/* --- packets larger than the buffer ----------------------------------------- */

/* Bytes of a publish before its payload, given the first two behind the header. */
static size_t publish_head(const uint8_t *body, uint8_t flags)
{
    size_t topic = (size_t)body[0] << 8 | body[1];
    return 2 + topic + (mqc_publish_qos(flags) > 0 ? 2u : 0);
}

static void oversize_event(mqc_event *ev, uint32_t payload_len)
{
    ev->type = MQC_EVENT_OVERSIZE;
    ev->u.publish.payload_len = payload_len;
}

/* Topic and id fit: they are read, the payload is not. */
static step oversize_with_topic(mqc_engine *e, const mqc_header *h, size_t head, mqc_event *ev)
{
    mqc_input *in = &e->in;
    mqc_span body = mqc_span_of(in->buf + in->start + h->len, head);

    step s = on_publish(e, h->flags, body, ev);
    if (s == STEP_EVENT) {
        oversize_event(ev, h->remaining - (uint32_t)head);
        in->start += h->len + head;
        in->skip = h->remaining - head;
    }
    return s;
}

static step on_oversize(mqc_engine *e, const mqc_header *h, mqc_event *ev)
{
    mqc_input *in = &e->in;
    mqc_span have = unread(in);

    if (h->type != MQC_PUBLISH) {
        return fail(e, MQC_ERR_MALFORMED, h->type);
    }
    if (have.len < h->len + 2u) {
        return starve(e);
    }
    size_t head = publish_head(have.ptr + h->len, h->flags);
    if (head > h->remaining) {
        return fail(e, MQC_ERR_MALFORMED, MQC_PUBLISH);
    }
    if (h->len + head <= in->cap) {
        return have.len < h->len + head ? starve(e) : oversize_with_topic(e, h, head, ev);
    }
    in->phase = MQC_INPUT_OVERSIZE_ID;
    in->flags = h->flags;
    in->after_id = h->remaining - (uint32_t)head;
    in->skip = h->len + head - (mqc_publish_qos(h->flags) > 0 ? 2u : 0);
    return STEP_AGAIN;
}

/* Behind the topic that did not fit. */
static step on_oversize_id(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;
    bool has_id = mqc_publish_qos(in->flags) > 0;
    mqc_span have = unread(in);
    mqc_message m = { .qos = mqc_publish_qos(in->flags) };

    if (has_id && have.len < 2) {
        return starve(e);
    }
    if (has_id && mqc_decode_id(mqc_span_of(have.ptr, 2), &m.packet_id) != MQC_OK) {
        return fail(e, MQC_ERR_MALFORMED, MQC_PUBLISH);
    }
    if (!admit(e, m.packet_id)) {
        return STEP_WAIT;
    }
    m.retain = (in->flags & MQC_PUBLISH_RETAIN) != 0;
    m.dup = (in->flags & MQC_PUBLISH_DUP) != 0;
    ev->u.publish = m;
    oversize_event(ev, in->after_id);
    in->start += has_id ? 2u : 0;
    in->skip = in->after_id;
    in->phase = MQC_INPUT_PACKET;
    return STEP_EVENT;
}

/* --- the stream of packets -------------------------------------------------- */

static step next_packet(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;
    mqc_span have = unread(in);
    mqc_header h;

    if (have.len == 0) {
        return starve(e);
    }
    mqc_result r = mqc_decode_header(have, &h);
    if (r == MQC_ERR_MALFORMED) {
        return fail(e, r, h.type);
    }
    if (!expected(e, &h)) {
        return fail(e, MQC_ERR_PROTOCOL, h.type);
    }
    if (r == MQC_ERR_NO_SPACE) {
        return starve(e);
    }
    if (h.remaining > in->cap - h.len) {
        return on_oversize(e, &h, ev);
    }
    if (have.len - h.len < h.remaining) {
        return starve(e);
    }
    step s = on_packet(e, &h, mqc_span_of(have.ptr + h.len, h.remaining), ev);
    if (s != STEP_WAIT) {
        in->start += h.len + h.remaining;
    }
    return s;
}

static step next_step(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;

    if (in->skip > 0) {
        size_t have = in->end - in->start;
        size_t n = in->skip < have ? in->skip : have;
        in->start += n;
        in->skip -= n;
        if (in->skip > 0) {
            return starve(e);
        }
    }
    return in->phase == MQC_INPUT_OVERSIZE_ID ? on_oversize_id(e, ev) : next_packet(e, ev);
}

static bool next_done(mqc_engine *e, mqc_event *ev)
{
    for (uint8_t i = 0; i < e->lane_count; i++) {
        if (e->lanes[i].unreported > 0) {
            mqc_outbox_report(&e->lanes[i], &ev->u.done);
            ev->type = MQC_EVENT_DONE;
            ev->u.done.lane = i;
            return true;
        }
    }
    return false;
}

bool mqc_next_event(mqc_engine *e, mqc_event *ev)
{
    for (;;) {
        if (next_done(e, ev)) {
            return true;
        }
        if (!e->in.unread || e->state == MQC_FAILED) {
            return false;
        }
        switch (next_step(e, ev)) {
        case STEP_AGAIN: break;
        case STEP_EVENT: return true;
        case STEP_WAIT: return false;
        }
    }
}

uint8_t *mqc_rx_space(mqc_engine *e, size_t *len)
{
    mqc_input *in = &e->in;

    *len = 0;
    if (in->unread || e->state == MQC_IDLE || e->state == MQC_FAILED) {
        return NULL;
    }
    if (in->start > 0) { /* less than one packet is left */
        memmove(in->buf, in->buf + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    *len = in->cap - in->end;
    return in->buf + in->end;
}

mqc_result mqc_rx_commit(mqc_engine *e, size_t len, mqc_time now)
{
    mqc_input *in = &e->in;

    if (e->error != MQC_OK) {
        return e->error;
    }
    if (e->state == MQC_IDLE) {
        return MQC_ERR_STATE;
    }
    if (len > in->cap - in->end) {
        return MQC_ERR_ARG;
    }
    if (len > 0) {
        in->end += len;
        in->unread = true;
        e->last_rx = now;
    }
    return MQC_OK;
}
