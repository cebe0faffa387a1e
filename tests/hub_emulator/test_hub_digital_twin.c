#include "hub_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int device_key;

static void report(hub_fixture *f, const char *text)
{
    assert_int_equal(
        fixture_publish(f, &device_key, "$iothub/twin/PATCH/properties/reported/?$rid=1", text),
        HUB_OK);
}

static int patch(hub_exchange *x, const char *operations)
{
    return hub_ask(x, "PATCH", "/digitaltwins/device1", operations);
}

/* Returns the desired properties as text, without the members that the hub adds. */
static char *desired(const hub_exchange *x)
{
    return hub_json_print(fixture_device(x->fixture, "device1")->twin.desired.values);
}

static void assert_desired(const hub_exchange *x, const char *expected)
{
    char *text = desired(x);

    assert_string_equal(text, expected);
    free(text);
}

static void assert_view(hub_exchange *x, const char *expected)
{
    assert_int_equal(hub_ask(x, "GET", "/digitaltwins/device1", NULL), 200);
    assert_string_equal(hub_reply(x), expected);
}

#define NOW "\"2023-11-14T22:13:20.000Z\""

static void a_twin_is_shown_by_components(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    report(f, "{\"serial\":\"s1\",\"t1\":{\"__t\":\"c\",\"max\":25.30,"
              "\"target\":{\"value\":20,\"ac\":200,\"av\":1,\"ad\":\"done\"}},"
              "\"plain\":{\"value\":1}}");
    assert_int_equal(
        hub_ask(&x, "PATCH", "/twins/device1",
                "{\"properties\":{\"desired\":{\"t1\":{\"__t\":\"c\",\"target\":21.50},"
                "\"t2\":{\"__t\":\"c\",\"on\":true},\"rate\":5}}}"),
        200);
    assert_view(&x, "{\"$dtId\":\"device1\",\"serial\":\"s1\","
                    "\"t1\":{\"max\":25.30,\"target\":20,\"$metadata\":{"
                    "\"max\":{\"lastUpdateTime\":" NOW "},"
                    "\"target\":{\"desiredValue\":21.50,\"desiredVersion\":2,\"ackVersion\":1,"
                    "\"ackCode\":200,\"ackDescription\":\"done\",\"lastUpdateTime\":" NOW "}}},"
                    "\"plain\":{\"value\":1},"
                    "\"t2\":{\"$metadata\":{\"on\":{\"desiredValue\":true,\"desiredVersion\":2,"
                    "\"lastUpdateTime\":" NOW "}}},"
                    "\"$metadata\":{\"$model\":\"\","
                    "\"serial\":{\"lastUpdateTime\":" NOW "},"
                    "\"plain\":{\"lastUpdateTime\":" NOW "},"
                    "\"rate\":{\"desiredValue\":5,\"desiredVersion\":2,"
                    "\"lastUpdateTime\":" NOW "}}}");
    assert_non_null(x.handling.reply.etag);
    hub_exchange_end(&x);
}

static void an_empty_twin_shows_its_model(void **state)
{
    hub_exchange x = { .fixture = *state };

    free(fixture_device(*state, "device1")->model_id);
    fixture_device(*state, "device1")->model_id = hub_strdup("dtmi:com:example:T;1");
    assert_view(&x, "{\"$dtId\":\"device1\",\"$metadata\":{\"$model\":\"dtmi:com:example:T;1\"}}");
    hub_exchange_end(&x);
}

static void a_patch_changes_properties(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(patch(&x,
                           "[{\"op\":\"add\",\"path\":\"/rate\",\"value\":1.50},"
                           "{\"op\":\"add\",\"path\":\"/t1/target\",\"value\":{\"a\":{\"b\":1}}},"
                           "{\"op\":\"add\",\"path\":\"/t1/on\",\"value\":false}]"),
                     202);
    assert_desired(
        &x, "{\"rate\":1.50,\"t1\":{\"__t\":\"c\",\"target\":{\"a\":{\"b\":1}},\"on\":false}}");
    /* The value is replaced, not merged. */
    assert_int_equal(
        patch(&x, "[{\"op\":\"replace\",\"path\":\"/t1/target\",\"value\":{\"c\":2}}]"), 202);
    assert_desired(&x, "{\"rate\":1.50,\"t1\":{\"__t\":\"c\",\"on\":false,\"target\":{\"c\":2}}}");
    assert_int_equal(patch(&x, "[{\"op\":\"remove\",\"path\":\"/rate\"},"
                               "{\"op\":\"remove\",\"path\":\"/nothing\"},"
                               "{\"op\":\"remove\",\"path\":\"/t1/on\"}]"),
                     202);
    assert_desired(&x, "{\"t1\":{\"__t\":\"c\",\"target\":{\"c\":2}}}");
    /* If the last property of a component is removed, the component is removed, too. */
    assert_int_equal(patch(&x, "[{\"op\":\"remove\",\"path\":\"/t1/target\"}]"), 202);
    assert_desired(&x, "{}");
    hub_exchange_end(&x);
}

static void a_patch_changes_whole_components(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/t1\","
                               "\"value\":{\"a\":1,\"b\":2,\"$metadata\":{}}}]"),
                     202);
    assert_desired(&x, "{\"t1\":{\"a\":1,\"b\":2,\"__t\":\"c\"}}");
    assert_int_equal(patch(&x, "[{\"op\":\"replace\",\"path\":\"/t1\","
                               "\"value\":{\"b\":3,\"$metadata\":{}}}]"),
                     202);
    assert_desired(&x, "{\"t1\":{\"b\":3,\"__t\":\"c\"}}");
    assert_int_equal(patch(&x, "[{\"op\":\"remove\",\"path\":\"/t1\"}]"), 202);
    assert_desired(&x, "{}");
    hub_exchange_end(&x);
}

static void the_device_learns_what_a_patch_changed(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    fixture_subscribe(f, &device_key, "$iothub/twin/PATCH/properties/desired/#", 0);
    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/t1/target\",\"value\":42},"
                               "{\"op\":\"add\",\"path\":\"/rate\",\"value\":5}]"),
                     202);
    assert_int_equal(patch(&x, "[{\"op\":\"remove\",\"path\":\"/rate\"}]"), 202);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].payload,
                        "{\"t1\":{\"__t\":\"c\",\"target\":42},\"rate\":5,\"$version\":2}");
    assert_string_equal(f->sent[1].payload, "{\"rate\":null,\"$version\":3}");
    hub_exchange_end(&x);
}

static void a_patch_that_breaks_a_rule_changes_nothing(void **state)
{
    static const char *const refused[] = {
        "{}",
        "[1]",
        "[{}]",
        "[{\"op\":\"add\",\"path\":\"/a\"}]",
        "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]",
        "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]",
        "[{\"op\":\"add\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":7,\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a/\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a/b/c\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/1a\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/_a\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a_\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a.b\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a~1b\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/$metadata\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]",
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[1]}]",
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"b\":[1]}}]",
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"__t\":\"c\"}}]",
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}]",
        /* The member $metadata is missing. */
        "[{\"op\":\"add\",\"path\":\"/t1\",\"value\":{\"b\":2}}]",
        "[{\"op\":\"add\",\"path\":\"/t1\",\"value\":{\"b\":[2],\"$metadata\":{}}}]",
        "[{\"op\":\"add\",\"path\":\"/rate\",\"value\":{\"b\":2,\"$metadata\":{}}}]",
        "[{\"op\":\"add\",\"path\":\"/rate/b\",\"value\":2}]",
        "[{\"op\":\"remove\",\"path\":\"/rate/b\"}]",
        "[{\"op\":\"remove\",\"path\":\"/rate\"},{\"op\":\"add\",\"path\":\"/b\",\"value\":[]}]",
    };
    hub_exchange x = { .fixture = *state };

    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/t1/a\",\"value\":1},"
                               "{\"op\":\"add\",\"path\":\"/rate\",\"value\":5}]"),
                     202);
    int64_t version = fixture_device(*state, "device1")->twin.version;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (patch(&x, refused[i]) != 400 || strcmp(x.handling.reply.code, "ArgumentInvalid") != 0) {
            fail_msg("%s: %d", refused[i], x.handling.reply.status);
        }
    }
    assert_desired(&x, "{\"t1\":{\"__t\":\"c\",\"a\":1},\"rate\":5}");
    assert_int_equal(fixture_device(*state, "device1")->twin.version, version);
    hub_exchange_end(&x);
}

static void a_refusal_names_the_operation(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},"
                               "{\"op\":\"add\",\"path\":\"/b\",\"value\":[1]}]"),
                     400);
    assert_non_null(strstr(hub_reply(&x), "operation 2: digital twin: a value is an array"));
    hub_exchange_end(&x);
}

static void a_name_may_have_64_characters(void **state)
{
    hub_exchange x = { .fixture = *state };
    char text[160];

    for (int len = 63; len <= 65; len++) {
        (void)snprintf(text, sizeof text, "[{\"op\":\"add\",\"path\":\"/%0*d\",\"value\":1}]", len,
                       0);
        *strchr(text, '0') = 'n';
        assert_int_equal(patch(&x, text), len <= 64 ? 202 : 400);
    }
    hub_exchange_end(&x);
}

static void a_patch_has_a_thousand_operations_at_most(void **state)
{
    hub_exchange x = { .fixture = *state };

    for (int count = 1000; count <= 1001; count++) {
        hub_text body = { 0 };
        for (int i = 0; i < count; i++) {
            hub_text_printf(&body, "%s{\"op\":\"add\",\"path\":\"/n%d\",\"value\":1}",
                            i == 0 ? "[" : ",", i);
        }
        hub_text_str(&body, "]");
        assert_int_equal(patch(&x, body.p), count == 1000 ? 202 : 400);
        hub_text_free(&body);
    }
    hub_exchange_end(&x);
}

static void a_stale_etag_refuses_a_patch(void **state)
{
    hub_exchange x = { .fixture = *state, .if_match = "\"AAAAAAAAAAk=\"" };

    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]"), 412);
    assert_desired(&x, "{}");
    x.if_match = "*";
    assert_int_equal(patch(&x, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]"), 202);
    hub_exchange_end(&x);
}

static void a_command_is_a_direct_method(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f, .query = "responseTimeoutInSeconds=10" };

    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    fixture_subscribe(f, &device_key, "$iothub/methods/POST/#", 0);
    (void)hub_ask(&x, "POST", "/digitaltwins/device1/commands/reboot", "1796056886123456789");
    assert_int_equal(x.outcome, REST_LATER);
    hub_tick(&f->hub);
    assert_string_equal(f->sent[0].topic, "$iothub/methods/POST/reboot/?$rid=1");
    assert_string_equal(f->sent[0].payload, "1796056886123456789");
    (void)fixture_publish(f, &device_key, "$iothub/methods/res/207/?$rid=1", "{\"a\":1.50}");
    assert_int_equal(x.finished, 1);
    assert_int_equal(x.handling.reply.status, 200);
    assert_string_equal(hub_reply(&x), "{\"a\":1.50}");
    assert_string_equal(x.handling.reply.command_status, "207");

    (void)hub_ask(&x, "POST", "/digitaltwins/device1/components/t1/commands/report", NULL);
    hub_tick(&f->hub);
    assert_string_equal(f->sent[1].topic, "$iothub/methods/POST/t1*report/?$rid=2");
    assert_int_equal(f->sent[1].len, 0);
    (void)fixture_publish(f, &device_key, "$iothub/methods/res/404/?$rid=2", "");
    assert_string_equal(hub_reply(&x), "null");
    assert_string_equal(x.handling.reply.command_status, "404");
    hub_exchange_end(&x);
}

static void a_command_that_cannot_be_is_refused(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(hub_ask(&x, "POST", "/digitaltwins/nobody/commands/c", "1"), 404);
    assert_int_equal(hub_ask(&x, "POST", "/digitaltwins/device1/commands/a+b", "1"), 400);
    assert_int_equal(
        hub_ask(&x, "POST", "/digitaltwins/device1/components/t 1/commands/report", "1"), 400);
    assert_non_null(strstr(hub_reply(&x), "methodName: t 1*report is not allowed"));
    x.query = "responseTimeoutInSeconds=4";
    assert_int_equal(hub_ask(&x, "POST", "/digitaltwins/device1/commands/c", "1"), 400);
    x.query = "connectTimeoutInSeconds=soon";
    assert_int_equal(hub_ask(&x, "POST", "/digitaltwins/device1/commands/c", "1"), 400);
    x.query = NULL;
    (void)hub_ask(&x, "POST", "/digitaltwins/device1/commands/c", "1");
    hub_tick(&((hub_fixture *)*state)->hub);
    assert_int_equal(x.handling.reply.status, 404);
    assert_string_equal(x.handling.reply.code, "DeviceNotOnline");
    assert_null(x.handling.reply.command_status);
    hub_exchange_end(&x);
}

static void only_a_policy_that_connects_services_may(void **state)
{
    static const char *const policies[] = { "device", "registryRead", "registryReadWrite" };
    hub_exchange x = { .fixture = *state };

    for (size_t i = 0; i < 3; i++) {
        x.policy = policies[i];
        assert_int_equal(hub_ask(&x, "GET", "/digitaltwins/device1", NULL), 401);
        assert_int_equal(patch(&x, "[]"), 401);
    }
    x.policy = "service";
    assert_int_equal(hub_ask(&x, "GET", "/digitaltwins/device1", NULL), 200);
    assert_int_equal(hub_ask(&x, "GET", "/digitaltwins/nobody", NULL), 404);
    assert_int_equal(hub_ask(&x, "PATCH", "/digitaltwins/nobody", "[]"), 404);
    hub_exchange_end(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_twin_is_shown_by_components),
        FIXTURE_TEST(an_empty_twin_shows_its_model),
        FIXTURE_TEST(a_patch_changes_properties),
        FIXTURE_TEST(a_patch_changes_whole_components),
        FIXTURE_TEST(the_device_learns_what_a_patch_changed),
        FIXTURE_TEST(a_patch_that_breaks_a_rule_changes_nothing),
        FIXTURE_TEST(a_refusal_names_the_operation),
        FIXTURE_TEST(a_name_may_have_64_characters),
        FIXTURE_TEST(a_patch_has_a_thousand_operations_at_most),
        FIXTURE_TEST(a_stale_etag_refuses_a_patch),
        FIXTURE_TEST(a_command_is_a_direct_method),
        FIXTURE_TEST(a_command_that_cannot_be_is_refused),
        FIXTURE_TEST(only_a_policy_that_connects_services_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
