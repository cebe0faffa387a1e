/* Tests what services receive from the hub: here notifications of file uploads. Feedback is tested
 * with the messages that it is about, in test_hub_rest_device_bound.c. */

#include <stdlib.h>
#include <string.h>

#include "blobs/blob_files.h"
#include "hub_exchange.h"

#define FILES   "/devices/device1/files"
#define NOTICES "/messages/serviceBound/filenotifications"

/* Begins and ends an upload, and puts a blob of five bytes between. */
static void upload(hub_fixture *f, const char *name, bool success)
{
    hub_exchange x = { .fixture = f };
    hub_blob_writer w;
    hub_fault fault;
    char *body = hub_format("{\"blobName\":\"%s\"}", name);

    assert_int_equal(hub_ask(&x, "POST", FILES, body), 200);
    free(body);
    cJSON *json = cJSON_Parse(hub_reply(&x));
    assert_int_equal(hub_blob_writer_open(&w, &f->hub.registry.store, &fault), HUB_OK);
    hub_blob_writer_add(&w, "12345", 5);
    assert_int_equal(hub_blob_writer_end_blob(&w, hub_json_string(json, "blobName"), &fault),
                     HUB_OK);
    body = hub_format("{\"correlationId\":\"%s\",\"isSuccess\":%s}",
                      hub_json_string(json, "correlationId"), success ? "true" : "false");
    assert_int_equal(hub_ask(&x, "POST", FILES "/notifications", body), 204);
    hub_exchange_end(&x);
    cJSON_Delete(json);
    free(body);
}

static void a_successful_upload_is_announced(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 204);
    upload(f, "a/b c", true);
    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 200);
    cJSON *json = cJSON_Parse(hub_reply(&x));
    assert_string_equal(hub_json_string(json, "deviceId"), "device1");
    assert_string_equal(hub_json_string(json, "blobName"), "device1/a/b c");
    assert_string_equal(hub_json_string(json, "blobUri"),
                        "https://localhost:8443/uploads/device1/a/b%20c");
    assert_int_equal(hub_json_number(json, "blobSizeInBytes", 0), 5);
    assert_string_equal(hub_json_string(json, "enqueuedTimeUtc"), "2023-11-14T22:13:20.000Z");
    assert_non_null(hub_json_string(json, "lastUpdatedTime"));
    assert_string_equal(hub_reply_header(&x, "iothub-enqueuedtime"), "11/14/2023 10:13:20 PM");
    cJSON_Delete(json);
    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 204);
    hub_exchange_end(&x);
}

static void a_failed_upload_is_not(void **state)
{
    hub_exchange x = { .fixture = *state };

    upload(*state, "x", false);
    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 204);
    hub_exchange_end(&x);
}

static void a_notification_is_completed_or_abandoned_by_its_lock(void **state)
{
    hub_exchange x = { .fixture = *state };

    upload(*state, "x", true);
    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 200);
    char *path = hub_format(NOTICES "/%s/abandon", x.handling.reply.etag);
    assert_int_equal(hub_ask(&x, "POST", path, NULL), 204);
    assert_int_equal(hub_ask(&x, "POST", path, NULL), 412);
    free(path);
    assert_int_equal(hub_ask(&x, "GET", "/Messages/ServiceBound/FileNotifications", NULL), 200);
    path = hub_format(NOTICES "/%s", x.handling.reply.etag);
    assert_int_equal(hub_ask(&x, "DELETE", path, NULL), 204);
    assert_int_equal(hub_ask(&x, "DELETE", path, NULL), 412);
    assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 204);
    hub_exchange_end(&x);
    free(path);
}

static void only_services_may_receive(void **state)
{
    static const char *const policies[] = { "device", "registryRead", "registryReadWrite" };

    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        hub_exchange x = { .fixture = *state, .policy = policies[i] };
        assert_int_equal(hub_ask(&x, "GET", NOTICES, NULL), 401);
        hub_exchange_end(&x);
    }
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_successful_upload_is_announced),
        FIXTURE_TEST(a_failed_upload_is_not),
        FIXTURE_TEST(a_notification_is_completed_or_abandoned_by_its_lock),
        FIXTURE_TEST(only_services_may_receive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
