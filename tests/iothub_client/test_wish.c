#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connection/wish.h"

/* Tests the outcome of iothub_start and iothub_stop for each wish that was pending before. */

static void a_start_is_refused_when_it_is_the_last_wish_or_the_client_runs(void **state)
{
    (void)state;
    static const struct {
        iothub_wish_kind before;
        bool stopped;
        iothub_wish_kind after;
        const char *refusal; /* NULL: none */
    } cases[] = {
        { IOTHUB_WISH_NONE, true, IOTHUB_WISH_START, NULL },
        { IOTHUB_WISH_NONE, false, IOTHUB_WISH_NONE, "once is enough" },
        { IOTHUB_WISH_START, true, IOTHUB_WISH_START, "the next iothub_process begins" },
        { IOTHUB_WISH_STOP, false, IOTHUB_WISH_STOP_START, NULL },
        { IOTHUB_WISH_STOP, true, IOTHUB_WISH_STOP_START, NULL },
        { IOTHUB_WISH_START_STOP, true, IOTHUB_WISH_START, NULL },
        { IOTHUB_WISH_STOP_START, false, IOTHUB_WISH_STOP_START, "the next iothub_process begins" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_wish w = { .kind = cases[i].before };
        const char *refusal = wish_start(&w, cases[i].stopped);
        assert_int_equal(w.kind, cases[i].after);
        assert_int_equal(refusal != NULL, cases[i].refusal != NULL);
        if (refusal != NULL) {
            assert_non_null(strstr(refusal, cases[i].refusal));
        }
    }
}

static void a_stop_cancels_a_later_start_and_follows_an_earlier_one(void **state)
{
    (void)state;
    static const iothub_wish_kind after[] = {
        [IOTHUB_WISH_NONE] = IOTHUB_WISH_STOP,
        [IOTHUB_WISH_START] = IOTHUB_WISH_START_STOP,
        [IOTHUB_WISH_STOP] = IOTHUB_WISH_STOP,
        [IOTHUB_WISH_START_STOP] = IOTHUB_WISH_START_STOP,
        [IOTHUB_WISH_STOP_START] = IOTHUB_WISH_STOP,
    };

    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        iothub_wish w = { .kind = (iothub_wish_kind)i, .stop_at = i < IOTHUB_WISH_STOP ? 0 : 5 };
        wish_stop(&w, 77);
        assert_int_equal(w.kind, after[i]);
        assert_true(w.stop_at == 77);
    }
}

static void a_start_is_taken_once_and_leaves_the_stop_behind_it(void **state)
{
    (void)state;
    static const struct {
        iothub_wish_kind before;
        bool taken;
        iothub_wish_kind after;
    } cases[] = {
        { IOTHUB_WISH_NONE, false, IOTHUB_WISH_NONE },
        { IOTHUB_WISH_START, true, IOTHUB_WISH_NONE },
        { IOTHUB_WISH_STOP, false, IOTHUB_WISH_STOP },
        { IOTHUB_WISH_START_STOP, true, IOTHUB_WISH_STOP },
        { IOTHUB_WISH_STOP_START, false, IOTHUB_WISH_STOP_START },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_wish w = { .kind = cases[i].before };
        assert_int_equal(wish_take_start(&w), cases[i].taken);
        assert_int_equal(w.kind, cases[i].after);
        assert_false(wish_take_start(&w));
    }
}

static void a_client_that_has_stopped_keeps_only_the_wish_to_start_again(void **state)
{
    (void)state;
    for (int kind = IOTHUB_WISH_NONE; kind <= IOTHUB_WISH_STOP_START; kind++) {
        iothub_wish w = { .kind = (iothub_wish_kind)kind };
        const bool stops = kind == IOTHUB_WISH_STOP || kind == IOTHUB_WISH_STOP_START;
        assert_int_equal(wish_is_stop(&w), stops);
        wish_on_stopped(&w);
        assert_int_equal(w.kind,
                         kind == IOTHUB_WISH_STOP_START ? IOTHUB_WISH_START : IOTHUB_WISH_NONE);
    }
}

/* A stop that was cancelled or carried out leaves no deadline behind. */
static void the_time_of_a_stop_ends_with_the_stop(void **state)
{
    (void)state;
    iothub_wish w = { .kind = IOTHUB_WISH_START_STOP, .stop_at = 77 };

    assert_null(wish_start(&w, true));
    assert_true(w.stop_at == 0);
    w = (iothub_wish){ .kind = IOTHUB_WISH_START_STOP, .stop_at = 77 };
    assert_true(wish_take_start(&w)); /* the stop follows after the start */
    assert_true(w.stop_at == 77);
    wish_on_stopped(&w);
    assert_true(w.stop_at == 0);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    for (int kind = IOTHUB_WISH_NONE; kind <= IOTHUB_WISH_STOP_START + 1; kind++) {
        iothub_wish w = { .kind = (iothub_wish_kind)kind };
        assert_int_equal(wish_valid(&w), kind <= IOTHUB_WISH_STOP_START);
        w.stop_at = 1;
        assert_int_equal(wish_valid(&w),
                         kind >= IOTHUB_WISH_STOP && kind <= IOTHUB_WISH_STOP_START);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_refused_when_it_is_the_last_wish_or_the_client_runs),
        cmocka_unit_test(a_stop_cancels_a_later_start_and_follows_an_earlier_one),
        cmocka_unit_test(a_start_is_taken_once_and_leaves_the_stop_behind_it),
        cmocka_unit_test(a_client_that_has_stopped_keeps_only_the_wish_to_start_again),
        cmocka_unit_test(the_time_of_a_stop_ends_with_the_stop),
#ifndef NDEBUG
        cmocka_unit_test(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
