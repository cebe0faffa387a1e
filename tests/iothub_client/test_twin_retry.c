#include <stdio.h>

#include "twin_fixture.h"

/* Tests requests that are sent again after the hub throttles them or reports a fault of its own. */

static unsigned reports(const client_fixture *f)
{
    return f->hub.publishes - twin_gets(f);
}

static void throttled(client_fixture *f)
{
    fixture_init(f, fixture_quiet);
    fixture_connect(f);
    f->hub.twin_status = 429;
}

static void throttling_and_errors_of_the_hub_are_waited_out(void **state)
{
    (void)state;
    static const int codes[] = { 429, 500, 502, 503, 504, 599 };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        client_fixture f;
        iothub_stats stats;
        throttled(&f);
        f.hub.twin_status = codes[i];
        iothub_op got = twin_get(&f);
        iothub_op reported = twin_report(&f, "{\"a\":1}");
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 1);
        assert_int_equal(f.done_count, 0);

        fixture_sleep(&f, 10000);
        assert_in_range(f.hub.publishes, 2, 20);
        assert_int_equal(reports(&f), 0); /* the report waits, too */
        assert_int_equal(f.done_count, 0);
        iothub_get_stats(f.client, &stats);
        assert_int_equal(stats.twin_retries, f.hub.publishes);
        assert_non_null(
            strstr(f.log, codes[i] == 429 ? "throttled by the hub" : "an internal error"));
        assert_null(strstr(f.log, codes[i] != 429 ? "throttled by the hub" : "an internal error"));
        f.hub.twin_status = 200;
        fixture_sleep(&f, 30000);

        assert_int_equal(f.done_count, 2);
        assert_int_equal(f.dones[0].op, got);
        assert_int_equal(f.dones[0].result, IOTHUB_OK);
        assert_int_equal(f.dones[0].status, 200);
        assert_int_equal(f.dones[1].op, reported);
        assert_int_equal(f.dones[1].result, IOTHUB_OK);
        assert_int_equal(f.dones[1].status, 204);
        assert_int_equal(reports(&f), 1);
        fixture_free(&f);
    }
}

static void reports_keep_their_order_when_one_goes_again(void **state)
{
    (void)state;
    client_fixture f;
    unsigned n = 0;
    throttled(&f);
    for (unsigned i = 0; i < 5; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        (void)twin_report(&f, json);
    }

    while (f.done_count < 5) { /* each request is refused at least once */
        unsigned tried = f.hub.publishes;
        f.hub.twin_status = 429;
        while (f.hub.publishes == tried) {
            fixture_sleep(&f, 50);
        }
        f.hub.twin_status = 200;
        tried = f.done_count;
        while (f.done_count == tried) {
            fixture_sleep(&f, 1);
            f.hub.twin_status = f.done_count == tried ? 200 : 429;
        }
    }

    for (unsigned i = 0; i < f.hub.publishes; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", n);
        /* A different payload must be that of the next request. */
        if (strcmp(fake_hub_at(&f.hub, i)->payload, json) != 0) {
            snprintf(json, sizeof json, "{\"n\":%u}", ++n);
            assert_string_equal(fake_hub_at(&f.hub, i)->payload, json);
        }
    }
    assert_int_equal(n, 4);
    assert_true(f.hub.publishes >= 6);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(f.dones[i].result, IOTHUB_OK);
        assert_int_equal(f.dones[i].op, f.dones[0].op + i);
    }
    fixture_free(&f);
}

static void after_its_time_done_names_the_last_answer_of_the_hub(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    iothub_op tried = twin_report(&f, "{}");
    iothub_op waited = twin_report(&f, "{}");
    fixture_sleep(&f, 50000);
    f.hub.twin_status = 503;

    fixture_sleep(&f, 9999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);

    assert_int_equal(f.done_count, 2);
    assert_int_equal(f.dones[0].op, tried);
    assert_int_equal(f.dones[0].result, IOTHUB_ERR_TIMEOUT);
    assert_true(f.dones[0].status == 503 || f.dones[0].status == 429);
    assert_int_equal(f.dones[1].op, waited);
    assert_int_equal(f.dones[1].result, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(f.dones[1].status, 0); /* 0, because the request was never sent */
    assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void every_request_is_tried_however_long_the_hub_throttles(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);

    for (unsigned n = 0; n < 20; n++) { /* after these attempts, the back-off is at its limit */
        (void)twin_get(&f);
        fixture_sleep(&f, 60000);
        assert_int_equal(f.done_count, n + 1);
        assert_int_equal(f.dones[n].result, IOTHUB_ERR_TIMEOUT);
        assert_int_equal(f.dones[n].status, 429);
    }
    assert_in_range(f.hub.publishes, 40, 400);
    fixture_free(&f);
}

/* Each delay is random, so the limit shows only in the longest of many. */
static void no_wait_is_longer_than_half_the_time_of_a_request(void **state)
{
    (void)state;
    static const uint32_t times_ms[] = { 4000, 20000, 60000, 200000 };

    for (size_t i = 0; i < sizeof times_ms / sizeof times_ms[0]; i++) {
        client_fixture f;
        mqc_time longest = 0;
        throttled(&f);
        f.client->context.options.request_timeout_ms = times_ms[i];
        for (unsigned n = 0; n < 300; n++) {
            if (mqc_lane(f.client->context.engine, IOTHUB_LANE_TWIN).count == 0) {
                (void)twin_get(&f);
            }
            fixture_run(&f);
            mqc_time now = f.platform.clock.monotonic_ms;
            mqc_time wait = f.client->twin.hold_until > now ? f.client->twin.hold_until - now : 1;
            longest = wait > longest ? wait : longest;
            fixture_sleep(&f, wait);
        }
        /* The back-off is not longer than retry_max_ms either. */
        mqc_time most = times_ms[i] / 2 < 60000 ? times_ms[i] / 2 : 60000;
        assert_in_range(longest, most / 4 * 3, most);
        fixture_free(&f);
    }
}

static void a_request_that_goes_again_asks_for_no_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    assert_int_equal(twin_gets(&f), 1);
    f.hub.twin_status = 429;
    (void)twin_report(&f, "{}");
    fixture_sleep(&f, 10000);
    assert_in_range(reports(&f), 2, 20);
    f.hub.twin_status = 200;
    fixture_sleep(&f, 30000);

    assert_int_equal(f.done_count, 1);
    assert_int_equal(twin_gets(&f), 1);
    assert_int_equal(f.desired_count, 1);
    fixture_free(&f);
}

static void a_good_answer_restarts_the_back_off(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    (void)twin_get(&f);
    fixture_sleep(&f, 60000);
    assert_true(f.client->twin.failures >= 4);
    f.hub.twin_status = 200;
    (void)twin_get(&f);
    fixture_sleep(&f, 30000);
    assert_int_equal(fixture_last_done(&f)->result, IOTHUB_OK);

    f.hub.twin_status = 429;
    unsigned before = f.hub.publishes;
    (void)twin_get(&f);
    fixture_sleep(&f, 1001); /* the first delay is at most retry_min_ms */

    assert_true(f.hub.publishes >= before + 2);
    fixture_free(&f);
}

static void a_wait_outlives_the_connection_and_nothing_goes_twice(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    f.client->context.options.retry_min_ms = 20000;
    (void)twin_report(&f, "{\"n\":1}");
    (void)twin_report(&f, "{\"n\":2}");
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 1);
    mqc_time until = f.client->twin.hold_until;
    assert_true(until > 0);

    f.hub.twin_status = 200;
    fixture_cut(&f);
    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.publishes, 1); /* the hub has asked for a later attempt */
    mqc_time now = f.platform.clock.monotonic_ms;
    fixture_sleep(&f, until - now - 1);
    assert_int_equal(f.hub.publishes, 1);
    fixture_sleep(&f, 1);

    assert_int_equal(f.hub.publishes, 3);
    assert_string_equal(fake_hub_at(&f.hub, 1)->payload, "{\"n\":1}");
    assert_string_equal(fake_hub_at(&f.hub, 2)->payload, "{\"n\":2}");
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

static void a_wait_whose_end_passed_while_disconnected_has_ended(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    (void)twin_report(&f, "{}");
    fixture_run(&f);
    f.hub.return_code = 3;
    fixture_cut(&f);
    fixture_sleep(&f, 30000);
    assert_int_equal(f.hub.publishes, 1);

    f.hub.return_code = 0;
    f.hub.twin_status = 200;
    (void)iothub_reconnect_now(f.client);
    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 2);
    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    fixture_free(&f);
}

static void a_request_that_waits_times_out_while_away_too(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    (void)twin_report(&f, "{}");
    fixture_run(&f);
    f.hub.return_code = 3;
    fixture_cut(&f);
    fixture_sleep(&f, 60000);

    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.dones[0].result, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(f.dones[0].status, 429);
    fixture_free(&f);
}

static void a_stop_ends_what_waits(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    (void)twin_report(&f, "{}");
    (void)twin_get(&f);
    fixture_run(&f);

    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(f.done_count, 2);
    assert_int_equal(f.dones[0].result, IOTHUB_ERR_CANCELLED);
    assert_int_equal(f.dones[0].status, 429);
    assert_int_equal(f.dones[1].result, IOTHUB_ERR_CANCELLED);
    assert_int_equal(f.dones[1].status, 0);
    fixture_free(&f);
}

static void the_grace_of_a_stop_is_used_to_try_again(void **state)
{
    (void)state;
    client_fixture f;
    throttled(&f);
    (void)twin_report(&f, "{}");
    fixture_run(&f);
    assert_int_equal(iothub_stop(f.client, 5000), IOTHUB_OK);
    fixture_run(&f);
    f.hub.twin_status = 200;
    fixture_sleep(&f, 5000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    fixture_free(&f);
}

static void answers_to_a_request_that_waits_are_ignored(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    throttled(&f);
    iothub_op op = twin_report(&f, "{}");
    fixture_run(&f);

    twin_answer(&f, 429, op, "", "");
    twin_answer(&f, 204, op, "&$version=2", "");
    fixture_run(&f);
    assert_int_equal(f.done_count, 0);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.ignored, 2);
    assert_int_equal(stats.twin_retries, 1);
    f.hub.twin_status = 200;
    fixture_sleep(&f, 1000);

    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.hub.publishes, 2);
    fixture_free(&f);
}

static void the_document_and_requests_wait_for_the_hub_together(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 429;
    fixture_connect(&f);
    (void)twin_report(&f, "{}");
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 1); /* only the client's own GET was sent */

    f.hub.twin_status = 200;
    fixture_sleep(&f, 1000);

    assert_int_equal(f.hub.publishes, 3);
    assert_int_equal(reports(&f), 1);
    assert_int_equal(f.desired_count, 1);
    assert_int_equal(f.done_count, 1);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    fixture_free(&f);
}

static void a_document_that_cannot_be_read_holds_up_no_report(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{";
    fixture_connect(&f);

    for (unsigned n = 0; n < 10; n++) {
        (void)twin_report(&f, "{}");
        fixture_run(&f);
        assert_int_equal(f.done_count, n + 1);
        assert_int_equal(f.dones[n].result, IOTHUB_OK);
        fixture_sleep(&f, 7000);
    }
    assert_int_equal(f.desired_count, 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttling_and_errors_of_the_hub_are_waited_out),
        cmocka_unit_test(reports_keep_their_order_when_one_goes_again),
        cmocka_unit_test(after_its_time_done_names_the_last_answer_of_the_hub),
        cmocka_unit_test(every_request_is_tried_however_long_the_hub_throttles),
        cmocka_unit_test(no_wait_is_longer_than_half_the_time_of_a_request),
        cmocka_unit_test(a_request_that_goes_again_asks_for_no_document),
        cmocka_unit_test(a_good_answer_restarts_the_back_off),
        cmocka_unit_test(a_wait_outlives_the_connection_and_nothing_goes_twice),
        cmocka_unit_test(a_wait_whose_end_passed_while_disconnected_has_ended),
        cmocka_unit_test(a_request_that_waits_times_out_while_away_too),
        cmocka_unit_test(a_stop_ends_what_waits),
        cmocka_unit_test(the_grace_of_a_stop_is_used_to_try_again),
        cmocka_unit_test(answers_to_a_request_that_waits_are_ignored),
        cmocka_unit_test(the_document_and_requests_wait_for_the_hub_together),
        cmocka_unit_test(a_document_that_cannot_be_read_holds_up_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
