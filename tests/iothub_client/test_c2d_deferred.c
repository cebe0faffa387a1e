#include "engine_fixture.h"
#include "features/c2d.h"
#include "iothub/message.h"

/* Tests the part of cloud-to-device messages with its own struct only. */

#define TOPIC "devices/device1/messages/devicebound/"

static engine_fixture f;
static iothub_c2d part;
static iothub_disposition disposition;
static uint32_t deliveries[IOTHUB_UNACCEPTED_MAX + 8];
static unsigned offered;
static bool is_handled;

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    (void)c;
    (void)user;
    deliveries[offered++] = iothub_message_delivery(m);
    return disposition;
}

static void on_event(engine_fixture *fixture, const mqc_event *event)
{
    if (event->type == MQC_EVENT_PUBLISH) {
        const topic_identity id = context_topics(&fixture->base.context);
        const topic_parts p = topic_parse(event->u.publish.topic, &id);
        is_handled = c2d_on_message(&part, &p, &event->u.publish);
    }
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_init(&f);
    f.base.context.options.callbacks.c2d = on_c2d;
    f.on_event = on_event;
    disposition = IOTHUB_DEFER;
    offered = 0;
    c2d_init(&part, &f.base.context);
    engine_fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_free(&f);
    return 0;
}

static void send_message(uint16_t id)
{
    fake_hub_send(f.wire, TOPIC, "x", 1, id);
    engine_fixture_run(&f);
}

static void each_deferred_message_counts_until_it_is_accepted(void **state)
{
    (void)state;
    for (uint16_t id = 1; id <= 5; id++) {
        send_message(id);
        assert_int_equal(c2d_deferred(&part), id);
    }
    assert_int_equal(f.hub.acks, 0);
    for (unsigned n = 0; n < 5; n++) {
        assert_int_equal(c2d_accept(&part, deliveries[n]), IOTHUB_OK);
        assert_int_equal(c2d_deferred(&part), 4 - n);
        assert_int_equal(part.accepted, n + 1);
        assert_int_equal(c2d_accept(&part, deliveries[n]), IOTHUB_ERR_STATE);
    }
    engine_fixture_run(&f);
    assert_int_equal(f.hub.acks, 5);
    assert_int_equal(part.received, 5);
}

/* The last message that can be deferred is logged, because reading may stop after it. */
static void the_last_message_that_can_be_deferred_is_logged(void **state)
{
    (void)state;
    for (uint16_t id = 1; id <= IOTHUB_UNACCEPTED_MAX; id++) {
        assert_string_equal(f.log, "");
        send_message(id);
    }
    assert_non_null(strstr(f.log, "c2d: if one more message arrives, reading stops"));
    assert_int_equal(c2d_deferred(&part), IOTHUB_UNACCEPTED_MAX);

    send_message(IOTHUB_UNACCEPTED_MAX + 1);
    assert_int_equal(offered, IOTHUB_UNACCEPTED_MAX);
    assert_int_equal(c2d_accept(&part, deliveries[0]), IOTHUB_OK);
    engine_fixture_run(&f);
    assert_int_equal(offered, IOTHUB_UNACCEPTED_MAX + 1);
}

static void a_new_connection_has_no_deferred_messages(void **state)
{
    (void)state;
    send_message(7);
    send_message(8);
    engine_fixture_cut(&f);
    engine_fixture_connect(&f);

    assert_int_equal(c2d_deferred(&part), 0);
    assert_int_equal(c2d_accept(&part, deliveries[0]), IOTHUB_ERR_EXPIRED);
    send_message(7); /* repeats the packet id */
    assert_int_equal(c2d_deferred(&part), 1);
    assert_int_equal(c2d_accept(&part, deliveries[0]), IOTHUB_ERR_EXPIRED);
    assert_int_equal(c2d_accept(&part, deliveries[2]), IOTHUB_OK);
    assert_int_equal(c2d_deferred(&part), 0);
    assert_int_equal(part.received, 3);
    assert_int_equal(part.accepted, 1);
}

static void without_a_callback_a_message_is_acknowledged_and_left_to_others(void **state)
{
    (void)state;
    f.base.context.options.callbacks.c2d = NULL;
    send_message(3);
    assert_false(is_handled);
    assert_int_equal(f.hub.acks, 1);
    assert_int_equal(part.received, 1);
    assert_int_equal(part.accepted, 0);
    assert_int_equal(c2d_deferred(&part), 0);
}

#ifndef NDEBUG
static void each_counter_that_is_wrong_is_seen(void **state)
{
    (void)state;
    disposition = IOTHUB_ACCEPT;
    send_message(1);
    disposition = IOTHUB_DEFER;
    send_message(2);
    const iothub_c2d good = part;
    assert_true(c2d_valid(&good));

    iothub_c2d bad = good;
    bad.received--; /* fewer than were accepted and deferred */
    assert_false(c2d_valid(&bad));
    bad = good;
    bad.accepted++;
    assert_false(c2d_valid(&bad));
    bad.accepted += 2;
    assert_false(c2d_valid(&bad));
    bad = good;
    bad.deferred++;
    assert_false(c2d_valid(&bad));
    bad.received = bad.deferred = IOTHUB_UNACCEPTED_MAX;
    bad.accepted = 0;
    assert_true(c2d_valid(&bad));
    bad.received = bad.deferred = IOTHUB_UNACCEPTED_MAX + 1;
    assert_false(c2d_valid(&bad));
}
#endif

#define WITH_PART(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PART(each_deferred_message_counts_until_it_is_accepted),
        WITH_PART(the_last_message_that_can_be_deferred_is_logged),
        WITH_PART(a_new_connection_has_no_deferred_messages),
        WITH_PART(without_a_callback_a_message_is_acknowledged_and_left_to_others),
#ifndef NDEBUG
        WITH_PART(each_counter_that_is_wrong_is_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
