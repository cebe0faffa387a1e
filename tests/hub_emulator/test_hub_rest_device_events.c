/* Tests telemetry that devices send over HTTPS. */

#include <stdlib.h>
#include <string.h>

#include "hub_exchange.h"

#define EVENTS     "/devices/device1/messages/events"
#define BATCH_TYPE "application/vnd.microsoft.iothub.json"

static char *device_token(hub_fixture *f)
{
    return fixture_token("localhost/devices/device1", fixture_device(f, "device1")->primary_key,
                         hub_now(&f->hub) / 1000 + 60, NULL);
}

/* Sends one request of device1 and returns the status of the answer. */
static int send_event(hub_fixture *f, const char *const *headers, const char *body)
{
    char *token = device_token(f);
    hub_exchange x = { .fixture = f, .token = token, .headers = headers };
    const int status = hub_ask(&x, "POST", EVENTS, body);

    hub_exchange_end(&x);
    free(token);
    return status;
}

/* Returns the event with this number, which must exist. */
static const char *event(hub_fixture *f, uint64_t number)
{
    const hub_event *e = hub_telemetry_from(&f->hub.telemetry, &number, NULL);

    assert_non_null(e);
    return e->json;
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s is not in %s", part, text);
    }
}

static size_t event_count(const hub_fixture *f)
{
    return f->hub.telemetry.count;
}

static void headers_become_properties(void **state)
{
    static const char *const headers[] = {
        "Host",
        "localhost",
        "iothub-app-Temp",
        "21 C",
        "IoTHub-App-b",
        "",
        "IoTHub-MessageId",
        "m1",
        "iothub-userid",
        "u",
        "iothub-correlationid",
        "c",
        "iothub-to",
        "/x",
        "iothub-contentencoding",
        "utf-8",
        "content-type",
        "text/plain",
        "iothub-contenttype",
        "application/json",
        "dt-subject",
        "part",
        "iothub-unknown",
        "ignored",
        "x-other",
        "ignored",
        NULL,
    };
    hub_fixture *f = *state;

    assert_int_equal(send_event(f, headers, "{\"a\":1}"), 204);
    const char *e = event(f, 1);
    expect_in(e, "\"deviceId\":\"device1\"");
    expect_in(e, "\"properties\":{\"Temp\":\"21 C\",\"b\":\"\"}");
    expect_in(e, "\"message-id\":\"m1\",\"user-id\":\"u\",\"correlation-id\":\"c\",\"to\":\"/x\","
                 "\"content-encoding\":\"utf-8\",\"content-type\":\"application/json\","
                 "\"dt-subject\":\"part\"");
    expect_in(e, "\\\"scope\\\":\\\"device\\\",\\\"type\\\":\\\"sas\\\"");
    expect_in(e, "\"body\":\"{\\\"a\\\":1}\",\"bodyLength\":7");
}

static void a_body_is_bytes_and_may_be_empty(void **state)
{
    hub_fixture *f = *state;
    char *token = device_token(f);
    hub_exchange x = { .fixture = f, .token = token, .body_len = 3 };

    assert_int_equal(hub_ask(&x, "POST", EVENTS, "\0\xFF{"), 204);
    expect_in(event(f, 1), "\"bodyBase64\":\"AP97\",\"bodyLength\":3");
    hub_exchange_end(&x);
    free(token);
    assert_int_equal(send_event(f, NULL, NULL), 204);
    expect_in(event(f, 2), "\"body\":\"\",\"bodyLength\":0");
}

static void the_path_may_be_written_in_any_case(void **state)
{
    hub_fixture *f = *state;
    char *token = device_token(f);
    hub_exchange x = { .fixture = f, .token = token };

    assert_int_equal(hub_ask(&x, "POST", "/Devices/device1/Messages/Events", "x"), 204);
    assert_int_equal(hub_ask(&x, "POST", "/devices/Device1/messages/events", "x"), 401);
    hub_exchange service = { .fixture = f };
    assert_int_equal(hub_ask(&service, "GET", EVENTS, NULL), 405);
    hub_exchange_end(&service);
    hub_exchange_end(&x);
    free(token);
}

static void headers_that_are_no_properties_are_refused(void **state)
{
    static const char *const wrong[][5] = {
        { "iothub-app-", "x", NULL },
        { "iothub-app-$.cdid", "other", NULL },
        { "iothub-app-x", "1", "IOTHUB-APP-x", "2", NULL },
        { "iothub-messageid", "1", "IoTHub-MessageId", "2", NULL },
        { "iothub-messageid", "a b", NULL },
        { "iothub-app-x", "1", "iothub-app-X", "2", NULL },
        { "iothub-app-x ", "1", NULL },
        { "iothub-app-x", "\xC3\xA4", NULL },
        { "iothub-app-x", "a\x01", NULL },
        { "iothub-correlationid", "\x7F", NULL },
    };
    hub_fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(send_event(f, wrong[i], "x"), 400);
    }
    assert_int_equal(event_count(f), 0);
}

static void a_message_has_at_most_256_kb_with_its_properties(void **state)
{
    static const char *const headers[] = { "iothub-app-n", "v", NULL };
    hub_fixture *f = *state;
    char *body = hub_calloc(1, HUB_TELEMETRY_SIZE_MAX);

    memset(body, 'x', HUB_TELEMETRY_SIZE_MAX - 2);
    assert_int_equal(send_event(f, headers, body), 204);
    body[HUB_TELEMETRY_SIZE_MAX - 2] = 'x';
    assert_int_equal(send_event(f, headers, body), 413);
    assert_int_equal(event_count(f), 1);
    free(body);
}

static const char *const batch[] = { "Content-Type", BATCH_TYPE "; charset=utf-8", NULL };

static void a_batch_becomes_its_messages(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(send_event(f, batch,
                                "[{\"body\":\"AP8=\",\"properties\":{\"iothub-app-x\":\"\xC3\xA4\","
                                "\"iothub-messageid\":\"m\"}},"
                                "{\"body\":\"AP8=\",\"base64Encoded\":false},{\"body\":\"\"}]"),
                     204);
    assert_int_equal(event_count(f), 3);
    expect_in(event(f, 1), "\"properties\":{\"x\":\"\xC3\xA4\"},\"bodyBase64\":\"AP8=\"");
    expect_in(event(f, 1), "\"message-id\":\"m\"");
    expect_in(event(f, 2), "\"body\":\"AP8=\"");
    expect_in(event(f, 3), "\"bodyLength\":0");
}

static void a_batch_with_a_wrong_message_stores_nothing(void **state)
{
    static const char *const wrong[] = {
        NULL,
        "",
        "x",
        "{}",
        "[]",
        "[{\"body\":\"YQ==\"},5]",
        "[{\"body\":\"YQ==\"},{}]",
        "[{\"body\":\"YQ==\"},{\"body\":\"YQ\"}]",
        "[{\"body\":\"YQ==\"},{\"body\":5}]",
        "[{\"body\":\"YQ==\",\"properties\":[]}]",
        "[{\"body\":\"YQ==\",\"properties\":{\"iothub-app-x\":5}}]",
        "[{\"body\":\"YQ==\",\"properties\":{\"iothub-app-x\":\"a\\n\"}}]",
        "[{\"body\":\"YQ==\",\"properties\":{\"iothub-app-\":\"a\"}}]",
        "[{\"body\":\"YQ==\",\"properties\":{\"iothub-app-$.cdid\":\"a\"}}]",
        "[{\"body\":\"YQ==\",\"properties\":{\"iothub-messageid\":\"a b\"}}]",
    };
    hub_fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(send_event(f, batch, wrong[i]), 400);
    }
    assert_int_equal(event_count(f), 0);
}

static void a_batch_has_at_most_256_kb(void **state)
{
    hub_fixture *f = *state;
    const size_t half = HUB_TELEMETRY_SIZE_MAX / 2;
    char *text = hub_calloc(1, half + 1);

    memset(text, 'x', half);
    char *body = hub_format("[{\"body\":\"%s\",\"base64Encoded\":false},"
                            "{\"body\":\"%s%s\",\"base64Encoded\":false}]",
                            text, text + 1, "x");
    assert_int_equal(send_event(f, batch, body), 204);
    free(body);
    body = hub_format("[{\"body\":\"%s\",\"base64Encoded\":false},"
                      "{\"body\":\"%s%s\",\"base64Encoded\":false}]",
                      text, text, "x");
    assert_int_equal(send_event(f, batch, body), 413);
    assert_int_equal(event_count(f), 2);
    free(body);
    free(text);
}

static void a_fault_of_its_own_kind_refuses_telemetry(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PUT", "/emulator/faults",
                             "{\"requests\":{\"on\":\"telemetry\",\"status\":429,\"count\":2}}"),
                     204);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1/messages/deviceBound", NULL), 204);
    assert_int_equal(send_event(f, NULL, "x"), 429);
    assert_int_equal(send_event(f, NULL, "x"), 429);
    assert_int_equal(send_event(f, NULL, "x"), 204);
    assert_int_equal(event_count(f), 1);
    hub_exchange_end(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(headers_become_properties),
        FIXTURE_TEST(a_body_is_bytes_and_may_be_empty),
        FIXTURE_TEST(the_path_may_be_written_in_any_case),
        FIXTURE_TEST(headers_that_are_no_properties_are_refused),
        FIXTURE_TEST(a_message_has_at_most_256_kb_with_its_properties),
        FIXTURE_TEST(a_batch_becomes_its_messages),
        FIXTURE_TEST(a_batch_with_a_wrong_message_stores_nothing),
        FIXTURE_TEST(a_batch_has_at_most_256_kb),
        FIXTURE_TEST(a_fault_of_its_own_kind_refuses_telemetry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
