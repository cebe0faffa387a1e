#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "dps/dps_error.h"

static void the_status_begins_the_code(void **state)
{
    dps_error e;

    (void)state;
    assert_false(dps_fail(&e, DPS_CODE_KEY, "%d keys", 2));
    assert_int_equal(dps_error_status(&e), 401);
    assert_string_equal(e.text, "2 keys");
    assert_false(dps_fail(&e, 429001, "x"));
    assert_int_equal(dps_error_status(&e), 429);
}

static void each_failure_of_the_hub_has_a_code_of_its_status(void **state)
{
    (void)state;
    for (int r = HUB_ERR_MODULE_EXISTS; r < HUB_OK; r++) {
        hub_fault fault;
        dps_error e;
        (void)hub_fail(&fault, (hub_result)r, "why");
        assert_false(dps_fail_by(&e, &fault));
        assert_string_equal(e.text, "why");
        int status = dps_error_status(&e);
        /* An error that a device cannot cause has the status 400 here. */
        assert_true(status == hub_result_status((hub_result)r) || status == 400);
    }
}

static void the_text_is_json_with_what_the_documentation_names(void **state)
{
    dps_error e;

    (void)state;
    (void)dps_fail(&e, DPS_CODE_NO_ENROLLMENT, "no \"x\" \n\xff");
    char *text = dps_error_text(&e, INT64_C(1700000000123));
    cJSON *json = hub_json_read(text, strlen(text));
    assert_non_null(json);
    assert_int_equal(hub_json_number(json, "errorCode", 0), 404201);
    assert_string_equal(hub_json_string(json, "message"), "no \"x\" ??");
    assert_string_equal(hub_json_string(json, "timestampUtc"), "2023-11-14T22:13:20.123Z");
    assert_int_equal(strlen(hub_json_string(json, "trackingId")), 36);
    cJSON_Delete(json);
    free(text);
}

static void uuids_have_their_form_and_differ(void **state)
{
    char *a = dps_uuid();
    char *b = dps_uuid();

    (void)state;
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_begins_the_code),
        cmocka_unit_test(each_failure_of_the_hub_has_a_code_of_its_status),
        cmocka_unit_test(the_text_is_json_with_what_the_documentation_names),
        cmocka_unit_test(uuids_have_their_form_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
