#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rest/rest_request.h"

static const char *parameter; /* the value that query() returns for any name */

static const char *query(const rest_request *r, const char *name)
{
    (void)r;
    (void)name;
    return parameter;
}

/* Returns the segments of a path, each followed by a space, or NULL if the path is refused. */
static const char *segments_of(const char *raw, const char *decoded)
{
    static char text[256];
    rest_request r = { .raw_path = raw, .path = decoded };
    hub_fault fault;
    hub_result result = rest_request_split(&r, &fault);

    text[0] = '\0';
    for (size_t i = 0; i < r.segment_count; i++) {
        strcat(strcat(text, r.segments[i]), " ");
    }
    rest_request_free(&r);
    assert_int_equal(r.segment_count, 0);
    return result == HUB_OK ? text : NULL;
}

static void a_path_is_split_before_it_is_decoded(void **state)
{
    (void)state;
    assert_string_equal(segments_of("/devices/a%2Fb/x", "/devices/a/b/x"), "devices a/b x ");
    assert_string_equal(segments_of(NULL, "/devices/a%2Fb"), "devices a%2Fb ");
    assert_string_equal(segments_of("/twins/%23%24", "/twins/#$"), "twins #$ ");
    assert_string_equal(segments_of("/devices/", NULL), "devices ");
    assert_string_equal(segments_of("/", NULL), "");
    assert_string_equal(segments_of("/a//b", NULL), "a  b ");
}

static void a_path_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = { "devices", "/a/b%",          "/a/b%4",
                                       "/a/b%zz", "/1/2/3/4/5/6/7", "/a/%00" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *segments = segments_of(bad[i], NULL);
        if (strcmp(bad[i], "/a/%00") != 0) {
            assert_null(segments);
        } else if (segments != NULL) {
            /* %00 stands for an empty segment and not for the end of the path. */
            assert_string_equal(segments, "a  ");
        }
    }
}

static bool fits(const char *path, const char *pattern, const char *first, const char *second)
{
    rest_request r = { .raw_path = path };
    hub_fault fault;

    assert_int_equal(rest_request_split(&r, &fault), HUB_OK);
    bool matches = rest_request_matches(&r, pattern);
    if (matches && first != NULL) {
        assert_string_equal(r.args[0], first);
    }
    if (matches && second != NULL) {
        assert_string_equal(r.args[1], second);
    }
    rest_request_free(&r);
    return matches;
}

static void a_pattern_fits_segment_by_segment(void **state)
{
    (void)state;
    assert_true(fits("/devices", "devices", NULL, NULL));
    assert_true(fits("/devices/d1", "devices/{}", "d1", NULL));
    assert_true(fits("/devices/d1/modules/m", "devices/{}/modules/{}", "d1", "m"));
    assert_true(
        fits("/devices/modules/modules/modules", "devices/{}/modules/{}", "modules", "modules"));
    assert_false(fits("/devices/d1", "devices", NULL, NULL));
    assert_false(fits("/devices", "devices/{}", NULL, NULL));
    assert_false(fits("/device", "devices", NULL, NULL));
    assert_false(fits("/devicesx", "devices", NULL, NULL));
    assert_false(fits("/Devices", "devices", NULL, NULL));
    assert_false(fits("/devices/d1/module/m", "devices/{}/modules/{}", NULL, NULL));
    assert_false(fits("/", "", NULL, NULL));
}

static hub_result read(const char *body, size_t len, hub_fault *fault)
{
    rest_request r = { .body = body, .body_len = len };
    hub_result result = rest_request_read_body(&r, fault);

    assert_int_equal(r.json != NULL, result == HUB_OK && len > 0);
    rest_request_free(&r);
    assert_null(r.json);
    return result;
}

static void a_body_is_json_or_empty(void **state)
{
    char deep[300];
    hub_fault fault;

    (void)state;
    assert_int_equal(read("", 0, &fault), HUB_OK);
    assert_int_equal(read("{\"a\":1}", 7, &fault), HUB_OK);
    assert_int_equal(read("{\"a\":1", 6, &fault), HUB_ERR_ARGUMENT);
    assert_string_equal(fault.text, "the body is not JSON");
    assert_int_equal(read("\"\\u0000\"", 8, &fault), HUB_ERR_ARGUMENT);
    assert_string_equal(fault.text, "the body is nested too deeply or contains \\u0000");
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_int_equal(read(deep, 200, &fault), HUB_ERR_ARGUMENT);
    assert_string_equal(fault.text, "the body is nested too deeply or contains \\u0000");
}

static void a_number_of_the_query_is_whole_and_in_its_range(void **state)
{
    const rest_request r = { .query = query };
    static const char *const bad[] = { "",   "-1",   "+1",
                                       " 1", "1 ",   "1.0",
                                       "1x", "1001", "9999999999999999999" };
    int64_t value = 42;

    (void)state;
    parameter = NULL;
    assert_true(rest_query_number(&r, "top", 1000, &value));
    assert_int_equal(value, 42);
    parameter = "1000";
    assert_true(rest_query_number(&r, "top", 1000, &value));
    assert_int_equal(value, 1000);
    parameter = "0";
    assert_true(rest_query_number(&r, "top", 1000, &value));
    assert_int_equal(value, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parameter = bad[i];
        assert_false(rest_query_number(&r, "top", 1000, &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_split_before_it_is_decoded),
        cmocka_unit_test(a_path_that_is_none_is_refused),
        cmocka_unit_test(a_pattern_fits_segment_by_segment),
        cmocka_unit_test(a_body_is_json_or_empty),
        cmocka_unit_test(a_number_of_the_query_is_whole_and_in_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
