#include "../support/result_codes.h"
#include "mqtt_core/result.h"

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    ASSERT_EVERY_CODE_HAS_ITS_OWN_TEXT(mqc_result, mqc_result_str);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
