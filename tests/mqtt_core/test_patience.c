#include "rig.h"

enum { ANSWER_LEN = 4, PATIENCE_MS = 2, MANY = 16 };

static void begin(rig *r, uint16_t window, size_t rx)
{
    const rig_sizes sizes = { .rx = rx, .lanes = { { .entries_len = 240, .window = window } } };

    rig_init(r, &sizes);
    rig_connect(r, true, false);
}

static size_t send_many(rig *r, size_t count)
{
    while (count-- > 0) {
        assert_int_equal(rig_queue(r, 1, 1, false, 0), MQC_OK);
    }
    return rig_sent_now(r);
}

static void expect_patience(rig *r, size_t answers, mqc_time until)
{
    mqc_time when;

    assert_int_equal(mqc_rx_least(&r->e, &when), answers * ANSWER_LEN);
    assert_int_equal(when, until);
}

static void expect_none(rig *r)
{
    mqc_time when;

    assert_int_equal(mqc_rx_least(&r->e, &when), 1);
    assert_int_equal(when, 0);
}

static void pass(rig *r, mqc_time ms)
{
    r->now += ms;
    assert_int_equal(mqc_tick(&r->e, r->now), MQC_OK);
}

/* Nothing waits behind them: the application may have a window of its own. */
static void half_the_answers_to_many_are_taken_together(void **state)
{
    (void)state;
    for (uint16_t sent = 1; sent <= 100; sent++) {
        rig r;
        begin(&r, 100, 0);
        expect_none(&r);
        assert_int_equal(send_many(&r, sent), sent);
        if (sent < MANY) {
            expect_none(&r);
        } else {
            expect_patience(&r, sent / 2, r.now + PATIENCE_MS);
        }
        rig_deinit(&r);
    }
}

static void with_more_to_send_those_that_open_the_window(void **state)
{
    (void)state;
    for (uint16_t window = 1; window <= 100; window++) {
        const size_t half = window - window / 2u;
        const size_t batch = half > MANY ? half : window < MANY ? window : MANY;
        rig r;
        begin(&r, window, 0);
        assert_int_equal(send_many(&r, 2u * window), window);
        expect_patience(&r, batch, r.now + PATIENCE_MS);

        for (uint16_t n = 1; n < batch; n++) {
            rig_puback(&r, n);
            assert_int_equal(rig_sent_now(&r), 0);
            expect_patience(&r, batch - n, r.now + PATIENCE_MS);
        }
        rig_puback(&r, (uint16_t)batch);
        assert_int_equal(rig_sent_now(&r), batch);
        rig_deinit(&r);
    }
}

static void each_byte_begins_the_time_anew(void **state)
{
    (void)state;
    rig r;
    begin(&r, 100, 0);
    (void)send_many(&r, 100);
    for (uint16_t n = 1; n <= 50; n++) {
        pass(&r, 1);
        rig_puback(&r, n);
        expect_patience(&r, (100u - n) / 2, r.now + PATIENCE_MS);
    }
    rig_deinit(&r);
}

/* How many batches leave until answers are waited for again? */
static unsigned batches_without(rig *r, uint16_t *acked)
{
    mqc_time until;
    unsigned batches = 0;

    for (; mqc_rx_least(&r->e, &until) == 1; batches++) {
        for (int n = 0; n < MANY; n++) {
            rig_puback(r, ++*acked == 0 ? ++*acked : *acked);
        }
        assert_int_equal(send_many(r, MANY), MANY);
        rig_forget(r);
    }
    return batches;
}

/* For a server with Nagle's algorithm, and one far away. */
static void who_waits_in_vain_does_it_ever_less_often(void **state)
{
    (void)state;
    uint16_t acked = 0;
    unsigned expected = 16;
    rig r;
    begin(&r, MANY, 0);
    (void)send_many(&r, MANY);

    for (int times = 0; times < 12; times++) {
        pass(&r, PATIENCE_MS - 1);
        expect_patience(&r, MANY / 2, r.now + 1);
        pass(&r, 1);
        expect_none(&r);
        assert_int_equal(batches_without(&r, &acked), expected + 1);
        expected = expected < 4096 ? expected * 2 : expected;
    }
    rig_deinit(&r);
}

static void what_comes_in_time_restores_trust_and_a_trickle_does_not(void **state)
{
    (void)state;
    uint8_t answers[MANY / 2 * ANSWER_LEN];
    uint16_t acked = 0;
    rig r;
    begin(&r, MANY, 0);
    (void)send_many(&r, MANY);
    for (unsigned batches = 16; batches <= 256; batches *= 2) {
        rig_puback(&r, ++acked);
        assert_int_equal(send_many(&r, 1), 1);
        expect_patience(&r, MANY / 2, r.now + PATIENCE_MS);
        pass(&r, PATIENCE_MS);
        assert_int_equal(batches_without(&r, &acked), batches + 1);
    }
    for (int n = 0; n < MANY / 2; n++) {
        const uint8_t puback[ANSWER_LEN] = { 0x40, 2, (uint8_t)(++acked >> 8), (uint8_t)acked };
        memcpy(answers + n * ANSWER_LEN, puback, ANSWER_LEN);
    }
    expect_patience(&r, MANY / 2, r.now + PATIENCE_MS);
    assert_int_equal(rig_feed(&r, answers, sizeof answers), MQC_OK);
    assert_int_equal(send_many(&r, MANY / 2), MANY / 2);
    expect_patience(&r, MANY / 2, r.now + PATIENCE_MS);
    pass(&r, PATIENCE_MS);
    assert_int_equal(batches_without(&r, &acked), 256 + 1);
    rig_deinit(&r);
}

static void half_a_buffer_is_all_that_is_waited_for(void **state)
{
    (void)state;
    for (size_t rx = 16; rx < 1000; rx += 7) {
        mqc_time until;
        rig r;
        begin(&r, 200, rx);
        (void)send_many(&r, 200);
        const size_t all = 100 * ANSWER_LEN;
        assert_int_equal(mqc_rx_least(&r.e, &until), rx / 2 < all ? rx / 2 : all);
        rig_deinit(&r);
    }
}

static void a_server_some_way_off_is_not_made_to_wait_for_more(void **state)
{
    (void)state;
    rig r;
    begin(&r, 100, 0);
    for (uint16_t n = 1; n <= 20; n++) { /* an answer takes a millisecond */
        (void)send_many(&r, 1);
        pass(&r, 1);
        rig_puback(&r, n);
    }
    (void)send_many(&r, 80);
    expect_patience(&r, 80 / 8, r.now + PATIENCE_MS);
    rig_deinit(&r);
}

static void nothing_is_waited_for_without_a_connection(void **state)
{
    (void)state;
    rig r;
    begin(&r, 100, 0);
    (void)send_many(&r, 100);
    mqc_reset(&r.e);
    expect_none(&r);
    rig_connect(&r, true, false);
    expect_none(&r);
    rig_send_all(&r);
    expect_patience(&r, 50, r.now + PATIENCE_MS);
    (void)RIG_FEED(&r, 0xF0, 0);
    assert_int_equal(mqc_error(&r.e), MQC_ERR_MALFORMED);
    expect_none(&r);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_answers_to_many_are_taken_together),
        cmocka_unit_test(with_more_to_send_those_that_open_the_window),
        cmocka_unit_test(each_byte_begins_the_time_anew),
        cmocka_unit_test(who_waits_in_vain_does_it_ever_less_often),
        cmocka_unit_test(what_comes_in_time_restores_trust_and_a_trickle_does_not),
        cmocka_unit_test(half_a_buffer_is_all_that_is_waited_for),
        cmocka_unit_test(a_server_some_way_off_is_not_made_to_wait_for_more),
        cmocka_unit_test(nothing_is_waited_for_without_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
