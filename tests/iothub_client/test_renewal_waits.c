#include "renewal.h"

/* Tests what the planned change of the connection waits for, and how long. */

static void an_open_method_postpones_the_change_until_it_is_answered(void **state)
{
    (void)state;
    renewal r;
    iothub_op op;
    connect(&r, NULL);
    fixture_sleep(&r.f, DUE_MS - 1000);
    call_method(&r);
    fixture_sleep(&r.f, 100000);
    assert_int_equal(r.f.hub.connects, 1);
    assert_int_equal(r.f.platform.net.made, 1);

    assert_int_equal(iothub_method_respond(r.f.client, &r.f.tokens[0], 200, "{}", 2, NULL, &op),
                     IOTHUB_OK);
    fixture_run(&r.f);

    assert_ended_well(&r.f, op);
    assert_renewed(&r);
    fixture_free(&r.f);
}

/* In the state RENEWING telemetry is in flight; the method call arrives before its
 * acknowledgement. */
static void a_call_that_comes_while_the_old_connection_is_left_is_answered_on_it(void **state)
{
    (void)state;
    renewal r;
    iothub_op op;
    connect(&r, NULL);
    r.f.hub.mute_publish = true;
    iothub_op sent = fixture_send(&r.f, "x");
    fixture_run(&r.f);
    const unsigned number = r.f.hub.publishes - 1;
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);

    call_method(&r);
    fake_hub_ack(&r.f.hub, r.old, number);
    fixture_sleep(&r.f, 9999);
    assert_ended_well(&r.f, sent);
    assert_int_equal(r.f.hub.disconnects, 0);
    assert_int_equal(iothub_method_respond(r.f.client, &r.f.tokens[0], 200, "{}", 2, NULL, &op),
                     IOTHUB_OK);
    fixture_run(&r.f);

    assert_ended_well(&r.f, op);
    assert_non_null(fake_hub_last(&r.f.hub, "$iothub/methods/res/200/?$rid=5"));
    assert_renewed(&r);
    fixture_free(&r.f);
}

static void a_call_that_is_not_answered_is_left_after_ten_seconds(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.hub.mute_publish = true;
    fixture_send(&r.f, "x");
    fixture_run(&r.f);
    const unsigned number = r.f.hub.publishes - 1;
    fixture_sleep(&r.f, DUE_MS);
    call_method(&r);
    fake_hub_ack(&r.f.hub, r.old, number);

    fixture_sleep(&r.f, 9999);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_sleep(&r.f, 1);

    assert_renewed(&r);
    assert_int_equal(iothub_method_respond(r.f.client, &r.f.tokens[0], 200, "{}", 2, NULL, NULL),
                     IOTHUB_ERR_EXPIRED);
    fixture_free(&r.f);
}

static void a_deferred_message_postpones_the_change_until_it_is_accepted(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.disposition = IOTHUB_DEFER;
    fake_hub_send(r.old, "devices/device1/messages/devicebound/a=b", "x", 1, 7);
    fixture_sleep(&r.f, DUE_MS + 1000);
    assert_int_equal(r.f.hub.connects, 1);

    assert_int_equal(iothub_message_accept(r.f.client, r.f.deliveries[0]), IOTHUB_OK);
    fixture_run(&r.f);

    assert_renewed(&r);
    assert_int_equal(r.f.hub.acks, 1);
    fixture_free(&r.f);
}

static void a_deferred_message_of_a_lost_connection_postpones_nothing(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.disposition = IOTHUB_DEFER;
    fake_hub_send(r.old, "devices/device1/messages/devicebound/a=b", "x", 1, 7);
    fixture_run(&r.f);
    fixture_cut(&r.f);
    fixture_sleep(&r.f, 60000);
    assert_int_equal(r.f.hub.connects, 2);

    fixture_sleep(&r.f, DUE_MS);

    assert_int_equal(r.f.hub.connects, 3);
    fixture_free(&r.f);
}

static iothub_disposition accept_twice(iothub_client *c, const iothub_message *m, void *user)
{
    (void)user;
    assert_int_equal(iothub_message_accept(c, iothub_message_delivery(m)), IOTHUB_OK);
    return IOTHUB_ACCEPT;
}

static void accept_inside(iothub_options *o)
{
    o->callbacks.c2d = accept_twice;
}

static void a_message_accepted_in_its_callback_postpones_nothing(void **state)
{
    (void)state;
    renewal r;
    connect(&r, accept_inside);
    fake_hub_send(r.old, "devices/device1/messages/devicebound/a=b", "x", 1, 7);

    fixture_sleep(&r.f, DUE_MS);

    assert_renewed(&r);
    fixture_free(&r.f);
}

static void a_twin_request_under_way_postpones_the_change(void **state)
{
    (void)state;
    renewal r;
    iothub_op op;
    connect(&r, NULL);
    fixture_sleep(&r.f, DUE_MS - 1000);
    r.f.hub.twin_status = 0;
    assert_int_equal(iothub_twin_report(r.f.client, "{}", 2, NULL, &op), IOTHUB_OK);
    fixture_sleep(&r.f, 2000);
    assert_int_equal(r.f.hub.connects, 1);

    r.f.hub.twin_status = 200;
    fake_hub_send(r.old, "$iothub/twin/res/204/?$rid=1&$version=2", "", 0, 0);
    fixture_sleep(&r.f, 70000); /* the request is answered, or ends at its own deadline */

    assert_int_equal(fixture_ended(&r.f, op, NULL), 1);
    assert_renewed(&r);
    fixture_free(&r.f);
}

static void at_90_percent_of_the_life_nothing_postpones_any_more(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.disposition = IOTHUB_DEFER;
    fake_hub_send(r.old, "devices/device1/messages/devicebound/a=b", "x", 1, 7);

    fixture_sleep(&r.f, BOUND_MS - 1);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_sleep(&r.f, 1);

    assert_renewed(&r);
    assert_int_equal(iothub_message_accept(r.f.client, r.f.deliveries[0]), IOTHUB_ERR_EXPIRED);
    fixture_free(&r.f);
}

static void an_open_connection_that_the_hub_closes_meanwhile_is_opened_again(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    call_method(&r);
    /* The new connection is opened although a method is open. */
    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);
    assert_int_equal(r.new->state, SCRIPTED_READY);
    assert_int_equal(r.f.hub.connects, 1);

    scripted_break(r.new, PLAT_EOF);
    fixture_run(&r.f);
    assert_int_equal(r.new->state, SCRIPTED_CLOSED);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(r.new->state, SCRIPTED_READY);
    fixture_sleep(&r.f, 12000);

    assert_renewed(&r);
    assert_int_equal(r.new->calls[SCRIPTED_OPEN], 2);
    fixture_free(&r.f);
}

/* --- iothub_reconnect_now ---------------------------------------------------------------- */

static void reconnect_now_makes_the_new_connection_first(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    fixture_sleep(&r.f, 5000);
    r.new->stall_at = PLAT_STAGE_TLS;

    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);
    iothub_op op = fixture_send(&r.f, "meanwhile");
    fixture_run(&r.f);
    assert_ended_well(&r.f, op);
    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK); /* requests the renewal again */
    r.new->stall_at = PLAT_STAGE_OPEN;
    fixture_run(&r.f);

    assert_renewed(&r);
    assert_non_null(strstr(r.f.hub.password, "&se=1700003605"));
    fixture_sleep(&r.f, DUE_MS - 1); /* the time until the next renewal counts from here */
    assert_int_equal(r.f.hub.connects, 2);
    fixture_sleep(&r.f, 1);
    assert_int_equal(r.f.hub.connects, 3);
    fixture_free(&r.f);
}

static void reconnect_now_leaves_a_dead_connection_after_three_seconds(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.old->after = NULL; /* from now on the hub reads nothing */
    iothub_op op = fixture_send(&r.f, "into the void");
    fixture_run(&r.f);

    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_sleep(&r.f, 2999);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_sleep(&r.f, 1);

    assert_renewed(&r);
    assert_ended_well(&r.f, op);
    fixture_free(&r.f);
}

static void reconnect_now_cuts_the_wait_of_a_failed_renewal_short(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    scripted_fail(r.new, SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(r.f.hub.connects, 1);

    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);

    assert_renewed(&r);
    fixture_free(&r.f);
}

/* The change waits three seconds for an open method, whichever of the two reasons for the change
 * comes first. */
static void reconnect_now_waits_three_seconds_also_when_the_renewal_comes_due(void **state)
{
    (void)state;
    static const uint64_t asked_at[] = { DUE_MS - 2000, DUE_MS - 1, DUE_MS, DUE_MS + 1,
                                         DUE_MS + 5000 };

    for (size_t i = 0; i < sizeof asked_at / sizeof asked_at[0]; i++) {
        renewal r;
        connect(&r, NULL);
        fixture_sleep(&r.f, DUE_MS - 5000);
        call_method(&r);
        fixture_sleep(&r.f, asked_at[i] - (DUE_MS - 5000));

        assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
        fixture_sleep(&r.f, 2999);
        assert_int_equal(r.f.hub.connects, 1);
        /* Three more seconds are waited for the answer on the old connection. */
        fixture_sleep(&r.f, 1);
        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);
        fixture_sleep(&r.f, 2999);
        assert_int_equal(r.f.hub.connects, 1);
        fixture_sleep(&r.f, 1);

        assert_renewed(&r);
        fixture_free(&r.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_method_postpones_the_change_until_it_is_answered),
        cmocka_unit_test(a_call_that_comes_while_the_old_connection_is_left_is_answered_on_it),
        cmocka_unit_test(a_call_that_is_not_answered_is_left_after_ten_seconds),
        cmocka_unit_test(a_deferred_message_postpones_the_change_until_it_is_accepted),
        cmocka_unit_test(a_deferred_message_of_a_lost_connection_postpones_nothing),
        cmocka_unit_test(a_message_accepted_in_its_callback_postpones_nothing),
        cmocka_unit_test(a_twin_request_under_way_postpones_the_change),
        cmocka_unit_test(at_90_percent_of_the_life_nothing_postpones_any_more),
        cmocka_unit_test(an_open_connection_that_the_hub_closes_meanwhile_is_opened_again),
        cmocka_unit_test(reconnect_now_makes_the_new_connection_first),
        cmocka_unit_test(reconnect_now_leaves_a_dead_connection_after_three_seconds),
        cmocka_unit_test(reconnect_now_cuts_the_wait_of_a_failed_renewal_short),
        cmocka_unit_test(reconnect_now_waits_three_seconds_also_when_the_renewal_comes_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
