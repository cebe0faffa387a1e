#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/decimal.h"

enum { UNTOUCHED = 4711 };

static void numbers_are_read_up_to_the_largest_of_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        iothub_decimal result;
        uint64_t n;
    } cases[] = {
        { "0", IOTHUB_DECIMAL_OK, 0 },
        { "7", IOTHUB_DECIMAL_OK, 7 },
        { "0000000000000000000000042", IOTHUB_DECIMAL_OK, 42 },
        { "18446744073709551609", IOTHUB_DECIMAL_OK, UINT64_MAX - 6 },
        { "18446744073709551615", IOTHUB_DECIMAL_OK, UINT64_MAX },
        { "18446744073709551616", IOTHUB_DECIMAL_TOO_LARGE, UNTOUCHED },
        { "18446744073709551620", IOTHUB_DECIMAL_TOO_LARGE, UNTOUCHED },
        { "99999999999999999999", IOTHUB_DECIMAL_TOO_LARGE, UNTOUCHED },
        { "184467440737095516150", IOTHUB_DECIMAL_TOO_LARGE, UNTOUCHED },
        { "18446744073709551616x", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { "", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { "-1", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { "+1", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { " 1", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { "1 ", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
        { "1.0", IOTHUB_DECIMAL_NOT_A_NUMBER, UNTOUCHED },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t n = UNTOUCHED;
        assert_int_equal(iothub_decimal_parse(mqc_span_str(cases[i].text), &n), cases[i].result);
        assert_true(n == cases[i].n);
    }
}

static void every_byte_but_a_digit_is_refused_at_every_place(void **state)
{
    (void)state;

    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 3; at++) {
            char text[] = "123";
            uint64_t n = UNTOUCHED;
            bool digit = byte >= '0' && byte <= '9';
            text[at] = (char)byte;
            assert_int_equal(iothub_decimal_parse(mqc_span_of(text, 3), &n),
                             digit ? IOTHUB_DECIMAL_OK : IOTHUB_DECIMAL_NOT_A_NUMBER);
            assert_true(digit || n == UNTOUCHED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_up_to_the_largest_of_64_bits),
        cmocka_unit_test(every_byte_but_a_digit_is_refused_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
