#include "../support/result_codes.h"
#include "iothub/result.h"

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    ASSERT_EVERY_CODE_HAS_ITS_OWN_TEXT(iothub_result, iothub_result_str);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
