#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/name_value.h"

/* Tests lists of Name=Value parts, in a format that only this test uses. */

enum { ALPHA, BETA, COUNT };

static const char *const names[COUNT] = { "Alpha", "Beta" };
static const iothub_name_value_hint hints[] = {
    { "First Uno", "; write Alpha" },
    { NULL, "; check it" },
};

static const iothub_name_value_format strict = {
    .what = "list",
    .separator = '&',
    .names = names,
    .count = COUNT,
    .no_name = "has no name",
    .bad_name = "has a bad name",
    .hints = hints,
};

static iothub_name_value_format lenient(void)
{
    iothub_name_value_format f = strict;
    f.separator = ';';
    f.lenient = true;
    return f;
}

static bool is(mqc_span s, const char *text)
{
    return mqc_span_eq(s, mqc_span_str(text));
}

static void values_stand_at_the_place_of_their_name(void **state)
{
    (void)state;
    mqc_span v[COUNT];

    assert_int_equal(iothub_name_value_split(&strict, mqc_span_str("Beta=2&Alpha=1=x"), v, NULL),
                     IOTHUB_OK);
    assert_true(is(v[ALPHA], "1=x"));
    assert_true(is(v[BETA], "2"));
}

static void an_absent_part_has_no_value(void **state)
{
    (void)state;
    mqc_span v[COUNT];

    assert_int_equal(iothub_name_value_split(&strict, mqc_span_str("Beta=2"), v, NULL), IOTHUB_OK);
    assert_null(v[ALPHA].ptr);
}

static void a_lenient_format_ignores_letter_case_and_white_space(void **state)
{
    (void)state;
    const iothub_name_value_format f = lenient();
    mqc_span v[COUNT];

    assert_int_equal(iothub_name_value_split(&f, mqc_span_str(" aLPHA = 1 ;\tbeta=\r\n2"), v, NULL),
                     IOTHUB_OK);
    assert_true(is(v[ALPHA], "1"));
    assert_true(is(v[BETA], "2"));
}

static void each_fault_is_named_with_its_code(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        iothub_result code;
        const char *says;
    } cases[] = {
        { "alpha=1", IOTHUB_ERR_PART_UNKNOWN, "list: unknown part alpha; check it" },
        { "Alpha=1&Alpha=2", IOTHUB_ERR_PART_DUPLICATE,
          "list: Alpha is given twice; leave one out" },
        { "Alpha=", IOTHUB_ERR_PART_EMPTY,
          "list: Alpha is empty; give it a value, or leave it out" },
        { "Alpha", IOTHUB_ERR_PART_UNKNOWN, "list: Alpha is not followed by '='" },
        { "", IOTHUB_ERR_PART_EMPTY, "list: part 1 is empty; leave out one '&'" },
        { "Alpha=1&", IOTHUB_ERR_PART_EMPTY, "list: part 2 is empty; leave out one '&'" },
        { "Alpha=1&&Beta=2", IOTHUB_ERR_PART_EMPTY, "list: part 2 is empty; leave out one '&'" },
        { "Gamma", IOTHUB_ERR_PART_UNKNOWN, "list: part 1 has no name" },
        { " Alpha=1", IOTHUB_ERR_PART_UNKNOWN, "list: part 1 has white space around its name" },
        { "=1", IOTHUB_ERR_PART_UNKNOWN, "list: part 1 has a bad name" },
        { "Gam ma=1", IOTHUB_ERR_PART_UNKNOWN, "list: part 1 has a bad name" },
        { "uno=1", IOTHUB_ERR_PART_UNKNOWN, "list: unknown part uno; write Alpha" },
        { "Uno=1", IOTHUB_ERR_PART_UNKNOWN, "list: unknown part Uno; write Alpha" },
        { "First=1", IOTHUB_ERR_PART_UNKNOWN, "list: unknown part First; write Alpha" },
        { "First Uno=1", IOTHUB_ERR_PART_UNKNOWN, "list: part 1 has a bad name" },
        { "Firs=1", IOTHUB_ERR_PART_UNKNOWN, "list: unknown part Firs; check it" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mqc_span v[COUNT];
        iothub_error error;
        assert_int_equal(iothub_name_value_split(&strict, mqc_span_str(cases[i].text), v, &error),
                         cases[i].code);
        assert_int_equal(error.code, cases[i].code);
        assert_string_equal(error.text, cases[i].says);
    }
}

static void a_hint_is_found_in_any_letter_case(void **state)
{
    (void)state;
    const iothub_name_value_format f = lenient();
    mqc_span v[COUNT];
    iothub_error error;

    assert_int_equal(iothub_name_value_split(&f, mqc_span_str("UNO=1"), v, &error),
                     IOTHUB_ERR_PART_UNKNOWN);
    assert_string_equal(error.text, "list: unknown part UNO; write Alpha");
}

/* A name is shown if it consists of up to 32 letters, or of letters and digits before a value.
 * Anything else could be part of a key. */
static void what_may_be_half_of_a_secret_is_not_shown(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "c2VjcmV0==",                                 /* a key with base64 padding */
        "c2VjcmV0=",                                  /* the same key with less padding */
        "sec+ret=x",                                  /* '+' occurs in keys and never in names */
        "secretsecretsecretsecretsecretsecret=value", /* longer than any name */
    };

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        mqc_span v[COUNT];
        iothub_error error;
        assert_int_equal(iothub_name_value_split(&strict, mqc_span_str(secrets[i]), v, &error),
                         IOTHUB_ERR_PART_UNKNOWN);
        assert_string_equal(error.text, "list: part 1 has a bad name");
    }
}

static void a_name_of_32_letters_is_the_longest_that_is_shown(void **state)
{
    (void)state;

    for (size_t len = 1; len <= 40; len++) {
        char text[64];
        mqc_span v[COUNT];
        iothub_error error;
        memset(text, 'n', len);
        memcpy(text + len, "=1", 3);
        (void)iothub_name_value_split(&strict, mqc_span_str(text), v, &error);
        assert_int_equal(strstr(error.text, "unknown part n") != NULL, len <= 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_at_the_place_of_their_name),
        cmocka_unit_test(an_absent_part_has_no_value),
        cmocka_unit_test(a_lenient_format_ignores_letter_case_and_white_space),
        cmocka_unit_test(each_fault_is_named_with_its_code),
        cmocka_unit_test(a_hint_is_found_in_any_letter_case),
        cmocka_unit_test(what_may_be_half_of_a_secret_is_not_shown),
        cmocka_unit_test(a_name_of_32_letters_is_the_longest_that_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
