#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/renewal.h"
#include "fake_platform.h"

/* Tests the decisions of a renewal on its struct alone. */

static void the_first_patience_counts_unless_a_later_one_is_shorter(void **state)
{
    (void)state;
    iothub_renewal r = { 0 };

    renewal_begin(&r, 5000, 1000);
    assert_true(r.due && r.switch_by == 6000);
    renewal_begin(&r, 100000, 2000);
    assert_true(r.switch_by == 6000);
    renewal_hurry(&r, 2000);
    assert_true(r.urgent && r.switch_by == 5000);
    renewal_reset(&r);
    assert_false(r.due || r.urgent);
}

static void with_overlap_the_spare_opens_first_and_work_postpones_its_beginning(void **state)
{
    (void)state;
    static const struct {
        channel_state spare;
        bool busy, urgent;
        renewal_step step;
    } cases[] = {
        { CHANNEL_CLOSED, false, false, RENEWAL_OPEN },
        { CHANNEL_CLOSED, true, false, RENEWAL_WAIT },
        { CHANNEL_CLOSED, true, true, RENEWAL_OPEN },
        { CHANNEL_RESOLVING, false, true, RENEWAL_WAIT },
        { CHANNEL_SECURING, false, false, RENEWAL_WAIT },
        { CHANNEL_OPEN, false, false, RENEWAL_LEAVE },
        { CHANNEL_OPEN, true, false, RENEWAL_WAIT },
        { CHANNEL_OPEN, true, true, RENEWAL_WAIT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_renewal r = { .due = true, .switch_by = 3000, .urgent = cases[i].urgent };
        assert_int_equal(renewal_next(&r, true, cases[i].spare, cases[i].busy, 2999),
                         cases[i].step);
        /* After this time, open work does not postpone it any more. */
        assert_int_equal(renewal_next(&r, true, cases[i].spare, cases[i].busy, 3000),
                         cases[i].spare == CHANNEL_CLOSED ? RENEWAL_OPEN
                         : cases[i].spare == CHANNEL_OPEN ? RENEWAL_LEAVE
                                                          : RENEWAL_WAIT);
    }
}

static void without_overlap_it_leaves_as_soon_as_nothing_postpones_it(void **state)
{
    (void)state;
    iothub_renewal r = { .due = true, .switch_by = 3000 };

    assert_int_equal(renewal_next(&r, false, CHANNEL_CLOSED, true, 1000), RENEWAL_WAIT);
    assert_int_equal(renewal_next(&r, false, CHANNEL_CLOSED, false, 1000), RENEWAL_LEAVE);
    renewal_put_off(&r, 2000);
    assert_true(renewal_deadline(&r) == 2000);
    assert_int_equal(renewal_next(&r, false, CHANNEL_CLOSED, false, 1999), RENEWAL_WAIT);
    assert_int_equal(renewal_next(&r, false, CHANNEL_CLOSED, true, 2000), RENEWAL_WAIT);
    assert_true(renewal_deadline(&r) ==
                3000); /* not a deadline in the past, which would prevent any sleep */
    assert_int_equal(renewal_next(&r, false, CHANNEL_CLOSED, false, 2000), RENEWAL_LEAVE);
}

static void a_spare_that_fails_is_tried_again_after_a_back_off_whatever_work_there_is(void **state)
{
    (void)state;
    fake_platform platform;
    iothub_options o;
    fake_platform_init(&platform);
    iothub_options_init(&o);
    o.platform = &platform.platform;
    iothub_renewal r = { .due = true, .switch_by = 900000 };
    uint64_t longest = 0;

    for (uint32_t n = 1; n <= 10; n++) {
        renewal_on_failure(&r, &o, IOTHUB_ERR_TIMEOUT, 0, 1000);
        assert_int_equal(r.failures, n);
        assert_in_range(r.retry_at - 1000, 1, o.retry_max_ms);
        longest = r.retry_at - 1000 > longest ? r.retry_at - 1000 : longest;
        assert_true(renewal_deadline(&r) == r.retry_at);
        assert_int_equal(renewal_next(&r, true, CHANNEL_CLOSED, true, r.retry_at - 1),
                         RENEWAL_WAIT);
        assert_int_equal(renewal_next(&r, true, CHANNEL_CLOSED, true, r.retry_at), RENEWAL_OPEN);
    }
    assert_true(longest > o.retry_min_ms);
    renewal_on_failure(&r, &o, IOTHUB_ERR_TIMEOUT, 0, 1000);
    renewal_hurry(&r, 1001); /* ends the delay */
    assert_int_equal(renewal_next(&r, true, CHANNEL_CLOSED, true, 1001), RENEWAL_OPEN);
    fake_platform_free(&platform);
}

#ifndef NDEBUG
static void the_check_sees_what_is_left_of_one_that_is_not_due(void **state)
{
    (void)state;
    const iothub_renewal bad[] = {
        { .urgent = true }, { .failures = 1 }, { .retry_at = 1 }, { .switch_by = 1 }
    };

    assert_true(renewal_valid(&(iothub_renewal){ 0 }));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        iothub_renewal due = bad[i];
        due.due = true;
        assert_true(renewal_valid(&due));
        assert_false(renewal_valid(&bad[i]));
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_patience_counts_unless_a_later_one_is_shorter),
        cmocka_unit_test(with_overlap_the_spare_opens_first_and_work_postpones_its_beginning),
        cmocka_unit_test(without_overlap_it_leaves_as_soon_as_nothing_postpones_it),
        cmocka_unit_test(a_spare_that_fails_is_tried_again_after_a_back_off_whatever_work_there_is),
#ifndef NDEBUG
        cmocka_unit_test(the_check_sees_what_is_left_of_one_that_is_not_due),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
