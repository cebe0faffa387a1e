#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/json_path.h"

/* Checks a copy that ends with its allocation, so that the sanitizer detects a read past the
 * end. */
static iothub_result check(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);

    iothub_result r = iothub_json_check(mqc_span_of(copy + 1, len), NULL);

    free(copy);
    return r;
}

static const char twin[] = "{ \"desired\" : {\"led\":{\"on\":true,\"color\":\"r\\u0065d\"},"
                           "\"$version\" : 7 , \"list\":[1,{\"$version\":99}]},\n"
                           "\"reported\":{\"$version\":18446744073709551615,\"n\":null}}";

static void assert_found(const char *const *keys, size_t count, const char *expected)
{
    mqc_span value;

    assert_true(iothub_json_find(mqc_span_str(twin), keys, count, &value));
    assert_true(mqc_span_eq(value, mqc_span_str(expected)));
}

static void values_are_found_by_path(void **state)
{
    (void)state;
    const char *const desired_version[] = { "desired", "$version" };
    const char *const color[] = { "desired", "led", "color" };
    const char *const on[] = { "desired", "led", "on" };
    const char *const list[] = { "desired", "list" };
    const char *const null[] = { "reported", "n" };
    const char *const reported_version[] = { "reported", "$version" };

    assert_found(desired_version, 2, "7");
    assert_found(color, 3, "\"r\\u0065d\"");
    assert_found(on, 3, "true");
    assert_found(list, 2, "[1,{\"$version\":99}]");
    assert_found(null, 2, "null");
    assert_found(reported_version, 2, "18446744073709551615");
    assert_found(NULL, 0, twin);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[][3] = {
        { "absent", NULL, NULL },       { "$version", NULL, NULL },
        { "desired", "led", "off" },    { "desired", "list", "$version" },
        { "desired", "$version", "x" }, { "reported", "n", "x" },
        { "Desired", NULL, NULL },      { "desire", NULL, NULL },
        { "desired2", NULL, NULL },     { "", NULL, NULL },
    };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        size_t count = 0;
        mqc_span value;
        while (count < 3 && paths[i][count] != NULL) {
            count++;
        }
        assert_false(iothub_json_find(mqc_span_str(twin), paths[i], count, &value));
    }
}

static void keys_are_compared_by_meaning(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *key;
        bool same;
    } cases[] = {
        { "{\"\\u0024version\":1}", "$version", true },
        { "{\"\\u0061\\/\\\"\\\\\":1}", "a/\"\\", true },
        { "{\"\\b\\f\\n\\r\\t\":1}", "\b\f\n\r\t", true },
        { "{\"\\u00fc\":1}", "\xC3\xBC", true },
        { "{\"\xC3\xBC\":1}", "\xC3\xBC", true },
        { "{\"\\u20AC\":1}", "\xE2\x82\xAC", true },
        { "{\"\\ud83d\\ude00\":1}", "\xF0\x9F\x98\x80", true },
        { "{\"\xF0\x9F\x98\x80\":1}", "\xF0\x9F\x98\x80", true },
        { "{\"\":1}", "", true },
        { "{\"a\\u0000\":1}", "a", false },
        { "{\"\\u00fc\":1}", "\xC3", false },
        { "{\"ab\":1}", "a", false },
        { "{\"a\":1}", "ab", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mqc_span value;
        const char *const keys[] = { cases[i].key };
        assert_int_equal(iothub_json_check(mqc_span_str(cases[i].text), NULL), IOTHUB_OK);
        if (iothub_json_find(mqc_span_str(cases[i].text), keys, 1, &value) != cases[i].same) {
            fail_msg("wrong answer for %s", cases[i].text);
        }
    }
}

/* Encodes a character by RFC 3629, section 3, independently of the reader. */
static size_t encode(uint32_t n, char *out)
{
    size_t len = n < 0x80 ? 1 : n < 0x800 ? 2 : n < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = len; i-- > 1; n /= 64) {
        out[i] = (char)(0x80 + n % 64);
    }
    out[0] = (char)(leads[len] + n);
    return len;
}

static void escape(uint32_t n, char *out, size_t cap)
{
    if (n < 0x10000) {
        snprintf(out, cap, "\\u%04x", n);
    } else {
        snprintf(out, cap, "\\u%04X\\u%04x", 0xD800 + (n - 0x10000) / 1024,
                 0xDC00 + (n - 0x10000) % 1024);
    }
}

static bool finds(const char *text, const char *key)
{
    const char *const keys[] = { key };
    mqc_span value;
    return iothub_json_find(mqc_span_str(text), keys, 1, &value);
}

static void each_character_is_itself_whether_escaped_or_not(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 0x10FFFF; n += n < 0x10000 ? 1 : n % 64 == 63 ? 1 : 63) {
        char key[5] = "";
        char escaped[16];
        char text[40];
        if (n >= 0xD800 && n <= 0xDFFF) {
            continue;
        }
        (void)encode(n, key);
        escape(n, escaped, sizeof escaped);
        snprintf(text, sizeof text, "{\"%s\":1}", escaped);
        bool good = finds(text, key);
        if (n >= 0x20 && n != '"' && n != '\\') {
            snprintf(text, sizeof text, "{\"%s\":1}", key);
            good = good && finds(text, key);
        }
        if (!good) {
            fail_msg("U+%04X is not found", n);
        }
    }
}

/* The value is read completely, so a value that is cut off or malformed is not found. */
static void a_value_that_is_not_whole_is_not_found(void **state)
{
    (void)state;
    static const char *const broken[] = { "[1,2", "{\"b\":1", "{\"b\":}", "[1 2]", "\"b", "" };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"a\":%s", broken[i]);
        assert_false(finds(text, "a"));
    }
    assert_true(finds("{\"a\":[1,2]", "a")); /* the text after the value is not read */
}

static void of_equal_keys_the_first_counts(void **state)
{
    (void)state;
    const char *const key[] = { "a" };
    mqc_span value;

    assert_true(iothub_json_find(mqc_span_str("{\"b\":0,\"a\":1,\"a\":2}"), key, 1, &value));
    assert_true(mqc_span_eq(value, mqc_span_str("1")));
}

/* A truncated text is refused, and reading a path in it stays within bounds. */
static void every_truncation_is_refused(void **state)
{
    (void)state;
    const char *const keys[] = { "reported", "n" };

    for (size_t len = 0; len + 1 < sizeof twin; len++) {
        mqc_span value;
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy + 1, twin, len);

        assert_int_equal(iothub_json_check(mqc_span_of(copy + 1, len), NULL), IOTHUB_ERR_JSON);
        bool found = iothub_json_find(mqc_span_of(copy + 1, len), keys, 2, &value);
        assert_true(!found || value.len == 4);
        free(copy);
    }
}

/* Whatever a byte is changed to, the check returns a result, and an accepted text can be read to
 * its end. */
static void every_changed_byte_gets_an_answer(void **state)
{
    (void)state;
    const char *const keys[] = { "reported", "n" };

    for (size_t at = 0; at + 1 < sizeof twin; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof twin];
            mqc_span value;
            memcpy(text, twin, sizeof twin);
            text[at] = (char)byte;
            iothub_result r = check(text, sizeof twin - 1);
            assert_true(r == IOTHUB_OK || r == IOTHUB_ERR_JSON);
            if (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') {
                assert_int_equal(r, IOTHUB_ERR_JSON);
            }
            (void)iothub_json_find(mqc_span_of(text, sizeof twin - 1), keys, 2, &value);
        }
    }
}

static void numbers_and_kinds_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        iothub_json_kind kind;
    } kinds[] = {
        { " {}", IOTHUB_JSON_OBJECT },   { "[1]", IOTHUB_JSON_ARRAY },
        { "\"x\"", IOTHUB_JSON_STRING }, { "\n-1", IOTHUB_JSON_NUMBER },
        { "9", IOTHUB_JSON_NUMBER },     { "true", IOTHUB_JSON_TRUE },
        { "false", IOTHUB_JSON_FALSE },  { "null", IOTHUB_JSON_NULL },
        { "", IOTHUB_JSON_NONE },        { "x", IOTHUB_JSON_NONE },
    };
    static const char *const not_u64[] = { "-1",    "1.0",  "1e3", "18446744073709551616",
                                           "\"1\"", "null", "" };
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(iothub_json_kind_of(mqc_span_str(kinds[i].text)), kinds[i].kind);
    }
    for (size_t i = 0; i < sizeof not_u64 / sizeof not_u64[0]; i++) {
        assert_false(iothub_json_u64(mqc_span_str(not_u64[i]), &n));
    }
    assert_true(iothub_json_u64(mqc_span_str("0"), &n) && n == 0);
    assert_true(iothub_json_u64(mqc_span_str("18446744073709551615"), &n) && n == UINT64_MAX);
}

static void a_large_twin_is_searched_to_its_end(void **state)
{
    (void)state;
    enum { SIZE = 80000 };
    char *text = malloc(SIZE);
    size_t len = 0;
    const char *const keys[] = { "desired", "$version" };
    mqc_span value;

    assert_non_null(text);
    strcpy(text, "{\"desired\":{");
    len = strlen(text);
    while (len < SIZE - 100) {
        memcpy(text + len, "\"key\":[\"value\",1.5e3],", 22);
        len += 22;
    }
    strcpy(text + len, "\"$version\":42}}");
    len += strlen(text + len);

    assert_int_equal(iothub_json_check(mqc_span_of(text, len), NULL), IOTHUB_OK);
    assert_true(iothub_json_find(mqc_span_of(text, len), keys, 2, &value));
    assert_true(mqc_span_eq(value, mqc_span_str("42")));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_path),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(keys_are_compared_by_meaning),
        cmocka_unit_test(each_character_is_itself_whether_escaped_or_not),
        cmocka_unit_test(a_value_that_is_not_whole_is_not_found),
        cmocka_unit_test(of_equal_keys_the_first_counts),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_gets_an_answer),
        cmocka_unit_test(numbers_and_kinds_are_read),
        cmocka_unit_test(a_large_twin_is_searched_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
