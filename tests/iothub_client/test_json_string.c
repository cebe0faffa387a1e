#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iothub/json.h"

static const struct {
    const char *json;
    const char *text; /* NULL if it is not a JSON string */
    size_t len;
} strings[] = {
    { "\"\"", "", 0 },
    { "\"abc\"", "abc", 3 },
    { "\"\\u0061\\/\\\"\\\\\\b\\f\\n\\r\\t\"", "a/\"\\\b\f\n\r\t", 9 },
    { "\"\\u00fc \xC3\xBC\"", "\xC3\xBC \xC3\xBC", 5 },
    { "\"\\u20AC\\ud83d\\ude00\"", "\xE2\x82\xAC\xF0\x9F\x98\x80", 7 },
    { "\"a\\u0000b\"", "a\0b", 3 },
    { "abc", NULL, 0 },
    { "\"abc", NULL, 0 },
    { "abc\"", NULL, 0 },
    { "\"a\" ", NULL, 0 },
    { " \"a\"", NULL, 0 },
    { "\"a\"\"b\"", NULL, 0 },
    { "\"\\x\"", NULL, 0 },
    { "\"\\ud83d\"", NULL, 0 },
    { "\"\xFF\"", NULL, 0 },
    { "\"\n\"", NULL, 0 },
    { "\"", NULL, 0 },
    { "", NULL, 0 },
    { "12", NULL, 0 },
};

static void a_string_is_copied_without_quotes_and_escapes(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        char out[20] = "untouched";
        size_t len = 77;
        iothub_result r =
            iothub_json_get_string(mqc_span_str(strings[i].json), out, sizeof out, &len);
        if (strings[i].text == NULL) {
            assert_int_equal(r, IOTHUB_ERR_JSON);
            assert_string_equal(out, "untouched");
            assert_int_equal(len, 77);
            continue;
        }
        assert_int_equal(r, IOTHUB_OK);
        assert_int_equal(len, strings[i].len);
        assert_memory_equal(out, strings[i].text, len + 1);
    }
    assert_int_equal(iothub_json_get_string(mqc_span_of(NULL, 0), NULL, 0, NULL), IOTHUB_ERR_JSON);
}

static void each_capacity_is_enough_or_refused(void **state)
{
    (void)state;
    const mqc_span string = mqc_span_str("\"ab\\u20AC\xC3\xBC\"");

    for (size_t cap = 0; cap < 12; cap++) {
        char out[12];
        memset(out, 'x', sizeof out);
        iothub_result r = iothub_json_get_string(string, out, cap, NULL);
        assert_int_equal(r, cap > 7 ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_memory_equal(out, cap > 7 ? "ab\xE2\x82\xAC\xC3\xBC\0xxxx" : "xxxxxxxxxxxx", 12);
    }
}

static void strings_are_compared_by_meaning(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        const mqc_span json = mqc_span_str(strings[i].json);
        const char *text = strings[i].text;
        /* The text contains no \\u0000. */
        const bool whole = text != NULL && strlen(text) == strings[i].len;
        if (text == NULL) {
            assert_false(iothub_json_equals(json, ""));
            assert_false(iothub_json_equals(json, "abc"));
            continue;
        }
        char longer[24];
        snprintf(longer, sizeof longer, "%sx", text);
        assert_int_equal(iothub_json_equals(json, text), whole);
        assert_false(iothub_json_equals(json, longer));
        if (text[0] != '\0') {
            longer[strlen(text) - 1] = '\0';
            assert_false(iothub_json_equals(json, longer));
        }
    }
    assert_false(iothub_json_equals(mqc_span_str("\"abc\""), "abd"));
    assert_false(iothub_json_equals(mqc_span_str("\"abc\""), "Abc"));
    assert_false(iothub_json_equals(mqc_span_str("\"\\u00fc\""), "\xC3"));
    assert_false(iothub_json_equals(mqc_span_of(NULL, 0), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_is_copied_without_quotes_and_escapes),
        cmocka_unit_test(each_capacity_is_enough_or_refused),
        cmocka_unit_test(strings_are_compared_by_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
