#include <stdio.h>

#include "engine_fixture.h"
#include "features/twin.h"

/* Tests the part of the device twin with its own struct only. */

static engine_fixture f;
static iothub_twin part;
static unsigned delivered;
static uint64_t version;
static bool complete;

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    (void)user;
    delivered++;
    version = d->version;
    complete = d->complete;
}

static void on_publish(const mqc_message *m)
{
    const topic_identity id = context_topics(&f.base.context);
    const topic_parts p = topic_parse(m->topic, &id);

    if (p.kind == TOPIC_TWIN_RESPONSE) {
        twin_on_response(&part, &p, m->payload, NULL);
    } else {
        assert_int_equal(p.kind, TOPIC_DESIRED);
        assert_true(twin_on_desired(&part, &p, m->payload, NULL));
    }
}

static void on_event(engine_fixture *fixture, const mqc_event *event)
{
    (void)fixture;
    if (event->type == MQC_EVENT_PUBLISH) {
        on_publish(&event->u.publish);
    } else if (event->type == MQC_EVENT_DONE) {
        twin_on_done(&part, &event->u.done);
    }
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_init(&f);
    f.base.context.options.callbacks.desired = on_desired;
    f.on_event = on_event;
    delivered = 0;
    twin_init(&part, &f.base.context);
    engine_fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_free(&f);
    return 0;
}

static void connect_twin(void)
{
    twin_on_connected(&part);
    engine_fixture_run(&f);
}

static void patch(unsigned number)
{
    char topic[80];
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%u", number);
    fake_hub_send(f.wire, topic, "{}", 2, 0);
    engine_fixture_run(&f);
}

static void each_connection_delivers_the_document_then_the_changes(void **state)
{
    (void)state;
    for (unsigned connection = 1; connection <= 3; connection++) {
        connect_twin();
        assert_int_equal(delivered, 2 * connection - 1);
        assert_true(complete);
        assert_int_equal(version, 1);
        assert_false(twin_has_own_request(&part));
        assert_true(twin_deadline(&part) == IOTHUB_NEVER);
        patch(2);
        assert_int_equal(delivered, 2 * connection);
        assert_false(complete);
        assert_int_equal(version, 2);
        engine_fixture_cut(&f);
        engine_fixture_connect(&f);
    }
    assert_int_equal(part.gaps, 0);
}

static void a_version_twice_is_ignored_and_one_that_is_missing_fetches_the_document(void **state)
{
    (void)state;
    connect_twin();
    patch(2);
    patch(2);
    assert_int_equal(delivered, 2);
    assert_int_equal(part.duplicates, 1);
    f.hub.twin = "{\"desired\":{\"$version\":4},\"reported\":{\"$version\":1}}";
    patch(4);
    assert_int_equal(delivered, 3);
    assert_true(complete);
    assert_int_equal(version, 4);
    assert_int_equal(part.gaps, 1);
}

/* When the hub throttles, the request is sent again as soon as the back-off has ended. */
static void a_throttled_request_is_held_back_and_repeated(void **state)
{
    (void)state;
    iothub_op op = 0;
    connect_twin();
    const unsigned before = f.hub.publishes;
    f.hub.twin_status = 429;
    assert_int_equal(twin_queue_get(&part, NULL, &op), IOTHUB_OK);
    engine_fixture_run(&f);
    assert_int_equal(f.hub.publishes, before + 1);
    assert_int_equal(part.retries, 1);
    assert_int_equal(f.done_count, 0);
    assert_non_null(strstr(f.log, "twin: throttled by the hub"));

    f.hub.twin_status = 200;
    const mqc_time due = twin_deadline(&part);
    assert_true(due > engine_fixture_now(&f) && due != IOTHUB_NEVER);
    fake_clock_advance(&f.base.platform.clock, due - engine_fixture_now(&f) - 1);
    twin_on_time(&part, engine_fixture_now(&f));
    engine_fixture_run(&f);
    assert_int_equal(f.hub.publishes, before + 1);
    fake_clock_advance(&f.base.platform.clock, 1);
    twin_on_time(&part, engine_fixture_now(&f));
    engine_fixture_run(&f);
    assert_int_equal(f.hub.publishes, before + 2);
    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.dones[0].op, op);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    assert_true(twin_deadline(&part) == IOTHUB_NEVER);
}

/* The client's own GET has priority over later requests of the application. */
static void a_full_lane_postpones_the_document_and_refuses_further_requests(void **state)
{
    (void)state;
    unsigned queued = 0;
    f.hub.twin_status = 0;
    while (twin_queue_get(&part, NULL, NULL) == IOTHUB_OK) {
        queued++;
    }
    connect_twin();
    assert_false(twin_has_own_request(&part));
    assert_int_equal(twin_deadline(&part),
                     engine_fixture_now(&f) + f.base.context.options.retry_min_ms);
    assert_int_equal(f.hub.publishes, queued);

    char topic[64];
    snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%u", 1u);
    f.hub.twin_status = 200;
    fake_hub_send(f.wire, topic, "{}", 2, 0);
    engine_fixture_run(&f);
    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.hub.publishes, queued + 1);
    assert_int_equal(delivered, 1);
    assert_true(complete);
}

#ifndef NDEBUG
static bool is_seen(void (*spoil)(iothub_twin *f))
{
    iothub_twin bad = part;

    assert_true(twin_valid(&bad));
    spoil(&bad);
    return !twin_valid(&bad);
}

static void requested_and_scheduled(iothub_twin *t)
{
    t->requested = true;
    t->retry_at = 1;
}

static void requested_and_starved(iothub_twin *t)
{
    t->requested = true;
    t->starved = true;
}

static void starved_for_ever(iothub_twin *t)
{
    t->starved = true;
}

static void held_back_for_nothing(iothub_twin *t)
{
    t->hold_until = 1;
}

static void refused_and_not_counted(iothub_twin *t)
{
    t->later_op = 1;
}

static void status_of_no_request(iothub_twin *t)
{
    t->later_status = 429;
}

static void counted_and_not_refused(iothub_twin *t)
{
    t->retries = 1;
    t->later_status = 429;
}

static void repeated_after_a_final_status(iothub_twin *t)
{
    t->retries = 1;
    t->later_op = 1;
    t->later_status = 400;
}

static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    static void (*const spoils[])(iothub_twin * t) = {
        requested_and_scheduled, requested_and_starved,         starved_for_ever,
        held_back_for_nothing,   refused_and_not_counted,       status_of_no_request,
        counted_and_not_refused, repeated_after_a_final_status,
    };

    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        assert_true(is_seen(spoils[i]));
    }
    iothub_twin good = part;
    good.retries = 1;
    good.later_op = 1;
    good.hold_until = 1;
    for (int status = 400; status <= 700; status++) {
        good.later_status = status;
        assert_int_equal(twin_valid(&good), status == 429 || (status >= 500 && status <= 599));
    }
}
#endif

#define WITH_PART(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PART(each_connection_delivers_the_document_then_the_changes),
        WITH_PART(a_version_twice_is_ignored_and_one_that_is_missing_fetches_the_document),
        WITH_PART(a_throttled_request_is_held_back_and_repeated),
        WITH_PART(a_full_lane_postpones_the_document_and_refuses_further_requests),
#ifndef NDEBUG
        WITH_PART(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
