/* Tests the requests of devices that begin and end file uploads, and who may make them. */

#include <stdlib.h>
#include <string.h>

#include "hub_exchange.h"

#define FILES         "/devices/device1/files"
#define NOTIFICATIONS FILES "/notifications"

static char *device_token(hub_fixture *f, const char *resource)
{
    return fixture_token(resource, fixture_device(f, "device1")->primary_key,
                         hub_now(&f->hub) / 1000 + 60, NULL);
}

/* Returns the text of a member of the reply, on the heap. */
static char *member(const hub_exchange *x, const char *name)
{
    cJSON *json = cJSON_Parse(hub_reply(x));
    char *text = hub_strdup(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name)));

    cJSON_Delete(json);
    return text;
}

static void a_device_begins_and_ends_an_upload(void **state)
{
    char *token = device_token(*state, "localhost/devices/device1");
    hub_exchange x = { .fixture = *state, .token = token };

    assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"a/b\"}"), 200);
    char *id = member(&x, "correlationId");
    char *host = member(&x, "hostName");
    char *blob = member(&x, "blobName");
    char *container = member(&x, "containerName");
    char *sas = member(&x, "sasToken");
    assert_string_equal(host, "localhost:8443");
    assert_string_equal(blob, "device1/a/b");
    assert_string_equal(container, "uploads");
    assert_int_equal(sas[0], '?');
    char *body = hub_format("{\"correlationId\":\"%s\",\"isSuccess\":true,\"statusCode\":200,"
                            "\"statusDescription\":\"a \\\"quote\\\"\"}",
                            id);
    assert_int_equal(hub_ask(&x, "POST", NOTIFICATIONS, body), 204);
    assert_int_equal(hub_ask(&x, "POST", NOTIFICATIONS, body), 404);
    x.token = NULL;
    assert_int_equal(hub_ask(&x, "GET", "/emulator/uploads", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"state\":\"succeeded\""));
    hub_exchange_end(&x);
    free(id);
    free(host);
    free(blob);
    free(container);
    free(sas);
    free(body);
    free(token);
}

/* The id has characters that mean something in a path. */
static void the_correlation_id_may_stand_in_the_path(void **state)
{
    char *token = device_token(*state, "localhost");
    hub_exchange x = { .fixture = *state, .token = token };
    hub_text path = { 0 };

    assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"x\"}"), 200);
    char *id = member(&x, "correlationId");
    hub_text_str(&path, NOTIFICATIONS "/");
    hub_percent_encode(id, &path);
    x.raw_path = path.p;
    assert_int_equal(hub_ask(&x, "POST", path.p, "{\"isSuccess\":false}"), 204);
    hub_exchange_end(&x);
    hub_text_free(&path);
    free(id);
    free(token);
}

static void bodies_are_checked(void **state)
{
    static const char *const begins[] = { NULL, "[]", "{}", "{\"blobName\":5}",
                                          "{\"blobName\":\"\"}" };
    static const char *const ends[] = {
        NULL,
        "{}",
        "{\"correlationId\":\"x\"}",
        "{\"isSuccess\":true}",
        "{\"correlationId\":\"x\",\"isSuccess\":\"true\"}",
        "{\"correlationId\":\"x\",\"isSuccess\":true,\"statusCode\":\"a\"}",
    };
    char *token = device_token(*state, "localhost");
    hub_exchange x = { .fixture = *state, .token = token };

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        assert_int_equal(hub_ask(&x, "POST", FILES, begins[i]), 400);
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        assert_int_equal(hub_ask(&x, "POST", NOTIFICATIONS, ends[i]), 400);
    }
    hub_exchange_end(&x);
    free(token);
}

static void the_eleventh_active_upload_is_refused(void **state)
{
    char *token = device_token(*state, "localhost");
    hub_exchange x = { .fixture = *state, .token = token };

    for (int i = 0; i < HUB_UPLOADS_ACTIVE_MAX; i++) {
        assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"x\"}"), 200);
    }
    assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"x\"}"), 403);
    assert_string_equal(x.handling.reply.code, "DeviceMaximumActiveFileUploadLimitExceeded");
    hub_exchange_end(&x);
    free(token);
}

static void only_the_device_and_policies_that_connect_devices_may(void **state)
{
    hub_fixture *f = *state;
    const char *key = fixture_device(f, "device1")->primary_key;
    const int64_t now_s = hub_now(&f->hub) / 1000;
    char *tokens[] = {
        fixture_token("localhost/devices/device2", key, now_s + 60, NULL),
        fixture_token("elsewhere/devices/device1", key, now_s + 60, NULL),
        fixture_token("localhost/devices/device1", key, now_s, NULL),
        fixture_token("localhost/devices/device1", "d3Jvbmc=", now_s + 60, NULL),
        hub_strdup("SharedAccessSignature"),
        hub_strdup(""),
    };
    static const struct {
        const char *policy;
        int status;
    } policies[] = { { "iothubowner", 200 }, { "device", 200 }, { "service", 401 } };

    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        hub_exchange x = { .fixture = f, .token = tokens[i] };
        assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"x\"}"), 401);
        hub_exchange_end(&x);
        free(tokens[i]);
    }
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        hub_exchange x = { .fixture = f, .policy = policies[i].policy };
        assert_int_equal(hub_ask(&x, "POST", FILES, "{\"blobName\":\"x\"}"), policies[i].status);
        hub_exchange_end(&x);
    }
}

static void the_life_of_tokens_can_be_set(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(hub_ask(&x, "PUT", "/emulator/uploads/settings", "{\"tokenLife\":5}"), 204);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/uploads/settings", "{\"tokenLife\":0}"), 400);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/uploads/settings", "{}"), 400);
    assert_int_equal(x.fixture->hub.uploads.life_ms, 5000);
    hub_exchange_end(&x);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_begins_and_ends_an_upload),
        TEST(the_correlation_id_may_stand_in_the_path),
        TEST(bodies_are_checked),
        TEST(the_eleventh_active_upload_is_refused),
        TEST(only_the_device_and_policies_that_connect_devices_may),
        TEST(the_life_of_tokens_can_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
