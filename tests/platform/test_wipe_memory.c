#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "memory/wipe_memory.h"

static void it_changes_these_bytes_only(void **state)
{
    /* More than two of the pieces of 512 bytes in which the function works. */
    enum { LARGEST = 1100 };
    (void)state;

    for (size_t len = 0; len <= LARGEST; len++) {
        uint8_t bytes[LARGEST + 1];
        memset(bytes, 'x', sizeof bytes);
        plat_wipe(bytes, len);
        for (size_t i = 0; i < sizeof bytes; i++) {
            assert_int_equal(bytes[i], i < len ? 0 : 'x');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_changes_these_bytes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
