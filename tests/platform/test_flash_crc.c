#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash_store/flash_crc.h"

static void the_check_value_is_that_of_crc_32(void **state)
{
    (void)state;
    assert_int_equal(flash_crc(0, "123456789", 9), 0xCBF43926u);
    assert_int_equal(flash_crc(0, "", 0), 0);
}

static void a_crc_can_be_continued(void **state)
{
    (void)state;
    for (size_t split = 0; split <= 9; split++) {
        const uint32_t first = flash_crc(0, "123456789", split);
        assert_int_equal(flash_crc(first, &"123456789"[split], 9 - split), 0xCBF43926u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_is_that_of_crc_32),
        cmocka_unit_test(a_crc_can_be_continued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
