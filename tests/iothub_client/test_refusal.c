#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "provisioning/refusal.h"

static void each_documented_code_has_its_result_and_its_remedy(void **state)
{
    static const struct {
        unsigned status;
        uint64_t code;
        iothub_result result;
        const char *shown;
        const char *remedy;
    } codes[] = {
        { 400, 400004, IOTHUB_ERR_REJECTED, "400004", "api_version" },
        { 400, 400207, IOTHUB_ERR_REJECTED, "400207", "custom allocation" },
        { 400, 400999, IOTHUB_ERR_REJECTED, "400999", "payload" },
        { 401, 401000, IOTHUB_ERR_AUTH, "401000", "iothub derive-key" },
        { 401, 401002, IOTHUB_ERR_AUTH, "401002", "intermediates" },
        { 401, 0, IOTHUB_ERR_AUTH, "401", "the clock" },
        { 403, 0, IOTHUB_ERR_REJECTED, "403", "enabled" },
        { 404, 404201, IOTHUB_ERR_REJECTED, "404201", "make one" },
        { 405, 0, IOTHUB_ERR_REJECTED, "405", "api_version" },
        { 408, 0, IOTHUB_ERR_UNAVAILABLE, "408", "asked again" },
        { 409, 409001, IOTHUB_ERR_REJECTED, "409001", "linked hubs" },
        { 429, 429001, IOTHUB_ERR_UNAVAILABLE, "429001", "throttles" },
        { 500, 500000, IOTHUB_ERR_UNAVAILABLE, "500000", "asked again" },
        { 503, 0, IOTHUB_ERR_UNAVAILABLE, "503", "asked again" },
        { 504, 0, IOTHUB_ERR_UNAVAILABLE, "504", "asked again" },
        { 418, 0, IOTHUB_ERR_REJECTED, "418", "does not know" },
        { 404, UINT64_MAX, IOTHUB_ERR_REJECTED, "404", "does not know" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        iothub_error why;
        assert_int_equal(refusal_of_code(codes[i].status, codes[i].code, &why), codes[i].result);
        assert_int_equal(why.code, codes[i].result);
        assert_non_null(strstr(why.text, codes[i].shown));
        assert_non_null(strstr(why.text, codes[i].remedy));
    }
}

static void no_text_is_cut(void **state)
{
    (void)state;
    for (unsigned status = 100; status < 1000; status++) {
        for (unsigned minor = 0; minor < 300; minor++) {
            iothub_error why;
            (void)refusal_of_code(status, status * 1000 + minor, &why);
            const size_t len = strlen(why.text);
            assert_true(len < sizeof why.text - 1);
            assert_string_not_equal(why.text + len - 3, "...");
        }
    }
}

static void throttling_and_failures_of_the_service_may_pass(void **state)
{
    (void)state;
    for (unsigned status = 0; status < 1000; status++) {
        assert_int_equal(refusal_may_pass(status),
                         status == 408 || status == 429 || (status >= 500 && status <= 599));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_documented_code_has_its_result_and_its_remedy),
        cmocka_unit_test(no_text_is_cut),
        cmocka_unit_test(throttling_and_failures_of_the_service_may_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
