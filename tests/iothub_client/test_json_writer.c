#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iothub/json_writer.h"

enum { CAP = 1000 };

/* Writes a document with every kind of value. */
static iothub_result write_all(iothub_json_writer *w, char *buf, size_t cap)
{
    iothub_json_writer_init(w, buf, cap);
    iothub_json_put_object(w, NULL);
    iothub_json_put_string(w, "text", "a \"b\" \\ \b\f\n\r\t\x01\x1F\x7F \xC3\xBC\xF0\x9F\x98\x80");
    iothub_json_put_text(w, "n\"\n", mqc_span_of("a\0b", 3));
    iothub_json_put_int(w, "least", INT64_MIN);
    iothub_json_put_int(w, "less", -50);
    iothub_json_put_uint(w, "most", UINT64_MAX);
    iothub_json_put_double(w, "t", -21.456, 2);
    iothub_json_put_double(w, "whole", 1e15, 0);
    iothub_json_put_bool(w, "on", true);
    iothub_json_put_null(w, "gone");
    iothub_json_put_array(w, "list");
    iothub_json_put_int(w, NULL, 1);
    iothub_json_put_bool(w, NULL, false);
    iothub_json_put_object(w, NULL);
    iothub_json_put_end(w);
    iothub_json_put_array(w, NULL);
    iothub_json_put_end(w);
    iothub_json_put_end(w);
    iothub_json_put_name(w, mqc_span_str("\"l\\u00e9d\""));
    iothub_json_put_object(w, NULL);
    iothub_json_put_raw(w, "raw", mqc_span_str("{\"x\":[1e3]}"));
    iothub_json_put_end(w);
    iothub_json_put_end(w);
    return iothub_json_writer_finish(w);
}

static const char all[] =
    "{\"text\":\"a \\\"b\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\x7F \xC3\xBC\xF0\x9F\x98\x80\","
    "\"n\\\"\\n\":\"a\\u0000b\",\"least\":-9223372036854775808,\"less\":-50,\"most\":"
    "18446744073709551615,"
    "\"t\":-21.46,\"whole\":1000000000000000,\"on\":true,\"gone\":null,"
    "\"list\":[1,false,{},[]],\"l\\u00e9d\":{\"raw\":{\"x\":[1e3]}}}";

static void every_kind_of_value_is_written(void **state)
{
    (void)state;
    iothub_json_writer w;
    iothub_json_reader r;
    char buf[CAP];

    assert_int_equal(write_all(&w, buf, sizeof buf), IOTHUB_OK);
    assert_string_equal(buf, all);
    assert_int_equal(w.len, strlen(all));
    iothub_json_reader_init(&r, mqc_span_of(buf, w.len));
    while (iothub_json_next(&r)) {
        /* the loop only has to reach the end */
    }
    assert_int_equal(r.result, IOTHUB_OK);
}

/* The allocation ends where the buffer ends. */
static void each_capacity_is_enough_or_gives_no_text(void **state)
{
    (void)state;

    for (size_t cap = 0; cap < sizeof all + 3; cap++) {
        char *memory = malloc(cap + 1);
        char *buf = memory + 1;
        iothub_json_writer w;
        assert_non_null(memory);
        iothub_result r = write_all(&w, buf, cap);
        assert_int_equal(r, cap >= sizeof all ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_int_equal(w.len, r == IOTHUB_OK ? sizeof all - 1 : 0);
        if (cap > 0) {
            assert_string_equal(buf, r == IOTHUB_OK ? all : "");
        }
        free(memory);
    }
}

static void a_lone_value_is_a_text(void **state)
{
    (void)state;
    iothub_json_writer w;
    char buf[20];

    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_string(&w, NULL, "");
    assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_OK);
    assert_string_equal(buf, "\"\"");
    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_raw(&w, NULL, mqc_span_str("[1]"));
    assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_OK);
    assert_string_equal(buf, "[1]");
}

/* Makes one call for each letter: { [ and } for brackets and ends, N for a name alone, m for a
 * member with a name, v for a value without a name. */
static iothub_result play(const char *script, char *buf, size_t cap)
{
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, cap);
    for (; *script != '\0'; script++) {
        switch (*script) {
        case '{': iothub_json_put_object(&w, NULL); break;
        case '[': iothub_json_put_array(&w, NULL); break;
        case 'o': iothub_json_put_object(&w, "o"); break;
        case 'a': iothub_json_put_array(&w, "a"); break;
        case '}': iothub_json_put_end(&w); break;
        case 'N': iothub_json_put_name(&w, mqc_span_str("\"N\"")); break;
        case 'm': iothub_json_put_int(&w, "m", 1); break;
        default: iothub_json_put_int(&w, NULL, 2); break;
        }
    }
    return iothub_json_writer_finish(&w);
}

/* Every order of calls must write valid JSON or be refused. */
static void every_order_of_calls_gives_json_or_is_refused(void **state)
{
    (void)state;
    static const char calls[] = "{[oa}Nmv";
    enum { LONGEST = 6, CALLS = sizeof calls - 1 };
    unsigned good = 0;

    for (unsigned n = 0; n < 1u << (3 * LONGEST); n++) {
        char script[LONGEST + 1] = "";
        char buf[100];
        for (unsigned i = 0, rest = n; i < LONGEST; i++, rest /= CALLS) {
            script[i] = calls[rest % CALLS];
        }
        for (size_t len = LONGEST; len > 0; len--) {
            script[len] = '\0';
            iothub_result r = play(script, buf, sizeof buf);
            iothub_json_reader reader;
            iothub_json_reader_init(&reader, mqc_span_str(buf));
            while (iothub_json_next(&reader)) {
                /* the loop only has to reach the end */
            }
            if (r == IOTHUB_OK ? reader.result != IOTHUB_OK
                               : r != IOTHUB_ERR_STATE || buf[0] != '\0') {
                fail_msg("%s: %d, %s", script, (int)r, buf);
            }
            good += r == IOTHUB_OK ? 1 : 0;
        }
    }
    char buf[100];
    assert_int_equal(play("", buf, sizeof buf), IOTHUB_ERR_STATE);
    assert_int_equal(play("{moNv}a[}v}}", buf, sizeof buf), IOTHUB_OK);
    assert_string_equal(buf, "{\"m\":1,\"o\":{\"N\":2},\"a\":[[],2]}");
    assert_true(good > 1000);
}

static void nesting_ends_where_the_reader_ends(void **state)
{
    (void)state;

    for (unsigned depth = 1; depth < 40; depth++) {
        char script[81] = "";
        char buf[100];
        memset(script, '[', depth);
        memset(script + depth, '}', depth);
        assert_int_equal(play(script, buf, sizeof buf),
                         depth <= IOTHUB_JSON_DEPTH ? IOTHUB_OK : IOTHUB_ERR_STATE);
    }
}

/* Each of these is written as the only member of an object. */
static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const not_utf8[] = { "\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\x80" };
    static const char *const not_json[] = { "", "{", "1 2", "tru", "\"\n\"", "{}x" };
    static const char *const not_strings[] = { "", "a", "1", "\"a", "\"a\"\"b\"", "{}" };
    iothub_json_writer w;
    char buf[50];

    for (size_t kind = 0; kind < 3; kind++) {
        const size_t count = kind == 0 ? 4 : 6;
        for (size_t i = 0; i < 2 * count; i++) {
            iothub_json_writer_init(&w, buf, sizeof buf);
            iothub_json_put_object(&w, NULL);
            if (kind == 0) {
                iothub_json_put_string(&w, i < count ? "a" : not_utf8[i % count],
                                       not_utf8[i % count]);
            } else if (kind == 1) {
                iothub_json_put_raw(&w, "a", mqc_span_str(not_json[i % count]));
            } else {
                iothub_json_put_name(&w, mqc_span_str(not_strings[i % count]));
                iothub_json_put_null(&w, NULL);
            }
            iothub_json_put_end(&w);
            assert_int_equal(iothub_json_writer_finish(&w),
                             kind == 0 ? IOTHUB_ERR_ARG : IOTHUB_ERR_JSON);
            assert_string_equal(buf, "");
        }
    }
}

static void numbers_that_json_cannot_hold_are_refused(void **state)
{
    (void)state;
    static const struct {
        double value;
        unsigned decimals;
    } numbers[] = { { (double)NAN, 2 }, { (double)INFINITY, 2 }, { -1e300, 0 }, { 1, 10 } };

    for (size_t i = 0; i < 4; i++) {
        iothub_json_writer w;
        char buf[50];
        iothub_json_writer_init(&w, buf, sizeof buf);
        iothub_json_put_double(&w, NULL, numbers[i].value, numbers[i].decimals);
        assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_ERR_ARG);
    }
}

static void decimals_keep_their_zeros(void **state)
{
    (void)state;
    static const double values[] = { 0, 0.04, -0.004, 1.005, 99.999, -7 };

    for (size_t i = 0; i < 6; i++) {
        for (unsigned decimals = 0; decimals < 10; decimals++) {
            char expected[50];
            iothub_json_writer w;
            char buf[50];
            iothub_json_writer_init(&w, buf, sizeof buf);
            iothub_json_put_double(&w, NULL, values[i], decimals);
            assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_OK);
            snprintf(expected, sizeof expected, "%.*f", (int)decimals, values[i]);
            assert_string_equal(buf, expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_written),
        cmocka_unit_test(each_capacity_is_enough_or_gives_no_text),
        cmocka_unit_test(a_lone_value_is_a_text),
        cmocka_unit_test(every_order_of_calls_gives_json_or_is_refused),
        cmocka_unit_test(nesting_ends_where_the_reader_ends),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(numbers_that_json_cannot_hold_are_refused),
        cmocka_unit_test(decimals_keep_their_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
