#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "twins/twin.h"
#include "twins/twin_rules.h"

static hub_result report(hub_twin *t, const char *text)
{
    hub_fault fault;
    cJSON *patch = hub_json_read(text, strlen(text));

    assert_non_null(patch);
    hub_twin next;
    hub_result r = hub_twin_report(t, patch, 1000, &next, &fault);
    cJSON_Delete(patch);
    if (r == HUB_OK) {
        hub_twin_adopt(t, &next);
    }
    return r;
}

/* Returns what the device receives, on the heap: "" for nothing, or the name of the error for a
 * refusal. */
static char *update(hub_twin *t, const char *text, hub_twin_mode mode)
{
    hub_fault fault;
    cJSON *notify;
    cJSON *body = hub_json_read(text, strlen(text));

    assert_non_null(body);
    hub_twin next;
    hub_result r = hub_twin_update(t, body, mode, 2000, &next, &notify, &fault);
    cJSON_Delete(body);
    if (r != HUB_OK) {
        return hub_strdup(hub_result_name(r));
    }
    hub_twin_adopt(t, &next);
    char *told = notify != NULL ? hub_json_print(notify) : hub_strdup("");
    cJSON_Delete(notify);
    return told;
}

static void expect_device_sees(const hub_twin *t, const char *expected)
{
    char *text = hub_twin_device_text(t);
    assert_string_equal(text, expected);
    free(text);
}

static void expect_update(hub_twin *t, const char *text, hub_twin_mode mode, const char *told)
{
    char *got = update(t, text, mode);
    assert_string_equal(got, told);
    free(got);
}

static void a_new_twin_is_empty(void **state)
{
    (void)state;
    hub_twin t;

    hub_twin_init(&t, 0);
    expect_device_sees(&t, "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    hub_twin_free(&t);
}

static void reports_merge_deeply_and_null_deletes(void **state)
{
    (void)state;
    hub_twin t;

    hub_twin_init(&t, 0);
    assert_int_equal(report(&t, "{\"a\":{\"b\":1,\"c\":[1,[]]},\"d\":\"x\",\"gone\":null}"),
                     HUB_OK);
    assert_int_equal(report(&t, "{\"a\":{\"b\":null,\"e\":{\"f\":null}},\"d\":{\"g\":true}}"),
                     HUB_OK);
    assert_int_equal(report(&t, "{}"), HUB_OK);

    expect_device_sees(&t,
                       "{\"desired\":{\"$version\":1},\"reported\":{\"a\":{\"c\":[1,[]],\"e\":{}},"
                       "\"d\":{\"g\":true},\"$version\":4}}");
    hub_twin_free(&t);
}

static void a_refused_report_changes_nothing(void **state)
{
    (void)state;
    hub_twin t;

    hub_twin_init(&t, 0);
    assert_int_equal(report(&t, "{\"keep\":1,\"bad.key\":2}"), HUB_ERR_ARGUMENT);
    assert_int_equal(report(&t, "[1]"), HUB_ERR_ARGUMENT);
    assert_int_equal(report(&t, "null"), HUB_ERR_ARGUMENT);

    expect_device_sees(&t, "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    hub_twin_free(&t);
}

static void numbers_keep_their_text(void **state)
{
    (void)state;
    hub_twin t;

    hub_twin_init(&t, 0);
    assert_int_equal(
        report(&t, "{\"a\":-0,\"b\":1.0,\"c\":[0.1000000000000000055,1e300],\"d\":5E-1}"), HUB_OK);
    expect_update(&t, "{\"properties\":{\"desired\":{\"x\":1.50,\"y\":{\"z\":2e0}}}}",
                  HUB_TWIN_MERGE, "{\"x\":1.50,\"y\":{\"z\":2e0},\"$version\":2}");
    expect_update(&t, "{\"properties\":{\"desired\":{\"x\":1.50,\"y\":{\"z\":2.0}}}}",
                  HUB_TWIN_REPLACE, "{\"y\":{\"z\":2.0},\"$version\":3}");
    cJSON *state_of_t = hub_twin_to_state(&t);
    hub_twin_free(&t);
    assert_true(hub_twin_from_state(&t, state_of_t));
    cJSON_Delete(state_of_t);
    expect_device_sees(&t, "{\"desired\":{\"x\":1.50,\"y\":{\"z\":2.0},\"$version\":3},"
                           "\"reported\":{\"a\":-0,\"b\":1.0,\"c\":[0.1000000000000000055,1e300],"
                           "\"d\":5E-1,\"$version\":2}}");
    hub_twin_free(&t);
}

static void an_integer_is_one_by_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        hub_result result;
    } cases[] = {
        { "4503599627370495", HUB_OK },
        { "4503599627370496", HUB_ERR_ARGUMENT },
        { "-4503599627370496", HUB_OK },
        { "-4503599627370497", HUB_ERR_ARGUMENT },
        { "1796056886123456789", HUB_ERR_ARGUMENT },
        { "99999999999999999999999", HUB_ERR_ARGUMENT },
        { "4503599627370496.0", HUB_OK }, /* a double */
        { "1e16", HUB_OK },
        { "1e308", HUB_OK },
        { "1e309", HUB_ERR_ARGUMENT },
        { "-1e400", HUB_ERR_ARGUMENT },
        { "1e-400", HUB_OK },
    };
    hub_twin t;

    hub_twin_init(&t, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = hub_format("{\"a\":[%s]}", cases[i].number);
        if (report(&t, text) != cases[i].result) {
            fail_msg("%s", text);
        }
        free(text);
    }
    char *zeros = hub_format("{\"a\":0.%0120d}", 1);
    assert_int_equal(report(&t, zeros), HUB_OK);
    free(zeros);
    /* 129 characters, although a number counts as 8 bytes. */
    zeros = hub_format("{\"a\":0.%0127d}", 1);
    assert_int_equal(report(&t, zeros), HUB_ERR_ARGUMENT);
    free(zeros);
    hub_twin_free(&t);
}

static void null_is_refused_inside_of_arrays(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"a\":[null]}",
        "{\"a\":[1,null]}",
        "{\"a\":[{\"b\":null}]}",
        "{\"a\":[[null]]}",
        "{\"a\":{\"b\":[1,{\"c\":{\"d\":null}}]}}",
    };
    hub_twin t;

    hub_twin_init(&t, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (report(&t, bad[i]) != HUB_ERR_ARGUMENT) {
            fail_msg("reported: %s", bad[i]);
        }
        for (size_t k = 0; k < 2; k++) {
            char *body = k == 0 ? hub_format("{\"tags\":%s}", bad[i])
                                : hub_format("{\"properties\":{\"desired\":%s}}", bad[i]);
            expect_update(&t, body, HUB_TWIN_MERGE, "ArgumentInvalid");
            expect_update(&t, body, HUB_TWIN_REPLACE, "ArgumentInvalid");
            free(body);
        }
    }
    expect_update(&t, "{\"properties\":5}", HUB_TWIN_MERGE, "ArgumentInvalid");
    expect_update(&t, "{\"properties\":[]}", HUB_TWIN_MERGE, "ArgumentInvalid");
    expect_device_sees(&t, "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    hub_twin_free(&t);
}

static void the_device_receives_the_patch_and_its_version(void **state)
{
    (void)state;
    hub_twin t;

    hub_twin_init(&t, 0);
    expect_update(&t, "{\"properties\":{\"desired\":{\"a\":1,\"b\":{\"c\":2}}}}", HUB_TWIN_MERGE,
                  "{\"a\":1,\"b\":{\"c\":2},\"$version\":2}");
    expect_update(&t, "{\"properties\":{\"desired\":{\"a\":null}}}", HUB_TWIN_MERGE,
                  "{\"a\":null,\"$version\":3}");
    expect_update(&t, "{\"tags\":{\"x\":1}}", HUB_TWIN_MERGE, "");
    expect_update(&t, "{\"properties\":{\"desired\":{\"$version\":9,\"$metadata\":{},\"d\":1}}}",
                  HUB_TWIN_MERGE, "{\"d\":1,\"$version\":4}");
    expect_update(&t, "{\"properties\":{\"desired\":{\"b\":{\"e\":1},\"d\":1}}}", HUB_TWIN_REPLACE,
                  "{\"b\":{\"c\":null,\"e\":1},\"$version\":5}");
    expect_update(&t, "{\"properties\":{\"desired\":{\"a b\":1}}}", HUB_TWIN_MERGE,
                  "ArgumentInvalid");
    expect_update(&t, "[]", HUB_TWIN_MERGE, "ArgumentInvalid");

    expect_device_sees(&t, "{\"desired\":{\"b\":{\"e\":1},\"d\":1,\"$version\":5},"
                           "\"reported\":{\"$version\":1}}");
    hub_twin_free(&t);
}

static void metadata_mirrors_the_values(void **state)
{
    (void)state;
    hub_twin t;
    cJSON *view = cJSON_CreateObject();

    hub_twin_init(&t, 0);
    free(update(&t, "{\"properties\":{\"desired\":{\"a\":1,\"b\":{\"c\":2}}}}", HUB_TWIN_MERGE));
    free(update(&t, "{\"properties\":{\"desired\":{\"b\":{\"c\":null}}}}", HUB_TWIN_MERGE));
    hub_twin_add_service_head(&t, view);
    hub_twin_add_service_view(&t, view);
    char *text = hub_json_print(view);

#define AT(v) "\"$lastUpdated\":\"1970-01-01T00:00:02.000Z\",\"$lastUpdatedVersion\":" v
    assert_non_null(strstr(text, "\"$metadata\":{\"a\":{" AT("2") "}"));
    assert_non_null(strstr(text, "\"b\":{" AT("3") "}"));
    assert_non_null(strstr(text, "\"etag\":\"AAAAAAAAAAM=\""));
    free(text);
    cJSON_Delete(view);
    hub_twin_free(&t);
}

/* Returns {"k":{"k":...1...}} with `depth` objects below the root. */
static char *nested(int depth)
{
    hub_text t = { 0 };

    for (int i = 0; i < depth; i++) {
        hub_text_str(&t, "{\"k\":");
    }
    hub_text_str(&t, "{\"k\":1}");
    for (int i = 0; i < depth; i++) {
        hub_text_str(&t, "}");
    }
    return t.p;
}

static char *filled(const char *format, size_t len)
{
    char *fill = hub_calloc(1, len + 1);
    memset(fill, 'x', len);
    hub_text t = { 0 };
    for (const char *p = format; *p != '\0'; p++) {
        if (*p == '@') {
            hub_text_str(&t, fill);
        } else {
            hub_text_add(&t, p, 1);
        }
    }
    free(fill);
    return t.p;
}

static void limits_hold_to_the_last_byte(void **state)
{
    (void)state;
    struct {
        const char *what;
        char *text;
        hub_result r;
    } cases[] = {
        { "depth 10", nested(10), HUB_OK },
        { "depth 11", nested(11), HUB_ERR_ARGUMENT },
        { "string of 4 KB", filled("{\"a\":\"@\"}", 4096), HUB_OK },
        { "string above 4 KB", filled("{\"a\":\"@\"}", 4097), HUB_ERR_ARGUMENT },
        { "key of 1 KB", filled("{\"@\":1}", 1024), HUB_OK },
        { "key above 1 KB", filled("{\"@\":1}", 1025), HUB_ERR_ARGUMENT },
        { "empty key", hub_strdup("{\"\":1}"), HUB_ERR_ARGUMENT },
        { "key with a dollar", hub_strdup("{\"$a\":1}"), HUB_ERR_ARGUMENT },
        { "key with a control character", hub_strdup("{\"a\\u0085\":1}"), HUB_ERR_ARGUMENT },
        { "key with an umlaut", hub_strdup("{\"\xC3\xA4\":1}"), HUB_OK },
        { "largest integer", hub_strdup("{\"a\":4503599627370495}"), HUB_OK },
        { "smallest integer", hub_strdup("{\"a\":-4503599627370496}"), HUB_OK },
        { "integer too large", hub_strdup("{\"a\":4503599627370496}"), HUB_ERR_ARGUMENT },
        { "integer too small", hub_strdup("{\"a\":-4503599627370497}"), HUB_ERR_ARGUMENT },
        { "a double", hub_strdup("{\"a\":1.5e300}"), HUB_OK },
        { "no number", hub_strdup("{\"a\":1e999}"), HUB_ERR_ARGUMENT },
        { "bad key in an array", hub_strdup("{\"a\":[{\"b.c\":1}]}"), HUB_ERR_ARGUMENT },
        /* Eight strings of 4095 bytes with names of 1 byte: 32,768 bytes. */
        { "32 KB",
          filled("{\"a\":\"@\",\"b\":\"@\",\"c\":\"@\",\"d\":\"@\",\"e\":\"@\",\"f\":\"@\",\"g\":"
                 "\"@\","
                 "\"h\":\"@\"}",
                 4095),
          HUB_OK },
        { "32 KB and one",
          filled("{\"a\":\"@\",\"b\":\"@\",\"c\":\"@\",\"d\":\"@\",\"e\":\"@\",\"f\":\"@\",\"g\":"
                 "\"@\","
                 "\"hh\":\"@\"}",
                 4095),
          HUB_ERR_TOO_LARGE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_twin t;
        hub_twin_init(&t, 0);
        hub_result r = report(&t, cases[i].text);
        if (r != cases[i].r) {
            fail_msg("%s: %s", cases[i].what, hub_result_name(r));
        }
        free(cases[i].text);
        hub_twin_free(&t);
    }
}

static void the_sum_of_patches_is_limited_too(void **state)
{
    (void)state;
    hub_twin t;
    char *first = filled("{\"a\":\"@\",\"b\":\"@\",\"c\":\"@\",\"d\":\"@\"}", 4096);
    char *second = filled("{\"e\":\"@\",\"f\":\"@\",\"g\":\"@\",\"h\":\"@\"}", 4096);

    hub_twin_init(&t, 0);
    assert_int_equal(report(&t, first), HUB_OK);
    assert_int_equal(report(&t, second), HUB_ERR_TOO_LARGE);
    assert_int_equal(report(&t, "{\"a\":null}"), HUB_OK);
    assert_int_equal(report(&t, second), HUB_OK);
    assert_int_equal(t.reported.version, 4);
    free(first);
    free(second);
    hub_twin_free(&t);
}

/* Returns {"k<from>":<value>,..}. If value is NULL, each value is the number in its name. */
static char *members(int from, int to, const char *value)
{
    hub_text t = { 0 };

    hub_text_str(&t, "{");
    for (int i = from; i < to; i++) {
        hub_text_printf(&t, "%s\"k%02d\":", i > from ? "," : "", i);
        if (value != NULL) {
            hub_text_str(&t, value);
        } else {
            hub_text_printf(&t, "%d", i);
        }
    }
    hub_text_str(&t, "}");
    return t.p;
}

static void report_members(hub_twin *t, int from, int to, const char *value)
{
    char *text = members(from, to, value);
    assert_int_equal(report(t, text), HUB_OK);
    free(text);
}

static void large_patches_do_what_small_ones_do(void **state)
{
    (void)state;
    for (int size = 1; size < 40; size++) {
        hub_twin t;
        hub_twin_init(&t, 0);
        report_members(&t, 0, 30, NULL);
        report_members(&t, 20, 20 + size, "{\"in\":[1]}");
        report_members(&t, 25, 25 + size, "null");
        report_members(&t, 22, 22 + size, "\"x\"");
        for (int i = 0; i < 100; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "k%02d", i);
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(t.reported.values, name);
            const cJSON *meta = cJSON_GetObjectItemCaseSensitive(t.reported.metadata, name);
            bool text = i >= 22 && i < 22 + size;
            bool removed = !text && i >= 25 && i < 25 + size;
            bool object = !text && !removed && i >= 20 && i < 20 + size;
            bool number = !text && !removed && !object && i < 30;
            assert_int_equal(cJSON_IsString(value), text);
            assert_int_equal(cJSON_IsObject(value), object);
            assert_int_equal(cJSON_IsNumber(value), number);
            assert_int_equal(meta != NULL, value != NULL);
        }
        hub_twin_free(&t);
    }
}

static void a_replacement_tells_what_differs_however_large_it_is(void **state)
{
    (void)state;
    for (int size = 1; size < 40; size++) {
        hub_twin t;
        hub_twin_init(&t, 0);
        char *many = members(0, size, "{\"a\":[1,{\"b\":2,\"c\":3}],\"d\":{}}");
        char *other = members(0, size, "{\"d\":{},\"a\":[1,{\"c\":3,\"b\":2}]}");
        char *first = hub_format("{\"properties\":{\"desired\":{\"o\":%s}}}", many);
        char *second = hub_format("{\"properties\":{\"desired\":{\"o\":%s,\"n\":1}}}", other);
        char *told = hub_format("{\"o\":%s,\"$version\":2}", many);
        expect_update(&t, first, HUB_TWIN_REPLACE, told);
        expect_update(&t, second, HUB_TWIN_REPLACE, "{\"n\":1,\"$version\":3}");
        char *gone = update(&t, "{\"properties\":{\"desired\":{\"o\":{}}}}", HUB_TWIN_REPLACE);
        char *nulls = members(0, size, "null");
        char *expected = hub_format("{\"n\":null,\"o\":%s,\"$version\":4}", nulls);
        assert_string_equal(gone, expected);
        free(many), free(other), free(first), free(second), free(told);
        free(gone), free(nulls), free(expected);
        hub_twin_free(&t);
    }
}

static void tags_have_their_own_limit(void **state)
{
    (void)state;
    hub_twin t;
    char *fits = filled("{\"tags\":{\"a\":\"@\",\"b\":\"@\"}}", 4095);
    char *too_large = filled("{\"tags\":{\"a\":\"@\",\"bb\":\"@\"}}", 4095);

    hub_twin_init(&t, 0);
    expect_update(&t, too_large, HUB_TWIN_MERGE, "RequestEntityTooLarge");
    expect_update(&t, fits, HUB_TWIN_MERGE, "");
    free(fits);
    free(too_large);
    hub_twin_free(&t);
}

static void size_leaves_control_characters_out(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":\"x\\u0001\\u0085y\",\"b\":[1,true,null]}";
    cJSON *json = hub_json_read(text, strlen(text));

    assert_int_equal(hub_twin_size(json), 1 + 2 + 1 + 8 + 4);
    cJSON_Delete(json);
}

static void a_twin_survives_its_state(void **state)
{
    (void)state;
    hub_twin t;
    hub_twin back = { 0 };

    hub_twin_init(&t, 0);
    assert_int_equal(report(&t, "{\"a\":{\"b\":1}}"), HUB_OK);
    free(update(&t, "{\"tags\":{\"x\":1},\"properties\":{\"desired\":{\"d\":1}}}", HUB_TWIN_MERGE));
    cJSON *saved = hub_twin_to_state(&t);
    assert_true(hub_twin_from_state(&back, saved));

    cJSON *again = hub_twin_to_state(&back);
    assert_true(cJSON_Compare(saved, again, true));
    cJSON_DeleteItemFromObjectCaseSensitive(saved, "tags");
    hub_twin none = { 0 };
    assert_false(hub_twin_from_state(&none, saved));
    cJSON_Delete(saved);
    cJSON_Delete(again);
    hub_twin_free(&t);
    hub_twin_free(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_twin_is_empty),
        cmocka_unit_test(reports_merge_deeply_and_null_deletes),
        cmocka_unit_test(a_refused_report_changes_nothing),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(an_integer_is_one_by_its_text),
        cmocka_unit_test(null_is_refused_inside_of_arrays),
        cmocka_unit_test(the_device_receives_the_patch_and_its_version),
        cmocka_unit_test(metadata_mirrors_the_values),
        cmocka_unit_test(limits_hold_to_the_last_byte),
        cmocka_unit_test(the_sum_of_patches_is_limited_too),
        cmocka_unit_test(large_patches_do_what_small_ones_do),
        cmocka_unit_test(a_replacement_tells_what_differs_however_large_it_is),
        cmocka_unit_test(tags_have_their_own_limit),
        cmocka_unit_test(size_leaves_control_characters_out),
        cmocka_unit_test(a_twin_survives_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
