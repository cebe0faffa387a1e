#include "rig.h"
#include "round_trip.h"

/* Tests the measurement of the round-trip time, and how long it allows a batch to wait. */

static void measure(mqc_round_trip *t, mqc_time ms)
{
    mqc_round_trip_begin(t, 7, 1000);
    assert_true(mqc_round_trip_is_timed(t));
    mqc_round_trip_answered(
        t, 8, 1000 + ms / 2); /* an answer to another packet does not end the measurement */
    assert_true(mqc_round_trip_is_timed(t));
    mqc_round_trip_answered(t, 7, 1000 + ms);
    assert_false(mqc_round_trip_is_timed(t));
}

/* The mean is kept in units of 1/64 ms. */
static void the_mean_takes_an_eighth_of_each_new_value(void **state)
{
    (void)state;
    mqc_round_trip t = { 0 };

    measure(&t, 8);
    assert_int_equal(t.mean, 64);
    measure(&t, 8);
    assert_int_equal(t.mean, 64 + 64 - 8);
    measure(&t, 0);
    assert_int_equal(t.mean, 120 - 15);
    t.mean = 0;
    measure(&t, UINT64_MAX / 2);
    assert_int_equal(t.mean, 60000 * 64 / 8);
}

static void the_mean_comes_to_rest_at_a_steady_value(void **state)
{
    (void)state;
    for (mqc_time ms = 1; ms <= 100000; ms *= 10) {
        mqc_round_trip t = { 0 };
        for (unsigned i = 0; i < 200; i++) {
            measure(&t, ms);
        }
        mqc_time most = (ms < 60000 ? ms : 60000) * 64;
        assert_in_range(t.mean, most - 8, most + 8);
    }
}

/* With a mean below a quarter of a millisecond the wait is 2 ms, from 8 ms on an eighth of the
 * mean but at most a second, and between them 0. */
static void a_batch_may_be_waited_for_as_the_distance_allows(void **state)
{
    (void)state;
    static const struct {
        uint32_t mean;
        mqc_time until; /* 0 means that no wait is allowed */
    } cases[] = { { 0, 502 },    { 15, 502 },   { 16, 0 },        { 511, 0 },         { 512, 501 },
                  { 1023, 501 }, { 1024, 502 }, { 64 * 80, 510 }, { 64 * 8000, 1500 } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const mqc_round_trip t = { .mean = cases[i].mean };
        assert_int_equal(mqc_round_trip_gather_until(&t, 500), cases[i].until);
        assert_int_equal(mqc_round_trip_is_near(&t), cases[i].mean < 16);
    }
}

/* The publish whose answer is timed is sent again on the next connection. */
static void a_lost_connection_ends_the_measurement_but_keeps_the_mean(void **state)
{
    (void)state;
    mqc_round_trip t = { 0 };
    measure(&t, 8);
    mqc_round_trip_begin(&t, 9, 1000);

    mqc_round_trip_reset(&t);

    assert_false(mqc_round_trip_is_timed(&t));
    mqc_round_trip_answered(&t, 9, 100000);
    assert_int_equal(t.mean, 64);
}

static void without_an_id_nothing_is_timed(void **state)
{
    (void)state;
    mqc_round_trip t = { 0 };

    mqc_round_trip_begin(&t, 0, 1000);
    assert_false(mqc_round_trip_is_timed(&t));
}

static void the_check_sees_a_mean_of_more_than_a_minute(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    mqc_round_trip t = { .mean = 60000 * 64 };
    assert_true(mqc_round_trip_valid(&t));
    t.mean += 100;
    assert_false(mqc_round_trip_valid(&t));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_takes_an_eighth_of_each_new_value),
        cmocka_unit_test(the_mean_comes_to_rest_at_a_steady_value),
        cmocka_unit_test(a_batch_may_be_waited_for_as_the_distance_allows),
        cmocka_unit_test(a_lost_connection_ends_the_measurement_but_keeps_the_mean),
        cmocka_unit_test(without_an_id_nothing_is_timed),
        cmocka_unit_test(the_check_sees_a_mean_of_more_than_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
