#include "rig.h"

/* Large messages over slow links, in simulated time: every rate with every keep-alive time and
 * each kind of transport below the engine. A message must arrive on the first connection, the
 * server must receive signs of life often enough, and a lost peer must be detected within 1.5
 * times the keep-alive time. */

enum {
    STEP_MS = 100,
    MESSAGE = 65536,
    BUFFER = 1 << 20,
    RECORD = 16384, /* bytes of a TLS record */
    SEGMENT = 1448  /* bytes of a TCP segment */
};

/* Describes how the bytes get from the engine to the server. */
typedef struct transport {
    const char *name;
    size_t room;    /* bytes that the stream can buffer before the peer receives them */
    size_t portion; /* number of bytes that the peer's system acknowledges at a time */
    bool relayed;   /* the buffer is in a relay, which has room for everything */
    /* The peer closes its TCP window when it has no room; then nothing is in transit. */
    bool closes;
    bool reports;    /* the stream reports its flow to the engine */
    bool in_records; /* received bytes reach the engine only in whole records */
} transport;

static const transport transports[] = {
    { "a stream that takes what the link carries", 512, 1, false, false, false, false },
    { "a stream with a small buffer", 4096, 1, false, false, false, false },
    { "a kernel that takes everything", BUFFER, SEGMENT, false, false, true, false },
    { "TLS over it", BUFFER, SEGMENT, false, false, true, true },
    { "a peer that opens its window rarely", BUFFER, 32768, false, true, true, false },
    { "a relay that takes everything", BUFFER, 1, true, false, true, true },
    { "the same, unreported", BUFFER, 1, true, false, false, false },
};

static const uint16_t keep_alives_s[] = { 30, 45, 60, 120, 240 };
static const unsigned rates[] = { 100, 200, 500, 1000, 4000 };

/* The bytes in transit in one direction, and how far they have got on the way. */
typedef struct flow {
    uint8_t bytes[BUFFER];
    size_t written;
    size_t arrived;
    size_t read;
    unsigned credit; /* thousandths of a byte that the link may carry now */
} flow;

typedef struct world {
    rig r;
    const transport *t;
    unsigned rate;
    bool gone;
    flow up;
    flow down;
    size_t handed; /* bytes of `down` that the engine has received */
    unsigned pings;
    unsigned received; /* number of publishes that the server has received */
    unsigned acked;    /* number of them that have ended */
    unsigned messages; /* number of publishes that the engine has delivered */
    uint64_t counted;  /* bytes counted in each direction before the simulation began */
    mqc_time server_heard_at;
    mqc_time server_silence_ms; /* the longest */
} world;

static world w; /* static, because it is too large for the stack */

/* --- the link ------------------------------------------------------------------ */

static void carry(flow *f)
{
    size_t waits = f->written - f->arrived;
    f->credit += w.rate * STEP_MS;
    size_t n = f->credit / 1000 < waits ? f->credit / 1000 : waits;
    f->credit = n == waits ? 0 : f->credit - (unsigned)n * 1000;
    f->arrived += n;
}

static void put(flow *f, const void *bytes, size_t len)
{
    assert_true(f->written + len <= sizeof f->bytes);
    memcpy(f->bytes + f->written, bytes, len);
    f->written += len;
}

/* --- the server ------------------------------------------------------------------ */

static size_t packet_len(const uint8_t *p, size_t have)
{
    size_t len = 0;

    for (size_t i = 1; i < have && i <= 4; i++) {
        len |= (size_t)(p[i] & 0x7F) << (7 * (i - 1));
        if ((p[i] & 0x80) == 0) {
            return 1 + i + len <= have ? 1 + i + len : 0;
        }
    }
    return 0;
}

static void serve(void)
{
    flow *up = &w.up;
    size_t len;

    while ((len = packet_len(up->bytes + up->read, up->arrived - up->read)) > 0) {
        const uint8_t *p = up->bytes + up->read;
        up->read += len;
        if (p[0] == 0xC0) {
            w.pings++;
            put(&w.down, (const uint8_t[]){ 0xD0, 0 }, 2);
        } else if (p[0] >> 4 == 3) {
            w.received++;
            if ((p[0] & 6) != 0) { /* topic "t" and a packet id from 1 to 255 */
                const uint8_t *id = p + len - 1;
                while (id[-3] != 0 || id[-2] != 1 || id[-1] != 't') {
                    id--;
                }
                put(&w.down, (const uint8_t[]){ 0x40, 2, id[0], id[1] }, 4);
            }
        }
    }
}

static void listen(size_t before)
{
    if (w.up.arrived > before) {
        w.server_heard_at = w.r.now;
    }
    mqc_time silence = w.r.now - w.server_heard_at;
    w.server_silence_ms = silence > w.server_silence_ms ? silence : w.server_silence_ms;
}

static void server_sends(size_t len, uint8_t payload)
{
    static uint8_t packet[MESSAGE + 16];
    size_t body = len + 3;
    const uint8_t head[] = { 0x30,
                             (uint8_t)(body & 0x7F) | 0x80,
                             (uint8_t)(body >> 7 & 0x7F) | 0x80,
                             (uint8_t)(body >> 14),
                             0,
                             1,
                             't' };

    memcpy(packet, head, sizeof head);
    memset(packet + sizeof head, payload, len);
    put(&w.down, packet, sizeof head + len);
}

/* --- the client ------------------------------------------------------------------ */

static void take_events(void)
{
    mqc_event ev;

    while (mqc_next_event(&w.r.e, &ev)) {
        w.acked += ev.type == MQC_EVENT_DONE;
        w.messages += ev.type == MQC_EVENT_PUBLISH;
    }
}

static size_t whole_records(size_t arrived)
{
    return arrived == w.down.written ? arrived : arrived / RECORD * RECORD;
}

static void receive(void)
{
    size_t ready = w.t->in_records ? whole_records(w.down.arrived) : w.down.arrived;

    while (w.handed < ready) {
        size_t cap;
        uint8_t *at = mqc_rx_space(&w.r.e, &cap);
        size_t n = ready - w.handed < cap ? ready - w.handed : cap;
        if (n == 0) {
            break;
        }
        memcpy(at, w.down.bytes + w.handed, n);
        w.handed += n;
        assert_int_equal(mqc_rx_commit(&w.r.e, n, w.r.now), MQC_OK);
        take_events();
    }
}

static void transmit(void)
{
    size_t len;
    const uint8_t *run;

    while (run = mqc_tx_data(&w.r.e, &len), len > 0) {
        size_t ahead = w.up.written - w.up.arrived;
        size_t room = ahead < w.t->room ? w.t->room - ahead : 0;
        size_t n = len < room ? len : room;
        if (n == 0) {
            return;
        }
        put(&w.up, run, n);
        mqc_tx_consume(&w.r.e, n, w.r.now);
        take_events();
    }
}

static size_t delivered(void)
{
    if (w.t->relayed) {
        return w.up.written;
    }
    return w.up.arrived == w.up.written ? w.up.arrived : w.up.arrived / w.t->portion * w.t->portion;
}

static void report(void)
{
    const size_t has = delivered();
    const mqc_flow f = {
        .received = w.counted + w.down.arrived,
        .delivered = w.counted + has,
        .pending = w.up.written - has,
        .awaited = has < w.up.written && (w.gone || !w.t->closes),
    };
    if (w.t->reports && mqc_wants_flow(&w.r.e, w.r.now)) {
        mqc_report_flow(&w.r.e, &f, w.r.now);
    }
}

static void step(void)
{
    size_t before = w.up.arrived;

    w.r.now += STEP_MS;
    if (!w.gone) {
        carry(&w.up);
        carry(&w.down);
        serve();
        listen(before);
    }
    receive();
    report();
    mqc_result result = mqc_tick(&w.r.e, w.r.now);
    /* The error is returned by this call, not only by the next one. */
    assert_int_equal(result, mqc_error(&w.r.e));
    take_events();
    transmit();
}

/* --- cases ------------------------------------------------------------------------- */

static void begin(const transport *t, unsigned rate, uint16_t keep_alive_s)
{
    const rig_sizes sizes = { .rx = MESSAGE + 1024,
                              .lanes = { { .ring_len = 4 * (MESSAGE + 1024) } } };
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"),
                                    .keep_alive_s = keep_alive_s,
                                    .ack_timeout_ms = 120000,
                                    .reports_flow = t->reports };

    memset(&w, 0, sizeof w);
    w.t = t;
    w.rate = rate;
    /* Tests the overflow of the engine's counter, which counts modulo 2^32. */
    w.counted = rate % 1000 == 0 ? UINT32_MAX - MESSAGE / 2 : 0;
    rig_init(&w.r, &sizes);
    rig_connect_with(&w.r, &o, false);
    w.server_heard_at = w.r.now;
}

static void publish(uint8_t qos, size_t len)
{
    static uint8_t payload[MESSAGE];
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = mqc_span_of(payload, len),
                             .qos = qos };

    memset(payload, 'x', sizeof payload);
    assert_int_equal(mqc_publish(&w.r.e, &m, NULL), MQC_OK);
}

static void fail_case(const char *what, uint16_t keep_alive_s)
{
    fail_msg("%s, %u bytes/s, keep-alive %u s: %s after %llu ms, error in \"%s\"", w.t->name,
             w.rate, keep_alive_s, what, (unsigned long long)(w.r.now - 1000),
             mqc_error_packet(&w.r.e));
}

/* Runs until everything has arrived, then stays idle for some time, as a device does. */
static void run_until_done(unsigned up, unsigned up_acked, unsigned down, uint16_t keep_alive_s)
{
    mqc_time limit = w.r.now + (mqc_time)(up + down + 1) * MESSAGE * 1100 / w.rate + 60000;

    while (w.received < up || w.acked < up_acked || w.messages < down) {
        step();
        if (mqc_error(&w.r.e) != MQC_OK) {
            fail_case("lost", keep_alive_s);
        }
        if (w.r.now > limit) {
            fail_case("stuck", keep_alive_s);
        }
    }
    /* The connection stays alive afterwards. */
    for (unsigned i = 0; i < 3u * keep_alive_s * 1000 / STEP_MS; i++) {
        step();
        if (mqc_error(&w.r.e) != MQC_OK) {
            fail_case("lost afterwards", keep_alive_s);
        }
    }
    if (w.server_silence_ms > keep_alive_s * 1500u) {
        fail_case("the server had to give us up", keep_alive_s);
    }
    rig_deinit(&w.r);
}

#define EACH_CASE(t, rate, k)                                                                    \
    for (const transport *t = transports; t < transports + COUNT_OF(transports); t++)            \
        for (const unsigned *rate = rates; rate < rates + COUNT_OF(rates); rate++)               \
            for (const uint16_t *k = keep_alives_s; k < keep_alives_s + COUNT_OF(keep_alives_s); \
                 k++)

static void a_large_message_to_the_server_arrives(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        for (uint8_t qos = 0; qos <= 1; qos++) {
            begin(t, *rate, *k);
            publish(qos, MESSAGE);
            run_until_done(1, 1, 0, *k);
        }
    }
}

static void several_large_messages_to_the_server_arrive(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        if (*rate == 500) {
            begin(t, *rate, *k);
            for (int i = 0; i < 4; i++) {
                publish(1, MESSAGE);
            }
            run_until_done(4, 4, 0, *k);
        }
    }
}

static void a_large_message_from_the_server_arrives(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        begin(t, *rate, *k);
        server_sends(MESSAGE, 'y');
        run_until_done(0, 0, 1, *k);
    }
}

static void large_messages_in_both_directions_arrive(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        begin(t, *rate, *k);
        server_sends(MESSAGE, 'y');
        for (int i = 0; i < 57; i++) {
            step();
        }
        publish(1, MESSAGE);
        run_until_done(1, 1, 1, *k);
    }
}

/* The peer disappears. Returns the time until the engine detects that. */
static mqc_time run_until_lost(void)
{
    mqc_time since = w.r.now;

    w.gone = true;
    while (mqc_error(&w.r.e) == MQC_OK) {
        step();
    }
    assert_int_equal(mqc_error(&w.r.e), MQC_ERR_TIMEOUT);
    assert_string_equal(mqc_error_packet(&w.r.e), "PINGRESP");
    rig_deinit(&w.r);
    return w.r.now - since;
}

static void expect_found(mqc_time took, uint16_t keep_alive_s)
{
    if (took > keep_alive_s * 1500u + STEP_MS) {
        fail_case("found too late", keep_alive_s);
    }
}

static void a_peer_that_goes_while_nothing_happens_is_found(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        for (unsigned after = 0; after <= 400; after += 25) {
            begin(t, *rate, *k);
            for (unsigned i = 0; i < after * *k / 40; i++) {
                step();
            }
            expect_found(run_until_lost(), *k);
        }
    }
}

/* The peer disappears during a large message. The case of a relay that has buffered the whole
 * message is tested below. */
static void a_peer_that_goes_in_the_middle_of_a_large_message_is_found(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        for (unsigned percent = 0; percent < 100; percent += 9) {
            for (int up = 0; up <= 1; up++) {
                if (up && t->relayed) {
                    continue;
                }
                begin(t, *rate, *k);
                if (up) {
                    publish(1, MESSAGE);
                } else {
                    server_sends(MESSAGE, 'y');
                }
                for (unsigned i = 0; i < MESSAGE * 10 / *rate * percent / 100; i++) {
                    step();
                }
                if (up && !t->reports && mqc_lane(&w.r.e, 0).in_flight > 0) {
                    rig_deinit(&w.r); /* unknown, because the relay's buffer may still hold bytes */
                    continue;
                }
                assert_int_equal(mqc_error(&w.r.e), MQC_OK);
                expect_found(run_until_lost(), *k);
            }
        }
    }
}

/* This holds even while many small messages are sent, as long as the link accepts them. */
static void a_peer_that_goes_while_we_send_small_messages_is_found(void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        for (uint8_t qos = 0; qos <= 1; qos++) {
            begin(t, 4000, *k);
            for (unsigned i = 0; i < *k * 17; i++) {
                if (i % 10 == 0) {
                    publish(qos, 200);
                }
                step();
            }
            mqc_time since = w.r.now;
            w.gone = true;
            for (unsigned i = 0; mqc_error(&w.r.e) == MQC_OK; i++) {
                if (i % 10 == 0 && mqc_lane(&w.r.e, 0).bytes < 10000) {
                    publish(qos, 200);
                }
                step();
            }
            (void)rate;
            expect_found(w.r.now - since, *k);
            rig_deinit(&w.r);
        }
    }
}

/* A relay whose link to the server is dead looks like one with a slow link: the engine waits for
 * the answer as long as a link of 62.5 bytes/s would need, and no longer. */
static void a_relay_whose_far_side_is_gone_is_found_when_a_slow_link_would_have_answered(
    void **state)
{
    (void)state;
    EACH_CASE(t, rate, k)
    {
        if (!t->relayed) {
            continue;
        }
        begin(t, *rate, *k);
        publish(1, MESSAGE);
        step();
        mqc_time took = run_until_lost();
        assert_true(took >= *k * 1500u);
        assert_true(took <= *k * 1500u + (MESSAGE + 16) * 16u);
    }
}

static void an_answer_to_a_ping_has_half_a_minute_or_a_short_keep_alive(void **state)
{
    (void)state;
    for (uint16_t k = 1; k <= 300; k++) {
        const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"), .keep_alive_s = k };
        const mqc_time all_ms = k * 1000u;
        const mqc_time want = all_ms < 30000 ? all_ms : all_ms / 2 > 30000 ? all_ms / 2 : 30000;
        rig r;
        rig_init(&r, NULL);
        rig_connect_with(&r, &o, false);
        mqc_time start = r.now;
        r.now = rig_deadline(&r);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
        rig_expect_sent(&r, 0xC0, 0);
        assert_int_equal(rig_deadline(&r) - r.now, want);
        assert_int_equal(rig_deadline(&r), start + all_ms * 3 / 2);
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_message_to_the_server_arrives),
        cmocka_unit_test(several_large_messages_to_the_server_arrive),
        cmocka_unit_test(a_large_message_from_the_server_arrives),
        cmocka_unit_test(large_messages_in_both_directions_arrive),
        cmocka_unit_test(a_peer_that_goes_while_nothing_happens_is_found),
        cmocka_unit_test(a_peer_that_goes_in_the_middle_of_a_large_message_is_found),
        cmocka_unit_test(a_peer_that_goes_while_we_send_small_messages_is_found),
        cmocka_unit_test(
            a_relay_whose_far_side_is_gone_is_found_when_a_slow_link_would_have_answered),
        cmocka_unit_test(an_answer_to_a_ping_has_half_a_minute_or_a_short_keep_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
