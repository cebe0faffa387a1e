#include <stdio.h>

#include "context/result_map.h"
#include "engine_fixture.h"
#include "fake_store.h"
#include "telemetry/backlog.h"

/* Tests the part of stored telemetry with its own struct only. */

enum { LANE_MAX = 4, SLOTS = 16, AT_ONCE = 64 };

static engine_fixture f;
static fake_store store;
static backlog part;
static in_lane slots[SLOTS];

static void on_event(engine_fixture *fixture, const mqc_event *event)
{
    (void)fixture;
    if (event->type == MQC_EVENT_DONE) {
        backlog_on_done(&part, &event->u.done, iothub_from_outcome(event->u.done.outcome));
    }
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_init(&f);
    fake_store_init(&store);
    f.base.context.options.store = &store.base;
    f.on_event = on_event;
    backlog_init(&part, &f.base.context);
    backlog_open(&part, slots, sizeof slots, LANE_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_store_free(&store);
    engine_fixture_free(&f);
    return 0;
}

static void append(unsigned count, uint32_t ttl_ms)
{
    iothub_context *c = &f.base.context;

    for (unsigned n = 0; n < count; n++) {
        const iothub_op op = context_next_op(c);
        const mqc_outgoing m = {
            .topic = mqc_span_of(context_events(c), c->events_len),
            .payload = MQC_SPAN_LIT("body"),
            .qos = 1,
            .lane = IOTHUB_LANE_TELEMETRY,
            .id = op,
        };
        assert_int_equal(backlog_append(&part, &m, ttl_ms), PLAT_OK);
        context_take_op(c, op, NULL);
    }
}

static void feed(void)
{
    backlog_feed(&part, false, engine_fixture_now(&f));
}

static void records_pass_through_the_lane_in_order_and_leave_the_store(void **state)
{
    (void)state;
    append(10, 0);
    feed(); /* passes nothing on, because there is no connection */
    assert_int_equal(part.in_lane, 0);
    engine_fixture_connect(&f);
    for (uint64_t left = 10; left > 0; left -= left < LANE_MAX ? left : LANE_MAX) {
        assert_int_equal(part.open, left);
        assert_int_equal(fake_store_count(&store), left);
        assert_true(backlog_wants_turn(&part, false));
        feed();
        assert_int_equal(part.in_lane, left < LANE_MAX ? left : LANE_MAX);
        engine_fixture_run(&f);
        assert_int_equal(part.in_lane, 0);
    }
    assert_int_equal(f.done_count, 10);
    for (unsigned n = 0; n < 10; n++) {
        assert_int_equal(f.dones[n].op, n + 1);
        assert_int_equal(f.dones[n].result, IOTHUB_OK);
    }
    assert_int_equal(part.ends.acknowledged, 10);
    assert_int_equal(part.stored, 10);
    assert_int_equal(part.open, 0);
}

/* The end of a long queue of expired messages must not keep a turn from its other work. */
static void one_call_gives_up_no_more_than_64_records(void **state)
{
    (void)state;
    append(AT_ONCE + 6, 1);
    fake_clock_advance(&f.base.platform.clock, 10);
    engine_fixture_connect(&f);
    (void)context_begin_turn(&f.base.context);
    context_end_turn(&f.base.context);
    feed();
    assert_int_equal(part.open, 6);
    assert_true(f.base.context.poked); /* another turn was requested for the rest */
    (void)context_begin_turn(&f.base.context);
    context_end_turn(&f.base.context);
    feed();
    assert_int_equal(part.open, 0);
    assert_false(f.base.context.poked);
    assert_int_equal(part.ends.expired, AT_ONCE + 6);
    assert_int_equal(f.done_count, AT_ONCE + 6);
}

static void exactly_64_records_are_given_up_in_one_call(void **state)
{
    (void)state;
    append(AT_ONCE, 1);
    fake_clock_advance(&f.base.platform.clock, 10);
    /* Gives up expired records without sending anything. */
    backlog_on_time(&part, false, engine_fixture_now(&f));
    assert_int_equal(part.open, 0);
    f.done_count = 0;
    append(AT_ONCE + 1, 1);
    fake_clock_advance(&f.base.platform.clock, 10);
    backlog_on_time(&part, false, engine_fixture_now(&f));
    assert_int_equal(part.open, 1);
    assert_int_equal(backlog_deadline(&part, false), 0); /* the rest is due now */
    backlog_on_time(&part, false, engine_fixture_now(&f));
    assert_int_equal(part.open, 0);
}

static void a_purge_drops_what_waits_and_keeps_what_is_on_its_way(void **state)
{
    (void)state;
    append(10, 0);
    engine_fixture_connect(&f);
    f.hub.mute_publish = true;
    feed();
    engine_fixture_run(&f);
    assert_int_equal(backlog_purge(&part), 10 - LANE_MAX);
    assert_int_equal(backlog_purge(&part), 0); /* the messages were dropped before */
    append(2, 0);
    backlog_on_time(&part, false, engine_fixture_now(&f));
    assert_int_equal(part.ends.dropped, 10 - LANE_MAX);
    assert_int_equal(part.open, LANE_MAX + 2);
    f.hub.mute_publish = false;
    for (unsigned n = 0; n < LANE_MAX; n++) {
        fake_hub_ack(&f.hub, f.wire, n);
    }
    engine_fixture_run(&f);
    feed();
    engine_fixture_run(&f);
    assert_int_equal(part.ends.acknowledged, LANE_MAX + 2);
    assert_int_equal(part.open, 0);
}

static void records_of_an_earlier_run_are_found_and_not_reported(void **state)
{
    (void)state;
    append(3, 0);
    backlog_init(&part, &f.base.context); /* begins the next run of the program */
    backlog_open(&part, slots, sizeof slots, LANE_MAX);
    assert_int_equal(part.found, 3);
    assert_int_equal(part.open, 3);
    append(1, 0);
    engine_fixture_connect(&f);
    feed();
    engine_fixture_run(&f);
    assert_int_equal(part.ends.acknowledged, 4);
    assert_int_equal(f.done_count, 1);
}

#ifndef NDEBUG
#define BROKEN(member, delta)                                      \
    do {                                                           \
        backlog b = part;                                          \
        assert_true(backlog_valid(&b));                            \
        b.member += (__typeof__(b.member))(delta);                 \
        if (backlog_valid(&b)) {                                   \
            fail_msg("%s %+d is not seen", #member, (int)(delta)); \
        }                                                          \
    } while (0)

static void each_counter_that_is_wrong_is_seen(void **state)
{
    (void)state;
    append(12, 0);
    engine_fixture_connect(&f);
    feed();
    engine_fixture_run(&f);
    f.hub.mute_publish = true;
    feed();
    engine_fixture_run(&f);
    assert_int_equal(part.in_lane, LANE_MAX);
    (void)backlog_purge(&part);

    for (int delta = -1; delta <= 1; delta += 2) {
        BROKEN(open, delta);
        BROKEN(stored, delta);
        BROKEN(found, delta);
        BROKEN(ends.acknowledged, delta);
        BROKEN(ends.expired, delta);
        BROKEN(ends.dropped, delta);
        BROKEN(ends.cancelled, delta);
        BROKEN(ends.kept, delta);
    }
    BROKEN(in_lane, 1); /* more than lane_max */
    BROKEN(lane_max, -1);
    BROKEN(purging, 1);                                         /* more records than are waiting */
    BROKEN(purge_begin, part.purge_end - part.purge_begin + 1); /* begins behind its end */
    BROKEN(purge_end, -(int64_t)part.purge_end); /* a purge that ends before record 1 */
    BROKEN(table.free, 5);                       /* the number of a slot that was never used */
    BROKEN(health.failures, 1);                  /* failures of a store that works */
}

static void without_a_store_there_are_no_records(void **state)
{
    (void)state;
    f.base.context.options.store = NULL;
    backlog_init(&part, &f.base.context);
    BROKEN(open, 1);
    BROKEN(stored, 1);
    BROKEN(found, 1);
    BROKEN(in_lane, 1);
    part.ends.acknowledged = 7; /* counts messages that were in no store */
    assert_true(backlog_valid(&part));
    f.base.context.options.store = &store.base;
}
#endif

#define WITH_PART(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PART(records_pass_through_the_lane_in_order_and_leave_the_store),
        WITH_PART(one_call_gives_up_no_more_than_64_records),
        WITH_PART(exactly_64_records_are_given_up_in_one_call),
        WITH_PART(a_purge_drops_what_waits_and_keeps_what_is_on_its_way),
        WITH_PART(records_of_an_earlier_run_are_found_and_not_reported),
#ifndef NDEBUG
        WITH_PART(each_counter_that_is_wrong_is_seen),
        WITH_PART(without_a_store_there_are_no_records),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
