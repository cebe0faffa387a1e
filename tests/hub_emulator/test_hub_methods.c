#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "messages/methods.h"

/* Counts how often a call ended, and records how. */
typedef struct outcome {
    int calls;
    hub_result result;
    int status;
    char payload[32];
} outcome;

static void done(void *user, const hub_method_answer *answer)
{
    outcome *o = user;

    o->calls++;
    o->result = answer->result;
    o->status = answer->status;
    (void)snprintf(o->payload, sizeof o->payload, "%.*s", (int)answer->payload_len,
                   answer->payload != NULL ? answer->payload : "");
}

static hub_result invoke(hub_methods *m, const char *text, int64_t now_ms, outcome *o)
{
    hub_fault fault;
    cJSON *body = hub_json_read(text, strlen(text));

    const hub_method_request request = { body, text, strlen(text) };
    hub_result r = hub_methods_add(m, "d", &request, now_ms, done, o, &fault);
    cJSON_Delete(body);
    return r;
}

/* The payload contains what a JSON library would change. */
static void the_payload_keeps_every_character(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        "1796056886123456789",
        "-0",
        "1.0",
        "1e400",
        "0.1000000000000000055",
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "{ \"b\" : 1,\n\t\"a\" : [ 1.50, 2E+2 ] }",
        "{\"a\":1,\"a\":2}",
        "\"\\u0041\\u00e4\\/\\ud83d\\ude00\"",
        "null",
        "[ ]",
    };

    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        hub_methods m = { 0 };
        outcome o = { 0 };
        char *text = hub_format("{\"payload\": %s , \"methodName\":\"x\"}", payloads[i]);
        assert_int_equal(invoke(&m, text, 0, &o), HUB_OK);
        assert_string_equal(hub_methods_waiting(&m, "d")->payload, payloads[i]);
        hub_methods_free(&m);
        free(text);
    }
}

static void the_payload_is_the_member_of_that_name_alone(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *payload;
    } cases[] = {
        { "{\"methodName\":\"x\"}", "" },
        { "{\"methodName\":\"x\",\"Payload\":1}", "" },
        { "{\"methodName\":\"x\",\"a\":{\"payload\":1}}", "" },
        { "{\"methodName\":\"x\",\"a\":\"payload\",\"b\":[\"payload\",1]}", "" },
        { "{\"methodName\":\"x\",\"payload\":1,\"payload\":2}", "2" },
        { "{\"methodName\":\"x\",\"pay\\u006coad\":3}", "3" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_methods m = { 0 };
        outcome o = { 0 };
        assert_int_equal(invoke(&m, cases[i].body, 0, &o), HUB_OK);
        assert_string_equal(hub_methods_waiting(&m, "d")->payload, cases[i].payload);
        hub_methods_free(&m);
    }
}

static void an_answer_ends_the_call_once(void **state)
{
    (void)state;
    hub_methods m = { 0 };
    outcome o = { 0 };
    const hub_method_answer answer = { .status = 201, .payload = "{}", .payload_len = 2 };

    assert_int_equal(invoke(&m, "{\"methodName\":\"x\",\"payload\":[1]}", 0, &o), HUB_OK);
    hub_method *method = hub_methods_waiting(&m, "d");
    assert_string_equal(method->payload, "[1]");
    char rid[24];
    (void)snprintf(rid, sizeof rid, "%s", method->rid);
    assert_null(hub_methods_waiting(&m, "other"));
    /* Refused, because the call was not sent yet. */
    assert_false(hub_methods_answer(&m, "d", rid, strlen(rid), &answer));
    hub_methods_sent(&m, method, 0);
    assert_null(hub_methods_waiting(&m, "d"));
    assert_false(hub_methods_answer(&m, "other", rid, strlen(rid), &answer));
    assert_false(hub_methods_answer(&m, "d", "nope", 4, &answer));
    assert_true(hub_methods_answer(&m, "d", rid, strlen(rid), &answer));
    assert_false(hub_methods_answer(&m, "d", rid, strlen(rid), &answer));

    assert_int_equal(o.calls, 1);
    assert_int_equal(o.status, 201);
    assert_string_equal(o.payload, "{}");
    hub_methods_free(&m);
}

static void a_device_that_does_not_come_is_not_online(void **state)
{
    (void)state;
    hub_methods m = { 0 };
    outcome now = { 0 };
    outcome later = { 0 };

    assert_int_equal(invoke(&m, "{\"methodName\":\"x\"}", 0, &now), HUB_OK);
    assert_int_equal(invoke(&m, "{\"methodName\":\"x\",\"connectTimeoutInSeconds\":7}", 0, &later),
                     HUB_OK);
    hub_methods_expire(&m, 0);
    assert_int_equal(now.result, HUB_ERR_NOT_ONLINE);
    hub_methods_expire(&m, 6999);
    assert_int_equal(later.calls, 0);
    hub_methods_expire(&m, 7000);
    assert_int_equal(later.result, HUB_ERR_NOT_ONLINE);
    hub_methods_free(&m);
}

static void a_device_that_does_not_answer_times_out(void **state)
{
    (void)state;
    hub_methods m = { 0 };
    outcome o = { 0 };

    assert_int_equal(invoke(&m, "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":5}", 0, &o),
                     HUB_OK);
    hub_methods_sent(&m, hub_methods_waiting(&m, "d"), 100);
    hub_methods_expire(&m, 5099);
    assert_int_equal(o.calls, 0);
    hub_methods_expire(&m, 5100);
    assert_int_equal(o.result, HUB_ERR_TIMEOUT);
    assert_int_equal(m.count, 0);
    hub_methods_free(&m);
}

static void a_caller_that_left_is_not_called(void **state)
{
    (void)state;
    hub_methods m = { 0 };
    outcome o = { 0 };

    assert_int_equal(invoke(&m, "{\"methodName\":\"x\"}", 0, &o), HUB_OK);
    hub_methods_forget(&m, m.last_number);
    hub_methods_expire(&m, INT64_MAX);
    assert_int_equal(o.calls, 0);
    hub_methods_free(&m);
}

static void requests_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        hub_result r;
    } cases[] = {
        { "{\"methodName\":\"component*command\"}", HUB_OK },
        { "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":300,\"connectTimeoutInSeconds\":300}",
          HUB_OK },
        { "{\"methodName\":\"x\",\"payload\":null,\"connectTimeoutInSeconds\":null}", HUB_OK },
        { "{}", HUB_ERR_ARGUMENT },
        { "[]", HUB_ERR_ARGUMENT },
        { "null", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":5}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"a b\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"a/b\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"a#\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"\\u00e4\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":4}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":301}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":\"9\"}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"x\",\"responseTimeoutInSeconds\":9.5}", HUB_ERR_ARGUMENT },
        { "{\"methodName\":\"x\",\"connectTimeoutInSeconds\":-1}", HUB_ERR_ARGUMENT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_methods m = { 0 };
        outcome o = { 0 };
        if (invoke(&m, cases[i].body, 0, &o) != cases[i].r || o.calls != 0) {
            fail_msg("%s", cases[i].body);
        }
        hub_methods_free(&m);
    }
}

static void a_payload_has_a_largest_size(void **state)
{
    (void)state;

    for (size_t extra = 0; extra < 2; extra++) {
        hub_methods m = { 0 };
        outcome o = { 0 };
        char *fill = hub_calloc(1, HUB_METHOD_BYTES_MAX);
        memset(fill, 'x', HUB_METHOD_BYTES_MAX - 2 + extra);
        char *body = hub_format("{\"methodName\":\"x\",\"payload\":\"%s\"}", fill);
        assert_int_equal(invoke(&m, body, 0, &o), extra == 0 ? HUB_OK : HUB_ERR_TOO_LARGE);
        free(fill);
        free(body);
        hub_methods_free(&m);
    }
}

static void parts_that_disagree_are_noticed(void **state)
{
    (void)state;
    hub_methods m = { 0 };
    outcome o = { 0 };

    for (int i = 0; i < 3; i++) {
        assert_int_equal(invoke(&m, "{\"methodName\":\"x\"}", 1000, &o), HUB_OK);
    }
    hub_methods_sent(&m, hub_methods_waiting(&m, "d"), 1000);
    hub_method *first = m.items[0];
    hub_method_client *c = first->client;

    assert_true(hub_methods_valid(&m));
    m.last_number--;
    assert_false(hub_methods_valid(&m));
    m.last_number++;
    m.soonest_ms = 1001;
    assert_false(hub_methods_valid(&m));
    m.soonest_ms = 0;
    m.items[0] = m.items[1];
    assert_false(hub_methods_valid(&m));
    m.items[0] = first;
    first->state = HUB_METHOD_WAITING;
    assert_false(hub_methods_valid(&m));
    first->state = HUB_METHOD_SENT;
    c->first = m.items[1];
    assert_false(hub_methods_valid(&m));
    c->first = first;
    c->last = first;
    assert_false(hub_methods_valid(&m));
    c->last = m.items[2];
    first->next = m.items[2];
    assert_false(hub_methods_valid(&m));
    first->next = m.items[1];
    assert_true(hub_methods_valid(&m));
    hub_methods_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_payload_keeps_every_character),
        cmocka_unit_test(the_payload_is_the_member_of_that_name_alone),
        cmocka_unit_test(an_answer_ends_the_call_once),
        cmocka_unit_test(a_device_that_does_not_come_is_not_online),
        cmocka_unit_test(a_device_that_does_not_answer_times_out),
        cmocka_unit_test(a_caller_that_left_is_not_called),
        cmocka_unit_test(requests_are_checked),
        cmocka_unit_test(a_payload_has_a_largest_size),
        cmocka_unit_test(parts_that_disagree_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
