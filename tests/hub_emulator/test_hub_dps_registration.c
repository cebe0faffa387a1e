#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dps/dps_registration.h"

static dps_registration *assigned(const char *group)
{
    const dps_owner owner = { 5, group };
    dps_registration *r = dps_registration_new(3, "Dev", &owner, 1000);
    cJSON *payload = hub_json_read("{\"a\":\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"}", 17);
    const dps_outcome outcome = {
        .status = DPS_ASSIGNED,
        .substatus = DPS_INITIAL_ASSIGNMENT,
        .host = "hub.test",
        .device_id = "dev-1",
        .payload = payload,
    };

    assert_non_null(payload);
    dps_registration *next = dps_registration_next(r, &outcome, 2000);
    assert_int_equal(next->etag, r->etag + 1);
    cJSON_Delete(payload);
    dps_registration_free(r);
    return next;
}

static void a_result_is_shown_with_the_documented_members(void **state)
{
    dps_registration *r = assigned(NULL);
    cJSON *shown = dps_registration_view(r);
    static const struct {
        const char *name;
        const char *value;
    } members[] = {
        { "registrationId", "Dev" },
        { "assignedHub", "hub.test" },
        { "deviceId", "dev-1" },
        { "status", "assigned" },
        { "substatus", "initialAssignment" },
        { "createdDateTimeUtc", "1970-01-01T00:00:01.000Z" },
        { "lastUpdatedDateTimeUtc", "1970-01-01T00:00:02.000Z" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_string_equal(hub_json_string(shown, members[i].name), members[i].value);
    }
    assert_null(cJSON_GetObjectItemCaseSensitive(shown, "errorCode"));
    cJSON_Delete(shown);
    dps_registration_free(r);
}

static void a_failure_has_its_code_and_no_hub(void **state)
{
    const dps_owner owner = { 5, NULL };
    dps_registration *r = dps_registration_new(1, "d", &owner, 0);
    dps_outcome outcome = { .status = DPS_FAILED };

    (void)state;
    (void)dps_fail(&outcome.error, DPS_CODE_ALLOCATION_FAILED, "no");
    dps_registration *next = dps_registration_next(r, &outcome, 1);
    cJSON *shown = dps_registration_view(next);
    assert_string_equal(hub_json_string(shown, "status"), "failed");
    assert_int_equal(hub_json_number(shown, "errorCode", 0), 400207);
    assert_string_equal(hub_json_string(shown, "errorMessage"), "no");
    assert_null(hub_json_string(shown, "assignedHub"));
    assert_null(hub_json_string(shown, "substatus"));
    cJSON_Delete(shown);
    dps_registration_free(r);
    dps_registration_free(next);
}

static void an_operation_says_assigning_as_often_as_it_was_told(void **state)
{
    for (unsigned n = 0; n < 4; n++) {
        dps_registration *r = assigned(NULL);
        dps_registration_begin(r, &(dps_operation){ .assigning = n });
        for (unsigned i = 0; i < n; i++) {
            assert_true(dps_registration_assigning(r));
        }
        assert_false(dps_registration_assigning(r));
        assert_false(dps_registration_assigning(r));
        dps_registration_free(r);
    }
    (void)state;
}

static void an_operation_is_known_by_its_whole_id(void **state)
{
    dps_registration *r = assigned(NULL);

    (void)state;
    assert_false(dps_registration_has_operation(r, "", 0));
    dps_registration_begin(r, &(dps_operation){ .assigning = 1 });
    char *id = hub_strdup(r->operation_id);
    size_t len = strlen(id);
    assert_int_equal(strncmp(id, "4.", 2), 0);
    assert_int_equal(len, 2 + 16 + 1 + 36);
    assert_true(dps_registration_has_operation(r, id, len));
    assert_false(dps_registration_has_operation(r, id, len - 1));
    assert_false(dps_registration_has_operation(r, "4.x", 3));
    dps_registration_begin(r, &(dps_operation){ .assigning = 1 });
    assert_false(dps_registration_has_operation(r, id, len));
    free(id);
    dps_registration_free(r);
}

/* The vendor's Node SDK reads the answers as ASCII. */
static void answers_are_ascii(void **state)
{
    dps_registration *r = assigned("group-1");
    dps_registration_begin(r, &(dps_operation){ .profile = "prof\xc3\xa9" });
    char *text = dps_registration_final_text(r);

    (void)state;
    assert_non_null(strstr(text, "\"payload\":{\"a\":\"\\u00fc\\u20ac\\ud83d\\ude00\"}"));
    assert_non_null(strstr(text, "\"symmetricKey\":{\"enrollmentGroupId\":\"group-1\"}"));
    assert_non_null(strstr(text, "\"connectionProfile\":\"prof\\u00e9\""));
    for (const char *c = text; *c != '\0'; c++) {
        assert_true((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7F);
    }
    cJSON *json = hub_json_read(text, strlen(text));
    assert_string_equal(hub_json_string(json, "operationId"), r->operation_id);
    assert_string_equal(hub_json_string(json, "status"), "assigned");
    cJSON_Delete(json);
    free(text);
    dps_registration_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_shown_with_the_documented_members),
        cmocka_unit_test(a_failure_has_its_code_and_no_hub),
        cmocka_unit_test(an_operation_says_assigning_as_often_as_it_was_told),
        cmocka_unit_test(an_operation_is_known_by_its_whole_id),
        cmocka_unit_test(answers_are_ascii),
    };
    hub_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
