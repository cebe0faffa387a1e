#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/split.h"

static bool is(mqc_span s, const char *text)
{
    return mqc_span_eq(s, mqc_span_str(text));
}

static void every_byte_is_white_space_to_trim_or_stays(void **state)
{
    (void)state;

    for (int byte = 0; byte < 256; byte++) {
        const char text[] = { (char)byte, (char)byte, 'a', (char)byte, 'b', (char)byte };
        bool space = byte != 0 && strchr(" \t\n\v\f\r", byte) != NULL;
        mqc_span trimmed = iothub_trim(mqc_span_of(text, sizeof text));
        assert_int_equal(trimmed.len, space ? 3 : sizeof text);
        assert_ptr_equal(trimmed.ptr, text + (space ? 2 : 0));
    }
}

static void white_space_alone_is_trimmed_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(iothub_trim(mqc_span_str(" \t\r\n ")).len, 0);
    assert_int_equal(iothub_trim(mqc_span_str("")).len, 0);
    assert_null(iothub_trim(mqc_span_of(NULL, 0)).ptr);
}

static void a_text_is_cut_at_the_first_separator(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *before;
        const char *after; /* expected rest; NULL: there is no separator */
    } cases[] = {
        { "a=b", "a", "b" }, { "a=b=c", "a", "b=c" }, { "=b", "", "b" }, { "a=", "a", "" },
        { "=", "", "" },     { "ab", "ab", NULL },    { "", "", NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mqc_span before;
        mqc_span after;
        bool cut = iothub_cut(mqc_span_str(cases[i].text), '=', &before, &after);
        assert_int_equal(cut, cases[i].after != NULL);
        assert_true(is(before, cases[i].before));
        assert_true(is(after, cut ? cases[i].after : ""));
        assert_int_equal(after.ptr != NULL, cut);
    }
}

static void a_text_can_be_cut_in_place_piece_by_piece(void **state)
{
    (void)state;
    static const char *const pieces[] = { "one", "", "three" };
    mqc_span rest = mqc_span_str("one;;three");
    mqc_span piece;
    bool more = true;

    for (size_t i = 0; i < 3; i++) {
        assert_true(more);
        more = iothub_cut(rest, ';', &piece, &rest);
        assert_true(is(piece, pieces[i]));
    }
    assert_false(more);
}

static void words_are_the_same_in_any_letter_case(void **state)
{
    (void)state;

    for (int a = 0; a < 128; a++) {
        for (int b = 0; b < 128; b++) {
            const char left[] = { 'x', (char)a };
            const char right[] = { 'X', (char)b };
            bool letter = (a >= 'A' && a <= 'Z') || (a >= 'a' && a <= 'z');
            bool same = a == b || (letter && (a ^ b) == 0x20);
            assert_int_equal(iothub_same_word(mqc_span_of(left, 2), mqc_span_of(right, 2)), same);
        }
    }
}

static void a_word_is_not_the_same_as_its_beginning(void **state)
{
    (void)state;
    assert_false(iothub_same_word(mqc_span_str("Host"), mqc_span_str("HostName")));
    assert_false(iothub_same_word(mqc_span_str("HostName"), mqc_span_str("Host")));
    assert_false(iothub_same_word(mqc_span_str(""), mqc_span_str("a")));
    assert_true(iothub_same_word(mqc_span_str(""), mqc_span_of(NULL, 0)));
}

static void hex_digits_have_their_value_and_other_bytes_sixteen(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef";
    static const char capitals[] = "0123456789ABCDEF";

    for (int byte = 0; byte < 256; byte++) {
        const char *at = byte != 0 ? strchr(digits, byte) : NULL;
        const char *capital = byte != 0 ? strchr(capitals, byte) : NULL;
        ptrdiff_t value = at != NULL ? at - digits : capital != NULL ? capital - capitals : 16;
        assert_int_equal(iothub_hex_value((uint8_t)byte), value);
        assert_int_equal(iothub_is_digit((uint8_t)byte), byte >= '0' && byte <= '9');
        assert_int_equal(iothub_is_letter((uint8_t)byte),
                         (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_white_space_to_trim_or_stays),
        cmocka_unit_test(white_space_alone_is_trimmed_to_nothing),
        cmocka_unit_test(a_text_is_cut_at_the_first_separator),
        cmocka_unit_test(a_text_can_be_cut_in_place_piece_by_piece),
        cmocka_unit_test(words_are_the_same_in_any_letter_case),
        cmocka_unit_test(a_word_is_not_the_same_as_its_beginning),
        cmocka_unit_test(hex_digits_have_their_value_and_other_bytes_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
