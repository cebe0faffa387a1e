#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt_core/result.h"

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    const char *unknown = mqc_result_str((mqc_result)-1000);
    int known = 0;

    for (int a = -100; a <= 0; a++) {
        const char *text = mqc_result_str((mqc_result)a);
        assert_non_null(text);
        if (strcmp(text, unknown) == 0) {
            continue;
        }
        known++;
        for (int b = a + 1; b <= 0; b++) {
            assert_string_not_equal(text, mqc_result_str((mqc_result)b));
        }
    }

    assert_true(known > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
