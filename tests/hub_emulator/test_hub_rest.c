#include "hub_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int device_key;

static void a_device_is_created_shown_changed_and_deleted(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(hub_ask(&x, "PUT", "/devices/new", "{\"deviceId\":\"new\"}"), 200);
    assert_non_null(strstr(hub_reply(&x), "\"type\":\"sas\""));
    assert_int_equal(hub_ask(&x, "PUT", "/devices/new", "{\"deviceId\":\"new\"}"), 409);
    assert_non_null(strstr(hub_reply(&x), "ErrorCode:DeviceAlreadyExists;"));
    assert_int_equal(hub_ask(&x, "GET", "/devices/new", NULL), 200);
    char *etag = hub_strdup(x.handling.reply.etag);
    x.if_match = "\"stale\"";
    assert_int_equal(hub_ask(&x, "PUT", "/devices/new", "{\"status\":\"disabled\"}"), 412);
    assert_int_equal(hub_ask(&x, "DELETE", "/devices/new", NULL), 412);
    x.if_match = etag;
    assert_int_equal(hub_ask(&x, "PUT", "/devices/new", "{\"status\":\"disabled\"}"), 200);
    x.if_match = "*";
    assert_int_equal(hub_ask(&x, "PUT", "/devices/nobody", "{}"), 404);
    assert_int_equal(hub_ask(&x, "DELETE", "/devices/new", NULL), 204);
    assert_int_equal(hub_ask(&x, "GET", "/devices/new", NULL), 404);
    assert_string_equal(x.handling.reply.code, "DeviceNotFound");
    hub_exchange_end(&x);
    free(etag);
}

static void modules_belong_to_their_device(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{\"moduleId\":\"m\"}"), 200);
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{\"moduleId\":\"n\"}"), 400);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1/modules", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"moduleId\":\"m\""));
    assert_int_equal(hub_ask(&x, "GET", "/twins/device1/modules/m", NULL), 200);
    assert_int_equal(hub_ask(&x, "GET", "/twins/device1/modules/n", NULL), 404);
    assert_string_equal(x.handling.reply.code, "ModuleNotFound");
    assert_int_equal(hub_ask(&x, "DELETE", "/devices/device1", NULL), 204);
    assert_int_equal(((hub_fixture *)*state)->hub.registry.identities.count, 0);
    hub_exchange_end(&x);
}

/* Requests that no SDK sends, and the expected answers. */
static const struct {
    const char *method;
    const char *path;
    const char *body;
    int status;
} strange_requests[] = {
    { "GET", "/", NULL, 404 },
    { "GET", "", NULL, 404 },
    { "GET", "//", NULL, 404 },
    { "GET", "/devices/a/b/c/d/e/f/g", NULL, 404 },
    { "GET", "/devices/device1/", NULL, 200 },
    { "GET", "/devicesx", NULL, 404 },
    { "PATCH", "/devices/device1", NULL, 405 },
    { "PUT", "/devices/x", NULL, 400 },
    { "PUT", "/devices/x", "[]", 400 },
    { "PUT", "/devices/x", "{", 400 },
    { "PUT", "/devices/x", "{\"deviceId\":\"y\"}", 400 },
    { "PUT", "/devices/x", "{\"authentication\":5,\"capabilities\":[]}", 200 },
    { "PUT", "/devices/a b", "{}", 400 },
    { "PATCH", "/twins/device1", NULL, 400 },
    { "PATCH", "/twins/device1", "[]", 400 },
    { "PATCH", "/twins/device1", "{\"properties\":{\"desired\":5}}", 400 },
    { "PATCH", "/twins/device1", "{\"properties\":5,\"tags\":{}}", 400 },
    { "PATCH", "/twins/device1", "{\"tags\":[1]}", 400 },
    { "POST", "/twins/device1/methods", NULL, 400 },
    { "POST", "/twins/device1/methods", "7", 400 },
    { "POST", "/devices", "{}", 400 },
    { "POST", "/devices", "[5]", 400 },
    { "POST", "/devices/query", "{\"query\":5}", 400 },
    { "POST", "/devices/query", "{\"query\":\"DROP TABLE devices\"}", 400 },
    { "POST", "/devices/query", "{\"query\":\"SELECT * FROM devices WHERE\"}", 400 },
    { "POST", "/emulator/devices/device1/messages", "[]", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"body\":\"a\",\"bodyBase64\":\"YQ==\"}",
      400 },
    { "POST", "/emulator/devices/device1/messages", "{\"bodyBase64\":\"Y\"}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"properties\":{\"a\":1}}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"properties\":{\"\":\"\"}}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"properties\":{\"$.mid\":\"\"}}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"properties\":[]}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"body\":{\"a\":1}}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"bodyBase64\":7}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"ttlSeconds\":0}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"messageId\":1}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"messageId\":\"a\\n\"}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"ack\":\"maybe\"}", 400 },
    { "POST", "/emulator/devices/device1/messages", "{\"ack\":\"full\"}", 201 },
    { "POST", "/emulator/devices/nobody/messages", "{}", 404 },
    { "PUT", "/emulator/throttle", "{}", 400 },
    { "PUT", "/emulator/throttle", "{\"twinRequests\":1,\"status\":200}", 400 },
    { "PUT", "/emulator/throttle", "{\"twinRequests\":1,\"status\":\"429\"}", 400 },
    { "PUT", "/emulator/throttle", "{\"twinRequests\":0,\"status\":500}", 204 },
};

static void what_a_stranger_sends_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof strange_requests / sizeof strange_requests[0]; i++) {
        hub_exchange x = { .fixture = *state };
        int status = hub_ask(&x, strange_requests[i].method, strange_requests[i].path,
                             strange_requests[i].body);
        if (status != strange_requests[i].status) {
            fail_msg("%s %s %s: %d", strange_requests[i].method, strange_requests[i].path,
                     strange_requests[i].body, status);
        }
        hub_exchange_end(&x);
    }
}

static void an_api_version_is_a_date(void **state)
{
    static const struct {
        const char *version;
        int status;
    } cases[] = {
        { "2021-04-12", 200 },  { "2025-08-01-preview", 200 },
        { "2016-02-03", 200 },  { "", 400 },
        { "x", 400 },           { "2021-4-12", 400 },
        { "2021-04-12 ", 400 }, { "2021-04-12-Preview", 400 },
        { "2021-13-01", 400 },  { "2021-00-10", 400 },
        { "2021-04-32", 400 },  { "9999-99-99", 400 },
        { "1999-01-01", 400 },  { "2021-04-1\xC3\xA4", 400 },
        { "2018-06", 400 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_exchange x = { .fixture = *state, .version = cases[i].version };
        if (hub_ask(&x, "GET", "/devices/device1", NULL) != cases[i].status) {
            fail_msg("%s", cases[i].version);
        }
        if (cases[i].status == 400) {
            assert_string_equal(x.handling.reply.code, "InvalidProtocolVersion");
        }
        assert_int_equal(hub_ask(&x, "GET", "/emulator/devices/device1/messages", NULL), 200);
        hub_exchange_end(&x);
    }
}

static void a_path_is_split_before_it_is_decoded(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        { "/devices/device1", 200 },
        { "/devices/%64evice1", 200 },
        { "/%64evices/device1", 200 },
        { "/devices%2Fdevice1", 404 },
        { "/devices/device1%2f", 404 },
        { "/devices/device1%2Fmodules", 404 },
        { "/devices/..%2fdevices/device1", 404 },
        { "/devices/%2e%2e/devices/device1", 404 },
        { "/devices/device1%00", 400 },
        { "/devices/device1%00x", 400 },
        { "/devices/device1%", 400 },
        { "/devices/device1%4", 400 },
        { "/devices/device1%zz", 400 },
        { "/devices/%ff", 404 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_exchange x = { .fixture = *state, .raw_path = cases[i].path };
        int status = hub_ask(&x, "GET", "/devices/device1", NULL);
        if (status != cases[i].status) {
            fail_msg("%s: %d", cases[i].path, status);
        }
        hub_exchange_end(&x);
    }
}

static void a_reply_that_quotes_the_path_is_json_whatever_the_path_holds(void **state)
{
    static const char *const ids[] = { "\xF8x", "a\nb", "\xC3", "j\xC3\xBCrgen", "\x7F" };
    hub_exchange x = { .fixture = *state };
    char path[200];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        /* The error text truncates long names, here at each position near the unusual bytes. */
        for (int filler = 120; filler < 150; filler++) {
            (void)snprintf(path, sizeof path, "/devices/%0*d%s%s", filler, 0, ids[i], ids[i]);
            assert_int_equal(hub_ask(&x, "PUT", path, "{}"), 400);
            cJSON *json = hub_json_read(hub_reply(&x), strlen(hub_reply(&x)));
            assert_non_null(json);
            const char *message = hub_json_string(json, "Message");
            assert_null(strpbrk(message, "\n\x7F"));
            cJSON_Delete(json);
        }
    }
    hub_exchange_end(&x);
}

static void a_policy_allows_what_it_names(void **state)
{
    static const struct {
        const char *policy;
        int read;
        int write;
        int service;
    } cases[] = {
        { "iothubowner", 200, 200, 200 },  { "service", 401, 401, 200 },
        { "registryRead", 200, 401, 401 }, { "registryReadWrite", 200, 409, 401 },
        { "device", 401, 401, 401 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_exchange x = { .fixture = *state, .policy = cases[i].policy };
        assert_int_equal(hub_ask(&x, "GET", "/devices", NULL), cases[i].read);
        assert_int_equal(hub_ask(&x, "PUT", "/devices/p", "{}"), cases[i].write);
        assert_int_equal(hub_ask(&x, "GET", "/twins/device1", NULL), cases[i].service);
        hub_exchange_end(&x);
    }
}

static void a_service_token_must_be_for_this_hub_and_alive(void **state)
{
    hub_fixture *f = *state;
    const char *key = hub_policies_find(&f->hub.registry.policies, "iothubowner")->primary_key;
    const char *device = fixture_device(f, "device1")->primary_key;
    const struct {
        const char *resource;
        const char *key;
        const char *policy;
        int64_t lifetime;
        int status;
    } cases[] = {
        { "localhost", key, "iothubowner", 60, 200 },
        { "127.0.0.1", key, "iothubowner", 60, 200 },
        { "other", key, "iothubowner", 60, 401 },
        { "localhost/devices/device1", key, "iothubowner", 60, 401 },
        { "localhost", key, "iothubowner", 0, 401 },
        { "localhost", key, "service", 60, 401 },
        { "localhost", key, NULL, 60, 401 },
        { "localhost", device, "iothubowner", 60, 401 },
        { "localhost/devices/device1", device, NULL, 60, 401 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *token = fixture_token(cases[i].resource, cases[i].key,
                                    FIXTURE_NOW_S + cases[i].lifetime, cases[i].policy);
        hub_exchange x = { .fixture = f, .token = token, .host = "127.0.0.1:1" };
        int status = hub_ask(&x, "GET", "/devices", NULL);
        if (status != cases[i].status) {
            fail_msg("case %zu: %d", i, status);
        }
        hub_exchange_end(&x);
        free(token);
    }
}

static void a_method_is_answered_later(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    fixture_subscribe(f, &device_key, "$iothub/methods/POST/#", 0);
    (void)hub_ask(&x, "POST", "/twins/device1/methods",
                  "{\"methodName\":\"go\",\"payload\":{\"a\":1}}");
    assert_int_equal(x.outcome, REST_LATER);
    hub_tick(&f->hub);
    assert_string_equal(f->sent[0].topic, "$iothub/methods/POST/go/?$rid=1");
    assert_string_equal(f->sent[0].payload, "{\"a\":1}");
    (void)fixture_publish(f, &device_key, "$iothub/methods/res/7/?$rid=1", "[true]");
    assert_int_equal(x.finished, 1);
    assert_int_equal(x.handling.reply.status, 200);
    assert_string_equal(hub_reply(&x), "{\"status\":7,\"payload\":[true]}");

    (void)hub_ask(&x, "POST", "/twins/device1/methods", "{\"methodName\":\"go\"}");
    hub_tick(&f->hub);
    assert_string_equal(f->sent[1].payload, "");
    (void)fixture_publish(f, &device_key, "$iothub/methods/res/200/?$rid=2", "no json");
    assert_int_equal(x.finished, 2);
    assert_int_equal(x.handling.reply.status, 400);

    (void)hub_ask(&x, "POST", "/twins/device1/methods", "{\"methodName\":\"go\"}");
    rest_abandon(&f->hub, &x.handling);
    f->now_ms += 1000000;
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 2);
    hub_exchange_end(&x);
}

static void a_method_without_a_listener_is_404103(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    (void)hub_ask(&x, "POST", "/twins/device1/methods", "{\"methodName\":\"go\"}");
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 1);
    assert_int_equal(x.handling.reply.status, 404);
    assert_non_null(strstr(hub_reply(&x), "404103"));
    hub_exchange_end(&x);
}

static void a_query_answers_in_pages_with_the_headers_of_the_hub(void **state)
{
    hub_exchange x = { .fixture = *state };
    const char *all = "{\"query\":\"select * from devices\"}";

    (void)hub_ask(&x, "PUT", "/devices/other", "{}");
    assert_int_equal(hub_ask(&x, "POST", "/devices/query", all), 200);
    assert_string_equal(x.handling.reply.item_type, "Twin");
    assert_null(x.handling.reply.continuation);
    assert_non_null(strstr(hub_reply(&x), "device1"));
    assert_non_null(strstr(hub_reply(&x), "other"));

    x.max_item_count = "1";
    assert_int_equal(hub_ask(&x, "POST", "/devices/query", all), 200);
    assert_null(strstr(hub_reply(&x), "other"));
    char *token = hub_strdup(x.handling.reply.continuation);
    x.continuation = token;
    assert_int_equal(hub_ask(&x, "POST", "/devices/query", all), 200);
    assert_null(strstr(hub_reply(&x), "device1"));
    assert_non_null(strstr(hub_reply(&x), "other"));
    assert_null(x.handling.reply.continuation);
    assert_int_equal(
        hub_ask(&x, "POST", "/devices/query", "{\"query\":\"SELECT * FROM devices.modules\"}"),
        400);
    free(token);
    x.continuation = "";
    assert_int_equal(
        hub_ask(&x, "POST", "/devices/query", "{\"query\":\"SELECT COUNT() AS n FROM devices\"}"),
        200);
    assert_string_equal(x.handling.reply.item_type, "raw");
    assert_string_equal(hub_reply(&x), "[{\"n\":2}]");
    hub_exchange_end(&x);
}

static void what_is_no_page_size_is_refused_and_what_is_too_large_is_not(void **state)
{
    static const struct {
        const char *count;
        int status;
    } cases[] = { { "", 200 },
                  { "0", 200 },
                  { "-1", 200 },
                  { "100", 200 },
                  { "101", 200 },
                  { "1e3", 400 },
                  { "x", 400 },
                  { "-", 400 },
                  { " 1", 400 },
                  { "1 ", 400 },
                  { "99999999999999999999999", 200 },
                  { "-99999999999999999999999", 200 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_exchange x = { .fixture = *state, .max_item_count = cases[i].count };
        assert_int_equal(
            hub_ask(&x, "POST", "/devices/query", "{\"query\":\"SELECT * FROM devices\"}"),
            cases[i].status);
        hub_exchange_end(&x);
    }
}

static void many_devices_are_changed_by_one_request(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(
        hub_ask(
            &x, "POST", "/devices",
            "[{\"id\":\"a\",\"importMode\":\"create\"},{\"id\":\"b\",\"importMode\":\"create\"}]"),
        200);
    assert_int_equal(
        hub_ask(
            &x, "POST", "/devices",
            "[{\"id\":\"a\",\"importMode\":\"create\"},{\"id\":\"b\",\"importMode\":\"delete\"}]"),
        400);
    assert_non_null(strstr(hub_reply(&x), "DeviceAlreadyExists"));
    assert_int_equal(((hub_fixture *)*state)->hub.registry.identities.count, 2);
    hub_exchange_end(&x);
}

static void messages_are_queued_listed_and_purged(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(
        hub_ask(&x, "POST", "/emulator/devices/device1/messages",
                "{\"body\":\"hi\",\"messageId\":\"m1\",\"properties\":{\"a~\":\"1\",\"n\":null}}"),
        201);
    assert_string_equal(hub_reply(&x), "{\"sequence\":1,\"waiting\":1}");
    assert_int_equal(hub_ask(&x, "GET", "/emulator/devices/device1/messages", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "%24.mid=m1&%24.to=%2Fdevices%2Fdevice1%2Fmessages%2F"
                                          "devicebound&a%7E=1&n\""));
    assert_int_equal(hub_ask(&x, "DELETE", "/devices/device1/commands", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"totalMessagesPurged\":1"));
    hub_exchange_end(&x);
}

static void a_watch_is_described_by_its_query(void **state)
{
    hub_exchange x = { .fixture = *state };

    x.query = "from=7";
    (void)hub_ask(&x, "GET", "/emulator/events", NULL);
    assert_int_equal(x.outcome, REST_WATCH);
    assert_int_equal(x.handling.watch.next, 7);
    x.query = "timeout=3";
    (void)hub_ask(&x, "GET", "/emulator/events", NULL);
    assert_int_equal(x.handling.watch.next, 1);
    assert_int_equal(x.handling.watch.deadline_ms, ((hub_fixture *)*state)->now_ms + 3000);
    x.query = "from=x";
    assert_int_equal(hub_ask(&x, "GET", "/emulator/events", NULL), 400);
    x.query = "limit=-1";
    assert_int_equal(hub_ask(&x, "GET", "/emulator/events", NULL), 400);
    hub_exchange_end(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_device_is_created_shown_changed_and_deleted),
        FIXTURE_TEST(modules_belong_to_their_device),
        FIXTURE_TEST(what_a_stranger_sends_is_refused),
        FIXTURE_TEST(an_api_version_is_a_date),
        FIXTURE_TEST(a_path_is_split_before_it_is_decoded),
        FIXTURE_TEST(a_reply_that_quotes_the_path_is_json_whatever_the_path_holds),
        FIXTURE_TEST(a_policy_allows_what_it_names),
        FIXTURE_TEST(a_service_token_must_be_for_this_hub_and_alive),
        FIXTURE_TEST(a_method_is_answered_later),
        FIXTURE_TEST(a_method_without_a_listener_is_404103),
        FIXTURE_TEST(a_query_answers_in_pages_with_the_headers_of_the_hub),
        FIXTURE_TEST(what_is_no_page_size_is_refused_and_what_is_too_large_is_not),
        FIXTURE_TEST(many_devices_are_changed_by_one_request),
        FIXTURE_TEST(messages_are_queued_listed_and_purged),
        FIXTURE_TEST(a_watch_is_described_by_its_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
