#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Encodes at most 3 bytes as in RFC 4648, section 4. */
static size_t encode(const uint8_t *raw, size_t len, char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++) {
        bits = bits << 8 | (i < len ? raw[i] : 0u);
    }
    for (size_t i = 0; i < 4; i++) {
        out[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
    return 4;
}

static bool valid(const char *text, size_t *len)
{
    return iothub_base64_valid(mqc_span_str(text), len);
}

static void what_an_encoder_writes_is_valid_and_has_its_length(void **state)
{
    (void)state;

    for (size_t len = 0; len <= 7; len++) {
        char text[16] = "";
        size_t got = 99;
        size_t used = 0;
        for (size_t at = 0; at < len; at += 3) {
            const uint8_t raw[3] = { (uint8_t)(at * 91 + 7), (uint8_t)(at + 250), 0xFF };
            used += encode(raw, len - at < 3 ? len - at : 3, text + used);
        }
        assert_true(valid(text, &got));
        assert_int_equal(got, len);
    }
}

static void every_other_byte_than_a_digit_is_refused_at_every_place(void **state)
{
    (void)state;

    for (int byte = 0; byte < 256; byte++) {
        bool digit = byte != 0 && strchr(digits, byte) != NULL;
        for (size_t at = 0; at < 8; at++) {
            char text[] = "AAAAAAAA";
            size_t len;
            bool padding = byte == '=' && at == 7;
            text[at] = (char)byte;
            assert_int_equal(iothub_base64_valid(mqc_span_of(text, 8), &len), digit || padding);
        }
    }
}

static void every_length_but_a_multiple_of_four_is_refused(void **state)
{
    (void)state;
    char text[65];
    size_t len;
    memset(text, 'A', sizeof text);

    for (size_t n = 0; n <= sizeof text; n++) {
        assert_int_equal(iothub_base64_valid(mqc_span_of(text, n), &len), n % 4 == 0);
    }
}

static void bits_that_stand_for_nothing_have_to_be_zero(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 64; i++) {
        const char one[] = { 'A', digits[i], '=', '=', '\0' };
        const char two[] = { 'A', 'A', digits[i], '=', '\0' };
        size_t len = 0;
        assert_int_equal(valid(one, &len), i % 16 == 0);
        assert_int_equal(valid(two, &len), i % 4 == 0);
    }
}

static void padding_stands_at_the_end_only_and_is_two_at_most(void **state)
{
    (void)state;
    static const char *const bad[] = { "A===", "====", "=AAA", "AA=A", "AA==AAAA", "AAA=AAAA" };
    size_t len;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(valid(bad[i], &len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_encoder_writes_is_valid_and_has_its_length),
        cmocka_unit_test(every_other_byte_than_a_digit_is_refused_at_every_place),
        cmocka_unit_test(every_length_but_a_multiple_of_four_is_refused),
        cmocka_unit_test(bits_that_stand_for_nothing_have_to_be_zero),
        cmocka_unit_test(padding_stands_at_the_end_only_and_is_two_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
