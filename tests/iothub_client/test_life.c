#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/life.h"

enum { STATES = IOTHUB_PROVISIONING + 1, INPUTS = LIFE_STOP + 1 };

/* Short names, so that the table fits the width of a page. */
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
    WAI = IOTHUB_WAITING,
    PRO = IOTHUB_PROVISIONING
};

/* clang-format off */
static const int table[STATES][INPUTS] = {
    /*        START SEARC FOUND RESOL REACH  UP   CONNA SUBAC RENEW LOST  DEADL LEFT  GIVE  STOP */
    [STO] = { RES,  PRO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO,  STO },
    [RES] = { RES,  RES,  RES,  CON,  SEC,  LOG,  RES,  RES,  RES,  WAI,  WAI,  RES,  STO,  STO },
    [CON] = { CON,  CON,  CON,  CON,  SEC,  LOG,  CON,  CON,  CON,  WAI,  WAI,  CON,  STO,  STO },
    [SEC] = { SEC,  SEC,  SEC,  SEC,  SEC,  LOG,  SEC,  SEC,  SEC,  WAI,  WAI,  SEC,  STO,  STO },
    [LOG] = { LOG,  LOG,  LOG,  LOG,  LOG,  LOG,  SUB,  LOG,  LOG,  WAI,  WAI,  LOG,  STO,  END },
    [SUB] = { SUB,  SUB,  SUB,  SUB,  SUB,  SUB,  SUB,  UP_,  SUB,  WAI,  WAI,  SUB,  STO,  END },
    [UP_] = { UP_,  UP_,  UP_,  UP_,  UP_,  UP_,  UP_,  UP_,  REN,  WAI,  WAI,  UP_,  STO,  END },
    [REN] = { REN,  REN,  REN,  REN,  REN,  REN,  REN,  REN,  REN,  RES,  RES,  RES,  REN,  END },
    [END] = { END,  END,  END,  END,  END,  END,  END,  END,  END,  STO,  STO,  STO,  END,  END },
    [PRO] = { PRO,  PRO,  RES,  PRO,  PRO,  PRO,  PRO,  PRO,  PRO,  WAI,  WAI,  PRO,  STO,  STO },
    [WAI] = { RES,  PRO,  WAI,  WAI,  WAI,  WAI,  WAI,  WAI,  WAI,  WAI,  RES,  WAI,  WAI,  STO },
};
/* clang-format on */

/* If a new connection is already being opened, it replaces a connection that ends. */
static int expected(int s, int in, int spare)
{
    bool on_its_way = spare == RES || spare == CON || spare == SEC || spare == LOG;
    bool ends = (s == UP_ && in == LIFE_LOST) || (s == REN && table[s][in] == RES);

    return on_its_way && ends ? spare : table[s][in];
}

static void each_state_answers_each_input_as_the_table_says(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        for (int in = 0; in < INPUTS; in++) {
            for (int spare = 0; spare < STATES; spare++) {
                int next = (int)life_next((iothub_state)s, (life_input)in, (iothub_state)spare);
                if (next != expected(s, in, spare)) {
                    fail_msg("state %d, input %d, spare %d: %d", s, in, spare, next);
                }
            }
        }
    }
}

static void a_spare_goes_no_further_than_an_open_stream(void **state)
{
    (void)state;
    static const life_input inputs[] = { LIFE_START,     LIFE_RESOLVED, LIFE_REACHED,
                                         LIFE_STREAM_UP, LIFE_LOST,     LIFE_DEADLINE };

    for (int s = 0; s < STATES; s++) {
        assert_int_equal(life_is_opening((iothub_state)s), s >= RES && s <= LOG);
        for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
            int next = (int)life_next((iothub_state)s, inputs[i], IOTHUB_STOPPED);
            assert_true((s > LOG && s != WAI) || next <= LOG || next == WAI);
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
            left = left ||
                   life_next((iothub_state)s, (life_input)in, IOTHUB_STOPPED) != (iothub_state)s;
            for (int from = 0; from < STATES; from++) {
                reached = reached ||
                          (from != s &&
                           (int)life_next((iothub_state)from, (life_input)in, IOTHUB_STOPPED) == s);
            }
        }
        assert_true(left);
        assert_true(reached);
    }
}

static void stop_and_then_any_end_leads_to_stopped(void **state)
{
    (void)state;
    static const life_input ends[] = { LIFE_LEFT, LIFE_LOST, LIFE_DEADLINE };

    for (int s = 0; s < STATES; s++) {
        iothub_state next = life_next((iothub_state)s, LIFE_STOP, IOTHUB_STOPPED);
        if (next == IOTHUB_STOPPED) {
            continue;
        }
        assert_int_equal(next, IOTHUB_STOPPING);
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            assert_int_equal(life_next(next, ends[i], IOTHUB_STOPPED), IOTHUB_STOPPED);
        }
    }
}

static void nothing_but_a_start_or_a_search_leaves_stopped(void **state)
{
    (void)state;
    for (int in = 0; in < INPUTS; in++) {
        bool leaves = life_next(IOTHUB_STOPPED, (life_input)in, IOTHUB_STOPPED) != IOTHUB_STOPPED;
        assert_int_equal(leaves, in == LIFE_START || in == LIFE_SEARCH);
    }
}

static void a_deadline_ends_each_state_that_may_have_one(void **state)
{
    (void)state;
    for (int s = IOTHUB_RESOLVING; s < STATES; s++) {
        assert_int_not_equal(life_next((iothub_state)s, LIFE_DEADLINE, IOTHUB_STOPPED), s);
    }
}

static void bytes_flow_from_login_to_the_end(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        bool expected = s == LOG || s == SUB || s == UP_ || s == REN || s == END;
        assert_int_equal(life_has_stream((iothub_state)s), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_answers_each_input_as_the_table_says),
        cmocka_unit_test(a_spare_goes_no_further_than_an_open_stream),
        cmocka_unit_test(each_state_can_be_left_and_reached),
        cmocka_unit_test(stop_and_then_any_end_leads_to_stopped),
        cmocka_unit_test(nothing_but_a_start_or_a_search_leaves_stopped),
        cmocka_unit_test(a_deadline_ends_each_state_that_may_have_one),
        cmocka_unit_test(bytes_flow_from_login_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
