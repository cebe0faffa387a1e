#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt_core/topic.h"
#include "text/json_path.h"

/* Checks a copy that ends where the allocation ends, so that the sanitizer sees a read beyond. */
static iothub_result check(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);

    iothub_result r = iothub_json_check(mqc_span_of(copy + 1, len), NULL);

    free(copy);
    return r;
}

static void valid_texts_are_accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "\"\"",
        "0",
        "-0",
        "true",
        "false",
        "null",
        " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n",
        "[1,-1,0.5,-0.5,1e1,1E1,1e+1,1e-1,10.01e10,1234567890123456789012345678901234567890]",
        "[[],[[]],{},[{}],{\"a\":{}}]",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE00\\u0000\\uffff\"",
        "\"\x7F\"",
        "\"\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF\"",
        "\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\"",
        "[\"a\",\"b\"]",
        "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":2}}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (check(texts[i], strlen(texts[i])) != IOTHUB_OK) {
            fail_msg("refused: %s", texts[i]);
        }
    }
}

/* What is wrong, and the text. */
static const struct {
    const char *why;
    const char *text;
} invalid_texts[] = {
    { "nothing", "" },
    { "white space only", " \n" },
    { "word", "hello" },
    { "two values", "{}{}" },
    { "value after value", "1 2" },
    { "byte order mark", "\xEF\xBB\xBF{}" },
    { "other white space", "\f{}" },
    { "no-break space", "\xC2\xA0{}" },
    { "open object", "{" },
    { "open array", "[" },
    { "wrong bracket", "[}" },
    { "wrong bracket, nested", "{\"a\":[}" },
    { "wrong bracket after a value", "[1}" },
    { "too many brackets", "[]]" },
    { "comma first", "[,1]" },
    { "comma last", "[1,]" },
    { "two commas", "[1,,2]" },
    { "comma last in object", "{\"a\":1,}" },
    { "comma first in object", "{,\"a\":1}" },
    { "missing comma", "[1 2]" },
    { "missing colon", "{\"a\" 1}" },
    { "missing value", "{\"a\":}" },
    { "missing key", "{:1}" },
    { "key is a number", "{1:1}" },
    { "key without quotes", "{a:1}" },
    { "single quotes", "{'a':1}" },
    { "colon in array", "[\"a\":1]" },
    { "comment", "[1] // x" },
    { "comment inside", "[/**/1]" },
    { "true in capitals", "TRUE" },
    { "true cut off", "tru" },
    { "true with a tail", "truex" },
    { "nan", "NaN" },
    { "infinity", "-Infinity" },
    { "plus", "+1" },
    { "minus alone", "-" },
    { "leading zero", "01" },
    { "leading zero, negative", "-01" },
    { "no digit before the dot", ".5" },
    { "no digit after the dot", "1." },
    { "no digit after the dot, exponent", "1.e1" },
    { "empty exponent", "1e" },
    { "empty exponent, sign", "1e+" },
    { "two signs", "1e+-1" },
    { "hex number", "0x10" },
    { "number with a tail", "1a" },
    { "open string", "\"abc" },
    { "open string after a backslash", "\"abc\\" },
    { "backslash hides the quote", "\"abc\\\"" },
    { "unknown escape", "\"\\x41\"" },
    { "capital escape", "\"\\N\"" },
    { "short \\u", "\"\\u12\"" },
    { "no hex after \\u", "\"\\u12g4\"" },
    { "lone high surrogate", "\"\\uD83D\"" },
    { "high surrogate and letter", "\"\\uD83Dx\"" },
    { "high surrogate and other escape", "\"\\uD83D\\n\"" },
    { "two high surrogates", "\"\\uD83D\\uD83D\"" },
    { "high surrogate and the last one of these", "\"\\uD83D\\uDBFF\"" },
    { "high surrogate and the first behind the low ones", "\"\\uD83D\\uE000\"" },
    { "lone low surrogate", "\"\\uDE00\"" },
    { "line break in a string", "\"a\nb\"" },
    { "tab in a string", "\"a\tb\"" },
    { "continuation byte alone", "\"\x80\"" },
    { "two bytes for ASCII", "\"\xC0\x80\"" },
    { "two bytes for ASCII, high", "\"\xC1\xBF\"" },
    { "cut two-byte character", "\"\xC2\"" },
    { "three bytes, too long a form", "\"\xE0\x9F\xBF\"" },
    { "surrogate in UTF-8", "\"\xED\xA0\x80\"" },
    { "cut three-byte character", "\"\xE2\x82\"" },
    { "four bytes, too long a form", "\"\xF0\x8F\xBF\xBF\"" },
    { "above U+10FFFF", "\"\xF4\x90\x80\x80\"" },
    { "lead byte F5", "\"\xF5\x80\x80\x80\"" },
    { "byte FF", "\"\xFF\"" },
    { "byte FE at the end", "\"\xFE" },
    { "cut four-byte character at the end", "\"\xF0\x90\x80" },
};

static void invalid_texts_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof invalid_texts / sizeof invalid_texts[0]; i++) {
        if (check(invalid_texts[i].text, strlen(invalid_texts[i].text)) != IOTHUB_ERR_JSON) {
            fail_msg("accepted: %s", invalid_texts[i].why);
        }
    }
}

static void nul_is_no_end_of_text(void **state)
{
    (void)state;

    assert_int_equal(check("{}\0", 3), IOTHUB_ERR_JSON);
    assert_int_equal(check("\0{}", 3), IOTHUB_ERR_JSON);
    assert_int_equal(check("\"a\0b\"", 5), IOTHUB_ERR_JSON);
    assert_int_equal(check("\"\\\0\"", 4), IOTHUB_ERR_JSON);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    static const char *const open[] = { "[", "{\"a\":" };
    static const char close[] = { ']', '}' };

    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t depth = 1; depth <= 40; depth++) {
            char text[400] = "";
            for (size_t i = 0; i < depth; i++) {
                strcat(text, open[kind]);
            }
            strcat(text, "0");
            memset(text + strlen(text), close[kind], depth);
            assert_int_equal(check(text, strlen(text)),
                             depth <= IOTHUB_JSON_DEPTH ? IOTHUB_OK : IOTHUB_ERR_JSON);
        }
    }
}

static void mixed_nesting_remembers_every_bracket(void **state)
{
    (void)state;
    char text[200] = "";

    for (int i = 0; i < 16; i++) {
        strcat(text, "[{\"a\":");
    }
    strcat(text, "0");
    for (int i = 0; i < 16; i++) {
        strcat(text, "}]");
    }
    assert_int_equal(check(text, strlen(text)), IOTHUB_OK);

    size_t first_close = (size_t)(strchr(text, '}') - text);
    for (size_t at = first_close; at < strlen(text); at++) {
        char was = text[at];
        text[at] = was == '}' ? ']' : '}';
        assert_int_equal(check(text, strlen(text)), IOTHUB_ERR_JSON);
        text[at] = was;
    }
}

static void a_million_brackets_need_no_stack(void **state)
{
    (void)state;
    enum { LEN = 1000000 };
    char *text = malloc(LEN);
    assert_non_null(text);
    memset(text, '[', LEN);

    assert_int_equal(check(text, LEN), IOTHUB_ERR_JSON);
    free(text);
}

/* The rules of MQTT for text are those of JSON, and are read by other code. */
static void bytes_are_a_character_exactly_when_mqtt_says_so(void **state)
{
    (void)state;
    static const uint8_t next[] = { 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0 };

    for (uint32_t n = 0; n < 128u * 512; n++) {
        const uint8_t bytes[] = { '"',
                                  (uint8_t)(0x80 + n % 128),
                                  next[n / 128 % 8],
                                  next[n / 1024 % 8],
                                  next[n / 8192 % 8],
                                  '"' };
        for (size_t len = 1; len <= 4; len++) {
            uint8_t text[6];
            memcpy(text, bytes, 1 + len);
            text[1 + len] = '"';
            bool valid = mqc_utf8_valid(mqc_span_of(bytes + 1, len));
            if ((iothub_json_check(mqc_span_of(text, len + 2), NULL) == IOTHUB_OK) != valid) {
                fail_msg("%02x %02x %02x %02x, the first %zu", bytes[1], bytes[2], bytes[3],
                         bytes[4], len);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_accepted),
        cmocka_unit_test(invalid_texts_are_refused),
        cmocka_unit_test(nul_is_no_end_of_text),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(mixed_nesting_remembers_every_bracket),
        cmocka_unit_test(a_million_brackets_need_no_stack),
        cmocka_unit_test(bytes_are_a_character_exactly_when_mqtt_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
