#include "client_fixture.h"

/* Tests iothub_start and iothub_stop in each stage and in any order. */

static void stop_sends_what_is_queued_then_disconnects(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    iothub_result how;
    iothub_op op = fixture_send(&f, "last words");

    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(f.hub.disconnects, 1);
    fixture_free(&f);
}

static void stop_cancels_what_the_grace_did_not_suffice_for(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    f.hub.twin_status = 0;
    iothub_op ops[3];
    ops[0] = fixture_send(&f, "unheard");
    assert_int_equal(iothub_twin_get(f.client, NULL, &ops[1]), IOTHUB_OK);
    assert_int_equal(iothub_twin_report(f.client, "{}", 2, NULL, &ops[2]), IOTHUB_OK);

    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_sleep(&f, 1000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    for (size_t i = 0; i < 3; i++) {
        iothub_result how;
        assert_int_equal(fixture_ended(&f, ops[i], &how), 1);
        assert_int_equal(how, IOTHUB_ERR_CANCELLED);
    }
    fixture_free(&f);
}

static void stop_does_not_wait_for_a_get_of_the_clients_own(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0; /* twin requests get no answer */
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 1);

    assert_int_equal(iothub_stop(f.client, 10000), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(f.done_count, 0);
    fixture_free(&f);
}

static void a_loop_wakes_at_the_end_of_the_grace(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    (void)fixture_send(&f, "unheard");

    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);
    iothub_poll_info(f.client, &p);

    assert_int_equal(p.timeout_ms, 1000);
    fixture_free(&f);
}

static void start_send_and_stop_in_one_breath_still_sends(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    iothub_op op = fixture_send(&f, "in one breath");
    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(f.hub.disconnects, 1);
    fixture_free(&f);
}

static void a_stopped_client_can_start_again(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);

    assert_int_equal(iothub_start(f.client),
                     IOTHUB_OK); /* started immediately, before the stop is complete */
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.connects, 2);
    fixture_free(&f);
}

/* Several calls without a turn between them. The bits of n give the order, from the lowest: 1 is
 * a start, 0 a stop. */
static void of_starts_and_stops_in_one_breath_the_last_one_counts(void **state)
{
    (void)state;
    for (unsigned length = 1; length <= 5; length++) {
        for (unsigned n = 0; n < 2u << length; n++) {
            const bool connected = n % 2 != 0; /* the state before all of the calls */
            bool on = connected;
            client_fixture f;
            fixture_init(&f, NULL);
            if (connected) {
                fixture_connect(&f);
            }
            for (unsigned i = 1; i <= length; i++) {
                bool start = (n >> i & 1) != 0;
                iothub_result r = start ? iothub_start(f.client) : iothub_stop(f.client, 0);
                assert_int_equal(r, start && on ? IOTHUB_ERR_STATE : IOTHUB_OK); /* once */
                on = start;
            }
            fixture_run(&f);
            assert_int_equal(iothub_get_state(f.client), on ? IOTHUB_CONNECTED : IOTHUB_STOPPED);
            fixture_free(&f);
        }
    }
}

static void reconnect_now_during_a_stop_does_not_start_again(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_cut(&f);
    iothub_op op = fixture_send(&f, "last words");
    assert_int_equal(iothub_stop(f.client, 5000), IOTHUB_OK);

    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    fixture_sleep(&f, 100000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(f.hub.connects, 2);
    fixture_free(&f);
}

static void stop_before_start_cancels_what_is_queued(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    iothub_op get;
    fixture_init(&f, NULL);
    iothub_op op = fixture_send(&f, "never mind");
    assert_int_equal(iothub_twin_get(f.client, NULL, &get), IOTHUB_OK);

    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_CANCELLED);
    assert_int_equal(fixture_ended(&f, get, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_CANCELLED);

    op = fixture_send(&f, "for the next start");
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, op, NULL), 0);
    fixture_connect(&f);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_free(&f);
}

static void a_stop_ends_in_every_stage(void **state)
{
    (void)state;
    for (unsigned calls = 0; calls < 12; calls++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.platform.streams[0].stage_calls = 2; /* each iothub_process completes one stage */
        iothub_op op = fixture_send(&f, "one");
        iothub_result how;
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        for (unsigned n = 0; n < calls; n++) {
            assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        }

        assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
        fixture_run(&f);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
        assert_int_equal(fixture_ended(&f, op, &how), 1);
        for (unsigned n = 0; n < f.status_count; n++) {
            assert_int_equal(f.statuses[n].reason, IOTHUB_OK);
        }
        assert_null(fixture_stream(&f));
        fixture_free(&f);
    }
}

static void a_disconnect_that_cannot_leave_is_given_up(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_stream(&f)->send_room = 0;

    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPING);
    fixture_sleep(&f, 2000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_non_null(strstr(fixture_last_status(&f)->text, "stopped"));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_sends_what_is_queued_then_disconnects),
        cmocka_unit_test(stop_cancels_what_the_grace_did_not_suffice_for),
        cmocka_unit_test(stop_does_not_wait_for_a_get_of_the_clients_own),
        cmocka_unit_test(a_loop_wakes_at_the_end_of_the_grace),
        cmocka_unit_test(start_send_and_stop_in_one_breath_still_sends),
        cmocka_unit_test(a_stopped_client_can_start_again),
        cmocka_unit_test(of_starts_and_stops_in_one_breath_the_last_one_counts),
        cmocka_unit_test(reconnect_now_during_a_stop_does_not_start_again),
        cmocka_unit_test(stop_before_start_cancels_what_is_queued),
        cmocka_unit_test(a_stop_ends_in_every_stage),
        cmocka_unit_test(a_disconnect_that_cannot_leave_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
