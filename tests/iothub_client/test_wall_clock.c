#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/wall_clock.h"
#include "fake_clock.h"

static const int64_t FIRST_SET = 1672531200; /* 2023-01-01 */
static const int64_t LAST = 253402300799;    /* the end of the year 9999 */

static fake_clock clock_at(int64_t wall_s)
{
    fake_clock c;
    fake_clock_init(&c, 10000, wall_s);
    return c;
}

static void the_time_ends_with_the_year_9999(void **state)
{
    (void)state;
    static const struct {
        int64_t system_s;
        int64_t s;
    } cases[] = {
        { 0, 0 },
        { 1, 1 },
        { -1, 0 },
        { 1700000000, 1700000000 },
        { LAST, LAST },
        { LAST + 1, LAST },
        { LAST - 1, LAST - 1 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_clock c = clock_at(1);
        c.wall_ms = cases[i].system_s * 1000;
        assert_int_equal(wall_clock_s(&c.base), cases[i].s);
    }
}

static void a_clock_before_2023_was_never_set(void **state)
{
    (void)state;
    assert_false(wall_clock_is_set(0));
    assert_false(wall_clock_is_set(FIRST_SET - 1));
    assert_true(wall_clock_is_set(FIRST_SET));
    assert_true(wall_clock_is_set(LAST));
}

static void the_offset_stays_while_both_clocks_run(void **state)
{
    (void)state;
    fake_clock c = clock_at(1700000000);
    const int64_t offset = wall_clock_offset_s(&c.base);

    assert_int_equal(offset, 1700000000 - 10);
    for (int i = 0; i < 100; i++) {
        fake_clock_advance(&c, 1000);
        assert_int_equal(wall_clock_offset_s(&c.base), offset);
        assert_false(wall_clock_moved(&c.base, offset));
    }
}

static void a_clock_that_is_not_set_has_no_offset(void **state)
{
    (void)state;
    static const int64_t unset[] = { 0, 1, FIRST_SET - 1, LAST, LAST + 5 };

    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++) {
        fake_clock c = clock_at(unset[i]);
        assert_true(wall_clock_offset_s(&c.base) == INT64_MIN);
    }
}

static void more_than_five_seconds_are_a_step(void **state)
{
    (void)state;
    for (int64_t by = -10; by <= 10; by++) {
        fake_clock c = clock_at(1700000000);
        const int64_t offset = wall_clock_offset_s(&c.base);
        fake_clock_set_wall(&c, 1700000000 + by);
        assert_int_equal(wall_clock_moved(&c.base, offset), by < -5 || by > 5);
    }
}

static void a_clock_that_becomes_set_has_moved_and_one_that_is_lost_has_not(void **state)
{
    (void)state;
    fake_clock c = clock_at(0);

    assert_false(wall_clock_moved(&c.base, INT64_MIN));
    fake_clock_set_wall(&c, 1700000000);
    assert_true(wall_clock_moved(&c.base, INT64_MIN));
    const int64_t offset = wall_clock_offset_s(&c.base);
    fake_clock_set_wall(&c, 0);
    assert_false(wall_clock_moved(&c.base, offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_ends_with_the_year_9999),
        cmocka_unit_test(a_clock_before_2023_was_never_set),
        cmocka_unit_test(the_offset_stays_while_both_clocks_run),
        cmocka_unit_test(a_clock_that_is_not_set_has_no_offset),
        cmocka_unit_test(more_than_five_seconds_are_a_step),
        cmocka_unit_test(a_clock_that_becomes_set_has_moved_and_one_that_is_lost_has_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
