#include <stdio.h>

#include "twin_fixture.h"

/* Tests requests for the twin and their answers. */

static void get_ends_with_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    iothub_op op = twin_get(&f);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(fixture_last_done(&f)->kind, IOTHUB_OP_TWIN_GET);
    assert_int_equal(fixture_last_done(&f)->result, IOTHUB_OK);
    assert_int_equal(fixture_last_done(&f)->status, 200);
    assert_string_equal(f.done_body, f.hub.twin);
    fixture_free(&f);
}

static void a_report_ends_with_its_version(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    iothub_op op = twin_report(&f, " {\"t\":21} ");
    fixture_run(&f);

    assert_int_equal(fixture_last_done(&f)->op, op);
    assert_int_equal(fixture_last_done(&f)->kind, IOTHUB_OP_TWIN_REPORT);
    assert_int_equal(fixture_last_done(&f)->result, IOTHUB_OK);
    assert_int_equal(fixture_last_done(&f)->status, 204);
    assert_int_equal(fixture_last_done(&f)->version, 2);
    assert_ptr_equal(fixture_last_done(&f)->tag, &f);
    const fake_hub_publish *p = fake_hub_last(&f.hub, "$iothub/twin/PATCH/");
    assert_string_equal(p->payload, " {\"t\":21} ");
    assert_int_equal(p->qos, 0);
    fixture_free(&f);
}

static void a_refusal_is_reported_with_its_status(void **state)
{
    (void)state;
    static const int codes[] = { 400, 413, 428, 430, 499, 600, 999, 100, 300, 0 };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_connect(&f);
        f.hub.twin_status = 0;
        iothub_op op = twin_report(&f, "{}");
        fixture_run(&f);

        twin_answer(&f, codes[i], op, "", "{\"message\":\"no\"}");
        fixture_run(&f);

        assert_int_equal(fixture_ended(&f, op, NULL), 1);
        assert_int_equal(fixture_last_done(&f)->result, IOTHUB_ERR_REJECTED);
        assert_int_equal(fixture_last_done(&f)->status, codes[i]);
        assert_string_equal(f.done_body, "{\"message\":\"no\"}");
        fixture_free(&f);
    }
}

static void without_an_answer_a_request_times_out(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op sent = twin_get(&f);
    iothub_op queued = twin_report(&f, "{}");
    fixture_run(&f);

    fixture_sleep(&f, 59999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);

    assert_int_equal(fixture_ended(&f, sent, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(fixture_ended(&f, queued, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);

    twin_answer(&f, 200, sent, "", "{}"); /* too late */
    fixture_run(&f);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

static void requests_time_out_while_disconnected_too(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    iothub_op before_start = twin_get(&f);
    fixture_sleep(&f, 60000);
    assert_int_equal(fixture_ended(&f, before_start, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);

    fixture_connect(&f);
    f.hub.return_code = 3;
    fixture_cut(&f);
    iothub_op op = twin_report(&f, "{}");
    fixture_sleep(&f, 60000);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    fixture_free(&f);
}

static void a_request_that_times_out_while_leaving_ends_in_time(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    /* The stream accepts the start of the packet and then nothing. */
    fixture_stream(&f)->send_room = 5;
    iothub_op op = twin_get(&f);
    fixture_sleep(&f, 60500);
    /* The request has not ended, because a packet that is partly sent cannot be cancelled. */
    assert_int_equal(fixture_ended(&f, op, NULL), 0);

    fixture_stream(&f)->send_room = SIZE_MAX;
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    fixture_free(&f);
}

static void reports_reach_the_hub_one_at_a_time_in_order(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    unsigned before = f.hub.publishes;
    iothub_op ops[5];
    for (unsigned i = 0; i < 5; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        ops[i] = twin_report(&f, json);
    }

    for (unsigned i = 0; i < 5; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, before + i + 1);
        assert_string_equal(fake_hub_at(&f.hub, before + i)->payload, json);
        twin_answer(&f, 204, ops[i], "&$version=9", "");
    }
    fixture_run(&f);

    assert_int_equal(f.done_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(f.dones[i].op, ops[i]);
        assert_int_equal(f.dones[i].result, IOTHUB_OK);
    }
    fixture_free(&f);
}

static void a_request_cut_before_its_answer_is_sent_again(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = twin_report(&f, "{\"a\":1}");
    fixture_run(&f);
    unsigned before = f.hub.publishes;

    f.hub.twin_status = 200;
    fixture_cut(&f);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1000);

    assert_true(f.hub.publishes > before);
    assert_string_equal(fake_hub_last(&f.hub, "$iothub/twin/PATCH/")->payload, "{\"a\":1}");
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_free(&f);
}

static void answers_without_a_request_are_ignored(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = twin_get(&f);
    iothub_op queued = twin_get(&f); /* waits behind the first request and is not sent yet */
    fixture_run(&f);

    twin_answer(&f, 200, op + 1000, "", "{}");
    twin_answer(&f, 200, queued, "", "{}");
    twin_answer(&f, 200, 0, "", "{}");
    fake_hub_send(fixture_stream(&f), "$iothub/twin/res/200/?$rid=abc", "{}", 2, 0);
    fixture_run(&f);

    assert_int_equal(f.done_count, 0);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.ignored, 4);
    fixture_free(&f);
}

static void only_a_json_object_can_be_reported(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",        "{",           "{}x",      "[]",
                                         "1",       "null",        "{\"a\":}", "{a:1}",
                                         "\"{}\"",  "{\"a\":1,}",  "{}{}",     "{\"a\":01}",
                                         "{'a':1}", "{\"\x80\":1}" };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        iothub_result r = iothub_twin_report(f.client, wrong[i], strlen(wrong[i]), NULL, NULL);
        assert_int_equal(r, IOTHUB_ERR_JSON);
        assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_JSON);
    }
    assert_int_equal(iothub_twin_report(f.client, NULL, 0, NULL, NULL), IOTHUB_ERR_ARG);
    fixture_free(&f);
}

static void a_full_queue_refuses_and_what_was_accepted_ends_once(void **state)
{
    (void)state;
    client_fixture f;
    unsigned accepted = 0;
    fixture_init(&f, NULL);

    while (iothub_twin_get(f.client, NULL, NULL) == IOTHUB_OK) {
        accepted++;
        assert_true(accepted < 1000);
    }
    assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_NO_SPACE);
    assert_int_equal(accepted, IOTHUB_REQUESTS);
    fixture_connect(&f);
    fixture_sleep(&f, 5000);

    assert_int_equal(f.done_count, accepted);
    assert_int_equal(f.desired_count, 1); /* the client's own GET was sent when there was room */
    fixture_free(&f);
}

static void fill_up(client_fixture *f)
{
    while (iothub_twin_get(f->client, NULL, NULL) == IOTHUB_OK) {
    }
}

static void a_queue_that_is_kept_full_does_not_keep_the_document_back(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0; /* from here on the test itself sends the answers */
    const unsigned before = f.hub.publishes;

    fill_up(&f);
    fixture_run(&f);
    twin_patch(&f, 3); /* version 2 was lost, so the client wants to send a GET of its own */
    fixture_run(&f);
    for (unsigned i = 0; i <= IOTHUB_REQUESTS; i++) {
        const fake_hub_publish *asked = fake_hub_at(&f.hub, before + i);
        twin_answer(&f, 200, twin_rid(asked), "", "{\"desired\":{\"$version\":3},\"reported\":{}}");
        fixture_run(&f);
        fill_up(&f);
        fixture_run(&f);
    }

    assert_int_equal(f.desired_count, 2);
    assert_int_equal(f.desired[1].version, 3);
    fixture_free(&f);
}

static bool report_nothing(client_fixture *f)
{
    return iothub_twin_report(f->client, "{}", 2, NULL, NULL) == IOTHUB_OK;
}

/* Requests that time out free their slots, too, and the application could use these first. */
static void a_get_of_the_clients_own_that_found_no_room_goes_before_new_requests(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    const unsigned gets = twin_gets(&f);
    while (report_nothing(&f)) {
    }
    fixture_run(&f);
    twin_patch(&f, 3);
    fixture_run(&f);
    assert_int_equal(twin_gets(&f), gets);

    fixture_sleep(&f, f.options.request_timeout_ms - 1);
    assert_int_equal(f.done_count, 0);
    for (unsigned ms = 0; ms <= f.options.retry_min_ms; ms += 100) {
        while (report_nothing(&f)) { /* the application makes requests whenever there is room */
        }
        fixture_sleep(&f, 100);
    }

    assert_int_equal(f.done_count, IOTHUB_REQUESTS);
    assert_int_equal(twin_gets(&f), gets + 1);
    assert_true(report_nothing(&f)); /* after that, the application can make requests again */
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_ends_with_the_document),
        cmocka_unit_test(a_report_ends_with_its_version),
        cmocka_unit_test(a_refusal_is_reported_with_its_status),
        cmocka_unit_test(without_an_answer_a_request_times_out),
        cmocka_unit_test(requests_time_out_while_disconnected_too),
        cmocka_unit_test(a_request_that_times_out_while_leaving_ends_in_time),
        cmocka_unit_test(reports_reach_the_hub_one_at_a_time_in_order),
        cmocka_unit_test(a_request_cut_before_its_answer_is_sent_again),
        cmocka_unit_test(answers_without_a_request_are_ignored),
        cmocka_unit_test(only_a_json_object_can_be_reported),
        cmocka_unit_test(a_full_queue_refuses_and_what_was_accepted_ends_once),
        cmocka_unit_test(a_queue_that_is_kept_full_does_not_keep_the_document_back),
        cmocka_unit_test(a_get_of_the_clients_own_that_found_no_room_goes_before_new_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
