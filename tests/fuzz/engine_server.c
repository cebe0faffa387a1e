#include "engine_server.h"

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
    /* The engine answers each unexpected PUBREC with a PUBREL. */
    for (size_t i = 0; i < w->owed_count; i++) {
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
    /* A message may have ended before its repetition arrives. An answer of a server that breaks
     * the rules may even end it before its PUBLISH arrives. */
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

/* Sends a packet again, after a reconnect or after a short time. */
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

/* Counts the filters of a SUBSCRIBE or UNSUBSCRIBE; each filter is "f". */
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

void server_read(world *w)
{
    size_t at = 0;

    while (w->wire_len - at >= 2) { /* all packets are short, so the length is a single byte */
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

void server_answer(world *w, size_t which)
{
    if (which >= w->owed_count) {
        return;
    }
    const owed o = w->owed[which];
    const bool codes = o.first == 0x90;
    uint8_t bytes[64] = { o.first, 2, (uint8_t)(o.packet_id >> 8), (uint8_t)o.packet_id };

    memmove(w->owed + which, w->owed + which + 1, (w->owed_count - which - 1) * sizeof *w->owed);
    w->owed_count--;
    /* The remaining bytes are 0, which grants QoS 0. */
    bytes[1] = (uint8_t)(2 + (codes ? o.filters : 0));
    answer(w, bytes, 2u + bytes[1]);
}

void server_message(world *w)
{
    const uint8_t id = (uint8_t)(1 + fuzz_roll(&w->in, 8));
    const uint8_t len = (uint8_t)fuzz_roll(&w->in, 100);
    uint8_t bytes[120] = { 0x32, (uint8_t)(5 + len), 0, 1, 't', 0, id };

    if (w->ready) {
        answer(w, bytes, 7u + len);
    }
}

void server_qos2_message(world *w)
{
    const size_t i = fuzz_roll(&w->in, OUT_MAX);
    outgoing *o = &w->out[i];

    if (!w->ready || sizeof w->reply - w->reply_len < 100) {
        return;
    }
    if (o->state != OUT_FREE) {
        if (w->counts) { /* two answers may arrive, so the id must not be used again before */
            server_send(w, o, true);
        }
    } else if (w->out_count < HANDED_MAX) {
        o->state = OUT_PUBLISHED;
        o->number = (uint8_t)w->out_count++;
        o->id = (uint16_t)(OUT_ID + (w->counts ? o->number : i));
        server_send(w, o, false);
    }
}

void server_breaks_the_rules(world *w)
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
