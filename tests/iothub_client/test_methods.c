#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"

static void call(client_fixture *f, const char *name, const char *rid, const char *payload)
{
    char topic[400];
    snprintf(topic, sizeof topic, "$iothub/methods/POST/%s/?$rid=%s", name, rid);
    fake_hub_send(fixture_stream(f), topic, payload, strlen(payload), 0);
    fixture_run(f);
}

static iothub_result respond(client_fixture *f, unsigned n, int status, const char *json,
                             iothub_op *op)
{
    return iothub_method_respond(f->client, &f->tokens[n], status, json, strlen(json), f, op);
}

static const fake_hub_publish *answer_of(client_fixture *f, const char *rid)
{
    char end[100];
    snprintf(end, sizeof end, "/?$rid=%s", rid);
    for (unsigned n = 0; n < f->hub.publishes; n++) {
        const fake_hub_publish *p = fake_hub_at(&f->hub, n);
        const char *at = strstr(p->topic, end);
        if (strncmp(p->topic, "$iothub/methods/res/", 20) == 0 && at != NULL &&
            strlen(at) == strlen(end)) {
            return p;
        }
    }
    return NULL;
}

static iothub_method_verdict answer_at_once(iothub_client *c, const iothub_method_call *m,
                                            void *user)
{
    client_fixture *f = user;
    f->method_count++;
    assert_int_equal(iothub_method_respond(c, &m->token, 200, "{\"now\":1}", 9, NULL, NULL),
                     IOTHUB_OK);
    return IOTHUB_METHOD_TAKEN;
}

static void answers_in_callback(iothub_options *o)
{
    o->callbacks.method = answer_at_once;
}

static void an_answer_may_be_given_in_the_callback(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, answers_in_callback);
    fixture_connect(&f);

    call(&f, "reboot", "1", "{}");

    const fake_hub_publish *p = answer_of(&f, "1");
    assert_non_null(p);
    assert_string_equal(p->topic, "$iothub/methods/res/200/?$rid=1");
    assert_string_equal(p->payload, "{\"now\":1}");
    assert_int_equal(p->qos, 0);
    fixture_free(&f);
}

static void an_answer_may_be_given_later_and_has_its_own_done(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op op = 0;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "set%20speed", "0f-1", "{\"v\":3}");
    assert_string_equal(f.method_name, "set speed");
    assert_string_equal(f.method_payload, "{\"v\":3}");
    fixture_sleep(&f, 100000);

    assert_int_equal(respond(&f, 0, -7, "[1]", &op), IOTHUB_OK);
    assert_int_equal(fixture_ended(&f, op, NULL), 0); /* callbacks never run inside the call */
    fixture_run(&f);

    assert_string_equal(answer_of(&f, "0f-1")->topic, "$iothub/methods/res/-7/?$rid=0f-1");
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(f.dones[0].kind, IOTHUB_OP_METHOD_RESPONSE);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    assert_ptr_equal(f.dones[0].tag, &f);
    iothub_stats stats;
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.methods_received, 1);
    assert_int_equal(stats.methods_answered, 1);
    fixture_free(&f);
}

static void any_number_may_be_the_status_of_an_answer(void **state)
{
    (void)state;
    static const int numbers[] = { 0, 1, -1, 200, INT32_MAX, INT32_MIN };
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char rid[16];
        char topic[64];
        snprintf(rid, sizeof rid, "r%u", i);
        snprintf(topic, sizeof topic, "$iothub/methods/res/%d/?$rid=r%u", numbers[i], i);
        call(&f, "m", rid, "");
        assert_int_equal(respond(&f, i, numbers[i], "", NULL), IOTHUB_OK);
        fixture_run(&f);
        assert_string_equal(answer_of(&f, rid)->topic, topic);
    }
    fixture_free(&f);
}

static void after_a_cut_it_is_too_late(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "m", "1", "");

    fixture_cut(&f);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_EXPIRED);
    fixture_sleep(&f, 1000);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_EXPIRED);
    call(&f, "m", "2", ""); /* uses the same slot as the first call */
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_EXPIRED);
    assert_int_equal(respond(&f, 1, 200, "{}", NULL), IOTHUB_OK);
    fixture_free(&f);
}

static void an_answer_that_could_not_leave_ends_with_the_connection(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op op = 0;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "m", "1", "");
    fixture_stream(&f)->send_room = 0;
    assert_int_equal(respond(&f, 0, 200, "{}", &op), IOTHUB_OK);

    fixture_cut(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_CANCELLED);
    fixture_free(&f);
}

static void a_second_answer_is_refused(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "m", "1", "");

    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_OK);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_STATE);
    fixture_sleep(&f, 400000);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_STATE);
    fixture_free(&f);
}

/* Slots are reused in the order in which they were freed. */
static void a_second_answer_differs_from_a_late_one_for_sixteen_calls(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (unsigned n = 0; n < 3 * METHODS_OPEN_MAX; n++) {
        call(&f, "m", "1", "");
        assert_int_equal(respond(&f, n, 200, "{}", NULL), IOTHUB_OK);
        fixture_run(&f);
        for (unsigned i = 0; i <= n; i++) {
            bool known = n - i < METHODS_OPEN_MAX;
            assert_int_equal(respond(&f, i, 200, "{}", NULL),
                             known ? IOTHUB_ERR_STATE : IOTHUB_ERR_EXPIRED);
        }
    }
    fixture_free(&f);
}

static void after_300_seconds_it_is_too_late(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "m", "1", "");
    call(&f, "m", "2", "");

    fixture_sleep(&f, 299999);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_OK);
    fixture_sleep(&f, 1);
    assert_int_equal(respond(&f, 1, 200, "{}", NULL), IOTHUB_ERR_EXPIRED);
    fixture_free(&f);
}

static void no_answer_is_refused_early(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 2000; ms += 333) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_connect(&f);
        fixture_sleep(&f, ms);
        call(&f, "m", "1", "");
        fixture_sleep(&f, 299999);
        assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_OK);
        fixture_free(&f);
    }
}

static void an_unknown_method_is_answered_404_by_the_client(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.verdict = IOTHUB_METHOD_UNKNOWN;
    fixture_connect(&f);

    call(&f, "nobody", "7", "{}");

    assert_string_equal(answer_of(&f, "7")->topic, "$iothub/methods/res/404/?$rid=7");
    assert_int_equal(f.done_count, 0);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_ERR_STATE);
    fixture_free(&f);
}

static void the_seventeenth_open_call_is_answered_503(void **state)
{
    (void)state;
    client_fixture f;
    char rid[16];
    fixture_init(&f, NULL);
    fixture_connect(&f);
    for (unsigned n = 0; n < METHODS_OPEN_MAX; n++) {
        snprintf(rid, sizeof rid, "%u", n + 100);
        call(&f, "m", rid, "");
    }
    assert_int_equal(f.method_count, METHODS_OPEN_MAX);

    call(&f, "m", "200", "");
    assert_int_equal(f.method_count, METHODS_OPEN_MAX);
    assert_string_equal(answer_of(&f, "200")->topic, "$iothub/methods/res/503/?$rid=200");

    assert_int_equal(respond(&f, 5, 200, "", NULL), IOTHUB_OK); /* frees one slot */
    call(&f, "m", "201", "");
    assert_int_equal(f.method_count, METHODS_OPEN_MAX + 1);

    fixture_sleep(&f, 300000); /* the other slots are freed when their time is over */
    for (unsigned n = 0; n < METHODS_OPEN_MAX; n++) {
        snprintf(rid, sizeof rid, "%u", n + 300);
        call(&f, "m", rid, "");
    }
    assert_int_equal(f.method_count, 2 * METHODS_OPEN_MAX + 1);
    fixture_free(&f);
}

static void request_ids_of_any_shape_go_back_as_they_came(void **state)
{
    (void)state;
    char longest[64]; /* room for 63 characters */
    const char *const rids[] = { "1", "0f8fad5b-d9cb-469f-a165-70867728950e", "a%2Fb%20c",
                                 longest };
    memset(longest, 'r', 63);
    longest[63] = '\0';
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (unsigned i = 0; i < sizeof rids / sizeof rids[0]; i++) {
        call(&f, "m", rids[i], "");
        assert_int_equal(f.method_count, i + 1);
        assert_int_equal(respond(&f, i, 200, "{}", NULL), IOTHUB_OK);
        fixture_run(&f);
        assert_non_null(answer_of(&f, rids[i]));
    }
    fixture_free(&f);
}

static void a_request_id_or_name_that_is_too_long_is_ignored(void **state)
{
    (void)state;
    client_fixture f;
    char text[300];
    fixture_init(&f, NULL);
    fixture_connect(&f);

    memset(text, 'r', sizeof text);
    text[64] = '\0';
    call(&f, "m", text, "");
    text[64] = 'r';
    text[257] = '\0';
    call(&f, text, "1", "");

    assert_int_equal(f.method_count, 0);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    text[256] = '\0';
    call(&f, text, "2", "");
    assert_int_equal(f.method_count, 1);
    fixture_free(&f);
}

static void the_answer_is_json_or_empty(void **state)
{
    (void)state;
    static const char *const good[] = { "", "{}", "1", "\"x\"", "null", " [true] " };
    static const char *const bad[] = { "{", "x", "{}{}", " ", "nul", "\"\xff\"" };
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        call(&f, "m", "1", "");
        for (unsigned n = 0; n < sizeof bad / sizeof bad[0]; n++) {
            assert_int_equal(respond(&f, i, 200, bad[n], NULL), IOTHUB_ERR_JSON);
        }
        /* The call is still open. */
        assert_int_equal(respond(&f, i, 200, good[i], NULL), IOTHUB_OK);
    }
    fixture_free(&f);
}

static void roomy(iothub_options *o)
{
    o->rx_size = 8192;
    o->tx_size = 16384;
    o->request_size = 256 * 1024;
}

static void an_answer_that_the_hub_would_close_the_connection_for_is_refused(void **state)
{
    (void)state;
    char *json = calloc(1, IOTHUB_METHOD_PAYLOAD_MAX + 2);
    client_fixture f;
    fixture_init(&f, roomy);
    fixture_connect(&f);
    call(&f, "m", "1", "");
    memset(json, ' ', IOTHUB_METHOD_PAYLOAD_MAX + 1);
    json[0] = '5';

    assert_int_equal(respond(&f, 0, 200, json, NULL), IOTHUB_ERR_TOO_BIG);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "128 KB"));
    json[IOTHUB_METHOD_PAYLOAD_MAX] = '\0';
    assert_int_equal(respond(&f, 0, 200, json, NULL), IOTHUB_OK); /* still open */
    fixture_free(&f);
    free(json);
}

static void a_token_that_never_was_is_refused(void **state)
{
    (void)state;
    client_fixture f;
    iothub_method_token t;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    call(&f, "m", "1", "");

    assert_int_equal(iothub_method_respond(f.client, NULL, 200, "{}", 2, NULL, NULL),
                     IOTHUB_ERR_ARG);
    assert_int_equal(iothub_method_respond(f.client, &f.tokens[0], 200, NULL, 2, NULL, NULL),
                     IOTHUB_ERR_ARG);
    t = f.tokens[0];
    memset(t.rid, 'x', sizeof t.rid); /* the text has no NUL at its end */
    assert_int_equal(iothub_method_respond(f.client, &t, 200, "{}", 2, NULL, NULL), IOTHUB_ERR_ARG);
    memset(&t, 0, sizeof t);
    assert_int_equal(iothub_method_respond(f.client, &t, 200, "{}", 2, NULL, NULL),
                     IOTHUB_ERR_EXPIRED);
    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_OK);
    fixture_free(&f);
}

static void an_answer_overtakes_queued_telemetry(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.mute_publish = true; /* fills first the window and then the ring */
    call(&f, "m", "1", "");
    fixture_stream(&f)->send_room = 10; /* the stream stops accepting in the middle of a packet */
    const iothub_telemetry t = { .body = "0123456789012345678901234567890123456789",
                                 .body_len = 40 };
    while (iothub_send_telemetry(f.client, &t, NULL) == IOTHUB_OK) {
    }
    fixture_run(&f);
    unsigned before = f.hub.publishes;

    assert_int_equal(respond(&f, 0, 200, "{}", NULL), IOTHUB_OK);
    fixture_stream(&f)->send_room = SIZE_MAX;
    fixture_run(&f);

    /* Messages that were already offered to the stream must be sent first; they are at most one
     * window. */
    unsigned n = before;
    while (strncmp(fake_hub_at(&f.hub, n)->topic, "$iothub/methods/res/", 20) != 0) {
        n++;
    }
    assert_true(n - before <= f.options.window);
    assert_true(f.hub.publishes - before <= (unsigned)f.options.window + 1);
    fixture_free(&f);
}

static void calls_that_come_with_qos_1_are_acknowledged(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, answers_in_callback);
    fixture_connect(&f);
    char topic[64];

    for (uint16_t n = 1; n <= 3 * IOTHUB_UNACCEPTED_MAX; n++) {
        snprintf(topic, sizeof topic, "$iothub/methods/POST/m/?$rid=%u", n);
        fake_hub_send(fixture_stream(&f), topic, "{}", 2, n);
        fake_hub_send(fixture_stream(&f), "$iothub/twin/PATCH/properties/desired/?$version=1", "{}",
                      2, (uint16_t)(n + 1000));
        fixture_run(&f);
    }

    assert_int_equal(f.method_count, 3 * IOTHUB_UNACCEPTED_MAX);
    assert_int_equal(f.hub.acks, 6 * IOTHUB_UNACCEPTED_MAX);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_may_be_given_in_the_callback),
        cmocka_unit_test(an_answer_may_be_given_later_and_has_its_own_done),
        cmocka_unit_test(any_number_may_be_the_status_of_an_answer),
        cmocka_unit_test(after_a_cut_it_is_too_late),
        cmocka_unit_test(an_answer_that_could_not_leave_ends_with_the_connection),
        cmocka_unit_test(a_second_answer_is_refused),
        cmocka_unit_test(a_second_answer_differs_from_a_late_one_for_sixteen_calls),
        cmocka_unit_test(after_300_seconds_it_is_too_late),
        cmocka_unit_test(no_answer_is_refused_early),
        cmocka_unit_test(an_unknown_method_is_answered_404_by_the_client),
        cmocka_unit_test(the_seventeenth_open_call_is_answered_503),
        cmocka_unit_test(request_ids_of_any_shape_go_back_as_they_came),
        cmocka_unit_test(a_request_id_or_name_that_is_too_long_is_ignored),
        cmocka_unit_test(the_answer_is_json_or_empty),
        cmocka_unit_test(an_answer_that_the_hub_would_close_the_connection_for_is_refused),
        cmocka_unit_test(a_token_that_never_was_is_refused),
        cmocka_unit_test(an_answer_overtakes_queued_telemetry),
        cmocka_unit_test(calls_that_come_with_qos_1_are_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
