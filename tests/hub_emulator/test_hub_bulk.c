#include "hub_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int a_client;
static const int m_client;

/* Registers device1, device1/m, device1/n and device2. */
static void register_some(hub_exchange *x)
{
    assert_int_equal(hub_ask(x, "PUT", "/devices/device1/modules/m", "{}"), 200);
    assert_int_equal(hub_ask(x, "PUT", "/devices/device1/modules/n", "{}"), 200);
    assert_int_equal(hub_ask(x, "PUT", "/devices/device2", "{}"), 200);
}

static bool there(const hub_exchange *x, const char *client_id)
{
    return hub_registry_find_client(&x->fixture->hub.registry, client_id) != NULL;
}

static hub_identity *get(const hub_exchange *x, const char *client_id)
{
    return fixture_device(x->fixture, client_id);
}

/* Sends a bulk request with one entry. Returns "" or the code of its error. */
static const char *enter(hub_exchange *x, const char *entry)
{
    static char code[64];
    char *body = hub_format("[%s]", entry);
    int status = hub_ask(x, "POST", "/devices", body);
    cJSON *json = hub_json_read(hub_reply(x), strlen(hub_reply(x)));
    const cJSON *errors = cJSON_GetObjectItem(json, "errors");
    const char *name = hub_json_string(errors->child, "errorCode");

    free(body);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(json, "warnings")));
    assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(json, "isSuccessful")), name == NULL);
    assert_int_equal(status, name == NULL ? 200 : 400);
    (void)snprintf(code, sizeof code, "%s", name != NULL ? name : "");
    if (name != NULL) {
        assert_string_equal(x->handling.reply.code, "BulkRegistryOperationFailure");
        assert_non_null(hub_json_string(errors->child, "errorStatus"));
    }
    cJSON_Delete(json);
    return code;
}

static void an_entry_with_a_module_is_about_the_module(void **state)
{
    hub_exchange x = { .fixture = *state };

    register_some(&x);
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"moduleId\":\"m\",\"importMode\":\"delete\"}"), "");
    assert_true(there(&x, "device1") && there(&x, "device1/n") && !there(&x, "device1/m"));
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"moduleId\":\"k\",\"importMode\":\"create\"}"), "");
    assert_true(there(&x, "device1/k"));
    assert_string_equal(enter(&x,
                              "{\"id\":\"device1\",\"moduleId\":\"n\",\"importMode\":\"update\","
                              "\"status\":\"disabled\"}"),
                        "");
    assert_true(get(&x, "device1")->enabled && !get(&x, "device1/n")->enabled);
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"moduleId\":\"m\",\"importMode\":\"delete\"}"),
        "ModuleNotFound");
    assert_non_null(strstr(hub_reply(&x), "\"moduleId\":\"m\""));
    assert_string_equal(
        enter(&x, "{\"id\":\"nobody\",\"moduleId\":\"m\",\"importMode\":\"create\"}"),
        "DeviceNotFound");
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"moduleId\":\"n\",\"importMode\":\"create\"}"),
        "ModuleAlreadyExistsOnDevice");
    assert_string_equal(enter(&x, "{\"id\":\"device1\",\"importMode\":\"delete\"}"), "");
    assert_int_equal(x.fixture->hub.registry.identities.count, 1);
    hub_exchange_end(&x);
}

static void modes_are_read_in_any_case_of_letters(void **state)
{
    hub_exchange x = { .fixture = *state };
    static const struct {
        const char *mode;
        const char *existing; /* expected error for a device that exists */
        const char *missing;  /* expected error for a device that does not exist */
    } cases[] = {
        { "create", "DeviceAlreadyExists", "" },
        { "CREATE", "DeviceAlreadyExists", "" },
        { "Update", "", "DeviceNotFound" },
        { "CreateOrUpdate", "", "" },
        { "createorupdate", "", "" },
        { "UpdateTwin", "", "DeviceNotFound" },
        { "updateIfMatchETag", "PreconditionFailed", "DeviceNotFound" },
        { "UpdateIfMatchEtag", "PreconditionFailed", "DeviceNotFound" },
        { "createOrUpdateIfMatchETag", "PreconditionFailed", "" },
        { "updateTwinIfMatchETag", "PreconditionFailed", "DeviceNotFound" },
        { "deleteIfMatchETag", "PreconditionFailed", "DeviceNotFound" },
        { "DELETE", "", "DeviceNotFound" },
        { "", "ArgumentInvalid", "ArgumentInvalid" },
        { "created", "ArgumentInvalid", "ArgumentInvalid" },
        { "updateX", "ArgumentInvalid", "ArgumentInvalid" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char existing[100];
        char missing[100];
        (void)snprintf(existing, sizeof existing, "{\"id\":\"e%zu\",\"importMode\":\"%s\"}", i,
                       cases[i].mode);
        (void)snprintf(missing, sizeof missing, "{\"id\":\"m%zu\",\"importMode\":\"%s\"}", i,
                       cases[i].mode);
        char *path = hub_format("/devices/e%zu", i);
        assert_int_equal(hub_ask(&x, "PUT", path, "{}"), 200);
        free(path);
        assert_string_equal(enter(&x, existing), cases[i].existing);
        assert_string_equal(enter(&x, missing), cases[i].missing);
    }
    /* Without a mode, the entry means createOrUpdate. */
    assert_string_equal(enter(&x, "{\"id\":\"plain\"}"), "");
    assert_true(there(&x, "plain"));
    hub_exchange_end(&x);
}

static void an_etag_must_match_where_the_mode_says_so(void **state)
{
    hub_exchange x = { .fixture = *state };
    static const char *const modes[] = { "updateIfMatchETag", "createOrUpdateIfMatchETag",
                                         "deleteIfMatchETag" };

    register_some(&x);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char *etag = hub_identity_etag(get(&x, "device2"));
        char *wrong = hub_format("{\"id\":\"device2\",\"importMode\":\"%s\",\"eTag\":\"x%s\"}",
                                 modes[i], etag);
        char *right = hub_format("{\"id\":\"device2\",\"importMode\":\"%s\",\"%s\":\"%s\"}",
                                 modes[i], i == 0 ? "etag" : "eTag", etag);
        assert_string_equal(enter(&x, wrong), "PreconditionFailed");
        assert_true(there(&x, "device2"));
        assert_string_equal(enter(&x, right), "");
        if (i < 2) {
            /* The etag is out of date, because the device has changed. */
            assert_string_equal(enter(&x, right), "PreconditionFailed");
        }
        free(etag);
        free(wrong);
        free(right);
    }
    assert_false(there(&x, "device2"));
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"importMode\":\"updateIfMatchETag\",\"eTag\":\"*\"}"), "");
    hub_exchange_end(&x);
}

static void a_twin_mode_changes_the_twin_only(void **state)
{
    hub_exchange x = { .fixture = *state };
    hub_identity *id = get(&x, "device1");
    const int64_t etag = id->etag;

    assert_int_equal(fixture_connect(x.fixture, &a_client, "device1", true), HUB_OK);
    fixture_subscribe(x.fixture, &a_client, "$iothub/twin/PATCH/properties/desired/#", 0);
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"importMode\":\"updateTwin\",\"status\":\"disabled\","
                  "\"tags\":{\"t\":1},\"properties\":{\"desired\":{\"d\":2}},\"twinETag\":\"x\"}"),
        "");
    assert_true(id->enabled);
    assert_int_equal(id->etag, etag);
    assert_string_equal(x.fixture->sent[0].payload, "{\"d\":2,\"$version\":2}");
    assert_int_equal(hub_ask(&x, "GET", "/twins/device1", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"tags\":{\"t\":1}"));

    char *twin_etag = hub_twin_etag(&id->twin);
    char *right = hub_format("{\"id\":\"device1\",\"importMode\":\"UpdateTwinIfMatchETag\","
                             "\"twinETag\":\"%s\",\"tags\":{\"t\":null}}",
                             twin_etag);
    assert_string_equal(enter(&x, "{\"id\":\"device1\",\"importMode\":\"updateTwinIfMatchETag\","
                                  "\"twinETag\":\"AAAAAAAAAAA=\",\"tags\":{\"t\":5}}"),
                        "PreconditionFailed");
    assert_string_equal(enter(&x, right), "");
    assert_string_equal(enter(&x, right), "PreconditionFailed");
    assert_null(id->twin.tags->child);
    free(twin_etag);
    free(right);
    hub_exchange_end(&x);
}

static void a_new_device_gets_its_tags_and_desired_properties(void **state)
{
    hub_exchange x = { .fixture = *state };
    static const char *const modes[] = { "create", "createOrUpdate", "createOrUpdateIfMatchETag" };

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char *entry = hub_format("{\"id\":\"n%zu\",\"importMode\":\"%s\",\"tags\":{\"a\":\"b\"},"
                                 "\"statusReason\":\"why\",\"capabilities\":{\"iotEdge\":true},"
                                 "\"properties\":{\"desired\":{\"c\":{\"d\":1}}}}",
                                 i, modes[i]);
        char *path = hub_format("/twins/n%zu", i);
        assert_string_equal(enter(&x, entry), "");
        fixture_restart(x.fixture);
        assert_int_equal(hub_ask(&x, "GET", path, NULL), 200);
        assert_non_null(strstr(hub_reply(&x), "\"tags\":{\"a\":\"b\"}"));
        assert_non_null(strstr(hub_reply(&x), "\"desired\":{\"c\":{\"d\":1}"));
        assert_non_null(strstr(hub_reply(&x), "\"statusReason\":\"why\""));
        assert_non_null(strstr(hub_reply(&x), "\"iotEdge\":true"));
        free(entry);
        free(path);
    }
    assert_string_equal(
        enter(&x, "{\"id\":\"bad\",\"importMode\":\"create\",\"tags\":{\"a.b\":1}}"),
        "ArgumentInvalid");
    assert_false(there(&x, "bad"));
    hub_exchange_end(&x);
}

static void identity_and_twin_change_together_or_not_at_all(void **state)
{
    hub_exchange x = { .fixture = *state };
    hub_identity *id = get(&x, "device1");

    assert_string_equal(enter(&x, "{\"id\":\"device1\",\"importMode\":\"createOrUpdate\","
                                  "\"statusReason\":\"new\",\"tags\":{\"$x\":1}}"),
                        "ArgumentInvalid");
    assert_null(id->status_reason);
    assert_string_equal(enter(&x, "{\"id\":\"device1\",\"importMode\":\"createOrUpdate\","
                                  "\"statusReason\":\"new\",\"twinETag\":\"stale\"}"),
                        "PreconditionFailed");
    assert_string_equal(enter(&x, "{\"id\":\"device1\",\"importMode\":\"createOrUpdate\","
                                  "\"statusReason\":\"new\",\"tags\":{\"x\":1}}"),
                        "");
    assert_string_equal(id->status_reason, "new");
    assert_non_null(cJSON_GetObjectItem(id->twin.tags, "x"));
    hub_exchange_end(&x);
}

static void a_device_that_is_disabled_is_dropped_with_its_modules(void **state)
{
    hub_exchange x = { .fixture = *state };

    register_some(&x);
    assert_int_equal(fixture_connect(x.fixture, &a_client, "device1", true), HUB_OK);
    assert_int_equal(fixture_connect(x.fixture, &m_client, "device1/m", true), HUB_OK);
    assert_string_equal(
        enter(&x, "{\"id\":\"device1\",\"importMode\":\"Update\",\"status\":\"Disabled\"}"), "");
    hub_tick(&x.fixture->hub);
    assert_non_null(strstr(x.fixture->dropped, "device1 "));
    assert_non_null(strstr(x.fixture->dropped, "device1/m "));
    hub_exchange_end(&x);
}

static void one_entry_that_fails_stops_none_of_the_others(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(hub_ask(&x, "POST", "/devices",
                             "[{\"id\":\"device1\",\"importMode\":\"create\"},5,"
                             "{\"id\":7},{\"id\":\"a/b\"},{\"id\":\"x\",\"moduleId\":5},"
                             "{\"id\":\"x\",\"importMode\":9},"
                             "{\"id\":\"c\",\"importMode\":\"create\"}]"),
                     400);
    assert_true(there(&x, "c"));
    assert_int_equal(x.fixture->hub.registry.identities.count, 2);
    cJSON *json = hub_json_read(hub_reply(&x), strlen(hub_reply(&x)));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "errors")), 6);
    cJSON_Delete(json);
    hub_exchange_end(&x);
}

static void an_identity_that_stands_in_the_list_twice_is_left_alone(void **state)
{
    hub_exchange x = { .fixture = *state };

    register_some(&x);
    assert_int_equal(hub_ask(&x, "POST", "/devices",
                             "[{\"id\":\"device2\",\"importMode\":\"delete\"},"
                             "{\"id\":\"device2\",\"importMode\":\"create\"},"
                             "{\"id\":\"device1\",\"importMode\":\"update\"},"
                             "{\"id\":\"device1\",\"moduleId\":\"m\",\"importMode\":\"delete\"}]"),
                     400);
    assert_non_null(strstr(hub_reply(&x), "DeviceDefinedMultipleTimes"));
    assert_true(there(&x, "device2"));
    assert_false(there(&x, "device1/m"));
    hub_exchange_end(&x);
}

static void a_hundred_entries_are_the_most(void **state)
{
    hub_exchange x = { .fixture = *state };

    for (int count = 100; count <= 101; count++) {
        hub_text body = { 0 };
        for (int i = 0; i < count; i++) {
            hub_text_printf(&body, "%s{\"id\":\"d%d-%d\",\"importMode\":\"create\"}",
                            i == 0 ? "[" : ",", count, i);
        }
        hub_text_str(&body, "]");
        assert_int_equal(hub_ask(&x, "POST", "/devices", body.p), count == 100 ? 200 : 400);
        hub_text_free(&body);
    }
    assert_int_equal(x.fixture->hub.registry.identities.count, 101);
    hub_exchange_end(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_entry_with_a_module_is_about_the_module),
        FIXTURE_TEST(modes_are_read_in_any_case_of_letters),
        FIXTURE_TEST(an_etag_must_match_where_the_mode_says_so),
        FIXTURE_TEST(a_twin_mode_changes_the_twin_only),
        FIXTURE_TEST(a_new_device_gets_its_tags_and_desired_properties),
        FIXTURE_TEST(identity_and_twin_change_together_or_not_at_all),
        FIXTURE_TEST(a_device_that_is_disabled_is_dropped_with_its_modules),
        FIXTURE_TEST(one_entry_that_fails_stops_none_of_the_others),
        FIXTURE_TEST(an_identity_that_stands_in_the_list_twice_is_left_alone),
        FIXTURE_TEST(a_hundred_entries_are_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
