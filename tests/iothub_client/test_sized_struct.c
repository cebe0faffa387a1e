#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/sized_struct.h"

enum { ROOM = 24, KNOWN = 12 };

static void fill(unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < ROOM; i++) {
        bytes[i] = i < len ? (unsigned char)(i + 1) : 0xEE;
    }
}

static void every_size_is_filled_and_not_a_byte_more(void **state)
{
    (void)state;
    unsigned char from[ROOM];
    fill(from, KNOWN);

    for (size_t size = 0; size <= ROOM; size++) {
        unsigned char to[ROOM];
        memset(to, 0x5A, sizeof to);
        iothub_struct_out(to, size, from, KNOWN);
        for (size_t i = 0; i < ROOM; i++) {
            assert_int_equal(to[i], i >= size ? 0x5A : i < KNOWN ? i + 1 : 0);
        }
    }
}

/* The bytes after each size do not belong to the struct, so the sanitizer detects a read of
 * them. */
static void what_a_shorter_struct_lacks_is_zero(void **state)
{
    (void)state;

    for (size_t size = 0; size <= KNOWN; size++) {
        unsigned char from[ROOM];
        unsigned char to[KNOWN];
        fill(from, size);
        assert_int_equal(iothub_struct_in(to, KNOWN, from, size, "struct", NULL), IOTHUB_OK);
        for (size_t i = 0; i < KNOWN; i++) {
            assert_int_equal(to[i], i < size ? i + 1 : 0);
        }
    }
}

static void each_byte_that_nobody_knows_has_to_be_zero(void **state)
{
    (void)state;
    unsigned char from[ROOM];
    unsigned char to[KNOWN];

    for (size_t i = KNOWN; i < ROOM; i++) {
        iothub_error error;
        memset(from, 0, sizeof from);
        assert_int_equal(iothub_struct_in(to, KNOWN, from, ROOM, "struct", &error), IOTHUB_OK);
        from[i] = 1;
        assert_int_equal(iothub_struct_in(to, KNOWN, from, ROOM, "struct", &error),
                         IOTHUB_ERR_UNSUPPORTED);
        assert_string_equal(error.text,
                            "struct: a field is set that this version of the SDK does not know");
        assert_int_equal(iothub_struct_in(to, KNOWN, from, i, "struct", NULL), IOTHUB_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_filled_and_not_a_byte_more),
        cmocka_unit_test(what_a_shorter_struct_lacks_is_zero),
        cmocka_unit_test(each_byte_that_nobody_knows_has_to_be_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
