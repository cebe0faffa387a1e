/* Runs the engine under a script: each byte of the input decides what the client, its stream,
 * the time or the server does next. A strict server checks the promises of engine.h: each
 * accepted publish ends once, first deliveries keep their order, no more than the window is in
 * flight, offered bytes do not change, and packet ids in flight differ. As long as the server
 * follows the rules and keeps the session, QoS 2 messages arrive once in both directions. */

#include "engine_server.h"

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
    /* The message may still be on its way, so the server reads first. */
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

/* On a new connection only QoS 2 messages can still be acknowledged, and only if the session was
 * kept. */
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

/* Returns whether the server has more open messages of QoS 1 and 2 than the client has slots in
 * its inbox. */
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
        return; /* the stream is busy, so the engine must offer the same bytes again */
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
        return; /* not sent yet, so no answer is possible */
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
            /* The lost CONNACK may have announced a new session, which no later packet of MQTT
             * 3.1.1 tells. */
            false;
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
    /* With a deadline in the past, the caller's loop would never sleep. */
    FUZZ_CHECK(!mqc_next_deadline(&w->e, &when) || when > w->now);
    size_t least = mqc_rx_least(&w->e, &when);
    FUZZ_CHECK(least >= 1 && least <= w->memory.rx_len);
    /* Without a deadline, the caller might sleep forever. */
    FUZZ_CHECK(least > 1 ? when > w->now : when == 0);
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

/* With a server that answers everything, all remaining messages must end. */
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
    /* Each part has an allocation of its own, so that the sanitizer detects overruns. */
    m->rx = malloc(m->rx_len);
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
