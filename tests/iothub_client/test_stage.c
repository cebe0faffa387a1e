#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/stage.h"

/* ENOUGH is 50 bytes for each second. */
enum { BUDGET = 30000, HALF = BUDGET / 2, ENOUGH = HALF / 1000 * 50 };

static const mqc_time NOW = 1000;

static iothub_stage begun(bool can_be_slow)
{
    iothub_stage s;
    stage_begin(&s, BUDGET, can_be_slow, NOW);
    return s;
}

static void a_stage_has_all_its_time_or_half_of_it_before_the_first_look(void **state)
{
    (void)state;
    assert_int_equal(begun(false).deadline, NOW + BUDGET);
    assert_int_equal(begun(true).deadline, NOW + HALF);
    iothub_stage odd;
    stage_begin(&odd, 7, true, NOW);
    assert_int_equal(odd.deadline, NOW + 4);
    assert_true(stage_goes_on(&odd, 7, 0, IOTHUB_NEVER, NOW + 4));
    assert_int_equal(odd.deadline, NOW + 7); /* the two halves together are the whole budget */
}

static void a_budget_of_zero_means_forever(void **state)
{
    (void)state;
    iothub_stage s;

    stage_begin(&s, 0, false, NOW);
    assert_true(s.deadline == IOTHUB_NEVER);
    stage_begin(&s, 0, true, NOW);
    assert_true(s.deadline == IOTHUB_NEVER);
    assert_false(stage_goes_on(&s, 0, 1000000, IOTHUB_NEVER, NOW));
}

static void a_deadline_of_its_own_replaces_that_of_the_budget(void **state)
{
    (void)state;
    iothub_stage s = begun(true);

    stage_set_deadline(&s, 77);
    assert_int_equal(s.deadline, 77);
    stage_set_deadline(&s, IOTHUB_NEVER);
    assert_true(s.deadline == IOTHUB_NEVER);
}

/* Bytes are counted only from the end of the first half on. */
static void the_second_half_comes_whatever_has_moved(void **state)
{
    (void)state;
    iothub_stage s = begun(true);

    assert_true(stage_goes_on(&s, BUDGET, 0, IOTHUB_NEVER, NOW + HALF));
    assert_int_equal(s.deadline, NOW + BUDGET);
    assert_false(stage_goes_on(&s, BUDGET, 0, IOTHUB_NEVER, NOW + BUDGET));
}

static void fifty_bytes_a_second_buy_half_of_the_time_again(void **state)
{
    (void)state;
    for (uint64_t bytes = ENOUGH - 2; bytes <= ENOUGH + 2; bytes++) {
        iothub_stage s = begun(true);
        mqc_time now = NOW + HALF;
        uint64_t moved = 5000;
        assert_true(stage_goes_on(&s, BUDGET, moved, IOTHUB_NEVER, now));
        for (int times = 0; times < 50; times++) {
            now += HALF;
            moved += bytes;
            bool goes_on = stage_goes_on(&s, BUDGET, moved, IOTHUB_NEVER, now);
            assert_int_equal(goes_on, bytes >= ENOUGH);
            if (!goes_on) {
                break;
            }
            assert_int_equal(s.deadline, now + HALF);
        }
    }
}

/* The counter of bytes has 31 bits and may overflow. */
static void the_count_of_bytes_may_start_again(void **state)
{
    (void)state;
    static const uint64_t before[] = { (UINT64_C(1) << 31) - 1, (UINT64_C(1) << 32) - 1,
                                       UINT64_C(1) << 40, UINT64_MAX - ENOUGH };

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        for (uint64_t less = 0; less <= 1; less++) {
            iothub_stage s = begun(true);
            assert_true(stage_goes_on(&s, BUDGET, before[i], IOTHUB_NEVER, NOW + HALF));
            assert_int_equal(
                stage_goes_on(&s, BUDGET, before[i] + ENOUGH - less, IOTHUB_NEVER, NOW + BUDGET),
                less == 0);
        }
    }
}

static void all_patience_ends(void **state)
{
    (void)state;
    for (mqc_time early = 0; early <= 1; early++) {
        iothub_stage s = begun(true);
        const mqc_time until = NOW + BUDGET + early;
        assert_true(stage_goes_on(&s, BUDGET, 0, until, NOW + HALF));
        assert_int_equal(stage_goes_on(&s, BUDGET, 1000000, until, NOW + BUDGET), early == 1);
    }
}

static void a_stage_that_begins_again_has_its_first_half_again(void **state)
{
    (void)state;
    iothub_stage s = begun(true);

    assert_true(stage_goes_on(&s, BUDGET, 0, IOTHUB_NEVER, NOW + HALF));
    stage_begin(&s, BUDGET, true, NOW + BUDGET);
    assert_true(stage_goes_on(&s, BUDGET, 0, IOTHUB_NEVER, NOW + BUDGET + HALF));
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    iothub_stage s = begun(true);

    assert_true(stage_valid(&s));
    s.moved = 1; /* no bytes are counted in the first half */
    assert_false(stage_valid(&s));
    s.late = 1;
    assert_true(stage_valid(&s));
    s.deadline = IOTHUB_NEVER; /* a stage without a limit has no halves */
    assert_false(stage_valid(&s));
    stage_set_deadline(&s, IOTHUB_NEVER);
    assert_true(stage_valid(&s));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_has_all_its_time_or_half_of_it_before_the_first_look),
        cmocka_unit_test(a_budget_of_zero_means_forever),
        cmocka_unit_test(a_deadline_of_its_own_replaces_that_of_the_budget),
        cmocka_unit_test(the_second_half_comes_whatever_has_moved),
        cmocka_unit_test(fifty_bytes_a_second_buy_half_of_the_time_again),
        cmocka_unit_test(the_count_of_bytes_may_start_again),
        cmocka_unit_test(all_patience_ends),
        cmocka_unit_test(a_stage_that_begins_again_has_its_first_half_again),
#ifndef NDEBUG
        cmocka_unit_test(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
