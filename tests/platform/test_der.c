#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "wolfssl/x509/der.h"

#define DER(literal)                                    \
    (plat_der)                                          \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* Returns an element with `content` zero bytes, whose length is encoded in `octets` octets after
 * the first. */
static plat_der element(uint8_t *room, size_t content, size_t octets)
{
    room[0] = PLAT_DER_OCTET_STRING;
    room[1] = octets == 0 ? (uint8_t)content : (uint8_t)(0x80 + octets);
    for (size_t i = 0; i < octets; i++) {
        room[2 + i] = (uint8_t)(content >> 8 * (octets - 1 - i));
    }
    return (plat_der){ room, 2 + octets + content };
}

static void lengths_are_taken_in_their_shortest_form_only(void **state)
{
    (void)state;
    static uint8_t room[70000];
    static const size_t sizes[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t n = sizes[i];
        const size_t right = n < 0x80 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;
        for (size_t octets = 0; octets <= 4; octets++) {
            if (octets == 0 && n > 0x7f) {
                continue; /* skipped, since this byte would change the length */
            }
            plat_der in = element(room, n, octets);
            plat_der content;
            bool taken = plat_der_take(&in, PLAT_DER_OCTET_STRING, &content);
            if (octets < right) {
                continue; /* skipped, since the truncated element has no length */
            }
            assert_int_equal(taken, octets == right);
            assert_true(!taken || (content.len == n && in.len == 0));
        }
    }
}

static void an_element_that_is_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    static uint8_t room[1024];
    static const size_t sizes[] = { 5, 200, 300 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t n = sizes[i];
        const plat_der whole = element(room, n, n < 0x80 ? 0 : n < 0x100 ? 1 : 2);
        for (size_t len = 0; len < whole.len; len++) {
            plat_der in = { whole.at, len };
            plat_der_item item;
            assert_false(plat_der_next(&in, &item));
        }
    }
}

static void forms_that_der_does_not_have_are_refused(void **state)
{
    (void)state;
    static const plat_der bad[] = {
        { (const uint8_t *)"\x30\x80\x00\x00", 4 },         /* indefinite length */
        { (const uint8_t *)"\x1f\x81\x01\x00", 4 },         /* a tag of several bytes */
        { (const uint8_t *)"\x30\xff\x00\x00", 4 },         /* a length of 127 octets */
        { (const uint8_t *)"\x04\x84\x00\x00\x00\x00", 6 }, /* a length of four octets */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        plat_der in = bad[i];
        plat_der_item item;
        assert_false(plat_der_next(&in, &item));
    }
}

static void integers_and_flags_are_strict(void **state)
{
    (void)state;
    static const struct {
        plat_der der;
        bool good;
        uint32_t value;
    } integers[] = {
        { { (const uint8_t *)"\x02\x01\x00", 3 }, true, 0 },
        { { (const uint8_t *)"\x02\x01\x7f", 3 }, true, 0x7f },
        { { (const uint8_t *)"\x02\x02\x00\x80", 4 }, true, 0x80 },
        { { (const uint8_t *)"\x02\x05\x00\xff\xff\xff\xff", 7 }, true, UINT32_MAX },
        { { (const uint8_t *)"\x02\x06\x01\x00\x00\x00\x00\x00", 8 }, true, UINT32_MAX },
        { { (const uint8_t *)"\x02\x00", 2 }, false, 0 },
        { { (const uint8_t *)"\x02\x01\x80", 3 }, false, 0 },
        { { (const uint8_t *)"\x02\x02\x00\x7f", 4 }, false, 0 },
        { { (const uint8_t *)"\x02\x02\xff\x80", 4 }, false, 0 },
    };
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        plat_der in = integers[i].der;
        uint32_t value;
        assert_int_equal(plat_der_take_unsigned(&in, PLAT_DER_INTEGER, &value), integers[i].good);
        assert_true(!integers[i].good || value == integers[i].value);
    }
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t flag[] = { 0x01, 1, (uint8_t)v };
        plat_der in = { flag, sizeof flag };
        bool value;
        assert_int_equal(plat_der_take_flag(&in, &value), v == 0 || v == 0xff);
        assert_int_equal(value, v == 0xff);
    }
}

static void bits_that_a_bit_string_does_not_use_are_zero(void **state)
{
    (void)state;
    for (unsigned unused = 0; unused < 10; unused++) {
        for (unsigned v = 0; v < 256; v++) {
            const uint8_t string[] = { 0x03, 2, (uint8_t)unused, (uint8_t)v };
            plat_der in = { string, sizeof string };
            uint16_t bits;
            bool good = unused < 8 && (v & ((1u << unused) - 1)) == 0;
            assert_int_equal(plat_der_take_bits(&in, &bits), good);
            assert_true(!good || (bits & 1) == v >> 7); /* bit 0 is the most significant one */
        }
    }
    plat_der in = DER("\x03\x01\x01");
    uint16_t bits;
    assert_false(plat_der_take_bits(&in, &bits));
    in = DER("\x03\x03\x07\x00\x80");
    assert_true(plat_der_take_bits(&in, &bits));
    assert_int_equal(bits, 1u << 8);
}

/* --- time --- */

static bool read_time(uint8_t tag, const char *text, int64_t *seconds)
{
    uint8_t room[64] = { tag, (uint8_t)strlen(text) };
    memcpy(room + 2, text, strlen(text));
    plat_der in = { room, 2 + strlen(text) };
    return plat_der_take_time(&in, seconds);
}

static void each_day_of_two_centuries_is_where_the_calendar_has_it(void **state)
{
    (void)state;
    int64_t expected = -7305 * INT64_C(86400); /* 1950-01-01 */
    for (int year = 1950; year < 2150; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 32; day++) {
                char text[64];
                int64_t general = 0;
                int64_t utc = 0;
                snprintf(text, sizeof text, "%04d%02d%02d000000Z", year, month, day);
                bool good = read_time(PLAT_DER_GENERALIZED_TIME, text, &general);
                assert_true(good || day > 28);
                if (!good) {
                    break;
                }
                assert_true(general == expected);
                if (year < 2050) {
                    assert_true(read_time(PLAT_DER_UTC_TIME, text + 2, &utc));
                    assert_true(utc == expected);
                }
                expected += 86400;
            }
        }
    }
    assert_true(expected == INT64_C(5680281600)); /* 2150-01-01 */
}

static void times_of_any_other_form_are_refused(void **state)
{
    (void)state;
    static const char *const utc[] = { "2401010000Z",     "240101000000",     "240101000000+0000",
                                       "241301000000Z",   "240100000000Z",    "240230000000Z",
                                       "230229000000Z",   "240101240000Z",    "240101006000Z",
                                       "240101000060Z",   "240101000000z",    "24010100000 Z",
                                       "20240101000000Z", "240101000000.5Z",  "",
                                       "-40101000000Z",   "240101000000Z\x5a" };
    static const char *const general[] = { "240101000000Z", "20240101000000.5Z", "20240101000000",
                                           "20240101000000+0100", "21000229000000Z" };
    int64_t seconds;
    for (size_t i = 0; i < sizeof utc / sizeof utc[0]; i++) {
        assert_false(read_time(PLAT_DER_UTC_TIME, utc[i], &seconds));
    }
    for (size_t i = 0; i < sizeof general / sizeof general[0]; i++) {
        assert_false(read_time(PLAT_DER_GENERALIZED_TIME, general[i], &seconds));
    }
    assert_true(read_time(PLAT_DER_UTC_TIME, "240229235959Z", &seconds));
    assert_true(read_time(PLAT_DER_GENERALIZED_TIME, "99991231235959Z", &seconds));
    assert_false(read_time(PLAT_DER_OCTET_STRING, "240229235959Z", &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_taken_in_their_shortest_form_only),
        cmocka_unit_test(an_element_that_is_cut_short_anywhere_is_refused),
        cmocka_unit_test(forms_that_der_does_not_have_are_refused),
        cmocka_unit_test(integers_and_flags_are_strict),
        cmocka_unit_test(bits_that_a_bit_string_does_not_use_are_zero),
        cmocka_unit_test(each_day_of_two_centuries_is_where_the_calendar_has_it),
        cmocka_unit_test(times_of_any_other_form_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
