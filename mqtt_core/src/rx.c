#include "rx.h"

#include <assert.h>

#include "connect_subscribe.h"
#include "control_fill.h"
#include "engine_valid.h"
#include "inbox.h"
#include "keep_alive.h"
#include "outbox.h"
#include "outbox_find.h"
#include "packet.h"
#include "pubrel_chain.h"
#include "round_trip.h"
#include "rx_low_water.h"
#include "state.h"
#include "waits.h"

/* The result of decoding the first bytes of the input. */
typedef enum step {
    STEP_AGAIN,       /* handled; there may be more */
    STEP_EVENT,       /* handled, and there is an event for the caller */
    STEP_WAIT,        /* the inbox is full */
    STEP_NEEDS_BYTES, /* more bytes are needed */
    STEP_MALFORMED,   /* the packet breaks the rules of encoding */
    STEP_UNEXPECTED   /* the packet is not allowed here */
} step;

void mqc_input_reset(mqc_input *in)
{
    in->start = 0;
    in->end = 0;
    in->skip = 0;
    in->phase = MQC_INPUT_PACKET;
    in->flow = MQC_INPUT_FLOWING;
    in->unread = false;
    in->message_skipped = false;
}

static mqc_span unread(const mqc_input *in)
{
    return mqc_span_of(in->buf + in->start, in->end - in->start);
}

/* Ends the connection because of an error in the packet at `start`. */
static void fail(mqc_engine *e, mqc_result error)
{
    (void)mqc_fail(e, error, e->in.header.type);
    mqc_input_stop(&e->in);
}

/* --- one packet ---------------------------------------------------------- */

static step on_connack(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    uint8_t code;
    bool present;

    if (mqc_decode_connack(body, &code, &present) != MQC_OK ||
        (present && e->requests.clean_session)) {
        return STEP_MALFORMED;
    }
    ev->u.connack.return_code = code;
    ev->u.connack.session_present = present;
    if (code != 0) {
        ev->type = MQC_EVENT_REFUSED;
        fail(e, MQC_ERR_REFUSED);
        return STEP_EVENT;
    }
    ev->type = MQC_EVENT_CONNECTED;
    mqc_state_enter(e, MQC_CONNECTED);
    if (present) {
        mqc_pubrel_chain_restart(&e->pubrel_chain, MQC_LANES_MAX);
    } else {
        mqc_pubrel_chain_clear(&e->pubrel_chain); /* mqc_outbox_resume will end these publishes */
    }
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_resume(&e->lanes[i], present);
        /* A publish whose PUBREC was received on an earlier connection. */
        if (e->lanes[i].window.in_flight > 0) {
            mqc_waits_lane_resumed(e, &e->lanes[i]);
        }
    }
    if (!present) {
        mqc_inbox_clear(&e->inbox);
    }
    return STEP_EVENT;
}

static step on_puback(mqc_engine *e, uint16_t packet_id, mqc_event *ev)
{
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox *lane = &e->lanes[i];
        if (lane->window.used > 0 &&
            mqc_outbox_acked(lane, packet_id, e->keep_alive.last_rx, &ev->u.done)) {
            ev->type = MQC_EVENT_DONE;
            return STEP_EVENT;
        }
    }
    return STEP_UNEXPECTED;
}

/* Notes that the packet at `start` can be decoded further, now or when there is room again. */
static step flowing(mqc_engine *e, bool room, step then)
{
    if (!room) {
        e->in.flow = MQC_INPUT_STALLED;
        return STEP_WAIT;
    }
    if (e->in.flow == MQC_INPUT_STALLED) {
        e->in.flow = MQC_INPUT_RESUMED;
        mqc_waits_reading_resumed(e);
    }
    return then;
}

/* Answers a packet for an unknown message, which ended on an earlier connection or belongs to an
 * earlier session. The answer lets the server end it, too. */
static step answer_unknown(mqc_engine *e, mqc_packet_type answer, uint16_t packet_id)
{
    return flowing(e, mqc_control_queue_id(e, answer, packet_id), STEP_AGAIN);
}

/* Finds our unfinished publish with this id, and its lane. */
static mqc_entry *find_publish(mqc_engine *e, uint16_t packet_id, mqc_outbox **lane)
{
    mqc_entry *m = NULL;

    for (size_t i = 0; i < e->lane_count && m == NULL; i++) {
        *lane = &e->lanes[i];
        m = mqc_outbox_find(*lane, packet_id, (*lane)->count);
    }
    return m;
}

static step on_pubrec(mqc_engine *e, uint16_t packet_id)
{
    mqc_outbox *lane;
    mqc_entry *m = find_publish(e, packet_id, &lane);

    if (m == NULL) {
        return answer_unknown(e, MQC_PUBREL, packet_id);
    }
    if (m->state == MQC_ENTRY_RECEIVED) { /* a repeated PUBREC */
        (void)mqc_pubrel_chain_take(&e->pubrel_chain, packet_id);
    } else if (!mqc_outbox_received(lane, m, e->keep_alive.last_rx)) {
        return STEP_UNEXPECTED;
    }
    mqc_waits_expect(e, e->keep_alive.last_rx);
    mqc_pubrel_chain_add(&e->pubrel_chain, m);
    return STEP_AGAIN;
}

static step on_pubcomp(mqc_engine *e, uint16_t packet_id, mqc_event *ev)
{
    mqc_entry *m = mqc_pubrel_chain_take(&e->pubrel_chain, packet_id);
    mqc_outbox *lane;

    if (m == NULL) { /* PUBREL may arrive twice, or for an unknown id */
        return find_publish(e, packet_id, &lane) == NULL ? STEP_AGAIN : STEP_UNEXPECTED;
    }
    ev->type = MQC_EVENT_DONE;
    mqc_outbox_completed(&e->lanes[m->lane], m, e->keep_alive.last_rx, &ev->u.done);
    return STEP_EVENT;
}

static step on_pubrel(mqc_engine *e, uint16_t packet_id)
{
    switch (mqc_inbox_release(&e->inbox, packet_id)) {
    case MQC_INBOX_RELEASED: return STEP_AGAIN;
    case MQC_INBOX_UNKNOWN: return answer_unknown(e, MQC_PUBCOMP, packet_id);
    case MQC_INBOX_PREMATURE: break;
    }
    return STEP_UNEXPECTED;
}

static step on_suback(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    uint16_t *id = &ev->u.suback.packet_id;
    mqc_span *codes = &ev->u.suback.return_codes;

    if (mqc_decode_suback(body, id, codes) != MQC_OK) {
        return STEP_MALFORMED;
    }
    ev->type = MQC_EVENT_SUBSCRIBED;
    return mqc_request_answered(e, MQC_SUBACK, *id, codes->len) ? STEP_EVENT : STEP_UNEXPECTED;
}

static step on_unsuback(mqc_engine *e, uint16_t packet_id, mqc_event *ev)
{
    ev->type = MQC_EVENT_UNSUBSCRIBED;
    ev->u.packet_id = packet_id;
    return mqc_request_answered(e, MQC_UNSUBACK, packet_id, 0) ? STEP_EVENT : STEP_UNEXPECTED;
}

/* A message with QoS needs a slot in the inbox; without one it stays in the buffer. But if all
 * slots wait for packets that would arrive after it, it is skipped, and so are later messages,
 * to keep the order. mqc_tick then asks for a new connection, on which the server sends them
 * again. */
static step admit(mqc_engine *e, const mqc_message *m)
{
    if (m->qos == 0) {
        return flowing(e, true, STEP_EVENT);
    }
    if (m->qos == 2 && mqc_inbox_repeated(&e->inbox, m->packet_id)) {
        return STEP_AGAIN;
    }
    if (mqc_inbox_full(&e->inbox)) {
        mqc_control_fill(e); /* encoding an answer may free a slot */
    }
    if (mqc_inbox_stuck(&e->inbox)) {
        e->in.message_skipped = true;
    }
    if (e->in.message_skipped) {
        return flowing(e, true, STEP_AGAIN);
    }
    if (mqc_inbox_full(&e->inbox)) {
        return flowing(e, false, STEP_EVENT);
    }
    mqc_inbox_add(&e->inbox, m->packet_id, m->qos);
    return flowing(e, true, STEP_EVENT);
}

static step on_publish(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    if (mqc_decode_publish(e->in.header.flags, body, &ev->u.publish) != MQC_OK) {
        return STEP_MALFORMED;
    }
    ev->type = MQC_EVENT_PUBLISH;
    return admit(e, &ev->u.publish);
}

static step on_packet(mqc_engine *e, mqc_span body, mqc_event *ev)
{
    switch (e->in.header.type) {
    case MQC_CONNACK: return on_connack(e, body, ev);
    case MQC_PUBLISH: return on_publish(e, body, ev);
    case MQC_SUBACK: return on_suback(e, body, ev);
    case MQC_PINGRESP: /* several may arrive after reading was stalled for long */
        mqc_ping_answered(e);
        return STEP_AGAIN;
    default: break;
    }
    uint16_t id = mqc_u16_at(body.ptr);
    if (id == 0) {
        return STEP_MALFORMED;
    }
    switch (e->in.header.type) {
    case MQC_PUBACK:
        mqc_round_trip_answered(&e->round_trip, id, e->keep_alive.last_rx);
        return on_puback(e, id, ev);
    case MQC_PUBREC:
        mqc_round_trip_answered(&e->round_trip, id, e->keep_alive.last_rx);
        return on_pubrec(e, id);
    case MQC_PUBREL: return on_pubrel(e, id);
    case MQC_PUBCOMP: return on_pubcomp(e, id, ev);
    default: return on_unsuback(e, id, ev);
    }
}

/* Returns whether a server may send this packet now. */
static bool expected(const mqc_engine *e)
{
    const unsigned connected = 1u << MQC_PUBLISH | 1u << MQC_PUBACK | 1u << MQC_PUBREC |
                               1u << MQC_PUBREL | 1u << MQC_PUBCOMP | 1u << MQC_SUBACK |
                               1u << MQC_UNSUBACK | 1u << MQC_PINGRESP;
    unsigned types = e->connection.state == MQC_CONNECTING ? 1u << MQC_CONNACK : connected;

    return (types >> e->in.header.type & 1u) != 0;
}

/* --- packets larger than the buffer ----------------------------------------- */

/* Skips the payload, whether the message is delivered (s) or not. */
static step skip_payload(mqc_engine *e, step s, size_t payload_len, mqc_event *ev)
{
    e->in.skip = payload_len;
    ev->type = MQC_EVENT_OVERSIZE;
    ev->u.publish.payload_len = payload_len;
    return s;
}

/* Called when topic and id fit and were read; the payload is skipped. */
static step oversize_with_topic(mqc_engine *e, size_t head, mqc_event *ev)
{
    mqc_input *in = &e->in;
    const mqc_header *h = &in->header;

    step s = on_publish(e, mqc_span_of(in->buf + in->start + h->len, head), ev);
    if (s != STEP_EVENT && s != STEP_AGAIN) {
        return s;
    }
    in->start += h->len + head;
    return skip_payload(e, s, h->remaining - head, ev);
}

static step on_oversize(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;
    const mqc_header *h = &in->header;
    mqc_span have = unread(in);

    if (h->type != MQC_PUBLISH) {
        return STEP_MALFORMED;
    }
    if (have.len < h->len + 2u) {
        return STEP_NEEDS_BYTES;
    }
    size_t head = mqc_publish_head_len(h->flags, have.ptr + h->len);
    if (head > h->remaining) {
        return STEP_MALFORMED;
    }
    if (h->len + head <= in->cap) {
        return have.len < h->len + head ? STEP_NEEDS_BYTES : oversize_with_topic(e, head, ev);
    }
    in->phase = MQC_INPUT_OVERSIZE_ID;
    in->after_id = h->remaining - (uint32_t)head;
    in->skip = h->len + head - (mqc_publish_qos(h->flags) > 0 ? 2u : 0);
    return STEP_AGAIN;
}

/* Continues after a topic that did not fit. */
static step on_oversize_id(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;
    mqc_message *m = &ev->u.publish;
    mqc_span have = unread(in);
    size_t id_len = mqc_publish_qos(in->header.flags) > 0 ? 2 : 0;

    if (have.len < id_len) {
        return STEP_NEEDS_BYTES;
    }
    memset(m, 0, sizeof *m);
    mqc_publish_flags(in->header.flags, m);
    m->packet_id = id_len > 0 ? mqc_u16_at(have.ptr) : (uint16_t)0;
    if (id_len > 0 && m->packet_id == 0) {
        return STEP_MALFORMED;
    }
    step s = admit(e, m);
    if (s != STEP_EVENT && s != STEP_AGAIN) {
        return s;
    }
    in->start += id_len;
    in->phase = MQC_INPUT_PACKET;
    return skip_payload(e, s, in->after_id, ev);
}

/* --- the stream of packets -------------------------------------------------- */

static step next_packet(mqc_engine *e, mqc_event *ev)
{
    mqc_input *in = &e->in;
    mqc_span have = unread(in);
    const mqc_header *h = &in->header;

    if (have.len == 0) {
        return STEP_NEEDS_BYTES;
    }
    mqc_result r = mqc_decode_header(have, &in->header);
    if (r == MQC_ERR_MALFORMED) {
        return STEP_MALFORMED;
    }
    if (!expected(e)) {
        return STEP_UNEXPECTED;
    }
    if (r == MQC_ERR_NO_SPACE) {
        return STEP_NEEDS_BYTES;
    }
    if (have.len - h->len < h->remaining) {
        return h->remaining > in->cap - h->len ? on_oversize(e, ev) : STEP_NEEDS_BYTES;
    }
    step s = on_packet(e, mqc_span_of(have.ptr + h->len, h->remaining), ev);
    if (s != STEP_WAIT) {
        in->start += h->len + h->remaining;
    }
    if (in->start == in->end) {
        in->unread = false;
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
            return STEP_NEEDS_BYTES;
        }
    }
    return in->phase == MQC_INPUT_OVERSIZE_ID ? on_oversize_id(e, ev) : next_packet(e, ev);
}

bool mqc_next_input(mqc_engine *e, mqc_event *ev)
{
    while (e->in.unread) {
        switch (next_step(e, ev)) {
        case STEP_AGAIN: break;
        case STEP_EVENT: return true;
        case STEP_WAIT: return false;
        case STEP_NEEDS_BYTES: e->in.unread = false; return false;
        case STEP_MALFORMED: fail(e, MQC_ERR_MALFORMED); return false;
        case STEP_UNEXPECTED: fail(e, MQC_ERR_PROTOCOL); return false;
        }
    }
    return false;
}

uint8_t *mqc_rx_space(mqc_engine *e, size_t *len)
{
    assert(mqc_engine_valid(e));
    mqc_input *in = &e->in;

    *len = 0;
    if (in->unread || e->connection.state == MQC_IDLE || e->connection.state == MQC_FAILED) {
        return NULL;
    }
    size_t left = in->end - in->start; /* less than one packet is left */
    if (in->start > 0 && left > 0) {
        memmove(in->buf, in->buf + in->start, left);
    }
    in->start = 0;
    in->end = left;
    *len = in->cap - in->end;
    return in->buf + in->end;
}

mqc_result mqc_rx_commit(mqc_engine *e, size_t len, mqc_time now)
{
    assert(mqc_engine_valid(e));
    mqc_input *in = &e->in;

    if (e->connection.error != MQC_OK) {
        return e->connection.error;
    }
    if (e->connection.state == MQC_IDLE) {
        return MQC_ERR_STATE;
    }
    if (len > in->cap - in->end) {
        return MQC_ERR_ARG;
    }
    if (len > 0) {
        if (in->end > 0 || in->skip > 0) { /* the start of a packet was already received */
            mqc_waits_packet_arriving(e, now);
        }
        in->end += len;
        in->unread = true;
        mqc_keep_alive_received(e, now);
        mqc_rx_low_water_received(&e->low_water, len, now);
    }
    return MQC_OK;
}
