#include <stdio.h>

#include "client_fixture.h"
#include "connection/wall_clock.h"
#include "drive/wake.h"
#include "iothub/message.h"
#include "store_fixture.h"

/* Tests how long the client waits for the hub (ack_timeout_ms) and for its application
 * (stall_timeout_ms). */

#define TOPIC "devices/device1/messages/devicebound/"

enum { ACK = 120000, STALL = 120000 };

static iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

/* Returns the first status with this state, beginning with number `from`. The test fails if
 * there is none. */
static const fixture_status *status_of(const client_fixture *f, unsigned from, iothub_state state)
{
    for (unsigned i = from; i < f->status_count; i++) {
        if (f->statuses[i % FIXTURE_LOG].state == state) {
            return &f->statuses[i % FIXTURE_LOG];
        }
    }
    fail_msg("no such state");
    return NULL;
}

/* --- the hub owes an acknowledgement ------------------------------------------------- */

static void a_message_without_acknowledgement_is_sent_again_over_a_new_connection(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.session_present = true;
    f.hub.mute_publish = true;
    iothub_op op = fixture_send(&f, "lost");
    iothub_op behind = fixture_send(&f, "behind");
    fixture_run(&f);
    unsigned statuses = f.status_count;

    fixture_sleep(&f, ACK - 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(stats_of(&f).ack_timeouts, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    const fixture_status *why = status_of(&f, statuses, IOTHUB_WAITING);
    assert_int_equal(why->reason, IOTHUB_ERR_TIMEOUT);
    assert_string_equal(why->text, "MQTT: timed out waiting for PUBACK");
    assert_int_equal(stats_of(&f).ack_timeouts, 1);
    assert_int_equal(stats_of(&f).losses, 1);
    assert_int_equal(f.done_count, 0);

    f.hub.mute_publish = false;
    fixture_sleep(&f, f.options.retry_min_ms);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.publishes, 4);
    assert_string_equal(fake_hub_at(&f.hub, 2)->payload, "lost");
    assert_true(fake_hub_at(&f.hub, 2)->dup);
    assert_int_equal(fake_hub_at(&f.hub, 2)->packet_id, fake_hub_at(&f.hub, 0)->packet_id);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(fixture_ended(&f, behind, NULL), 1);
    fixture_free(&f);
}

/* Only one message stays unacknowledged, because its bytes block the ring for those behind it. */
static void one_missing_acknowledgement_is_noticed_while_others_come(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    iothub_op op = fixture_send(&f, "passed by");
    fixture_run(&f);
    f.hub.mute_publish = false;

    for (unsigned s = 1; s < ACK / 1000; s++) {
        (void)fixture_send(&f, "answered");
        fixture_sleep(&f, 1000);
        assert_int_equal(f.done_count, s);
    }
    assert_int_equal(stats_of(&f).ack_timeouts, 0);
    fixture_sleep(&f, 5000);
    assert_int_equal(stats_of(&f).ack_timeouts, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(stats_of(&f).queued, 0);
    fixture_free(&f);
}

static void no_limit(iothub_options *o)
{
    fixture_quiet(o);
    o->ack_timeout_ms = 0;
}

static void without_a_limit_the_client_waits(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, no_limit);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    (void)fixture_send(&f, "waits");

    fixture_sleep(&f, 10 * ACK);

    assert_int_equal(f.hub.connects, 1);
    assert_int_equal(stats_of(&f).ack_timeouts, 0);
    fixture_free(&f);
}

static void nothing_in_flight_is_nothing_to_wait_for(void **state)
{
    (void)state;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);

    fixture_sleep(&f, 10 * ACK);

    assert_int_equal(f.hub.connects, 1);
    fixture_free(&f);
}

/* Twin requests have a deadline of their own, other than that of telemetry. */
static void an_unanswered_twin_request_is_no_loss(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    iothub_op op = 0;
    assert_int_equal(iothub_twin_get(f.client, NULL, &op), IOTHUB_OK);

    fixture_sleep(&f, 10 * ACK);

    iothub_result how = IOTHUB_OK;
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(f.hub.connects, 1);
    fixture_free(&f);
}

static void short_limit(iothub_options *o)
{
    fixture_quiet(o);
    o->ack_timeout_ms = 500;
}

static void a_hub_that_never_acknowledges_gets_ever_fewer_logins(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, short_limit);
    f.hub.mute_publish = true;
    fixture_connect(&f);
    f.hub.session_present = true;
    iothub_op op = fixture_send(&f, "never");

    fixture_sleep(&f, 3600000);

    assert_true(f.hub.connects > 60); /* at least one connect per minute, plus the first few */
    assert_true(f.hub.connects < 250);
    assert_int_equal(stats_of(&f).ack_timeouts,
                     f.hub.connects - 1 + (iothub_get_state(f.client) == IOTHUB_WAITING));
    assert_int_equal(f.done_count, 0);
    f.hub.mute_publish = false;
    fixture_sleep(&f, 2 * f.options.retry_max_ms);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

static void drop_oldest(iothub_options *o)
{
    fixture_quiet(o);
    o->queue_max_count = 2;
    o->when_full = IOTHUB_DROP_OLDEST;
}

/* A message that the hub may have received cannot be dropped until its connection is closed. */
static void what_waits_for_its_acknowledgement_may_be_dropped_once_that_took_too_long(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how = IOTHUB_OK;
    iothub_op ops[4];
    fixture_init(&f, drop_oldest);
    fixture_connect(&f);
    f.hub.session_present = true;
    f.hub.mute_publish = true;
    ops[0] = fixture_send(&f, "0");
    ops[1] = fixture_send(&f, "1");
    fixture_run(&f);
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_NO_SPACE);

    fixture_sleep(&f, ACK);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    ops[2] = fixture_send(&f, "2");
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, ops[0], &how), 1);
    assert_int_equal(how, IOTHUB_ERR_DROPPED);
    f.hub.mute_publish = false;
    fixture_sleep(&f, f.options.retry_min_ms);
    ops[3] = fixture_send(&f, "3");
    fixture_run(&f);

    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fixture_ended(&f, ops[i], &how), 1);
        assert_int_equal(how, IOTHUB_OK);
    }
    store_check_sum(&f);
    fixture_free(&f);
}

static void a_stored_message_stays_in_the_store_until_it_is_acknowledged(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op ops[10];
    fake_store_init(&fixture_store);
    fixture_init(&f, store_options);
    fixture_connect(&f);
    f.hub.session_present = true;
    f.hub.mute_publish = true;
    for (unsigned i = 0; i < 10; i++) {
        ops[i] = store_send(&f, i);
    }

    for (unsigned times = 1; times <= 3; times++) {
        fixture_run(&f);
        while (stats_of(&f).ack_timeouts < times) {
            fixture_sleep(&f, ACK / 4);
        }
        assert_int_equal(fake_store_count(&fixture_store), 10);
        assert_int_equal(f.done_count, 0);
        store_check_sum(&f);
    }
    f.hub.mute_publish = false;
    fixture_sleep(&f, f.options.retry_max_ms + ACK);
    assert_int_equal(fake_store_count(&fixture_store), 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(fixture_ended(&f, ops[i], NULL), 1);
    }
    assert_string_equal(store_arrived(&f, 0), "0 1 2 3 4 5 6 7 8 9");
    store_check_sum(&f);
    fixture_free(&f);
    fake_store_free(&fixture_store);
}

static void the_end_of_an_unwanted_subscription_is_waited_for_too(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_unsubscribe = true;
    fake_hub_send(fixture_stream(&f), "$iothub/twin/PATCH/properties/desired/?$version=2", "{}", 2,
                  0);
    fixture_run(&f);
    assert_int_equal(f.hub.unsubscribes, 1);
    unsigned statuses = f.status_count;

    fixture_sleep(&f, ACK);

    assert_string_equal(status_of(&f, statuses, IOTHUB_WAITING)->text,
                        "MQTT: timed out waiting for UNSUBACK");
    assert_int_equal(stats_of(&f).ack_timeouts, 1);
    fixture_free(&f);
}

/* --- a runner that sleeps, and a message that another thread sends on the spot --------- */

static mqc_time fall_asleep(client_fixture *f)
{
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;

    f->client->context.lock->asleep = false;
    fixture_run(f);
    mqc_time deadline = loop_poll(f->client, polls, &timeout_ms);
    wake_on_sleep(&f->client->wake, f->client->context.last_op, deadline);
    lock_on_sleep(f->client->context.lock);
    return deadline;
}

static void a_sleeping_runner_wakes_up_for_the_acknowledgement_of_a_lone_message(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_lock(&f);
    fixture_connect(&f);
    f.client->wake.lone = true;
    f.hub.mute_publish = true;

    /* This also holds after the client has slept for a long time without messages, up to the
     * next keep-alive. */
    for (unsigned idle = 0; idle < 2; idle++) {
        mqc_time wake_at = fall_asleep(&f);
        for (unsigned i = 0; i < 3 * idle; i++) {
            wake_at = fall_asleep(&f);
        }
        fake_clock_advance(&f.platform.clock, 1000);
        mqc_time sent_at = f.platform.clock.monotonic_ms;
        (void)fixture_send(&f, "lone");
        unsigned wakes =
            (unsigned)f.client->context.lock->threads->take_wakes(&f.client->context.lock->thread);
        assert_true(wakes > 0 || (wake_at != 0 && wake_at <= sent_at + ACK / 2));
        assert_int_equal(wakes, idle);
        f.client->context.lock->asleep = false;
        if (idle == 0) {
            fake_hub_ack(&f.hub, fixture_stream(&f), 0);
            continue;
        }
        fixture_run(&f); /* the runner is awake now, and checks after half of the time */
        mqc_time look = fall_asleep(&f);
        assert_in_range(look, sent_at, sent_at + ACK / 2);
        fake_clock_advance(&f.platform.clock, sent_at + ACK / 2 - f.platform.clock.monotonic_ms);
        assert_int_equal(fall_asleep(&f), sent_at + ACK);
    }
    fixture_free(&f);
}

static void a_runner_without_requests_sleeps_until_the_keep_alive(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_lock(&f);
    fixture_connect(&f);
    mqc_time now = f.platform.clock.monotonic_ms;

    assert_int_equal(fall_asleep(&f), now + ACK / 2);
    assert_int_equal(fall_asleep(&f), now + ACK / 2);
    assert_int_equal(fall_asleep(&f), now + 240000);
    assert_int_equal(fall_asleep(&f), now + 240000);
    fixture_free(&f);
}

/* --- reading stands still --------------------------------------------------------------- */

static void deferring(iothub_options *o)
{
    fixture_quiet(o);
    o->ack_timeout_ms = 0; /* off, since another test shows that it ends the wait, too */
}

static void send_messages(client_fixture *f, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        fake_hub_send(fixture_stream(f), TOPIC, "x", 1, (uint16_t)i);
    }
    fixture_run(f);
}

static void messages_deferred_forever_end_the_connection_and_are_sent_again(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, deferring);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_messages(&f, IOTHUB_UNACCEPTED_MAX + 1);
    unsigned statuses = f.status_count;

    fixture_sleep(&f, STALL - 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_sleep(&f, 1);
    const fixture_status *why = status_of(&f, statuses, IOTHUB_WAITING);
    assert_int_equal(why->reason, IOTHUB_ERR_TIMEOUT);
    assert_non_null(strstr(why->text, "deferred messages were not accepted"));
    assert_int_equal(stats_of(&f).read_stalls, 1);
    assert_int_equal(stats_of(&f).losses, 1);

    fixture_sleep(&f, f.options.retry_min_ms);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    f.disposition = IOTHUB_ACCEPT;
    iothub_op op = fixture_send(&f, "heard again");
    send_messages(&f, IOTHUB_UNACCEPTED_MAX + 1);
    assert_int_equal(f.hub.acks, IOTHUB_UNACCEPTED_MAX + 1);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

static void the_first_alone_can_hold_up_all_others(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, deferring);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_messages(&f, 1);
    f.disposition = IOTHUB_ACCEPT;
    for (unsigned i = 2; i <= IOTHUB_UNACCEPTED_MAX + 1; i++) {
        fake_hub_send(fixture_stream(&f), TOPIC, "x", 1, (uint16_t)i);
    }
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 0); /* acknowledgements keep the order of the messages */

    fixture_sleep(&f, STALL);
    assert_int_equal(stats_of(&f).read_stalls, 1);
    fixture_free(&f);
}

static void as_many_as_a_hub_has_in_flight_may_be_deferred_forever(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, deferring);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_messages(&f, IOTHUB_UNACCEPTED_MAX);

    fixture_sleep(&f, 10 * STALL);
    iothub_op op = fixture_send(&f, "all the same");
    fixture_run(&f);

    assert_int_equal(f.hub.connects, 1);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

static void an_application_that_accepts_slowly_is_waited_for(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, deferring);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_messages(&f, IOTHUB_UNACCEPTED_MAX + 20);

    for (unsigned i = 0; i < 20; i++) {
        fixture_sleep(&f, STALL - 1);
        assert_int_equal(iothub_message_accept(f.client, f.deliveries[i]), IOTHUB_OK);
        fixture_run(&f);
    }
    assert_int_equal(stats_of(&f).read_stalls, 0);
    assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX + 20);
    fixture_free(&f);
}

static void an_acknowledgement_that_is_not_read_is_missing_too(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_messages(&f, IOTHUB_UNACCEPTED_MAX + 1);
    fixture_sleep(&f, 60000);
    (void)fixture_send(&f, "not heard");
    fixture_run(&f);

    fixture_sleep(&f, STALL - 60000);
    assert_int_equal(stats_of(&f).read_stalls, 1); /* the stall was noticed first */
    fixture_free(&f);
}

static void a_hub_that_takes_nothing_while_it_sends_is_left(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, deferring);
    fixture_connect(&f);
    fixture_stream(&f)->send_room = 0;
    for (unsigned i = 1; i <= 1000; i++) {
        fake_hub_send(fixture_stream(&f), TOPIC, "x", 1, (uint16_t)i);
    }
    fixture_run(&f);
    unsigned statuses = f.status_count;

    fixture_sleep(&f, STALL);

    assert_non_null(strstr(status_of(&f, statuses, IOTHUB_WAITING)->text,
                           "acknowledgements could not be sent"));
    assert_int_equal(stats_of(&f).read_stalls, 1);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_without_acknowledgement_is_sent_again_over_a_new_connection),
        cmocka_unit_test(one_missing_acknowledgement_is_noticed_while_others_come),
        cmocka_unit_test(without_a_limit_the_client_waits),
        cmocka_unit_test(nothing_in_flight_is_nothing_to_wait_for),
        cmocka_unit_test(an_unanswered_twin_request_is_no_loss),
        cmocka_unit_test(a_hub_that_never_acknowledges_gets_ever_fewer_logins),
        cmocka_unit_test(what_waits_for_its_acknowledgement_may_be_dropped_once_that_took_too_long),
        cmocka_unit_test(a_stored_message_stays_in_the_store_until_it_is_acknowledged),
        cmocka_unit_test(the_end_of_an_unwanted_subscription_is_waited_for_too),
        cmocka_unit_test(a_sleeping_runner_wakes_up_for_the_acknowledgement_of_a_lone_message),
        cmocka_unit_test(a_runner_without_requests_sleeps_until_the_keep_alive),
        cmocka_unit_test(messages_deferred_forever_end_the_connection_and_are_sent_again),
        cmocka_unit_test(the_first_alone_can_hold_up_all_others),
        cmocka_unit_test(as_many_as_a_hub_has_in_flight_may_be_deferred_forever),
        cmocka_unit_test(an_application_that_accepts_slowly_is_waited_for),
        cmocka_unit_test(an_acknowledgement_that_is_not_read_is_missing_too),
        cmocka_unit_test(a_hub_that_takes_nothing_while_it_sends_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
