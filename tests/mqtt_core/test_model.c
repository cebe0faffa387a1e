#include "packet.h"
#include "rig.h"

/* A random walk of publishes, received bytes, time and lost connections against a tiny server.
 * It checks the promises of engine.h: each accepted publish ends exactly once, first deliveries
 * keep the order of the lane, the number in flight never exceeds the window, and QoS 2 delivers
 * exactly once in both directions as long as the server keeps the session. */

enum { LANES = 3, MESSAGES = 400, STEPS = 4000, WALKS = 400 };
enum { OUT_MAX = 4, OUT_ID = 256, HANDED_MAX = 4000 };

typedef struct message {
    uint8_t lane;
    uint8_t qos;
    bool keep;
    bool ended;
    bool dropped;
    bool arrived;  /* the server has received it at least once */
    bool released; /* the server has received its PUBREL */
    int session;   /* number of the session in which it last arrived */
    mqc_time expires;
} message;

/* A QoS 2 message that the server sends; its packet id is OUT_ID plus its number. */
typedef enum out_state { OUT_FREE = 0, OUT_PUBLISHED, OUT_RELEASED } out_state;

typedef struct outgoing {
    out_state state;
    uint32_t number;
} outgoing;

typedef struct world {
    rig r;
    uint64_t seed;
    message messages[MESSAGES];
    uint32_t accepted;
    uint32_t open;

    uint8_t wire[8192]; /* bytes that the server has received and not yet decoded */
    size_t wire_len;
    uint8_t reply[8192]; /* bytes that the server has sent and the client has not received */
    size_t reply_len;
    bool session; /* the server has a session of the client */
    int session_number;
    /* Indexed by packet id: 1 + the number of the QoS 2 message whose PUBREL is awaited. */
    uint32_t unreleased[65536];
    outgoing out[OUT_MAX];
    uint32_t out_count;         /* number of QoS 2 messages that the server has sent */
    uint8_t handed[HANDED_MAX]; /* number of deliveries of each message by the client */
    bool unacked[HANDED_MAX];   /* delivered, and not acknowledged by the application */
    bool server_ready;          /* the server has received CONNECT */
    uint32_t newest[LANES];
    /* 1 + the number of the message that must arrive before any later one. */
    uint32_t requeued[LANES];
    uint32_t kept_arrived[MESSAGES];
    size_t kept_count;
} world;

static uint32_t roll(world *w, uint32_t sides)
{
    return rig_random(&w->seed) % sides;
}

/* --- the server --------------------------------------------------------------- */

static void answer(world *w, const void *bytes, size_t len)
{
    assert_true(len <= sizeof w->reply - w->reply_len);
    memcpy(w->reply + w->reply_len, bytes, len);
    w->reply_len += len;
}

/* Sends packets again, as the server does after a reconnect or after a short time. */
static void server_send_again(world *w, const outgoing *o)
{
    const uint8_t n[] = { (uint8_t)(o->number >> 8), (uint8_t)o->number };
    const uint8_t id[] = { (uint8_t)((OUT_ID + o->number) >> 8), n[1] };

    if (o->state == OUT_PUBLISHED) {
        answer(w, (const uint8_t[]){ 0x3C, 7, 0, 1, 't', id[0], id[1], n[0], n[1] }, 9);
    } else if (o->state == OUT_RELEASED) {
        answer(w, (const uint8_t[]){ 0x62, 2, id[0], id[1] }, 4);
    }
}

static void server_connect(world *w, const uint8_t *body)
{
    bool clean = (body[7] & 2) != 0;
    bool present = !clean && w->session;

    w->session = !clean;
    w->server_ready = true;
    answer(w, (const uint8_t[]){ 0x20, 2, present, 0 }, 4);
    if (!present) {
        w->session_number++;
        memset(w->unreleased, 0, sizeof w->unreleased);
        memset(w->out, 0, sizeof w->out);
    }
    for (size_t i = 0; i < OUT_MAX; i++) {
        server_send_again(w, &w->out[i]);
    }
}

static uint16_t id_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* The server follows method B of section 4.3.3: it delivers a message immediately and remembers
 * the id until PUBREL. */
static bool server_knows(world *w, uint16_t id, uint32_t n)
{
    message *m = &w->messages[n];
    bool known = w->unreleased[id] != 0;

    answer(w, (const uint8_t[]){ 0x50, 2, (uint8_t)(id >> 8), (uint8_t)id }, 4);
    if (known) {
        assert_int_equal(w->unreleased[id], n + 1);
        return true;
    }
    assert_false(m->arrived && m->session == w->session_number);
    assert_false(m->released);
    m->session = w->session_number;
    w->unreleased[id] = n + 1;
    return false;
}

static void server_release(world *w, uint16_t id)
{
    if (w->unreleased[id] != 0) {
        w->messages[w->unreleased[id] - 1].released = true;
        w->unreleased[id] = 0;
    }
    answer(w, (const uint8_t[]){ 0x70, 2, (uint8_t)(id >> 8), (uint8_t)id }, 4);
}

/* A server that repeats packets early receives answers for messages that have already ended. */
static outgoing *find_out(world *w, uint16_t id)
{
    for (size_t i = 0; i < OUT_MAX; i++) {
        if (w->out[i].state != OUT_FREE && OUT_ID + w->out[i].number == id) {
            return &w->out[i];
        }
    }
    return NULL;
}

static void server_received(world *w, uint16_t id)
{
    outgoing *o = find_out(w, id);

    if (o != NULL) {
        assert_int_equal(w->handed[o->number], 1);
        assert_false(w->unacked[o->number]);
        o->state = OUT_RELEASED;
        server_send_again(w, o);
    }
}

static void server_completed(world *w, uint16_t id)
{
    outgoing *o = find_out(w, id);

    if (o != NULL) {
        assert_int_equal(o->state, OUT_RELEASED);
        o->state = OUT_FREE;
    }
}

/* A message that was requeued must be sent before later ones. */
static void check_requeued(world *w, uint32_t n)
{
    uint32_t *requeued = &w->requeued[w->messages[n].lane];

    assert_true(*requeued == 0 || n < *requeued || w->messages[*requeued - 1].ended);
    if (*requeued == n + 1) {
        *requeued = 0;
    }
}

static void server_publish(world *w, uint8_t flags, const uint8_t *body)
{
    /* the body is topic "t", the packet id if QoS 1, then the number of the message */
    const uint8_t *p = body + 3;
    const uint8_t *id = p;

    assert_true(w->server_ready);
    p += mqc_publish_qos(flags) > 0 ? 2 : 0;
    uint32_t n = (uint32_t)p[0] << 8 | p[1];
    message *m = &w->messages[n];
    assert_true(n < w->accepted);
    assert_false(m->dropped);
    if (m->qos == 2 && server_knows(w, id_at(id), n)) {
        return;
    }
    check_requeued(w, n);
    if (!m->arrived) {
        assert_true(n >= w->newest[m->lane]);
        assert_int_equal(flags & MQC_PUBLISH_DUP, 0);
        w->newest[m->lane] = n;
        m->arrived = true;
    }
    if (m->qos == 1) {
        answer(w, (const uint8_t[]){ 0x40, 2, id[0], id[1] }, 4);
    } else if (m->keep) {
        w->kept_arrived[w->kept_count++ % MESSAGES] = n;
    }
}

static void server_packet(world *w, uint8_t first, const uint8_t *body)
{
    switch (first >> 4) {
    case MQC_CONNECT: server_connect(w, body); break;
    case MQC_PUBLISH: server_publish(w, first & 0xF, body); break;
    case MQC_PINGREQ: answer(w, (const uint8_t[]){ 0xD0, 0 }, 2); break;
    case MQC_PUBACK: /* for a message that maybe_message sent */ break;
    case MQC_PUBREC: server_received(w, id_at(body)); break;
    case MQC_PUBREL: server_release(w, id_at(body)); break;
    case MQC_PUBCOMP: server_completed(w, id_at(body)); break;
    default: fail_msg("the server got a %s", mqc_packet_name(first >> 4));
    }
}

static void server_read(world *w)
{
    size_t at = 0;

    while (w->wire_len - at >= 2) { /* all packets are short, so the length is a single byte */
        size_t len = 2 + w->wire[at + 1];
        assert_true(w->wire[at + 1] < 0x80);
        if (len > w->wire_len - at) {
            break;
        }
        server_packet(w, w->wire[at], w->wire + at + 2);
        at += len;
    }
    memmove(w->wire, w->wire + at, w->wire_len - at);
    w->wire_len -= at;
}

/* --- the client ---------------------------------------------------------------- */

static void end_message(world *w, const mqc_done *done)
{
    message *m = &w->messages[done->id];

    assert_true(done->id < w->accepted);
    assert_false(m->ended);
    assert_int_equal(done->lane, m->lane);
    if (done->outcome == MQC_OUTCOME_ACKED) {
        assert_true(m->arrived && m->qos > 0);
    } else if (done->outcome == MQC_OUTCOME_EXPIRED) {
        assert_true(m->expires != 0 && m->expires <= w->r.now);
    }
    assert_int_equal(m->dropped, done->outcome == MQC_OUTCOME_DROPPED);
    m->ended = true;
    w->open--;
}

static void acknowledge(world *w, size_t i)
{
    uint32_t n = w->out[i].number;

    if (w->unacked[n]) {
        w->unacked[n] = false;
        assert_int_equal(mqc_ack(&w->r.e, (uint16_t)(OUT_ID + n)), MQC_OK);
    }
}

/* The application may acknowledge a QoS 2 message later. */
static void take_message(world *w, const mqc_message *m)
{
    if (m->qos == 1) {
        assert_int_equal(mqc_ack(&w->r.e, m->packet_id), MQC_OK);
    } else if (m->qos == 2) {
        uint32_t n = id_at(m->payload.ptr);
        assert_true(n < w->out_count);
        assert_int_equal(w->handed[n]++, 0);
        w->unacked[n] = true;
    }
}

static void take_events(world *w)
{
    mqc_event ev;

    while (mqc_next_event(&w->r.e, &ev)) {
        if (ev.type == MQC_EVENT_DONE) {
            end_message(w, &ev.u.done);
        } else if (ev.type == MQC_EVENT_PUBLISH) {
            take_message(w, &ev.u.publish);
        } else if (ev.type == MQC_EVENT_CONNECTED && !ev.u.connack.session_present) {
            memset(w->unacked, 0, sizeof w->unacked);
        }
    }
    assert_int_equal(mqc_error(&w->r.e), MQC_OK);
}

static void maybe_publish(world *w)
{
    uint32_t n = w->accepted;
    uint8_t payload[40] = { (uint8_t)(n >> 8), (uint8_t)n };
    message *m = &w->messages[n];

    if (n == MESSAGES) {
        return;
    }
    *m = (message){ .lane = (uint8_t)roll(w, LANES), .qos = (uint8_t)roll(w, 3) };
    m->keep = m->qos == 0 && roll(w, 3) == 0;
    m->expires = roll(w, 4) == 0 ? w->r.now + roll(w, 200) + 1 : 0;
    const mqc_outgoing o = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, 2 + roll(w, 38) },
                             .qos = m->qos,
                             .keep = m->keep,
                             .lane = m->lane,
                             .id = n,
                             .tag = m,
                             .expires = m->expires };
    mqc_result r = mqc_publish(&w->r.e, &o, NULL);
    if (r == MQC_OK) {
        w->accepted++;
        w->open++;
    } else {
        assert_int_equal(r, MQC_ERR_NO_SPACE);
    }
}

static void move_out(world *w)
{
    size_t len;
    bool asked = roll(w, 2) == 0;
    bool ready = asked && mqc_tx_ready(&w->r.e);
    const uint8_t *run = mqc_tx_data(&w->r.e, &len);

    assert_true(!asked || ready == (len > 0));
    if (roll(w, 4) == 0) {
        return; /* the stream is busy; the same bytes are offered again later */
    }
    if (len > 0) {
        size_t n = 1 + roll(w, (uint32_t)len);
        n = n <= sizeof w->wire - w->wire_len ? n : sizeof w->wire - w->wire_len;
        memcpy(w->wire + w->wire_len, run, n);
        w->wire_len += n;
        mqc_tx_consume(&w->r.e, n, w->r.now);
    }
    server_read(w);
}

static void move_in(world *w)
{
    size_t cap;
    uint8_t *at = mqc_rx_space(&w->r.e, &cap);
    size_t n = w->reply_len < cap ? w->reply_len : cap;

    n = n > 0 ? 1 + roll(w, (uint32_t)n) : 0;
    if (n > 0) {
        memcpy(at, w->reply, n);
        memmove(w->reply, w->reply + n, w->reply_len - n);
        w->reply_len -= n;
        assert_int_equal(mqc_rx_commit(&w->r.e, n, w->r.now), MQC_OK);
    }
}

static void release_one(world *w)
{
    mqc_done done;

    if (w->kept_count == 0) {
        return;
    }
    uint32_t n = w->kept_arrived[--w->kept_count];
    if (roll(w, 4) == 0 && mqc_requeue(&w->r.e, w->messages[n].lane, n) == MQC_OK) {
        assert_false(w->messages[n].ended);
        w->requeued[w->messages[n].lane] = n + 1;
        return;
    }
    if (mqc_release(&w->r.e, w->messages[n].lane, n, &done) == MQC_OK) {
        assert_int_equal(done.outcome, MQC_OUTCOME_RELEASED);
        end_message(w, &done);
    }
}

static void drop_one(world *w)
{
    uint8_t lane = (uint8_t)roll(w, LANES);
    void *tag;

    if (mqc_drop(&w->r.e, lane, &tag) != MQC_OK) {
        return;
    }
    message *m = tag;
    assert_false(m->ended || m->dropped);
    assert_int_equal(m->lane, lane);
    m->dropped = true;
}

static void connect(world *w)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"),
                                    .clean_session = roll(w, 4) == 0,
                                    .keep_alive_s = 60 };
    if (mqc_get_state(&w->r.e) == MQC_IDLE) {
        assert_int_equal(mqc_connect(&w->r.e, &o, w->r.now), MQC_OK);
    }
}

static void lose_connection(world *w)
{
    if (mqc_get_state(&w->r.e) == MQC_CONNECTING) {
        /* The CONNACK that announced a new session may get lost, and no later packet of MQTT
         * 3.1.1 announces it. */
        w->session = false;
    }
    mqc_reset(&w->r.e);
    w->wire_len = 0;
    w->reply_len = 0;
    w->kept_count = 0;
    w->server_ready = false;
}

static void maybe_message(world *w)
{
    if (mqc_get_state(&w->r.e) == MQC_CONNECTED && w->reply_len < 4000) {
        answer(w, (const uint8_t[]){ 0x32, 6, 0, 1, 't', 0, (uint8_t)(1 + roll(w, 255)), 'x' }, 8);
    }
}

/* Leaves one slot of the table free for other messages, so that the client never has to close
 * the connection. */
static void maybe_qos2_message(world *w)
{
    uint32_t i = roll(w, OUT_MAX);
    outgoing *o = &w->out[i];

    if (mqc_get_state(&w->r.e) != MQC_CONNECTED || w->reply_len > 4000 ||
        w->out_count == HANDED_MAX) {
        return;
    }
    if (o->state != OUT_FREE) {
        server_send_again(w, o);
    } else if (i + 1 < w->r.memory.inbound_len) {
        o->state = OUT_PUBLISHED;
        o->number = w->out_count++;
        server_send_again(w, o);
        w->reply[w->reply_len - 9] = 0x34;
    }
}

static void maybe_repeated_pubrec(world *w)
{
    uint32_t id = 1 + roll(w, MESSAGES);

    if (w->server_ready && w->unreleased[id] != 0 && w->reply_len < 4000) {
        answer(w, (const uint8_t[]){ 0x50, 2, (uint8_t)(id >> 8), (uint8_t)id }, 4);
    }
}

static void check(const world *w)
{
    size_t open = 0;

    for (uint8_t i = 0; i < LANES; i++) {
        mqc_lane_info info = mqc_lane(&w->r.e, i);
        assert_true(info.in_flight <= w->r.memory.lanes[i].window);
        assert_true(info.bytes <= info.bytes_cap);
        open += info.count;
    }
    assert_int_equal(open, w->open);
}

static void one_step(world *w)
{
    switch (roll(w, 16)) {
    case 0:
    case 1: maybe_publish(w); break;
    case 2:
    case 3:
    case 4: move_out(w); break;
    case 5:
    case 6:
    case 7: move_in(w); break;
    case 8:
        w->r.now += roll(w, 20);
        assert_int_equal(mqc_tick(&w->r.e, w->r.now), MQC_OK);
        break;
    case 9: release_one(w); break;
    case 10: maybe_message(w); break;
    case 11: maybe_qos2_message(w); break;
    case 12: maybe_repeated_pubrec(w); break;
    case 13: acknowledge(w, roll(w, OUT_MAX)); break;
    case 14:
        if (roll(w, 4) == 0) {
            drop_one(w);
        }
        break;
    default:
        if (roll(w, 40) == 0) {
            lose_connection(w);
        } else {
            mqc_hold(&w->r.e, (uint8_t)roll(w, LANES), roll(w, 3) == 0);
        }
        connect(w);
        break;
    }
    take_events(w);
    check(w);
}

static bool server_busy(const world *w)
{
    bool busy = false;

    for (size_t i = 0; i < OUT_MAX; i++) {
        busy = busy || w->out[i].state != OUT_FREE;
    }
    return busy;
}

/* Checks that every remaining message ends. */
static void settle(world *w)
{
    for (uint8_t i = 0; i < LANES; i++) {
        mqc_hold(&w->r.e, i, false);
    }
    for (int i = 0; i < 20000 && (w->open > 0 || server_busy(w)); i++) {
        connect(w);
        move_out(w);
        move_in(w);
        release_one(w);
        acknowledge(w, (size_t)i % OUT_MAX);
        take_events(w);
    }
    assert_int_equal(w->open, 0);
    assert_false(server_busy(w));
    for (uint8_t i = 0; i < LANES; i++) {
        assert_int_equal(mqc_lane(&w->r.e, i).bytes, 0);
        assert_int_equal(mqc_lane(&w->r.e, i).in_flight, 0);
    }
}

static void every_accepted_publish_ends_exactly_once(void **state)
{
    (void)state;
    world *w = malloc(sizeof *w);

    for (uint64_t walk = 1; walk <= WALKS; walk++) {
        memset(w, 0, sizeof *w);
        w->seed = walk * 7919;
        const rig_sizes sizes = { .rx = 16 + roll(w, 40),
                                  .control = 32 + roll(w, 40),
                                  .inbound = 1 + roll(w, 4),
                                  .lanes = { { 60 + roll(w, 300), 1 + roll(w, 12), 3 },
                                             { 60 + roll(w, 300), 1 + roll(w, 12), 1 },
                                             { 60 + roll(w, 900), 1 + roll(w, 40), 9 } } };
        rig_init(&w->r, &sizes);

        for (int i = 0; i < STEPS; i++) {
            one_step(w);
        }
        settle(w);

        for (uint32_t i = 0; i < w->accepted; i++) {
            assert_true(w->messages[i].ended);
        }
        rig_deinit(&w->r);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_publish_ends_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
