#include "renewal.h"

/* Tests the planned change of the connection. */

static void the_old_connection_carries_everything_while_the_new_one_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        iothub_op report;
        begin(&r, stages[i]);

        iothub_op op = fixture_send(&r.f, "meanwhile");
        assert_int_equal(iothub_twin_report(r.f.client, "{}", 2, NULL, &report), IOTHUB_OK);
        fixture_run(&r.f);
        assert_ended_well(&r.f, op);
        assert_ended_well(&r.f, report);
        assert_int_equal(r.f.hub.connects, 1);
        assert_int_equal(r.f.status_count, r.statuses);

        r.new->stall_at = PLAT_STAGE_OPEN;
        fixture_run(&r.f);
        assert_renewed(&r);
        assert_int_equal(r.f.hub.disconnects, 1);
        assert_non_null(strstr(r.f.hub.password, "&se=1700006480"));
        fixture_free(&r.f);
    }
}

static void a_planned_change_passes_these_states_only(void **state)
{
    (void)state;
    static const iothub_state path[] = { IOTHUB_RENEWING, IOTHUB_LOGGING_IN, IOTHUB_SUBSCRIBING,
                                         IOTHUB_CONNECTED };
    renewal r;
    connect(&r, NULL);

    fixture_sleep(&r.f, DUE_MS);

    assert_int_equal(r.f.status_count - r.statuses, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(r.f.statuses[r.statuses + i].state, path[i]);
    }
    fixture_free(&r.f);
}

static void renewals_take_turns_with_the_two_streams(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);

    for (unsigned n = 1; n <= 20; n++) {
        iothub_op op = fixture_send(&r.f, "x");
        fixture_sleep(&r.f, DUE_MS);
        assert_ended_well(&r.f, op);
        assert_int_equal(stats_of(&r.f).token_renewals, n);
        assert_int_equal(r.f.platform.net.made, 2);
        assert_ptr_not_equal(r.f.platform.net.memories[0], r.f.platform.net.memories[1]);
        assert_int_equal((n % 2 == 0 ? r.old : r.new)->state, SCRIPTED_READY);
        assert_int_equal((n % 2 == 0 ? r.new : r.old)->state, SCRIPTED_CLOSED);
    }
    fixture_free(&r.f);
}

static void a_new_connection_that_does_not_get_up_is_no_loss(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        begin(&r, stages[i]);

        fixture_sleep(&r.f, 14999);
        assert_int_equal(r.new->state, SCRIPTED_OPENING);
        fixture_sleep(&r.f, 1); /* the deadline of the stage has passed */
        assert_int_equal(r.new->state, SCRIPTED_CLOSED);
        fixture_sleep(&r.f, 200000);
        /* It is opened several times, with back-off. */
        assert_in_range(r.new->calls[SCRIPTED_OPEN], 5, 20);
        assert_int_equal(r.f.status_count, r.statuses);
        iothub_op op = fixture_send(&r.f, "all the same");
        fixture_run(&r.f);
        assert_ended_well(&r.f, op);

        r.new->stall_at = PLAT_STAGE_OPEN;
        fixture_sleep(&r.f, 80000);
        assert_renewed(&r);
        fixture_free(&r.f);
    }
}

static void the_new_connection_takes_over_when_the_old_one_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        begin(&r, stages[i]);
        r.f.hub.mute_publish = true;
        iothub_op op = fixture_send(&r.f, "on its way");
        fixture_run(&r.f);

        scripted_break(r.old, PLAT_EOF);
        fixture_run(&r.f);
        assert_int_equal(iothub_get_state(r.f.client), states[i]);
        assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_NETWORK);
        assert_non_null(strstr(fixture_last_status(&r.f)->text, "continuing with the new"));
        r.f.hub.mute_publish = false;
        r.new->stall_at = PLAT_STAGE_OPEN;
        fixture_run(&r.f);

        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
        /* The connection in progress is used; no new one is opened. */
        assert_int_equal(r.new->calls[SCRIPTED_OPEN], 1);
        assert_ended_well(&r.f, op);
        assert_int_equal(stats_of(&r.f).losses, 1);
        assert_int_equal(stats_of(&r.f).token_renewals, 0);
        for (unsigned n = r.statuses; n < r.f.status_count; n++) {
            assert_int_not_equal(r.f.statuses[n].state, IOTHUB_WAITING);
        }
        fixture_free(&r.f);
    }
}

static void a_stage_taken_over_keeps_a_deadline(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        begin(&r, stages[i]);
        scripted_break(r.old, PLAT_ERR_IO);
        fixture_run(&r.f);

        fixture_sleep(&r.f, 15000);

        assert_int_equal(fixture_last_status(&r.f)->state, IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_TIMEOUT);
        r.new->stall_at = PLAT_STAGE_OPEN;
        fixture_sleep(&r.f, 1000);
        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
        fixture_free(&r.f);
    }
}

static void a_loss_while_the_renewal_waits_for_another_try_is_an_ordinary_one(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    scripted_fail(r.new, SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(r.new->state, SCRIPTED_CLOSED);

    scripted_break(r.old, PLAT_ERR_IO);
    fixture_run(&r.f);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_WAITING);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void a_stop_ends_both_connections_in_each_stage(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        begin(&r, stages[i]);
        iothub_op op = fixture_send(&r.f, "last words");

        assert_int_equal(iothub_stop(r.f.client, 1000), IOTHUB_OK);
        fixture_run(&r.f);

        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_STOPPED);
        assert_ended_well(&r.f, op);
        assert_int_equal(r.old->state, SCRIPTED_CLOSED);
        assert_int_equal(r.new->state, SCRIPTED_CLOSED);
        fixture_sleep(&r.f, 10 * LIFE_MS);
        assert_int_equal(r.f.hub.connects, 1);
        fixture_free(&r.f);
    }
}

static void a_stop_while_letting_go_ends_both_connections(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.hub.mute_publish = true;
    iothub_op op = fixture_send(&r.f, "unheard");
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);

    assert_int_equal(iothub_stop(r.f.client, 0), IOTHUB_OK);
    fixture_run(&r.f);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_STOPPED);
    assert_int_equal(fixture_ended(&r.f, op, NULL), 1);
    assert_null(fixture_stream(&r.f));
    fixture_free(&r.f);
}

static void deinit_in_the_middle_closes_both_streams(void **state)
{
    (void)state;
    renewal r;
    begin(&r, PLAT_STAGE_TLS);

    iothub_deinit(r.f.client);

    assert_null(fixture_stream(&r.f));
    fixture_free(&r.f);
}

static void a_refused_login_on_the_new_connection_is_an_ordinary_failure(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.hub.return_code = 5;
    iothub_op op = fixture_send(&r.f, "x");
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_WAITING);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_AUTH);

    r.f.hub.return_code = 0;
    fixture_sleep(&r.f, 1000);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_ended_well(&r.f, op);
    assert_int_equal(stats_of(&r.f).token_renewals, 0);
    fixture_free(&r.f);
}

static void what_is_in_flight_is_waited_for_but_not_forever(void **state)
{
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        renewal r;
        connect(&r, NULL);
        r.f.hub.mute_publish = true;
        iothub_op op = fixture_send(&r.f, "slow");
        fixture_run(&r.f);
        unsigned number = r.f.hub.publishes - 1;
        fixture_sleep(&r.f, DUE_MS);
        iothub_op later = fixture_send(&r.f, "held");
        fixture_sleep(&r.f, 9999);
        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);
        assert_int_equal(r.f.hub.publishes, number + 1);

        r.f.hub.mute_publish = false;
        if (answered) {
            fake_hub_ack(&r.f.hub, r.old, number);
        }
        fixture_sleep(&r.f, 1);

        assert_renewed(&r);
        assert_ended_well(&r.f, op);
        assert_ended_well(&r.f, later);
        assert_int_equal(fake_hub_at(&r.f.hub, number + 1)->dup, !answered);
        fixture_free(&r.f);
    }
}

static void an_old_connection_that_ends_while_it_is_left_is_no_error(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.hub.mute_publish = true;
    iothub_op op = fixture_send(&r.f, "x");
    fixture_sleep(&r.f, DUE_MS);
    r.f.hub.mute_publish = false;

    scripted_break(r.old, PLAT_EOF);
    fixture_run(&r.f);

    assert_renewed(&r);
    assert_ended_well(&r.f, op);
    fixture_free(&r.f);
}

static void a_new_connection_lost_while_the_old_one_closes_is_opened_again_immediately(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    r.f.hub.mute_publish = true;
    iothub_op op = fixture_send(&r.f, "x");
    fixture_sleep(&r.f, DUE_MS);
    scripted_break(r.new, PLAT_EOF);
    fixture_run(&r.f);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);
    r.f.hub.mute_publish = false;

    scripted_break(r.old, PLAT_EOF);
    fixture_run(&r.f);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_ended_well(&r.f, op);
    for (unsigned i = r.statuses; i < r.f.status_count; i++) {
        assert_int_equal(r.f.statuses[i].reason, IOTHUB_OK);
    }
    fixture_free(&r.f);
}

/* Sends telemetry all the time, while the nth call of one of the streams fails. */
static void every_failing_call_is_survived(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * 60; n++) {
        renewal r;
        iothub_op ops[12];
        connect(&r, NULL);
        r.new->stage_calls = 2;
        fixture_sleep(&r.f, DUE_MS - 3);
        scripted_fail(&r.f.platform.streams[n % 2], SCRIPTED_ANY, 1 + n / 2, PLAT_ERR_IO);

        for (size_t i = 0; i < 12; i++) {
            ops[i] = fixture_send(&r.f, "x");
            fixture_sleep(&r.f, 1);
        }
        scripted_fail(&r.f.platform.streams[n % 2], SCRIPTED_ANY, 0, PLAT_OK);
        fixture_sleep(&r.f, 5000);

        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
        assert_true(r.f.hub.connects >= 2);
        for (size_t i = 0; i < 12; i++) {
            assert_ended_well(&r.f, ops[i]);
        }
        fixture_free(&r.f);
    }
}

/* --- without overlap --------------------------------------------------------------------- */

static void no_overlap(iothub_options *o)
{
    o->overlap = false;
}

static void without_overlap_there_is_one_stream_only(void **state)
{
    (void)state;
    renewal r;
    connect(&r, no_overlap);
    for (int n = 2; n <= 3; n++) {
        iothub_op op = fixture_send(&r.f, "x");
        if (n == 2) {
            fixture_sleep(&r.f, DUE_MS);
        } else {
            assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
            fixture_run(&r.f);
        }
        assert_ended_well(&r.f, op);
        assert_int_equal(r.f.hub.connects, n);
        assert_int_equal(r.f.platform.net.made, 1);
        bool said = false;
        for (unsigned i = 0; i < r.f.status_count; i++) {
            said = said || strstr(r.f.statuses[i].text, "reconnecting") != NULL;
            assert_null(strstr(r.f.statuses[i].text, "stopped"));
        }
        assert_true(said);
    }
    assert_int_equal(stats_of(&r.f).token_renewals, 2);
    assert_int_equal(stats_of(&r.f).losses, 0);
    fixture_free(&r.f);
}

/* --- looking in ------------------------------------------------------------------------------ */

static void the_gap_is_measured_from_the_last_telemetry_to_connack(void **state)
{
    (void)state;
    static const uint64_t gaps[] = { 70, 200, 30 };
    renewal r;
    connect(&r, NULL);

    for (size_t i = 0; i < 3; i++) {
        r.f.hub.mute_publish = true;
        fixture_send(&r.f, "x");
        fixture_run(&r.f);
        assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
        fixture_run(&r.f);
        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RENEWING);
        fixture_sleep(&r.f, gaps[i]);
        r.f.hub.mute_publish = false;
        fake_hub_ack(&r.f.hub, &r.f.platform.streams[i % 2], r.f.hub.publishes - 1);
        fixture_run(&r.f);
        assert_int_equal(stats_of(&r.f).renewal_gap_last_ms, gaps[i]);
    }

    assert_int_equal(stats_of(&r.f).renewal_gap_longest_ms, 200);
    assert_int_equal(stats_of(&r.f).renewal_gap_sum_ms, 300);
    assert_int_equal(stats_of(&r.f).token_renewals, 3);
    fixture_free(&r.f);
}

static void resumed_tls_sessions_are_counted(void **state)
{
    (void)state;
    renewal r;
    connect(&r, NULL);
    assert_int_equal(stats_of(&r.f).tls_resumptions, 0);

    r.new->resumed = true;
    fixture_sleep(&r.f, DUE_MS);
    assert_int_equal(stats_of(&r.f).tls_resumptions, 1);
    fixture_cut(&r.f);
    r.old->resumed = r.new->resumed = true;
    fixture_sleep(&r.f, 1000);

    assert_int_equal(stats_of(&r.f).tls_resumptions, 2);
    fixture_free(&r.f);
}

static void both_descriptors_are_shown_while_there_are_two(void **state)
{
    (void)state;
    renewal r;
    iothub_poll p;
    connect(&r, NULL);
    r.old->fd = 10;
    r.new->fd = 11;
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].fd, 10);
    assert_int_equal(p.fds[1].fd, -1);
    call_method(&r);

    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].fd, 10);
    assert_int_equal(p.fds[1].fd, 11); /* it is open, and waits until the method is answered */
    assert_true(p.fds[1].want_read);
    /* It has nothing to send, so it must not ask for writability. */
    assert_false(p.fds[1].want_write);
    assert_int_equal(r.new->last_least, 1);
    assert_true(p.timeout_ms > 0);
    fixture_sleep(&r.f, 20000);

    assert_renewed(&r);
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].fd, -1);
    assert_int_equal(p.fds[1].fd, 11); /* the connection is still in the second slot */
    assert_true(p.fds[1].want_read);
    assert_int_equal(iothub_reconnect_now(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].fd, 10);
    assert_int_equal(p.fds[1].fd, -1);
    fixture_free(&r.f);
}

static void a_slot_shows_another_generation_with_each_open_of_its_stream(void **state)
{
    (void)state;
    renewal r;
    iothub_poll p;
    uint32_t first;
    connect(&r, NULL);
    r.old->fd = r.new->fd = 10; /* both streams use the same descriptor number */
    iothub_poll_info(r.f.client, &p);
    first = p.fds[0].generation;
    fixture_run(&r.f);
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].generation, first);

    fixture_cut(&r.f);
    fixture_sleep(&r.f, 120000);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    iothub_poll_info(r.f.client, &p);
    assert_int_equal(p.fds[0].fd, 10);
    assert_int_not_equal(p.fds[0].generation, first);
    fixture_free(&r.f);
}

static void no_stage_of_a_renewal_is_a_busy_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        renewal r;
        iothub_poll p;
        begin(&r, stages[i]);

        assert_int_equal(iothub_process(r.f.client), IOTHUB_OK);
        iothub_poll_info(r.f.client, &p);
        assert_true(p.timeout_ms > 0);
        /* Also with a stop whose grace is running. */
        assert_int_equal(iothub_stop(r.f.client, 5000), IOTHUB_OK);
        r.f.hub.mute_publish = true;
        fixture_send(&r.f, "x");
        fixture_run(&r.f);
        iothub_poll_info(r.f.client, &p);
        assert_true(p.timeout_ms > 0);
        fixture_sleep(&r.f, 20000);
        assert_int_equal(iothub_get_state(r.f.client), IOTHUB_STOPPED);
        fixture_free(&r.f);
    }
}

static uint32_t life_s;

static void with_life(iothub_options *o)
{
    o->sas_lifetime_s = life_s;
}

/* A token is renewed at 80 % of its life, or 1.2 s before its end if that is earlier. */
static void a_token_is_renewed_to_the_millisecond(void **state)
{
    (void)state;
    for (life_s = 2; life_s <= 100000; life_s = life_s < 10 ? life_s + 1 : life_s * 10) {
        const uint64_t at_ms = life_s > 6 ? life_s * UINT64_C(800) : life_s * UINT64_C(1000) - 1200;
        client_fixture f;
        fixture_init(&f, with_life);
        fixture_connect(&f);
        for (unsigned n = 1; n <= 3; n++) {
            fixture_sleep(&f, at_ms - 1);
            assert_int_equal(f.hub.connects, n);
            fixture_sleep(&f, 1);
            assert_int_equal(f.hub.connects, n + 1);
        }
        fixture_free(&f);
    }
}

static void two_seconds(iothub_options *o)
{
    o->sas_lifetime_s = 2;
}

static void the_shortest_life_is_renewed_while_its_token_is_good(void **state)
{
    (void)state;
    /* Milliseconds within the second at the start. */
    for (uint64_t part_ms = 0; part_ms < 1000; part_ms += 50) {
        renewal r;
        fixture_init(&r.f, two_seconds);
        fake_clock_advance(&r.f.platform.clock, part_ms);
        fixture_connect(&r.f);
        for (unsigned n = 2; n < 6; n++) {
            const char *se = strstr(r.f.hub.password, "&se=");
            int64_t expiry_ms = strtoll(se + 4, NULL, 10) * 1000;
            while (r.f.hub.connects < n) {
                fixture_sleep(&r.f, 1);
            }
            assert_true(r.f.platform.clock.wall_ms < expiry_ms - 100);
        }
        fixture_free(&r.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_connection_carries_everything_while_the_new_one_opens),
        cmocka_unit_test(a_planned_change_passes_these_states_only),
        cmocka_unit_test(renewals_take_turns_with_the_two_streams),
        cmocka_unit_test(a_new_connection_that_does_not_get_up_is_no_loss),
        cmocka_unit_test(the_new_connection_takes_over_when_the_old_one_is_lost),
        cmocka_unit_test(a_stage_taken_over_keeps_a_deadline),
        cmocka_unit_test(a_loss_while_the_renewal_waits_for_another_try_is_an_ordinary_one),
        cmocka_unit_test(a_stop_ends_both_connections_in_each_stage),
        cmocka_unit_test(a_stop_while_letting_go_ends_both_connections),
        cmocka_unit_test(deinit_in_the_middle_closes_both_streams),
        cmocka_unit_test(a_refused_login_on_the_new_connection_is_an_ordinary_failure),
        cmocka_unit_test(what_is_in_flight_is_waited_for_but_not_forever),
        cmocka_unit_test(an_old_connection_that_ends_while_it_is_left_is_no_error),
        cmocka_unit_test(
            a_new_connection_lost_while_the_old_one_closes_is_opened_again_immediately),
        cmocka_unit_test(every_failing_call_is_survived),
        cmocka_unit_test(without_overlap_there_is_one_stream_only),
        cmocka_unit_test(the_gap_is_measured_from_the_last_telemetry_to_connack),
        cmocka_unit_test(resumed_tls_sessions_are_counted),
        cmocka_unit_test(both_descriptors_are_shown_while_there_are_two),
        cmocka_unit_test(a_slot_shows_another_generation_with_each_open_of_its_stream),
        cmocka_unit_test(no_stage_of_a_renewal_is_a_busy_loop),
        cmocka_unit_test(a_token_is_renewed_to_the_millisecond),
        cmocka_unit_test(the_shortest_life_is_renewed_while_its_token_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
