/* Tests that no work of the engine grows with the square of the length of a queue. */

#include "mqtt_core/engine_struct.h"
#include "steps.h"

/* Bytes of a message with QoS 1 in the ring; QoS 0 needs two fewer, since it has no packet id. */
enum { MESSAGE_LEN = 3 + 2 + 2 + 8 };

typedef struct bench {
    mqc_engine e;
    mqc_entry *entries;
    mqc_time *expiries;
    uint8_t *ring;
    uint8_t rx[4096];
    uint8_t control[256];
    mqc_inbound inbound[4];
    mqc_time now;
    size_t ended; /* number of events that ended a message */
} bench;

static bench *bench_new(size_t entries, uint16_t window)
{
    bench *b = calloc(1, sizeof *b);
    const size_t ring_len = entries * MESSAGE_LEN;

    b->entries = calloc(entries, sizeof *b->entries);
    b->expiries = calloc(MQC_EXPIRIES(entries), sizeof *b->expiries);
    b->ring = calloc(ring_len, 1);
    const mqc_memory memory = {
        .rx = b->rx,
        .rx_len = sizeof b->rx,
        .control = b->control,
        .control_len = sizeof b->control,
        .inbound = b->inbound,
        .inbound_len = 4,
        .lanes = { { b->ring, ring_len, b->entries, entries, window, b->expiries,
                     MQC_EXPIRIES(entries) } },
        .lane_count = 1,
    };
    assert_int_equal(mqc_init(&b->e, &memory), MQC_OK);
    return b;
}

static uint64_t bench_end(bench *b, uint64_t began)
{
    uint64_t took = steps_now() - began;

    free(b->entries);
    free(b->expiries);
    free(b->ring);
    free(b);
    return took;
}

static mqc_result publish(bench *b, uint8_t qos, mqc_time expires)
{
    static const uint8_t payload[9] = { 0 };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, qos > 0 ? 7 : 9 },
                             .qos = qos,
                             .expires = expires };

    return mqc_publish(&b->e, &m, NULL);
}

static void fill(bench *b, size_t n, uint8_t qos)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(publish(b, qos, 0), MQC_OK);
    }
}

static void take_events(bench *b)
{
    mqc_event ev;

    while (mqc_next_event(&b->e, &ev)) {
        b->ended += ev.type == MQC_EVENT_DONE;
    }
    assert_int_equal(mqc_error(&b->e), MQC_OK);
}

static void feed(bench *b, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t cap;
        uint8_t *at = mqc_rx_space(&b->e, &cap);
        size_t n = len < cap ? len : cap;
        memcpy(at, bytes, n);
        assert_int_equal(mqc_rx_commit(&b->e, n, b->now), MQC_OK);
        take_events(b);
        bytes += n;
        len -= n;
    }
}

static void feed_id(bench *b, uint8_t type, size_t id)
{
    const uint8_t packet[] = { type, 2, (uint8_t)(id >> 8), (uint8_t)id };
    feed(b, packet, sizeof packet);
}

/* Sends at most len bytes at a time; 0: as many as possible. */
static void transmit(bench *b, size_t len)
{
    size_t run;

    while (mqc_tx_data(&b->e, &run) != NULL && run > 0) {
        mqc_tx_consume(&b->e, len > 0 && len < run ? len : run, b->now);
        if (len > 0) {
            return;
        }
    }
}

static void connect_with(bench *b, bool session_present)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("growth") };
    const uint8_t connack[] = { 0x20, 2, session_present, 0 };

    assert_int_equal(mqc_connect(&b->e, &o, b->now), MQC_OK);
    transmit(b, 0);
    feed(b, connack, sizeof connack);
}

/* --- giving up ---------------------------------------------------------------------------- */

static uint64_t purge(size_t n)
{
    bench *b = bench_new(n, 0);
    size_t count = 0;
    fill(b, n, 1);

    uint64_t began = steps_now();
    while (mqc_drop(&b->e, 0, NULL) == MQC_OK) {
        count++;
    }
    assert_int_equal(count, n);
    take_events(b);
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

/* One message is half sent, so the buffers behind it cannot be freed before it was sent
 * completely. */
static uint64_t purge_behind_one(size_t n)
{
    bench *b = bench_new(n, 1);
    connect_with(b, false);
    fill(b, n, 1);
    transmit(b, 2);

    uint64_t began = steps_now();
    while (mqc_drop(&b->e, 0, NULL) == MQC_OK) {
    }
    take_events(b);
    assert_int_equal(b->ended, n - 1);
    return bench_end(b, began);
}

/* The stream was offered half of the messages and has accepted none. */
static uint64_t purge_behind_an_offer(size_t n)
{
    bench *b = bench_new(n, 0);
    size_t len;
    connect_with(b, false);
    fill(b, n / 2, 0);
    (void)mqc_tx_data(&b->e, &len);
    fill(b, n / 2, 0);

    uint64_t began = steps_now();
    while (mqc_drop(&b->e, 0, NULL) == MQC_OK) {
    }
    take_events(b);
    assert_int_equal(b->ended, n / 2);
    return bench_end(b, began);
}

/* QoS 2 publishes that the server may have stay in the queue, before all those that are dropped. */
static uint64_t purge_behind_qos_2(size_t n)
{
    bench *b = bench_new(n, 0);
    connect_with(b, false);
    fill(b, n / 2, 2);
    transmit(b, 0);
    mqc_reset(&b->e);
    fill(b, n / 2, 1);

    uint64_t began = steps_now();
    while (mqc_drop(&b->e, 0, NULL) == MQC_OK) {
    }
    take_events(b);
    assert_int_equal(b->ended, n / 2);
    return bench_end(b, began);
}

/* Takes no events while it drops messages. */
static uint64_t the_newest_stay(size_t n)
{
    bench *b = bench_new(2 * n, 0);
    fill(b, n, 1);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(mqc_drop(&b->e, 0, NULL), MQC_OK);
        assert_int_equal(publish(b, 1, 0), MQC_OK);
    }
    take_events(b);
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

static uint64_t discard(size_t n)
{
    bench *b = bench_new(n, 0);
    fill(b, n, 1);

    uint64_t began = steps_now();
    assert_int_equal(mqc_discard(&b->e, 0), MQC_OK);
    take_events(b);
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

static void giving_up_costs_the_same_for_each(void **state)
{
    (void)state;
    steps_check("purge", purge, 1000);
    steps_check("purge, one message on its way", purge_behind_one, 1000);
    steps_check("purge behind what the stream was offered", purge_behind_an_offer, 1000);
    steps_check("purge behind QoS 2 messages that stay", purge_behind_qos_2, 1000);
    steps_check("the newest stay", the_newest_stay, 1000);
    steps_check("discard", discard, 1000);
}

/* --- sending ------------------------------------------------------------------------------- */

static uint64_t qos_0(size_t n)
{
    bench *b = bench_new(n, 0);
    connect_with(b, false);
    fill(b, n, 0);

    uint64_t began = steps_now();
    transmit(b, 0);
    take_events(b);
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

static uint64_t small_writes(size_t n)
{
    bench *b = bench_new(n, 0);
    connect_with(b, false);
    fill(b, n, 0);

    uint64_t began = steps_now();
    while (b->ended < n) {
        transmit(b, MESSAGE_LEN / 2);
        take_events(b);
    }
    return bench_end(b, began);
}

static uint64_t small_window(size_t n)
{
    bench *b = bench_new(n, 10);
    connect_with(b, false);
    fill(b, n, 1);

    uint64_t began = steps_now();
    for (size_t id = 1; id <= n; id++) {
        transmit(b, 0);
        feed_id(b, 0x40, id);
    }
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

static uint64_t reconnects(size_t n)
{
    bench *b = bench_new(n, 0);
    fill(b, n, 1);

    uint64_t began = steps_now();
    for (int i = 0; i < 4; i++) {
        connect_with(b, i > 1);
        transmit(b, 0);
        mqc_reset(&b->e);
    }
    return bench_end(b, began);
}

static void sending_costs_the_same_for_each(void **state)
{
    (void)state;
    steps_check("QoS 0", qos_0, 1000);
    steps_check("QoS 0, half a message in a write", small_writes, 1000);
    steps_check("QoS 1, window of 10", small_window, 1000);
    steps_check("four connections, all sent again", reconnects, 1000);
}

/* --- answers --------------------------------------------------------------------------------- */

typedef size_t order(size_t i, size_t n);

static size_t in_order(size_t i, size_t n)
{
    (void)n;
    return i;
}

static size_t backwards(size_t i, size_t n)
{
    return n - 1 - i;
}

static size_t odd_ones_first(size_t i, size_t n)
{
    return i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2);
}

static size_t mixed(size_t i, size_t n)
{
    return (i * 7 + 3) % n; /* a mixed order of all numbers, since n is not a multiple of 7 */
}

static uint64_t answered(size_t n, uint8_t qos, order *of)
{
    bench *b = bench_new(n, 0);
    connect_with(b, false);
    fill(b, n, qos);
    transmit(b, 0);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        feed_id(b, qos == 1 ? 0x40 : 0x50, of(i, n) + 1);
        transmit(b, 0);
    }
    for (size_t i = 0; i < n && qos == 2; i++) {
        feed_id(b, 0x70, of(i, n) + 1);
    }
    assert_int_equal(b->ended, n);
    return bench_end(b, began);
}

#define ANSWERED(qos, of)                      \
    static uint64_t qos_##qos##_##of(size_t n) \
    {                                          \
        return answered(n, qos, of);           \
    }

ANSWERED(1, in_order)
ANSWERED(1, backwards)
ANSWERED(1, odd_ones_first)
ANSWERED(1, mixed)
ANSWERED(2, in_order)

static void an_answer_costs_the_same_however_many_are_open(void **state)
{
    (void)state;
    steps_check("PUBACK in order", qos_1_in_order, 1000);
    steps_check("PUBACK backwards", qos_1_backwards, 1000);
    steps_check("PUBACK, odd ones first", qos_1_odd_ones_first, 1000);
    steps_check("PUBACK in no order", qos_1_mixed, 1000);
    steps_check("all PUBRECs, then all PUBCOMPs", qos_2_in_order, 1000);
}

/* --- time ------------------------------------------------------------------------------------ */

/* `step` is the number of messages that expire at the same time. */
static uint64_t expired(size_t n, order *of, size_t step)
{
    bench *b = bench_new(n, 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(publish(b, 1, 1000 + of(i, n)), MQC_OK);
    }

    uint64_t began = steps_now();
    for (size_t i = step; i <= n; i += step) {
        mqc_time when;
        assert_true(mqc_next_deadline(&b->e, &when));
        assert_int_equal(when, 1000 + i - step);
        assert_int_equal(mqc_tick(&b->e, 1000 + i - 1), MQC_OK);
        take_events(b);
        assert_int_equal(b->ended, i);
    }
    return bench_end(b, began);
}

#define EXPIRED(of)                        \
    static uint64_t expired_##of(size_t n) \
    {                                      \
        return expired(n, of, 1);          \
    }

EXPIRED(in_order)
EXPIRED(backwards)
EXPIRED(odd_ones_first)
EXPIRED(mixed)

static uint64_t expired_some_at_a_time(size_t n)
{
    return expired(n, mixed, 10);
}

static void each_that_expires_costs_the_same(void **state)
{
    (void)state;
    steps_check("expiry, the oldest first", expired_in_order, 1000);
    steps_check("expiry, the newest first", expired_backwards, 1000);
    steps_check("expiry, odd ones first", expired_odd_ones_first, 1000);
    steps_check("expiry in no order", expired_mixed, 1000);
    steps_check("expiry in no order, ten at a time", expired_some_at_a_time, 1000);
}

/* --- packet ids --- */

/* All packet ids are in use. Each acknowledgement frees one, which the next publish takes. */
static uint64_t all_ids_in_use(size_t n)
{
    bench *b = bench_new(70000, UINT16_MAX);
    connect_with(b, false);
    fill(b, UINT16_MAX, 1);
    assert_int_equal(publish(b, 1, 0), MQC_ERR_NO_SPACE);
    transmit(b, 0);

    uint64_t began = steps_now();
    for (size_t id = 1; id <= n; id++) {
        feed_id(b, 0x40, id);
        assert_int_equal(publish(b, 1, 0), MQC_OK);
    }
    return bench_end(b, began);
}

/* Many messages are open, are answered in random order, and a few never are: no id must be used
 * twice. */
static void no_id_is_given_twice(void **state)
{
    (void)state;
    enum { ENTRIES = 70000 };
    bench *b = bench_new(ENTRIES, UINT16_MAX);
    static bool used[65536];
    static uint16_t open[65536];
    static const size_t levels[] = { 10, 40000, 65535, 100, 30000, 0 };
    uint32_t random = 1;
    size_t count = 0;
    connect_with(b, false);

    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
        while (count < levels[l]) {
            const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"), .qos = 1 };
            uint16_t id = 0;
            mqc_result r = mqc_publish(&b->e, &m, &id);
            /* The table is full, so the oldest message has to end first. */
            if (r == MQC_ERR_NO_SPACE) {
                break;
            }
            assert_int_equal(r, MQC_OK);
            assert_false(used[id] || id == 0);
            used[id] = true;
            open[count++] = id;
        }
        transmit(b, 0);
        while (count > levels[l + 1 < sizeof levels / sizeof levels[0] ? l + 1 : l] / 2) {
            random = random * 1664525u + 1013904223u;
            size_t at = random / 65536u % count;
            feed_id(b, 0x40, open[at]);
            used[open[at]] = false;
            open[at] = open[--count];
        }
    }
    assert_int_equal(count, 0);
    (void)bench_end(b, 0);
}

static void an_id_costs_the_same_however_many_are_in_use(void **state)
{
    (void)state;
    steps_check("all packet ids in use", all_ids_in_use, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(giving_up_costs_the_same_for_each),
        cmocka_unit_test(sending_costs_the_same_for_each),
        cmocka_unit_test(an_answer_costs_the_same_however_many_are_open),
        cmocka_unit_test(each_that_expires_costs_the_same),
        cmocka_unit_test(no_id_is_given_twice),
        cmocka_unit_test(an_id_costs_the_same_however_many_are_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
