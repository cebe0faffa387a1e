#include "engine_valid.h"
#include "rig.h"

/* Tests of the valid check, which compares the parts of an engine with each other. */

#ifndef NDEBUG

static void connected(rig *r)
{
    rig_init(r, NULL);
    rig_connect(r, true, false);
    (void)rig_publish(r, 0, 1, 1, 5);
    rig_send_all(r);
    assert_true(mqc_engine_valid(&r->e));
}

#define BREAK(statement)                          \
    do {                                          \
        rig r;                                    \
        connected(&r);                            \
        mqc_engine *const e = &r.e;               \
        statement;                                \
        if (mqc_engine_valid(e)) {                \
            fail_msg("not seen: %s", #statement); \
        }                                         \
        rig_deinit(&r);                           \
    } while (0)

static void what_does_not_fit_together_is_seen(void **state)
{
    (void)state;
    BREAK(e->connection.state = MQC_FAILED);
    BREAK(e->connection.state = MQC_FAILED + 1);
    BREAK(e->connection.error = MQC_ERR_TIMEOUT);
    BREAK(e->connection.state = MQC_IDLE); /* wrong, because a publish is in flight */
    BREAK(e->lane_count = 0);
    BREAK(e->lane_count = MQC_LANES_MAX + 1);
    BREAK(e->tx.lane = e->lanes + 1);
    BREAK(e->lanes[0].number = 1);
    BREAK(e->in.end = e->in.cap + 1);
    BREAK(e->in.start = e->in.end + 1);
    BREAK(e->in.phase = 2);
    BREAK(e->in.flow = 3);
    BREAK(e->requests.pending[1].packet_id = 1);
    BREAK(e->waits.request_at = 1);
    BREAK(e->keep_alive.ping = 5);
    BREAK(e->keep_alive.ping_ahead = 1);
}

static void what_a_part_sees_is_seen(void **state)
{
    (void)state;
    BREAK(e->control.end = e->control.cap + 1);
    BREAK(e->inbox.acked = 1);
    BREAK(e->pubrel_chain.first = e->lanes[0].entries);
    BREAK(e->low_water.backoff_shift = 0);
    BREAK(e->round_trip.mean = UINT32_MAX);
    BREAK(e->lanes[0].window.used++);
}

#define TESTS \
    cmocka_unit_test(what_does_not_fit_together_is_seen), cmocka_unit_test(what_a_part_sees_is_seen)

#else

static void this_build_leaves_the_check_out(void **state)
{
    (void)state;
    skip();
}

#define TESTS cmocka_unit_test(this_build_leaves_the_check_out)

#endif

int main(void)
{
    const struct CMUnitTest tests[] = { TESTS };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
