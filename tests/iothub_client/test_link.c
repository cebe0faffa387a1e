#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link.h"

enum { STATES = IOTHUB_WAITING + 1, INPUTS = LINK_IN_STOP + 1 };

/* Short names make the table fit the page. */
enum {
    STO = IOTHUB_STOPPED,
    RES = IOTHUB_RESOLVING,
    CON = IOTHUB_CONNECTING,
    SEC = IOTHUB_SECURING,
    LOG = IOTHUB_LOGGING_IN,
    SUB = IOTHUB_SUBSCRIBING,
    UP_ = IOTHUB_CONNECTED,
    REN = IOTHUB_RENEWING,
    END = IOTHUB_STOPPING,
    WAI = IOTHUB_WAITING
};

/* clang-format off */
static const int table[STATES][INPUTS] = {
    /*        START RESOL REACH  UP   CONNA SUBAC RENEW LOST  DEADL LEFT  STOP */
    [STO] = { RES,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO },
    [RES] = { RES,  CON,  SEC,  LOG,  RES,  RES,  RES,  WAI,  WAI,  RES,  STO },
    [CON] = { CON,  CON,  SEC,  LOG,  CON,  CON,  CON,  WAI,  WAI,  CON,  STO },
    [SEC] = { SEC,  SEC,  SEC,  LOG,  SEC,  SEC,  SEC,  WAI,  WAI,  SEC,  STO },
    [LOG] = { LOG,  LOG,  LOG,  LOG,  SUB,  LOG,  LOG,  WAI,  WAI,  LOG,  END },
    [SUB] = { SUB,  SUB,  SUB,  SUB,  SUB,  UP_,  SUB,  WAI,  WAI,  SUB,  END },
    [UP_] = { UP_,  UP_,  UP_,  UP_,  UP_,  UP_,  REN,  WAI,  WAI,  UP_,  END },
    [REN] = { REN,  REN,  REN,  REN,  REN,  REN,  REN,  RES,  RES,  RES,  END },
    [END] = { END,  END,  END,  END,  END,  END,  END,  STO,  STO,  STO,  END },
    [WAI] = { RES,  WAI,  WAI,  WAI,  WAI,  WAI,  WAI,  WAI,  RES,  WAI,  STO },
};
/* clang-format on */

static void each_state_answers_each_input_as_the_table_says(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        for (int in = 0; in < INPUTS; in++) {
            int next = (int)link_next((iothub_state)s, (link_input)in);
            if (next != table[s][in]) {
                fail_msg("state %d, input %d: %d instead of %d", s, in, next, table[s][in]);
            }
        }
    }
}

static void each_state_can_be_left_and_reached(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        bool left = false;
        bool reached = false;
        for (int in = 0; in < INPUTS; in++) {
            left = left || link_next((iothub_state)s, (link_input)in) != (iothub_state)s;
            for (int from = 0; from < STATES; from++) {
                reached = reached ||
                          (from != s && (int)link_next((iothub_state)from, (link_input)in) == s);
            }
        }
        assert_true(left);
        assert_true(reached);
    }
}

static void stop_and_then_any_end_leads_to_stopped(void **state)
{
    (void)state;
    static const link_input ends[] = { LINK_IN_LEFT, LINK_IN_LOST, LINK_IN_DEADLINE };

    for (int s = 0; s < STATES; s++) {
        iothub_state next = link_next((iothub_state)s, LINK_IN_STOP);
        if (next == IOTHUB_STOPPED) {
            continue;
        }
        assert_int_equal(next, IOTHUB_STOPPING);
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            assert_int_equal(link_next(next, ends[i]), IOTHUB_STOPPED);
        }
    }
}

static void nothing_but_a_start_leaves_stopped(void **state)
{
    (void)state;
    for (int in = 0; in < INPUTS; in++) {
        bool leaves = link_next(IOTHUB_STOPPED, (link_input)in) != IOTHUB_STOPPED;
        assert_int_equal(leaves, in == LINK_IN_START);
    }
}

static void a_deadline_ends_each_state_that_may_have_one(void **state)
{
    (void)state;
    for (int s = IOTHUB_RESOLVING; s < STATES; s++) {
        assert_int_not_equal(link_next((iothub_state)s, LINK_IN_DEADLINE), s);
    }
}

static void bytes_flow_from_login_to_the_end(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        bool expected = s == LOG || s == SUB || s == UP_ || s == REN || s == END;
        assert_int_equal(link_has_stream((iothub_state)s), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_answers_each_input_as_the_table_says),
        cmocka_unit_test(each_state_can_be_left_and_reached),
        cmocka_unit_test(stop_and_then_any_end_leads_to_stopped),
        cmocka_unit_test(nothing_but_a_start_leaves_stopped),
        cmocka_unit_test(a_deadline_ends_each_state_that_may_have_one),
        cmocka_unit_test(bytes_flow_from_login_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
