#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hub/registration_id.h"

static iothub_result check(const char *id)
{
    return registration_id_check(mqc_span_str(id), NULL);
}

static void letters_digits_and_four_signs_are_allowed_inside_only(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char inside[] = { 'a', (char)c, 'z', '\0' };
        const char first[] = { (char)c, 'z', '\0' };
        const char last[] = { 'a', (char)c, '\0' };
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool good = letter || (c >= '0' && c <= '9');
        assert_int_equal(check(inside) == IOTHUB_OK, good || strchr("-._:", c) != NULL);
        assert_int_equal(check(first) == IOTHUB_OK, good);
        assert_int_equal(check(last) == IOTHUB_OK, good);
    }
}

static void one_to_128_characters_are_allowed(void **state)
{
    char id[130];
    (void)state;

    memset(id, 'a', sizeof id);
    id[129] = '\0';
    assert_int_equal(check(id), IOTHUB_ERR_PART_INVALID);
    id[128] = '\0';
    assert_int_equal(check(id), IOTHUB_OK);
    assert_int_equal(check("7"), IOTHUB_OK);
    assert_int_equal(check(""), IOTHUB_ERR_PART_INVALID);
}

static void the_error_says_which_rule_is_broken(void **state)
{
    iothub_error error;
    (void)state;

    (void)registration_id_check(mqc_span_str("device 1"), &error);
    assert_non_null(strstr(error.text, "character 7 is none of"));
    (void)registration_id_check(mqc_span_str("device-"), &error);
    assert_non_null(strstr(error.text, "begins or ends"));
}

static void an_id_scope_is_letters_and_digits(void **state)
{
    iothub_error error;
    (void)state;

    assert_int_equal(id_scope_check(mqc_span_str("0ne00ABCDEF"), NULL), IOTHUB_OK);
    assert_int_equal(id_scope_check(mqc_span_str(""), NULL), IOTHUB_ERR_PART_INVALID);
    assert_int_equal(id_scope_check(mqc_span_str("0ne/1"), &error), IOTHUB_ERR_PART_INVALID);
    assert_non_null(strstr(error.text, "portal"));
    assert_int_equal(
        id_scope_check(mqc_span_str("00000000000000000000000000000000000000000000000000"
                                    "000000000000000"),
                       NULL),
        IOTHUB_ERR_PART_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_digits_and_four_signs_are_allowed_inside_only),
        cmocka_unit_test(one_to_128_characters_are_allowed),
        cmocka_unit_test(the_error_says_which_rule_is_broken),
        cmocka_unit_test(an_id_scope_is_letters_and_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
