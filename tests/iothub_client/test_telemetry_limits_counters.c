#include "engine_fixture.h"
#include "telemetry/telemetry_limits.h"

/* Tests the part of the limits with its own struct only, for messages in RAM. */

static engine_fixture f;
static telemetry_limits part;
static unsigned ended[MQC_OUTCOME_DROPPED + 1];

static void on_event(engine_fixture *fixture, const mqc_event *event)
{
    (void)fixture;
    if (event->type == MQC_EVENT_DONE) {
        limits_on_done(&part, &event->u.done);
        ended[event->u.done.outcome]++;
    }
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_init(&f);
    f.base.context.options.tx_size = ENGINE_FIXTURE_RING;
    f.on_event = on_event;
    memset(ended, 0, sizeof ended);
    memset(&part, 0, sizeof part);
    limits_init(&part, &f.base.context);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_free(&f);
    return 0;
}

static iothub_result put(uint32_t ttl_ms)
{
    const iothub_context *c = &f.base.context;
    mqc_outgoing m = {
        .topic = mqc_span_of(context_events(c), c->events_len),
        .payload = MQC_SPAN_LIT("body"),
        .qos = 1,
        .lane = IOTHUB_LANE_TELEMETRY,
    };

    return limits_put(&part, &m, ttl_ms);
}

static void put_all(unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        assert_int_equal(put(0), IOTHUB_OK);
    }
}

static void a_full_queue_refuses_or_drops_one_for_one(void **state)
{
    (void)state;
    f.base.context.options.queue_max_count = 3;
    put_all(3);
    assert_int_equal(put(0), IOTHUB_ERR_NO_SPACE);
    assert_int_equal(part.dropping, 0);
    assert_int_equal(limits_waiting(&part), 3);
    f.base.context.options.when_full = IOTHUB_DROP_OLDEST;
    put_all(2);
    assert_int_equal(part.dropping, 2);
    assert_int_equal(limits_waiting(&part) - part.dropping, 3);
    engine_fixture_connect(&f); /* the connection makes the client report the ends */
    assert_int_equal(part.dropping, 0);
    assert_int_equal(ended[MQC_OUTCOME_DROPPED], 2);
    assert_int_equal(ended[MQC_OUTCOME_ACKED], 3);
    assert_int_equal(limits_waiting(&part), 0);
    assert_int_equal(limits_bytes(&part), 0);
}

static void the_longest_age_limits_every_time_to_live(void **state)
{
    (void)state;
    static const struct {
        uint32_t age_s, ttl_ms;
        uint64_t lasts_ms; /* time until the message expires; 0: never */
    } cases[] = { { 0, 0, 0 },     { 0, 500, 500 },   { 1, 0, 1000 },
                  { 1, 500, 500 }, { 1, 1000, 1000 }, { 1, 1001, 1000 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mqc_time when = 0;
        assert_int_equal(teardown(NULL) + setup(NULL), 0);
        f.base.context.options.queue_max_age_s = cases[i].age_s;
        assert_int_equal(put(cases[i].ttl_ms), IOTHUB_OK);
        assert_int_equal(mqc_next_deadline(&f.engine, &when), cases[i].lasts_ms != 0);
        if (cases[i].lasts_ms != 0) {
            assert_int_equal(when, engine_fixture_now(&f) + cases[i].lasts_ms);
        }
    }
}

static void a_purge_drops_everything_that_waits(void **state)
{
    (void)state;
    put_all(5);
    assert_int_equal(limits_purge(&part), 5);
    assert_int_equal(part.dropping, 5);
    assert_int_equal(limits_purge(&part), 0);
    assert_int_equal(part.dropping, 5);
    put_all(1);
    engine_fixture_connect(&f);
    assert_int_equal(ended[MQC_OUTCOME_DROPPED], 5);
    assert_int_equal(ended[MQC_OUTCOME_ACKED], 1);
    assert_int_equal(part.dropping, 0);
}

static void a_client_that_is_being_ended_takes_no_message(void **state)
{
    (void)state;
    context_begin_end(&f.base.context);
    assert_int_equal(put(0), IOTHUB_ERR_STATE);
    assert_int_equal(limits_waiting(&part), 0);
}

#ifndef NDEBUG
static void more_drops_than_messages_are_seen(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 4; count++) {
        part.dropping = count;
        assert_true(limits_valid(&part));
        part.dropping = count + 1;
        assert_false(limits_valid(&part));
        part.dropping = 0;
        put_all(1);
    }
    part.backlog.open = 1; /* there is no store */
    assert_false(limits_valid(&part));
}
#endif

#define WITH_PART(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PART(a_full_queue_refuses_or_drops_one_for_one),
        WITH_PART(the_longest_age_limits_every_time_to_live),
        WITH_PART(a_purge_drops_everything_that_waits),
        WITH_PART(a_client_that_is_being_ended_takes_no_message),
#ifndef NDEBUG
        WITH_PART(more_drops_than_messages_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
