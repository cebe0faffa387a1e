#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/identity/fault.h"

static void a_text_is_set_and_the_result_handed_on(void **state)
{
    (void)state;
    plat_identity_fault fault = { "before" };
    assert_int_equal(plat_fault_set(&fault, PLAT_ERR_IDENTITY, "certificate %d", 3),
                     PLAT_ERR_IDENTITY);
    assert_string_equal(fault.text, "certificate 3");
    assert_int_equal(plat_fault_memory(&fault), PLAT_ERR_MEMORY);
    assert_non_null(strstr(fault.text, "memory"));
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char text[2 * PLAT_IDENTITY_TEXT_SIZE];
    plat_identity_fault fault;
    memset(text, 'x', sizeof text - 1);
    for (size_t len = PLAT_IDENTITY_TEXT_SIZE - 2; len < sizeof text; len++) {
        text[len] = '\0';
        (void)plat_fault_set(&fault, PLAT_OK, "%s", text);
        text[len] = 'x';
        assert_int_equal(strlen(fault.text),
                         len < PLAT_IDENTITY_TEXT_SIZE ? len : PLAT_IDENTITY_TEXT_SIZE - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_set_and_the_result_handed_on),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
