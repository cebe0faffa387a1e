#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dps/dps_enrollment.h"

#define HOST "hub.test"
#define KEYS "\"attestation\":{\"type\":\"symmetricKey\"}"

static dps_enrollment *read(bool group, const char *id, const char *text, const dps_enrollment *was,
                            dps_error *e)
{
    const dps_enrollment_request r = {
        .group = group, .id = id, .host = HOST, .was = was, .number = 7, .now_ms = 5000
    };
    cJSON *json = hub_json_read(text, strlen(text));
    dps_enrollment *out = dps_enrollment_read(json, &r, e);

    assert_non_null(json);
    cJSON_Delete(json);
    return out;
}

static dps_enrollment *must_read(bool group, const char *id, const char *text,
                                 const dps_enrollment *was)
{
    dps_error e = { 0 };
    dps_enrollment *out = read(group, id, text, was, &e);

    if (out == NULL) {
        fail_msg("%s", e.text);
    }
    return out;
}

static void ids_are_those_of_the_documentation(void **state)
{
    static const char *const good[] = { "a", "Z9", "a-b.c_d:e", "0" };
    static const char *const bad[] = { "",    "-a",  "a-", ".",        "a:",  ":a", "_a",
                                       "a b", "a/b", "a+", "\xc3\xa4", "a#b", "a*b" };
    char longest[130] = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(dps_id_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(dps_id_valid(bad[i]));
    }
    memset(longest, 'x', 128);
    assert_true(dps_id_valid(longest));
    longest[128] = 'x';
    assert_false(dps_id_valid(longest));
}

static void what_is_not_given_has_the_defaults_of_the_service(void **state)
{
    dps_enrollment *e = must_read(false, "dev", "{\"registrationId\":\"dev\"," KEYS "}", NULL);
    cJSON *shown = dps_enrollment_view(e, false);

    (void)state;
    assert_int_equal(e->number, 7);
    assert_true(e->enabled);
    assert_null(dps_enrollment_device_id(e));
    assert_int_equal(dps_enrollment_reprovision(e), DPS_REPROVISION_MIGRATE);
    assert_string_equal(hub_json_string(shown, "registrationId"), "dev");
    assert_string_equal(hub_json_string(shown, "provisioningStatus"), "enabled");
    assert_string_equal(hub_json_string(shown, "allocationPolicy"), "hashed");
    assert_string_equal(hub_json_string(shown, "createdDateTimeUtc"), "1970-01-01T00:00:05.000Z");
    char *etag = dps_enrollment_etag(e);
    assert_string_equal(hub_json_string(shown, "etag"), etag);
    free(etag);
    cJSON_Delete(shown);
    dps_enrollment_free(e);
}

static void all_members_come_back_as_they_were_given(void **state)
{
    static const char members[] =
        "\"iotHubHostName\":\"HUB.test\",\"iotHubs\":[\"hub.test\"],"
        "\"initialTwin\":{\"tags\":{\"a\":1},\"properties\":{\"desired\":{\"b\":2.50}}},"
        "\"capabilities\":{\"iotEdge\":true},"
        "\"reprovisionPolicy\":{\"updateHubAssignment\":true,\"migrateDeviceData\":false},"
        "\"allocationPolicy\":\"custom\","
        "\"customAllocationDefinition\":{\"webhookUrl\":\"https://x\",\"apiVersion\":\"2021\"},"
        "\"optionalDeviceInformation\":{\"x\":1},\"provisioningStatus\":\"disabled\"";
    char *text = hub_format("{\"enrollmentGroupId\":\"G\"," KEYS ",%s}", members);
    dps_enrollment *e = must_read(true, "g", text, NULL);
    cJSON *shown = dps_enrollment_view(e, false);
    char *printed = hub_json_print(shown);

    (void)state;
    assert_string_equal(e->id, "G");
    assert_false(e->enabled);
    assert_int_equal(dps_enrollment_reprovision(e), DPS_REPROVISION_RESET);
    assert_non_null(strstr(printed, members));
    free(printed);
    cJSON_Delete(shown);
    dps_enrollment_free(e);
    free(text);
}

static void a_change_keeps_number_keys_id_and_the_date_of_creation(void **state)
{
    dps_enrollment *a =
        must_read(false, "dev", "{\"registrationId\":\"Dev\"," KEYS ",\"deviceId\":\"d\"}", NULL);
    a->number = 3;
    a->created_ms = 1000;
    dps_enrollment *b = must_read(false, "DEV", "{\"registrationId\":\"DEV\"," KEYS "}", a);

    (void)state;
    assert_int_equal(b->number, 3);
    assert_int_equal(b->created_ms, 1000);
    assert_int_equal(b->updated_ms, 5000);
    assert_int_equal(b->etag, a->etag + 1);
    assert_string_equal(b->id, "Dev");
    assert_string_equal(b->attestation.first, a->attestation.first);
    /* A PUT also removes the members that it does not give. */
    assert_null(dps_enrollment_device_id(b));
    dps_enrollment_free(a);
    dps_enrollment_free(b);
}

static void a_bad_member_is_refused_by_its_name(void **state)
{
    static const struct {
        const char *members;
        const char *name;
    } cases[] = {
        { "\"registrationId\":\"other\"," KEYS, "registrationId" },
        { "\"registrationId\":7," KEYS, "registrationId" },
        { KEYS, "registrationId" },
        { "\"registrationId\":\"dev\"", "attestation" },
        { "\"registrationId\":\"dev\"," KEYS ",\"provisioningStatus\":\"on\"",
          "provisioningStatus" },
        { "\"registrationId\":\"dev\"," KEYS ",\"deviceId\":\"a+b\"", "deviceId" },
        { "\"registrationId\":\"dev\"," KEYS ",\"deviceId\":\"a b\"", "deviceId" },
        { "\"registrationId\":\"dev\"," KEYS ",\"deviceId\":1", "deviceId" },
        { "\"registrationId\":\"dev\"," KEYS ",\"iotHubHostName\":\"other.test\"",
          "iotHubHostName" },
        { "\"registrationId\":\"dev\"," KEYS ",\"iotHubs\":\"hub.test\"", "iotHubs" },
        { "\"registrationId\":\"dev\"," KEYS ",\"iotHubs\":[\"hub.test\",\"b.test\"]", "iotHubs" },
        { "\"registrationId\":\"dev\"," KEYS ",\"initialTwin\":7", "initialTwin" },
        { "\"registrationId\":\"dev\"," KEYS ",\"initialTwin\":{\"tags\":[]}", "initialTwin" },
        { "\"registrationId\":\"dev\"," KEYS ",\"initialTwin\":{\"properties\":{\"desired\":1}}",
          "initialTwin" },
        { "\"registrationId\":\"dev\"," KEYS ",\"capabilities\":{}", "capabilities" },
        { "\"registrationId\":\"dev\"," KEYS ",\"reprovisionPolicy\":{\"migrateDeviceData\":true}",
          "reprovisionPolicy" },
        { "\"registrationId\":\"dev\"," KEYS ",\"allocationPolicy\":\"random\"",
          "allocationPolicy" },
        { "\"registrationId\":\"dev\"," KEYS ",\"allocationPolicy\":\"custom\"",
          "customAllocationDefinition" },
        { "\"registrationId\":\"dev\"," KEYS ",\"customAllocationDefinition\":{}",
          "customAllocationDefinition" },
        { "\"registrationId\":\"dev\"," KEYS ",\"optionalDeviceInformation\":1",
          "optionalDeviceInformation" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = hub_format("{%s}", cases[i].members);
        dps_error e = { 0 };
        assert_null(read(false, "dev", text, NULL, &e));
        assert_int_equal(e.code, DPS_CODE_ARGUMENT);
        assert_int_equal(strncmp(e.text, cases[i].name, strlen(cases[i].name)), 0);
        free(text);
    }
}

static void an_id_with_characters_that_are_not_allowed_is_refused(void **state)
{
    dps_error e = { 0 };

    (void)state;
    assert_null(read(true, "a b", "{\"enrollmentGroupId\":\"a b\"," KEYS "}", NULL, &e));
    assert_non_null(strstr(e.text, "enrollmentGroupId"));
}

static void the_policy_decides_what_becomes_of_a_device_that_registers_again(void **state)
{
    static const struct {
        const char *update;
        const char *migrate;
        dps_reprovision wanted;
    } cases[] = {
        { "true", "true", DPS_REPROVISION_MIGRATE },
        { "true", "false", DPS_REPROVISION_RESET },
        { "false", "false", DPS_REPROVISION_NEVER },
        { "false", "true", DPS_REPROVISION_NEVER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = hub_format("{\"registrationId\":\"d\"," KEYS ",\"reprovisionPolicy\":"
                                "{\"updateHubAssignment\":%s,\"migrateDeviceData\":%s}}",
                                cases[i].update, cases[i].migrate);
        dps_enrollment *e = must_read(false, "d", text, NULL);
        assert_int_equal(dps_enrollment_reprovision(e), cases[i].wanted);
        dps_enrollment_free(e);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_documentation),
        cmocka_unit_test(what_is_not_given_has_the_defaults_of_the_service),
        cmocka_unit_test(all_members_come_back_as_they_were_given),
        cmocka_unit_test(a_change_keeps_number_keys_id_and_the_date_of_creation),
        cmocka_unit_test(a_bad_member_is_refused_by_its_name),
        cmocka_unit_test(an_id_with_characters_that_are_not_allowed_is_refused),
        cmocka_unit_test(the_policy_decides_what_becomes_of_a_device_that_registers_again),
    };
    hub_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
