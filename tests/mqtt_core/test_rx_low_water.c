#include "rig.h"
#include "rx_low_water.h"

/* Tests of mqc_rx_least: which number of bytes it returns, and how it adapts to the server. */

enum { ANSWER_LEN = 4, PATIENCE_MS = 2, MANY = 16, FIRST = 10, LEAST = 2, ENOUGH = 1024 };

typedef struct server {
    rig r;
    uint16_t acked; /* packet id of the last answer */
} server;

static void begin(server *s, uint16_t window, size_t rx)
{
    const rig_sizes sizes = { .rx = rx, .lanes = { { .entries_len = 240, .window = window } } };

    s->acked = 0;
    rig_init(&s->r, &sizes);
    rig_connect(&s->r, true, false);
}

static void send_many(server *s, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        assert_int_equal(rig_queue(&s->r, 1, 1, false, 0), MQC_OK);
    }
    rig_send_all(&s->r);
    rig_forget(&s->r);
}

/* The server sends `count` answers in one piece. */
static void answer(server *s, size_t count)
{
    uint8_t bytes[240 * ANSWER_LEN];

    for (size_t n = 0; n < count; n++) {
        s->acked = s->acked == UINT16_MAX ? 1 : (uint16_t)(s->acked + 1);
        const uint8_t puback[ANSWER_LEN] = { 0x40, 2, (uint8_t)(s->acked >> 8), (uint8_t)s->acked };
        memcpy(bytes + n * ANSWER_LEN, puback, ANSWER_LEN);
    }
    assert_int_equal(rig_feed(&s->r, bytes, count * ANSWER_LEN), MQC_OK);
}

static void pass(server *s, mqc_time ms)
{
    s->r.now += ms;
    assert_int_equal(mqc_tick(&s->r.e, s->r.now), MQC_OK);
}

/* Returns the low-water mark as a number of answers; 0 stands for any byte. */
static size_t asked(server *s)
{
    mqc_time until;
    size_t least = mqc_rx_least(&s->r.e, &until);

    if (least == 1) {
        assert_int_equal(until, 0);
        return 0;
    }
    assert_int_equal(least % ANSWER_LEN, 0);
    assert_in_range(until, s->r.now + 1, s->r.now + PATIENCE_MS);
    return least / ANSWER_LEN;
}

/* The server always sends enough answers to reach the mark. */
static void reach_every_mark(server *s)
{
    for (int times = 0; times < 8; times++) {
        send_many(s, 200);
        assert_true(asked(s) > 0);
        answer(s, 200);
    }
}

/* No message waits to be sent after these, since the application may limit its messages itself. */
static void half_the_answers_to_many_are_taken_together(void **state)
{
    (void)state;
    for (size_t sent = 1; sent <= 200; sent++) {
        server s;
        begin(&s, 200, ENOUGH);
        reach_every_mark(&s);
        assert_int_equal(asked(&s), 0);
        send_many(&s, sent);
        assert_int_equal(asked(&s), sent < MANY ? 0 : sent / 2);
        rig_deinit(&s.r);
    }
}

static void with_more_to_send_those_that_open_the_window(void **state)
{
    (void)state;
    for (uint16_t window = 2; window <= 100; window++) {
        const size_t half = window - window / 2u;
        const size_t batch = half > MANY ? half : window < MANY ? window : MANY;
        server s;
        begin(&s, window, ENOUGH);
        send_many(&s, 2u * window);
        assert_int_equal(asked(&s), batch < FIRST ? batch : FIRST);

        for (size_t n = 1; n < batch; n++) {
            answer(&s, 1);
            size_t left = batch - n;
            assert_int_equal(asked(&s), left < FIRST ? left : FIRST);
            assert_int_equal(rig_sent_now(&s.r), 0);
        }
        answer(&s, 1);
        assert_int_equal(rig_sent_now(&s.r), batch);
        rig_deinit(&s.r);
    }
}

static void each_byte_restarts_the_time(void **state)
{
    (void)state;
    mqc_time until;
    server s;
    begin(&s, 200, 0);
    send_many(&s, 200);
    for (int n = 1; n <= 150; n++) {
        pass(&s, 1);
        answer(&s, 1);
        assert_true(mqc_rx_least(&s.r.e, &until) > 1);
        assert_int_equal(until, s.r.now + PATIENCE_MS);
    }
    rig_deinit(&s.r);
}

static void the_mark_doubles_while_it_is_reached(void **state)
{
    (void)state;
    server s;
    begin(&s, 200, ENOUGH);
    for (size_t expected = FIRST; expected < 100; expected *= 2) {
        send_many(&s, 200);
        assert_int_equal(asked(&s), expected);
        answer(&s, 200);
    }
    send_many(&s, 200);
    assert_int_equal(asked(&s), 100);
    rig_deinit(&s.r);
}

/* The server sends at most that many answers at a time, for example because it waits for a TCP
 * acknowledgement. */
static void after_an_expired_wait_the_mark_is_what_was_received(void **state)
{
    (void)state;
    for (size_t most = 1; most < 50; most++) {
        server s;
        begin(&s, 200, ENOUGH);
        reach_every_mark(&s);
        send_many(&s, 200);
        assert_int_equal(asked(&s), 100);
        pass(&s, PATIENCE_MS);
        answer(&s, most);
        for (int batches = 1; batches < 16; batches++) {
            send_many(&s, 1);
            assert_int_equal(asked(&s), most > LEAST ? most : 0);
            answer(&s, 1);
            pass(&s, 1);
        }
        rig_deinit(&s.r);
    }
}

/* Returns the number of batches that are sent before mqc_rx_least again waits for more than one
 * byte. */
static unsigned batches_without(server *s)
{
    unsigned batches = 0;

    while (asked(s) == 0) {
        answer(s, MANY);
        send_many(s, MANY);
        batches++;
    }
    return batches;
}

/* Only one answer arrives at a time, because the server is far away or uses Nagle's algorithm. */
static void waits_without_effect_become_ever_rarer(void **state)
{
    (void)state;
    for (size_t came = 0; came <= 1; came++) {
        unsigned expected = 16;
        server s;
        begin(&s, MANY, 0);
        send_many(&s, MANY);
        for (int times = 0; times < 12; times++) {
            assert_true(asked(&s) >= LEAST);
            pass(&s, PATIENCE_MS - 1);
            assert_true(asked(&s) >= LEAST);
            pass(&s, 1);
            answer(&s, came);
            send_many(&s, came);
            assert_int_equal(batches_without(&s), expected - came);
            expected = expected < 4096 ? expected * 2 : expected;
        }
        rig_deinit(&s.r);
    }
}

static void a_full_batch_forgets_the_waits_without_effect(void **state)
{
    (void)state;
    server s;
    begin(&s, 200, ENOUGH);
    send_many(&s, MANY);
    for (unsigned expected = 16; expected <= 256; expected *= 2) {
        assert_true(asked(&s) > 0);
        pass(&s, PATIENCE_MS);
        assert_int_equal(batches_without(&s), expected);
    }
    answer(&s, MANY);
    reach_every_mark(&s);
    reach_every_mark(&s);
    send_many(&s, MANY);
    assert_int_equal(asked(&s), MANY / 2);
    pass(&s, PATIENCE_MS);
    assert_int_equal(batches_without(&s), 16);
    rig_deinit(&s.r);
}

/* The application wakes for reasons of its own and reads before the wait has ended. */
static void an_early_read_teaches_nothing_about_the_server(void **state)
{
    (void)state;
    server s;
    begin(&s, 200, ENOUGH);
    reach_every_mark(&s);
    for (int times = 0; times < 100; times++) {
        send_many(&s, 200);
        assert_int_equal(asked(&s), 100);
        answer(&s, 1);
        answer(&s, 199);
    }
    rig_deinit(&s.r);
}

/* The application was busy and came late, so the wait did not show anything about the server. */
static void a_wait_that_was_not_asked_for_does_not_count_against_the_server(void **state)
{
    (void)state;
    server s;
    begin(&s, 200, ENOUGH);
    for (int times = 0; times < 10; times++) {
        send_many(&s, MANY);
        pass(&s, PATIENCE_MS + 1);
        assert_int_equal(asked(&s), 0); /* the time for such a wait is already over */
        answer(&s, MANY);
    }
    send_many(&s, 100);
    assert_int_equal(asked(&s), FIRST);
    rig_deinit(&s.r);
}

static void the_mark_is_half_the_buffer_at_most(void **state)
{
    (void)state;
    for (size_t rx = 16; rx < 100; rx++) {
        mqc_time until;
        server s;
        begin(&s, 200, rx);
        send_many(&s, 200);
        const size_t all = FIRST * ANSWER_LEN;
        assert_int_equal(mqc_rx_least(&s.r.e, &until), rx / 2 < all ? rx / 2 : all);
        rig_deinit(&s.r);
    }
}

static void far_from_the_server_the_mark_is_a_quarter(void **state)
{
    (void)state;
    server s;
    begin(&s, 200, ENOUGH);
    reach_every_mark(&s);
    for (int n = 0; n < 20; n++) { /* the server sends one answer per millisecond */
        send_many(&s, 1);
        pass(&s, 1);
        answer(&s, 1);
    }
    send_many(&s, 80);
    assert_int_equal(asked(&s), 80 / 4);
    rig_deinit(&s.r);
}

/* Which of the lanes it is does not matter. */
static void of_two_lanes_the_one_that_needs_fewer_answers_counts(void **state)
{
    (void)state;
    for (uint8_t many = 0; many < 2; many++) {
        const rig_sizes sizes = { .lanes = {
                                      { .ring_len = 4000, .entries_len = 240, .window = 200 },
                                      { .ring_len = 4000, .entries_len = 240, .window = 200 } } };
        server s = { .acked = 0 };
        mqc_time until;
        rig_init(&s.r, &sizes);
        rig_connect(&s.r, true, false);
        s.r.e.low_water.low_water_max = 4096; /* only after many successes is waiting tried again */
        for (uint32_t n = 0; n < 100; n++) {
            (void)rig_publish(&s.r, many, 1, n, 1);
        }
        for (uint32_t n = 0; n < 20; n++) {
            (void)rig_publish(&s.r, 1 - many, 1, n, 1);
        }
        rig_send_all(&s.r);

        assert_int_equal(mqc_rx_least(&s.r.e, &until), 20 / 2 * ANSWER_LEN);
        rig_deinit(&s.r);
    }
}

static void there_is_no_mark_without_a_connection(void **state)
{
    (void)state;
    server s;
    begin(&s, 100, 0);
    send_many(&s, 100);
    assert_int_equal(asked(&s), FIRST);
    mqc_reset(&s.r.e);
    assert_int_equal(asked(&s), 0);
    rig_connect(&s.r, true, false);
    assert_int_equal(asked(&s), 0);
    rig_send_all(&s.r);
    assert_int_equal(asked(&s), FIRST);
    (void)RIG_FEED(&s.r, 0xF0, 0);
    assert_int_equal(mqc_error(&s.r.e), MQC_ERR_MALFORMED);
    assert_int_equal(asked(&s), 0);
    rig_deinit(&s.r);
}

/* --- the struct alone --- */

static void without_a_batch_there_is_no_mark(void **state)
{
    (void)state;
    mqc_rx_low_water w;
    mqc_time until = 7;
    mqc_rx_low_water_reset(&w);

    assert_false(mqc_rx_low_water_allowed(&w));
    assert_int_equal(mqc_rx_low_water_set(&w, 0, &until), 1);
    assert_int_equal(until, 0);
    mqc_rx_low_water_batch_sent(&w, 100);
    assert_true(mqc_rx_low_water_allowed(&w));
    /* The first mark is ten answers. */
    assert_int_equal(mqc_rx_low_water_set(&w, 1000, &until), 40);
    assert_int_equal(until, 102);
    assert_int_equal(mqc_rx_low_water_set(&w, 12, &until), 12);
}

/* After the first wait without effect there is a pause of 16 batches, then of 32, and so on up
 * to 4096. */
static void each_wait_without_effect_doubles_the_pause(void **state)
{
    (void)state;
    mqc_rx_low_water w;
    mqc_time until;
    mqc_rx_low_water_reset(&w);

    for (unsigned i = 0; i < 12; i++) {
        mqc_rx_low_water_batch_sent(&w, 100);
        w.skip_batches = 0;
        (void)mqc_rx_low_water_set(&w, 8, &until);
        mqc_rx_low_water_on_time(&w, until - 1);
        assert_false(mqc_rx_low_water_expired(&w));
        mqc_rx_low_water_on_time(&w, until);
        assert_true(mqc_rx_low_water_expired(&w));
        mqc_rx_low_water_give_up(&w);
        assert_int_equal(w.skip_batches, i < 8 ? 16u << i : 4096);
        assert_int_equal(w.low_water_max, 8);
        (void)mqc_rx_low_water_set(&w, 0, &until);
    }
}

/* After a wait that timed out, the mark is the number of bytes that had arrived; it rises again
 * only after the pause. */
static void during_the_pause_the_mark_does_not_rise(void **state)
{
    (void)state;
    mqc_rx_low_water w;
    mqc_time until;
    mqc_rx_low_water_reset(&w);
    mqc_rx_low_water_batch_sent(&w, 100);
    (void)mqc_rx_low_water_set(&w, 1000, &until);
    mqc_rx_low_water_on_time(&w, until);
    /* 20 bytes arrived, but after the wait had timed out, so the mark becomes 20. */
    mqc_rx_low_water_learn(&w, 20, until);
    assert_int_equal(w.low_water_max, 20);
    assert_int_equal(w.skip_batches, 16);

    for (unsigned left = 16; left > 0; left--) {
        assert_int_equal(w.skip_batches, left);
        assert_true(mqc_rx_low_water_allowed(&w));
        assert_int_equal(mqc_rx_low_water_set(&w, 1000, &until), 20);
        mqc_rx_low_water_learn(&w, 20, 200);
        assert_int_equal(w.low_water_max, 20);
        mqc_rx_low_water_batch_sent(&w, 200);
    }
    assert_int_equal(mqc_rx_low_water_set(&w, 1000, &until), 20);
    mqc_rx_low_water_learn(&w, 20, 300);
    assert_int_equal(w.low_water_max, 40);
}

static void the_check_sees_members_out_of_range(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    mqc_rx_low_water good;
    mqc_rx_low_water_reset(&good);
    assert_true(mqc_rx_low_water_valid(&good));
    mqc_rx_low_water w = good;
    w.low_water = 41;
    assert_false(mqc_rx_low_water_valid(&w));
    w = good;
    w.low_water_max = 7;
    assert_false(mqc_rx_low_water_valid(&w));
    w.low_water_max = 8192;
    assert_false(mqc_rx_low_water_valid(&w));
    w = good;
    w.backoff_shift = 3;
    assert_false(mqc_rx_low_water_valid(&w));
    w.backoff_shift = 13;
    assert_false(mqc_rx_low_water_valid(&w));
    w = good;
    w.skip_batches = 4097;
    assert_false(mqc_rx_low_water_valid(&w));
#endif
}

/* After a back-off to 2048 bytes the mark is doubled once, and that is exactly its maximum. */
static void a_mark_of_4096_bytes_does_not_grow(void **state)
{
    (void)state;
    enum { MOST = 4096 };
    mqc_rx_low_water w;
    mqc_rx_low_water_reset(&w);
    w.low_water_max = MOST / 2;

    for (int times = 0; times < 3; times++) {
        w.low_water = w.low_water_max;
        mqc_rx_low_water_learn(&w, w.low_water, 1000);
        assert_int_equal(w.low_water_max, MOST);
        assert_int_equal(w.low_water, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_answers_to_many_are_taken_together),
        cmocka_unit_test(with_more_to_send_those_that_open_the_window),
        cmocka_unit_test(each_byte_restarts_the_time),
        cmocka_unit_test(the_mark_doubles_while_it_is_reached),
        cmocka_unit_test(after_an_expired_wait_the_mark_is_what_was_received),
        cmocka_unit_test(waits_without_effect_become_ever_rarer),
        cmocka_unit_test(a_full_batch_forgets_the_waits_without_effect),
        cmocka_unit_test(an_early_read_teaches_nothing_about_the_server),
        cmocka_unit_test(a_wait_that_was_not_asked_for_does_not_count_against_the_server),
        cmocka_unit_test(the_mark_is_half_the_buffer_at_most),
        cmocka_unit_test(far_from_the_server_the_mark_is_a_quarter),
        cmocka_unit_test(of_two_lanes_the_one_that_needs_fewer_answers_counts),
        cmocka_unit_test(there_is_no_mark_without_a_connection),
        cmocka_unit_test(without_a_batch_there_is_no_mark),
        cmocka_unit_test(each_wait_without_effect_doubles_the_pause),
        cmocka_unit_test(during_the_pause_the_mark_does_not_rise),
        cmocka_unit_test(the_check_sees_members_out_of_range),
        cmocka_unit_test(a_mark_of_4096_bytes_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
