#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

static bool reads(const char *text, size_t len)
{
    cJSON *json = hub_json_read(text, len);
    bool ok = json != NULL;

    cJSON_Delete(json);
    return ok;
}

static void json_is_read(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        " [ ] ",
        "null",
        "true",
        "-0",
        "0.5e-3",
        "1E+2",
        "\"\\u00e4\\ud83d\\ude00\\n\"",
        "{\"a\":{\"b\":[1,2,{}]},\"a\":null}",
        "\"\xF0\x9F\x98\x80\"",
        "\t\r\n{\"\":1}\n",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!reads(good[i], strlen(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void what_only_looks_like_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "tru",
        "nulll",
        "'a'",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{,}",
        "{} {}",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "\"\xFF\"",
        "\"a",
        "]",
        "}",
        "[}",
        "{\"a\":1]",
        "{\"a\":1",
        "[",
        "{",
        "//\n1",
        "\xEF\xBB\xBF{}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (reads(bad[i], strlen(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"key\":[true,false,null,-1.5e3,\"\\u00e4\\\\\"],\"o\":{\"x\":{}}}";
    const size_t len = sizeof text - 1;

    assert_true(reads(text, len));
    for (size_t i = 0; i < len; i++) {
        /* A copy of exactly that size, so that the sanitizer detects a read past its end. */
        char *cut = malloc(i + 1);
        assert_non_null(cut);
        memcpy(cut, text, i);
        char *exact = realloc(cut, i > 0 ? i : 1);
        assert_non_null(exact);
        if (reads(exact, i)) {
            fail_msg("accepted: %.*s", (int)i, text);
        }
        free(exact);
    }
}

static void numbers_keep_their_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1796056886123456789",
        "-0",
        "-0.0",
        "1.0",
        "1e400",
        "-1E+02",
        "0.1000000000000000055",
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "[0,1,{\"a\":2.50,\"b\":[3e1,\"4\"],\"\":-5},6.0,\"7\",8]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cJSON *json = hub_json_read(texts[i], strlen(texts[i]));
        cJSON *copy = cJSON_Duplicate(json, true);
        assert_non_null(json);
        char *text = hub_json_print(copy);
        assert_string_equal(text, texts[i]);
        free(text);
        cJSON_Delete(json);
        cJSON_Delete(copy);
    }
}

static void numbers_have_their_value(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":-12.5,\"b\":[7],\"c\":4503599627370495}";
    cJSON *json = hub_json_read(text, sizeof text - 1);
    int64_t whole;

    assert_non_null(json);
    assert_true(hub_json_number(json, "a", 0) == -12.5);
    assert_true(hub_json_whole(cJSON_GetObjectItem(json, "c"), 0, INT64_MAX, &whole));
    assert_int_equal(whole, INT64_C(4503599627370495));
    cJSON_Delete(json);
}

static void what_the_hub_makes_itself_is_printed(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddNumberToObject(json, "n", 9007199254740991.0);
    (void)cJSON_AddNumberToObject(json, "h", 0.5);
    (void)cJSON_AddBoolToObject(json, "t", true);
    (void)cJSON_AddBoolToObject(json, "f", false);
    hub_json_add_text(json, "x", NULL);
    (void)cJSON_AddRawToObject(json, "r", "{ }");
    (void)cJSON_AddArrayToObject(json, "e");
    hub_json_add_text(json, "a\"b",
                      "\x01\b\f\n\r\t\"\\/\x7F\xC2\x9B\xC2\xA0\xC3\xA4\xF0\x9F\x98\x80");
    char *text = hub_json_print(json);
    assert_string_equal(text,
                        "{\"n\":9007199254740991,\"h\":0.5,\"t\":true,\"f\":false,\"x\":null,"
                        "\"r\":{ },\"e\":[],\"a\\\"b\":\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\\u007f"
                        "\\u009b\xC2\xA0\xC3\xA4\xF0\x9F\x98\x80\"}");
    free(text);
    cJSON_Delete(json);
}

static void what_is_handed_on_may_hold_more(void **state)
{
    (void)state;
    char deep[200];

    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_true(hub_json_valid(deep, 200));
    assert_true(hub_json_valid("\"\\u0000\"", 8));
    assert_false(hub_json_valid("\"\0\"", 3));
    assert_false(hub_json_valid("\"\xFF\"", 3));
    assert_false(hub_json_valid("", 0));
    assert_false(hub_json_valid("{", 1));
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(DEEP);

    assert_non_null(text);
    memset(text, '[', DEEP);
    assert_false(reads(text, DEEP));
    memset(text + HUB_JSON_MAX_DEPTH, ']', HUB_JSON_MAX_DEPTH);
    assert_true(reads(text, 2 * HUB_JSON_MAX_DEPTH));
    text[HUB_JSON_MAX_DEPTH] = '[';
    memset(text + HUB_JSON_MAX_DEPTH + 1, ']', HUB_JSON_MAX_DEPTH + 1);
    assert_false(reads(text, 2 * HUB_JSON_MAX_DEPTH + 2));
    free(text);
}

/* Returns an object with `members` names, each of them twice: {"m0":-0,..,"m0":0,..}. */
static char *twice(int members)
{
    hub_text t = { 0 };

    hub_text_str(&t, "[{");
    for (int i = 0; i < 2 * members; i++) {
        int value = i < members ? -1 - i : i - members;
        hub_text_printf(&t, "%s\"m%d\":%d", i > 0 ? "," : "", i % members, value);
    }
    hub_text_str(&t, "}]");
    return t.p;
}

static void of_members_of_one_name_the_last_counts(void **state)
{
    (void)state;
    char name[16];

    for (int members = 1; members < 30; members++) {
        char *text = twice(members);
        cJSON *json = hub_json_read(text, strlen(text));
        const cJSON *object = json->child;
        assert_int_equal(cJSON_GetArraySize(object), members);
        for (int i = 0; i < members; i++) {
            (void)snprintf(name, sizeof name, "m%d", i);
            assert_int_equal((int)hub_json_number(object, name, -100), i);
        }
        cJSON_Delete(json);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(what_only_looks_like_json_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(numbers_have_their_value),
        cmocka_unit_test(what_the_hub_makes_itself_is_printed),
        cmocka_unit_test(what_is_handed_on_may_hold_more),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(of_members_of_one_name_the_last_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
