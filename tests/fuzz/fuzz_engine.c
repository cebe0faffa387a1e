/*
 * The engine under a script: each byte of the input decides what the client, its stream, the time
 * or the server does next.  Checked against the promises of engine.h by a server that reads
 * strictly: each accepted publish ends once, first deliveries keep their order, the window holds,
 * bytes that were offered stay, packet ids in flight differ.  As long as the server keeps to the
 * rules and the session, QoS 2 messages arrive once in both directions.
 */

#include "fuzz.h"
#include "mqtt_core/engine_struct.h"

enum { LANES = 2, MESSAGES = 64, OWED = 64, OUT_MAX = 4, OUT_ID = 256, HANDED_MAX = 256 };

/* Topic "t", payload: number of the message, then its copies. */
typedef struct message {
    uint8_t lane;
    uint8_t qos;
    uint8_t len;
    bool keep;
    bool ended;
    bool arrived;        /* at the server, at least once */
    uint16_t unreleased; /* QoS 2: the server knows it under this id */
    unsigned session;    /* in which it arrived last */
    mqc_time expires;
} message;

/* A packet that the server has not answered yet. */
typedef struct owed {
    uint8_t first; /* of the answer */
    uint16_t packet_id;
    uint8_t filters;
} owed;

/* A QoS 2 message of the server. */
typedef enum out_state { OUT_FREE = 0, OUT_PUBLISHED, OUT_RELEASED } out_state;

typedef struct outgoing {
    out_state state;
    uint16_t id;
    uint8_t number;
} outgoing;

typedef struct world {
    fuzz_input in;
    mqc_engine e;
    mqc_time now;
    mqc_memory memory;

    message messages[MESSAGES];
    uint32_t accepted;
    uint32_t open;

    uint8_t wire[2048]; /* bytes that the server has not yet understood */
    size_t wire_len;
    uint8_t offered[2048]; /* what mqc_tx_data showed, and nothing was taken of */
    size_t offered_len;
    uint8_t reply[2048]; /* bytes on their way to the client */
    size_t reply_len;
    owed owed[OWED];
    size_t owed_count;
    bool ready;   /* the server has seen CONNECT and answered it */
    bool hostile; /* it broke the rules: it cannot expect any answer, */
    bool guilty;  /* nor, having done so once, that anything arrives once */
    bool session;
    unsigned session_number;
    outgoing out[OUT_MAX];
    bool counts; /* its ids on, or takes the same again */
    unsigned out_count;
    uint8_t handed[HANDED_MAX]; /* how often the client handed them out */
    uint32_t newest[LANES];
    struct {
        uint16_t id;
        uint8_t qos;
    } unacked[16]; /* messages of the server that the client keeps */
    size_t unacked_count;
} world;

/* --- the server ----------------------------------------------------------------------- */

static void answer(world *w, const uint8_t *bytes, size_t len)
{
    if (len <= sizeof w->reply - w->reply_len) {
        memcpy(w->reply + w->reply_len, bytes, len);
        w->reply_len += len;
    }
}

static void owe(world *w, uint8_t first, const uint8_t *id, uint8_t filters)
{
    const uint16_t packet_id = (uint16_t)(id[0] << 8 | id[1]);

    FUZZ_CHECK(packet_id != 0);
    for (size_t i = 0; i < w->owed_count; i++) { /* to PUBREC out of turn each time a PUBREL */
        FUZZ_CHECK(w->owed[i].packet_id != packet_id || w->guilty);
    }
    if (w->guilty && w->owed_count == OWED) {
        return;
    }
    FUZZ_CHECK(w->owed_count < OWED);
    w->owed[w->owed_count++] = (owed){ first, packet_id, filters };
}

static void server_publish(world *w, uint8_t flags, const uint8_t *body, size_t len)
{
    const unsigned qos = (flags >> 1) & 3u;
    const uint8_t *payload = body + 3 + (qos > 0 ? 2 : 0);

    FUZZ_CHECK(len >= 4 + (qos > 0 ? 2u : 0) && body[0] == 0 && body[1] == 1 && body[2] == 't');
    const uint32_t n = payload[0];
    FUZZ_CHECK(n < w->accepted);
    message *m = &w->messages[n];
    FUZZ_CHECK(qos == m->qos);
    /* The answer can be faster than a repetition; a false one, than the PUBLISH that is leaving. */
    FUZZ_CHECK(!m->ended || m->keep || w->guilty);
    FUZZ_CHECK((size_t)(body + len - payload) == m->len);
    for (size_t i = 0; i < m->len; i++) {
        FUZZ_CHECK(payload[i] == n);
    }
    if (!m->arrived) {
        FUZZ_CHECK(n >= w->newest[m->lane]);
        w->newest[m->lane] = n;
        m->arrived = true;
    }
    if (qos == 2 && m->unreleased == 0) {
        FUZZ_CHECK(m->session != w->session_number || w->guilty);
        m->session = w->session_number;
        m->unreleased = (uint16_t)(body[3] << 8 | body[4]);
    }
    if (qos > 0) {
        owe(w, qos == 1 ? 0x40 : 0x50, body + 3, 0);
    }
}

static void server_release(world *w, const uint8_t *id)
{
    for (uint32_t n = 0; n < w->accepted; n++) {
        if (w->messages[n].unreleased == (id[0] << 8 | id[1])) {
            w->messages[n].unreleased = 0;
        }
    }
    owe(w, 0x70, id, 0);
}

/* What the server repeats after a reconnect, or because it is impatient. */
static void server_send(world *w, const outgoing *o, bool dup)
{
    const uint8_t id[] = { (uint8_t)(o->id >> 8), (uint8_t)o->id };

    if (o->state == OUT_PUBLISHED) {
        const uint8_t first = dup ? 0x3C : 0x34;
        answer(w, (const uint8_t[]){ first, 6, 0, 1, 'o', id[0], id[1], o->number }, 8);
    } else if (o->state == OUT_RELEASED) {
        answer(w, (const uint8_t[]){ 0x62, 2, id[0], id[1] }, 4);
    }
}

static void server_answered(world *w, out_state before, out_state after, const uint8_t *id)
{
    for (size_t i = 0; i < OUT_MAX; i++) {
        outgoing *o = &w->out[i];
        if (o->id == (id[0] << 8 | id[1]) && o->state != OUT_FREE) {
            FUZZ_CHECK(o->state == before || o->state == after || w->guilty);
            o->state = after;
            if (after == OUT_RELEASED) {
                server_send(w, o, false);
            }
        }
    }
}

static void server_connect(world *w, const uint8_t *body)
{
    const bool clean = (body[7] & 2u) != 0;
    const uint8_t bits = fuzz_byte(&w->in);
    const bool refuse = bits % 8 == 7;
    const bool present = !refuse && !clean && w->session && bits % 2 != 0;

    FUZZ_CHECK(!w->ready);
    w->ready = true;
    answer(w, (const uint8_t[]){ 0x20, 2, present, refuse ? 5 : 0 }, 4);
    if (refuse) {
        return;
    }
    w->session = !clean;
    if (!present) {
        w->session_number++;
        memset(w->out, 0, sizeof w->out);
        for (uint32_t n = 0; n < w->accepted; n++) {
            w->messages[n].unreleased = 0;
        }
    }
    for (size_t i = 0; i < OUT_MAX; i++) {
        server_send(w, &w->out[i], true);
    }
}

/* How many filters a SUBSCRIBE or UNSUBSCRIBE holds; each is "f". */
static uint8_t count_filters(const uint8_t *body, size_t len, size_t behind)
{
    size_t each = 3 + behind;

    FUZZ_CHECK(len > 2 && (len - 2) % each == 0);
    for (size_t at = 2; at < len; at += each) {
        FUZZ_CHECK(body[at] == 0 && body[at + 1] == 1 && body[at + 2] == 'f');
    }
    return (uint8_t)((len - 2) / each);
}

static void server_packet(world *w, uint8_t first, const uint8_t *body, size_t len)
{
    FUZZ_CHECK(w->ready || first == 0x10);
    switch (first) {
    case 0x10: server_connect(w, body); break;
    case 0x82: owe(w, 0x90, body, count_filters(body, len, 1)); break;
    case 0xA2: owe(w, 0xB0, body, count_filters(body, len, 0)); break;
    case 0x50:
        FUZZ_CHECK(len == 2);
        server_answered(w, OUT_PUBLISHED, OUT_RELEASED, body);
        break;
    case 0x62:
        FUZZ_CHECK(len == 2);
        server_release(w, body);
        break;
    case 0x70:
        FUZZ_CHECK(len == 2);
        server_answered(w, OUT_RELEASED, OUT_FREE, body);
        break;
    case 0x40: FUZZ_CHECK(len == 2 && (body[0] != 0 || body[1] != 0)); break;
    case 0xC0:
        FUZZ_CHECK(len == 0);
        answer(w, (const uint8_t[]){ 0xD0, 0 }, 2);
        break;
    case 0xE0: FUZZ_CHECK(len == 0); break;
    default:
        FUZZ_CHECK(first >> 4 == 3);
        server_publish(w, first & 0xF, body, len);
        break;
    }
}

static void server_read(world *w)
{
    size_t at = 0;

    while (w->wire_len - at >= 2) { /* all lengths are one byte here */
        size_t len = 2 + (size_t)w->wire[at + 1];
        FUZZ_CHECK(w->wire[at + 1] < 0x80);
        if (len > w->wire_len - at) {
            break;
        }
        server_packet(w, w->wire[at], w->wire + at + 2, len - 2);
        at += len;
    }
    memmove(w->wire, w->wire + at, w->wire_len - at);
    w->wire_len -= at;
}

static void server_answer(world *w, size_t which)
{
    if (which >= w->owed_count) {
        return;
    }
    const owed o = w->owed[which];
    const bool codes = o.first == 0x90;
    uint8_t bytes[64] = { o.first, 2, (uint8_t)(o.packet_id >> 8), (uint8_t)o.packet_id };

    memmove(w->owed + which, w->owed + which + 1, (w->owed_count - which - 1) * sizeof *w->owed);
    w->owed_count--;
    bytes[1] = (uint8_t)(2 + (codes ? o.filters : 0)); /* granted: QoS 0 */
    answer(w, bytes, 2u + bytes[1]);
}

static void server_message(world *w)
{
    const uint8_t id = (uint8_t)(1 + fuzz_roll(&w->in, 8));
    const uint8_t len = (uint8_t)fuzz_roll(&w->in, 100);
    uint8_t bytes[120] = { 0x32, (uint8_t)(5 + len), 0, 1, 't', 0, id };

    if (w->ready) {
        answer(w, bytes, 7u + len);
    }
}

static void server_qos2_message(world *w)
{
    const size_t i = fuzz_roll(&w->in, OUT_MAX);
    outgoing *o = &w->out[i];

    if (!w->ready || sizeof w->reply - w->reply_len < 100) {
        return;
    }
    if (o->state != OUT_FREE) {
        if (w->counts) { /* two answers may come: the id must not be in use again by then */
            server_send(w, o, true);
        }
    } else if (w->out_count < HANDED_MAX) {
        o->state = OUT_PUBLISHED;
        o->number = (uint8_t)w->out_count++;
        o->id = (uint16_t)(OUT_ID + (w->counts ? o->number : i));
        server_send(w, o, false);
    }
}

static void server_breaks_the_rules(world *w)
{
    uint8_t bytes[16];
    const size_t len = 1 + fuzz_roll(&w->in, sizeof bytes);

    for (size_t i = 0; i < len; i++) {
        bytes[i] = fuzz_byte(&w->in);
    }
    w->hostile = true;
    w->guilty = true;
    answer(w, bytes, len);
}

/* --- the client ----------------------------------------------------------------------- */

static void end_message(world *w, const mqc_done *done)
{
    FUZZ_CHECK(done->id < w->accepted);
    message *m = &w->messages[done->id];
    FUZZ_CHECK(!m->ended && done->lane == m->lane && done->kind == m->len && done->tag == m);
    switch (done->outcome) {
    case MQC_OUTCOME_SENT: FUZZ_CHECK(m->qos == 0 && !m->keep); break;
    case MQC_OUTCOME_ACKED: FUZZ_CHECK(m->qos > 0 && (m->arrived || w->guilty)); break;
    case MQC_OUTCOME_EXPIRED: FUZZ_CHECK(m->expires != 0 && m->expires <= w->now); break;
    case MQC_OUTCOME_DROPPED:
    case MQC_OUTCOME_DISCARDED: break;
    case MQC_OUTCOME_RELEASED: FUZZ_CHECK(m->keep); break;
    }
    /* What is sent can still be on the wire: the server reads first. */
    server_read(w);
    m->ended = true;
    w->open--;
}

static void ack(world *w, size_t which)
{
    if (which < w->unacked_count) {
        mqc_result r = mqc_ack(&w->e, w->unacked[which].id);
        FUZZ_CHECK(r == MQC_OK || w->hostile || mqc_get_state(&w->e) != MQC_CONNECTED);
        w->unacked[which] = w->unacked[--w->unacked_count];
    }
}

static void keep(world *w, const mqc_message *m)
{
    if (m->qos == 0) {
        return;
    }
    if (m->qos == 2 && !w->guilty) {
        FUZZ_CHECK(m->packet_id >= OUT_ID && m->payload.len == 1);
        FUZZ_CHECK(w->handed[m->payload.ptr[0]]++ == 0);
    }
    if (w->unacked_count == sizeof w->unacked / sizeof w->unacked[0]) {
        ack(w, 0);
    }
    w->unacked[w->unacked_count].id = m->packet_id;
    w->unacked[w->unacked_count++].qos = m->qos;
}

/* On a new connection only QoS 2 messages still want their acknowledgement, if they have a session.
 */
static void forget_unacked(world *w, bool session)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->unacked_count; i++) {
        if (session && w->unacked[i].qos == 2) {
            w->unacked[kept++] = w->unacked[i];
        }
    }
    w->unacked_count = kept;
}

/* Has the server more messages under way, of both kinds, than the client has places? */
static bool overrun(const world *w)
{
    return mqc_error(&w->e) == MQC_ERR_PROTOCOL && strcmp(mqc_error_packet(&w->e), "PUBLISH") == 0;
}

static void take_events(world *w)
{
    mqc_event ev;

    while (mqc_next_event(&w->e, &ev)) {
        if (ev.type == MQC_EVENT_DONE) {
            end_message(w, &ev.u.done);
        } else if (ev.type == MQC_EVENT_PUBLISH || ev.type == MQC_EVENT_OVERSIZE) {
            keep(w, &ev.u.publish);
        } else if (ev.type == MQC_EVENT_CONNECTED && !ev.u.connack.session_present) {
            forget_unacked(w, false);
        }
    }
    FUZZ_CHECK(mqc_error(&w->e) == MQC_OK || w->hostile || mqc_error(&w->e) == MQC_ERR_REFUSED ||
               mqc_error(&w->e) == MQC_ERR_TIMEOUT || mqc_error(&w->e) == MQC_ERR_STALLED ||
               overrun(w));
}

static void publish(world *w)
{
    const uint32_t n = w->accepted;
    const uint8_t bits = fuzz_byte(&w->in);
    uint8_t payload[100];

    if (n == MESSAGES) {
        return;
    }
    message m = { .lane = bits & 1, .qos = (bits & 16) != 0 ? 2 : bits >> 1 & 1, .len = 1 };
    m.keep = m.qos == 0 && (bits & 4) != 0;
    m.expires = (bits & 8) != 0 ? w->now + fuzz_byte(&w->in) + 1 : 0;
    m.len = (uint8_t)(1 + fuzz_roll(&w->in, sizeof payload));
    memset(payload, (int)n, sizeof payload);
    const mqc_outgoing o = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, m.len },
                             .qos = m.qos,
                             .keep = m.keep,
                             .lane = m.lane,
                             .kind = m.len,
                             .id = n,
                             .tag = &w->messages[n],
                             .expires = m.expires };
    mqc_result r = mqc_publish(&w->e, &o, NULL);
    if (r == MQC_OK) {
        w->messages[n] = m;
        w->accepted++;
        w->open++;
    } else if (mqc_get_state(&w->e) != MQC_FAILED) {
        FUZZ_CHECK(r == MQC_ERR_NO_SPACE || r == MQC_ERR_TOO_BIG ||
                   mqc_get_state(&w->e) == MQC_DISCONNECTING);
    } else {
        FUZZ_CHECK(r == mqc_error(&w->e));
    }
}

static void move_out(world *w, size_t most)
{
    size_t len;
    bool ready = mqc_tx_ready(&w->e);
    const uint8_t *run = mqc_tx_data(&w->e, &len);

    FUZZ_CHECK(ready == (len > 0));
    if (mqc_get_state(&w->e) != MQC_FAILED) {
        FUZZ_CHECK(len >= w->offered_len && len <= sizeof w->offered);
        FUZZ_CHECK(w->offered_len == 0 || memcmp(run, w->offered, w->offered_len) == 0);
    }
    if (len == 0) {
        w->offered_len = 0;
        return;
    }
    memcpy(w->offered, run, len);
    w->offered_len = len;
    size_t n = most < len ? most : len;
    if (n == 0 || n > sizeof w->wire - w->wire_len) {
        return; /* the stream is busy: the same bytes must come again */
    }
    memcpy(w->wire + w->wire_len, run, n);
    w->wire_len += n;
    w->offered_len = 0;
    mqc_tx_consume(&w->e, n, w->now);
    server_read(w);
}

static void move_in(world *w, size_t most)
{
    size_t cap;
    uint8_t *at = mqc_rx_space(&w->e, &cap);
    size_t n = w->reply_len < cap ? w->reply_len : cap;

    n = n < most ? n : most;
    if (n > 0) {
        memcpy(at, w->reply, n);
        memmove(w->reply, w->reply + n, w->reply_len - n);
        w->reply_len -= n;
        FUZZ_CHECK(mqc_rx_commit(&w->e, n, w->now) == MQC_OK);
    }
}

static void release_one(world *w)
{
    const uint32_t n = fuzz_roll(&w->in, MESSAGES);
    mqc_done done;

    if (n >= w->accepted || !w->messages[n].arrived) {
        return; /* there can be no answer yet */
    }
    const message *m = &w->messages[n];
    if (n % 8 == 7) {
        (void)mqc_drop(&w->e, m->lane, NULL);
        return;
    }
    if (n % 2 == 0 && mqc_requeue(&w->e, m->lane, n) == MQC_OK) {
        FUZZ_CHECK(m->keep && !m->ended);
        return;
    }
    if (mqc_release(&w->e, m->lane, n, &done) == MQC_OK) {
        FUZZ_CHECK(m->keep && done.id == n && done.outcome == MQC_OUTCOME_RELEASED);
        end_message(w, &done);
    }
}

static void request(world *w, bool subscribe)
{
    const mqc_subscription s[3] = { { MQC_SPAN_LIT("f"), 0 },
                                    { MQC_SPAN_LIT("f"), 1 },
                                    { MQC_SPAN_LIT("f"), 0 } };
    const mqc_span f[3] = { MQC_SPAN_LIT("f"), MQC_SPAN_LIT("f"), MQC_SPAN_LIT("f") };
    const size_t count = 1 + fuzz_roll(&w->in, 3);

    if (subscribe) {
        (void)mqc_subscribe(&w->e, s, count, NULL);
    } else {
        (void)mqc_unsubscribe(&w->e, f, count, NULL);
    }
}

static void connect(world *w)
{
    const bool clean_session = fuzz_roll(&w->in, 4) == 0;
    const uint16_t patience_s = (uint16_t)fuzz_roll(&w->in, 3);
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"),
                                    .clean_session = clean_session,
                                    .keep_alive_s = patience_s,
                                    .timeout_ms = 1000,
                                    .ack_timeout_ms = patience_s * 600u,
                                    .stall_timeout_ms = patience_s * 900u };
    if (mqc_get_state(&w->e) == MQC_IDLE) {
        FUZZ_CHECK(mqc_connect(&w->e, &o, w->now) == MQC_OK);
    }
}

static void lose_connection(world *w)
{
    server_read(w);
    if (mqc_get_state(&w->e) == MQC_CONNECTING) {
        w->session =
            false; /* a lost CONNACK may have announced a new one: MQTT 3.1.1 cannot say so */
    }
    mqc_reset(&w->e);
    FUZZ_CHECK(mqc_get_state(&w->e) == MQC_IDLE && mqc_error(&w->e) == MQC_OK);
    w->wire_len = 0;
    w->offered_len = 0;
    w->reply_len = 0;
    w->owed_count = 0;
    forget_unacked(w, true);
    w->ready = false;
    w->hostile = false;
}

static void tick(world *w, mqc_time ms)
{
    mqc_time when;

    w->now += ms;
    mqc_result r = mqc_tick(&w->e, w->now);
    FUZZ_CHECK(r == mqc_error(&w->e));
    /* Otherwise its loop would turn without end. */
    FUZZ_CHECK(!mqc_next_deadline(&w->e, &when) || when > w->now);
    size_t least = mqc_rx_least(&w->e, &when);
    FUZZ_CHECK(least >= 1 && least <= w->memory.rx_len);
    FUZZ_CHECK(least > 1 ? when > w->now : when == 0); /* otherwise it might sleep forever */
}

static void check(const world *w)
{
    size_t open = 0;

    for (uint8_t i = 0; i < LANES; i++) {
        mqc_lane_info info = mqc_lane(&w->e, i);
        FUZZ_CHECK(info.in_flight <= w->memory.lanes[i].window);
        FUZZ_CHECK(info.in_flight <= info.count);
        FUZZ_CHECK(info.bytes <= info.bytes_cap);
        FUZZ_CHECK((info.count == 0) <= (info.in_flight == 0));
        open += info.count;
    }
    FUZZ_CHECK(open == w->open);
}

static void step(world *w)
{
    switch (fuzz_roll(&w->in, 20)) {
    case 0:
    case 1:
    case 2: publish(w); break;
    case 3:
    case 4: move_out(w, SIZE_MAX); break;
    case 5: move_out(w, fuzz_byte(&w->in)); break;
    case 6: move_in(w, SIZE_MAX); break;
    case 7: move_in(w, fuzz_byte(&w->in)); break;
    case 8: tick(w, (mqc_time)fuzz_byte(&w->in) * 8); break;
    case 9: server_answer(w, fuzz_roll(&w->in, 4)); break;
    case 10: server_answer(w, 0); break;
    case 11: server_message(w); break;
    case 12: ack(w, fuzz_roll(&w->in, 8)); break;
    case 13: release_one(w); break;
    case 14: {
        const uint8_t bits = fuzz_byte(&w->in);
        mqc_hold(&w->e, bits & 1, (bits & 2) != 0);
        break;
    }
    case 15: request(w, fuzz_roll(&w->in, 2) == 0); break;
    case 16: connect(w); break;
    case 18:
    case 19: server_qos2_message(w); break;
    default:
        switch (fuzz_roll(&w->in, 4)) {
        case 0: lose_connection(w); break;
        case 1: (void)mqc_disconnect(&w->e); break;
        case 2: server_breaks_the_rules(w); break;
        default: (void)mqc_discard(&w->e, (uint8_t)fuzz_roll(&w->in, LANES)); break;
        }
        break;
    }
    take_events(w);
    check(w);
}

static bool lanes_empty(const world *w)
{
    size_t used = 0;

    for (uint8_t i = 0; i < LANES; i++) {
        mqc_lane_info info = mqc_lane(&w->e, i);
        used += info.bytes + info.in_flight + info.count;
    }
    return used == 0;
}

/* Everything that is left must find its end with a kind server. */
static void settle(world *w)
{
    mqc_done done;

    w->in.len = 0;
    lose_connection(w);
    connect(w);
    for (uint8_t i = 0; i < LANES; i++) {
        mqc_hold(&w->e, i, false);
    }
    for (int round = 0; round < 1000 && !lanes_empty(w); round++) {
        move_out(w, SIZE_MAX);
        while (w->owed_count > 0) {
            server_answer(w, 0);
        }
        move_in(w, SIZE_MAX);
        take_events(w);
        for (uint32_t n = 0; n < w->accepted; n++) {
            const message *m = &w->messages[n];
            if (m->keep && m->arrived && !m->ended &&
                mqc_release(&w->e, m->lane, n, &done) == MQC_OK) {
                end_message(w, &done);
            }
        }
    }
    FUZZ_CHECK(w->open == 0 && lanes_empty(w));
}

static void begin(world *w)
{
    mqc_memory *m = &w->memory;

    w->now = 1000;
    m->rx_len = 16 + fuzz_roll(&w->in, 100);
    m->control_len = 32 + fuzz_roll(&w->in, 40);
    m->inbound_len = 1 + fuzz_roll(&w->in, 4);
    m->rx = malloc(m->rx_len); /* each part alone, so that the sanitizer guards its ends */
    m->control = malloc(m->control_len);
    m->inbound = calloc(m->inbound_len, sizeof *m->inbound);
    m->lane_count = LANES;
    for (size_t i = 0; i < LANES; i++) {
        mqc_lane_memory *l = &m->lanes[i];
        l->ring_len = 40 + fuzz_roll(&w->in, 256);
        l->entries_len = 1 + fuzz_roll(&w->in, 12);
        l->window = (uint16_t)(1 + fuzz_roll(&w->in, 4));
        l->ring = malloc(l->ring_len);
        l->entries = calloc(l->entries_len, sizeof *l->entries);
    }
    FUZZ_CHECK(mqc_init(&w->e, m) == MQC_OK);
}

static void end(world *w)
{
    for (size_t i = 0; i < LANES; i++) {
        free(w->memory.lanes[i].ring);
        free(w->memory.lanes[i].entries);
    }
    free(w->memory.rx);
    free(w->memory.control);
    free(w->memory.inbound);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = calloc(1, sizeof *w);

    FUZZ_CHECK(w != NULL);
    w->in = (fuzz_input){ data, size };
    w->counts = size > 0 && (data[size - 1] & 1) != 0;
    begin(w);
    while (w->in.len > 0) {
        step(w);
    }
    settle(w);
    end(w);
    return 0;
}
