#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/wipe.h"

static void exactly_the_given_bytes_become_zero(void **state)
{
    (void)state;
    for (size_t from = 0; from < 20; from++) {
        for (size_t len = 0; from + len <= 20; len++) {
            unsigned char bytes[20];
            memset(bytes, 0xA5, sizeof bytes);
            iothub_wipe(bytes + from, len);
            for (size_t i = 0; i < sizeof bytes; i++) {
                assert_int_equal(bytes[i], i >= from && i < from + len ? 0 : 0xA5);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_given_bytes_become_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
