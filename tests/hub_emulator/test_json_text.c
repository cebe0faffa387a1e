#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json/json_text.h"

static const json_text_rules relaxed = { .depth_max = JSON_TEXT_DEPTH_MAX, .nul = true };

static json_text span(const char *text)
{
    return (json_text){ text, strlen(text) };
}

static void expect_print(const char *text, const char *expected)
{
    char *got = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);

    assert_non_null(out);
    assert_true(json_text_check(span(text), &relaxed));
    json_text_print(out, span(text));
    assert_int_equal(fclose(out), 0);
    assert_string_equal(got, expected);
    free(got);
}

static void text_is_laid_out_and_nothing_in_it_changes(void **state)
{
    (void)state;
    expect_print("1796056886123456789", "1796056886123456789");
    expect_print(" -0 ", "-0");
    expect_print("{}", "{}");
    expect_print(" { \n} ", "{}");
    expect_print("[ ]", "[]");
    expect_print("[1.0 ,2e400,[ ],{ }]", "[1.0, 2e400, [], {}]");
    expect_print("{\"a\":1,\"b\" :[0.1000000000000000055,{\"c\":null}],\"a\":{}}",
                 "{\n  \"a\": 1,\n  \"b\": [0.1000000000000000055, {\n      \"c\": null\n    }],\n"
                 "  \"a\": {}\n}");
    expect_print("\"{ [ , : \\\" \\u0041\\/ \\\\\"", "\"{ [ , : \\\" \\u0041\\/ \\\\\"");
    expect_print("[true,false,null]", "[true, false, null]");
}

static void the_members_are_visited_in_order(void **state)
{
    (void)state;
    const json_text object = span(" { \"a\" : [1, 2] , \"b\":{\"c\":3} ,\"a\":\"x,}\" } ");
    static const char *const names[] = { "a", "b", "a" };
    static const char *const values[] = { "[1, 2]", "{\"c\":3}", "\"x,}\"" };
    const char *at = NULL;
    json_text name;
    json_text value;

    for (size_t i = 0; i < 3; i++) {
        assert_true(json_text_next(object, &at, &name, &value));
        assert_true(json_text_is_name(name, names[i]));
        assert_int_equal(value.len, strlen(values[i]));
        assert_memory_equal(value.ptr, values[i], value.len);
    }
    assert_false(json_text_next(object, &at, &name, &value));
    static const char *const none[] = { "{}", " { } ", "[1]", "null", "" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        at = NULL;
        assert_false(json_text_next(span(none[i]), &at, &name, &value));
    }
}

static void the_last_member_of_a_name_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* NULL: none */
    } cases[] = {
        { "{\"p\":1}", "1" },
        { " { \"q\" : [ { \"p\" : 2 } ] , \"p\" : { \"p\" : [ ] } } ", "{ \"p\" : [ ] }" },
        { "{\"p\":1,\"p\":2}", "2" },
        { "{\"\\u0070\":1}", "1" },
        { "{\"\\u0170\":1}", NULL },
        { "{\"P\":1,\"pp\":2,\"\":3,\"p\\u0000\":4}", NULL },
        { "{\"q\":{\"p\":1}}", NULL },
        { "{}", NULL },
        { "[\"p\",1]", NULL },
        { "\"p\"", NULL },
        { "7", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_text found = json_text_member(span(cases[i].text), "p");
        if (cases[i].value == NULL) {
            assert_null(found.ptr);
        } else {
            assert_non_null(found.ptr);
            assert_int_equal(found.len, strlen(cases[i].value));
            assert_memory_equal(found.ptr, cases[i].value, found.len);
        }
    }
}

static void escapes_in_names_are_read(void **state)
{
    (void)state;
    json_text found =
        json_text_member(span("{\"\\b\\f\\n\\r\\t\\\"\\\\\\/\":5}"), "\b\f\n\r\t\"\\/");

    assert_non_null(found.ptr);
    assert_memory_equal(found.ptr, "5", 1);
}

static void note(void *user, json_text number)
{
    char *all = user;

    (void)strncat(all, number.ptr, number.len);
    (void)strcat(all, " ");
}

static void numbers_are_reported_in_order(void **state)
{
    (void)state;
    char all[64] = "";
    const json_text_rules rules = { .depth_max = 4, .number = note, .user = all };

    assert_true(json_text_check(span("{\"1\":2,\"a\":[-3.0e1,\"4\"],\"b\":0}"), &rules));
    assert_string_equal(all, "2 -3.0e1 0 ");
}

static void rules_are_kept(void **state)
{
    (void)state;
    const json_text_rules strict = { .depth_max = 2 };

    assert_true(json_text_check(span("[[]]"), &strict));
    assert_false(json_text_check(span("[[[]]]"), &strict));
    assert_true(json_text_check(span("[[],[],{}]"), &strict));
    assert_false(json_text_check(span("\"\\u0000\""), &strict));
    assert_true(json_text_check(span("\"\\u0000\""), &relaxed));
    assert_false(json_text_check(span(""), &relaxed));
    assert_false(json_text_check(span("{} x"), &relaxed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_laid_out_and_nothing_in_it_changes),
        cmocka_unit_test(the_members_are_visited_in_order),
        cmocka_unit_test(the_last_member_of_a_name_is_found),
        cmocka_unit_test(escapes_in_names_are_read),
        cmocka_unit_test(numbers_are_reported_in_order),
        cmocka_unit_test(rules_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
