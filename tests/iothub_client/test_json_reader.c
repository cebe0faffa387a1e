#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "iothub/json.h"

/* --- what a walk hands out ---------------------------------------------------------------- */

/* Writes one line for each item: depth, kind, name and value. */
static void put_items(mqc_span text, char *out, size_t cap)
{
    static const char kinds[] = "-{[sntf0e";
    iothub_json_reader r;
    size_t len = 0;

    iothub_json_reader_init(&r, text);
    assert_int_equal(r.kind, IOTHUB_JSON_NONE);
    out[0] = '\0';
    while (iothub_json_next(&r)) {
        assert_true(r.offset <= text.len);
        len += (size_t)snprintf(out + len, cap - len, "%u%c%.*s|%.*s\n", r.depth, kinds[r.kind],
                                (int)r.name.len, (const char *)r.name.ptr, (int)r.value.len,
                                (const char *)r.value.ptr);
        assert_true(len < cap);
    }
    assert_int_equal(r.kind, IOTHUB_JSON_NONE);
    assert_false(iothub_json_next(&r)); /* the reader stays at its end */
    snprintf(out + len, cap - len, "%s %zu", r.result == IOTHUB_OK ? "end" : "fault", r.offset);
}

static const struct {
    const char *text;
    const char *items;
} walks[] = {
    { "7", "0n|7\nend 1" },
    { " \"a\\n\" ", "0s|\"a\\n\"\nend 7" },
    { "{}", "0{|{\n0e|\nend 2" },
    { " [ ] ", "0[|[\n0e|\nend 5" },
    { "{\"a\":1,\"b\" : [true,null , -1.50e+3],\"\":{\"c\":false}}\n",
      "0{|{\n1n\"a\"|1\n1[\"b\"|[\n2t|true\n20|null\n2n|-1.50e+3\n1e|\n"
      "1{\"\"|{\n2f\"c\"|false\n1e|\n0e|\nend 52" },
    { "{\"a\":1,\"a\":2}", "0{|{\n1n\"a\"|1\n1n\"a\"|2\n0e|\nend 13" },
    { "", "fault 0" },
    { "  ", "fault 2" },
    { "{\"a\":1,}", "0{|{\n1n\"a\"|1\nfault 7" },
    { "[1 2]", "0[|[\n1n|1\nfault 3" },
    { "{} {}", "0{|{\n0e|\nfault 3" },
    { "[1}", "0[|[\n1n|1\nfault 2" },
    { "]", "fault 0" },
};

static void each_item_has_its_depth_name_and_text(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        char items[400];
        put_items(mqc_span_str(walks[i].text), items, sizeof items);
        assert_string_equal(items, walks[i].items);
    }
    char nothing[20];
    put_items(mqc_span_of(NULL, 0), nothing, sizeof nothing);
    assert_string_equal(nothing, "fault 0");
}

static void what_is_skipped_becomes_one_item(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":{\"b\":[1,{}],\"c\":2},\"d\":[ ] ,\"e\":5}";
    iothub_json_reader r;

    iothub_json_reader_init(&r, mqc_span_str(text));
    assert_false(iothub_json_skip(&r)); /* there is no item yet */
    assert_true(iothub_json_next(&r) && iothub_json_next(&r));
    assert_true(iothub_json_skip(&r));
    assert_int_equal(r.kind, IOTHUB_JSON_OBJECT);
    assert_int_equal(r.depth, 1);
    assert_true(iothub_json_equals(r.name, "a"));
    assert_true(mqc_span_eq(r.value, mqc_span_str("{\"b\":[1,{}],\"c\":2}")));

    assert_true(iothub_json_next(&r) && iothub_json_skip(&r));
    assert_int_equal(r.kind, IOTHUB_JSON_ARRAY);
    assert_true(iothub_json_equals(r.name, "d"));
    assert_true(mqc_span_eq(r.value, mqc_span_str("[ ]")));

    /* Skipping a number changes nothing. */
    assert_true(iothub_json_next(&r) && iothub_json_skip(&r));
    assert_true(mqc_span_eq(r.value, mqc_span_str("5")));
    assert_true(iothub_json_next(&r) && iothub_json_skip(&r)); /* skipping an end changes nothing */
    assert_int_equal(r.kind, IOTHUB_JSON_END);
    assert_false(iothub_json_next(&r));
    assert_int_equal(r.result, IOTHUB_OK);
}

static void a_fault_in_what_is_skipped_ends_the_walk(void **state)
{
    (void)state;
    iothub_json_reader r;

    iothub_json_reader_init(&r, mqc_span_str("{\"a\":[1,2,}"));
    assert_true(iothub_json_next(&r) && iothub_json_next(&r));
    assert_false(iothub_json_skip(&r));
    assert_int_equal(r.result, IOTHUB_ERR_JSON);
    assert_int_equal(r.offset, 10);
    assert_false(iothub_json_next(&r));
}

static void a_copy_of_a_reader_is_a_second_walk(void **state)
{
    (void)state;
    iothub_json_reader r;

    iothub_json_reader_init(&r, mqc_span_str("[[1],2]"));
    assert_true(iothub_json_next(&r) && iothub_json_next(&r));
    iothub_json_reader ahead = r;
    assert_true(iothub_json_skip(&ahead) && iothub_json_next(&ahead));
    assert_true(mqc_span_eq(ahead.value, mqc_span_str("2")));
    assert_true(iothub_json_next(&r));
    assert_true(mqc_span_eq(r.value, mqc_span_str("1")));
}

static void kinds_are_seen_at_the_first_character(void **state)
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
        { "}", IOTHUB_JSON_NONE },       { "/", IOTHUB_JSON_NONE },
        { ":", IOTHUB_JSON_NONE },       { "+1", IOTHUB_JSON_NONE },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(iothub_json_kind_of(mqc_span_str(kinds[i].text)), kinds[i].kind);
    }
}

/* --- the same as another reader ----------------------------------------------------------- */

/* Builds the tree that cJSON would build, from the items of our reader. Returns NULL if the text
 * is not JSON. */
static cJSON *tree_of(mqc_span text)
{
    cJSON *open[IOTHUB_JSON_DEPTH + 1];
    cJSON *root = NULL;
    size_t before = 0;
    iothub_json_reader r;

    iothub_json_reader_init(&r, text);
    while (iothub_json_next(&r)) {
        char name[100] = "";
        char string[100];
        double number = 0;
        cJSON *item = NULL;
        assert_true(r.offset > before); /* each byte is read once */
        before = r.offset;
        switch (r.kind) {
        case IOTHUB_JSON_OBJECT: item = cJSON_CreateObject(); break;
        case IOTHUB_JSON_ARRAY: item = cJSON_CreateArray(); break;
        case IOTHUB_JSON_STRING:
            assert_int_equal(iothub_json_get_string(r.value, string, sizeof string, NULL), 0);
            item = cJSON_CreateString(string);
            break;
        case IOTHUB_JSON_NUMBER:
            if (iothub_json_get_double(r.value, &number) == IOTHUB_ERR_TOO_BIG) {
                /* strtod returns infinity for such a number. */
                number = HUGE_VAL * (r.value.ptr[0] == '-' ? -1 : 1);
            }
            item = cJSON_CreateNumber(number);
            break;
        case IOTHUB_JSON_TRUE: item = cJSON_CreateTrue(); break;
        case IOTHUB_JSON_FALSE: item = cJSON_CreateFalse(); break;
        case IOTHUB_JSON_NULL: item = cJSON_CreateNull(); break;
        case IOTHUB_JSON_NONE:
        case IOTHUB_JSON_END: continue;
        }
        open[r.depth] = item;
        if (r.depth == 0) {
            root = item;
        } else if (cJSON_IsObject(open[r.depth - 1])) {
            assert_int_equal(iothub_json_get_string(r.name, name, sizeof name, NULL), 0);
            cJSON_AddItemToObject(open[r.depth - 1], name, item);
        } else {
            cJSON_AddItemToArray(open[r.depth - 1], item);
        }
    }
    if (r.result != IOTHUB_OK) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

/* Reads a copy whose allocation ends with the text, so that the sanitizer reports reads beyond
 * it. cJSON must accept what our reader accepts, and both must read the same. */
static bool read_by_both(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    cJSON *ours = tree_of(mqc_span_of(copy + 1, len));
    bool accepted = ours != NULL;

    if (accepted) {
        cJSON *theirs = cJSON_ParseWithLength(copy + 1, len);
        assert_non_null(theirs);
        char *a = cJSON_PrintUnformatted(ours);
        char *b = cJSON_PrintUnformatted(theirs);
        assert_string_equal(a, b);
        cJSON_free(a);
        cJSON_free(b);
        cJSON_Delete(theirs);
    }
    cJSON_Delete(ours);
    free(copy);
    return accepted;
}

/* The document has ten levels, every kind of value, escapes, and characters of one to four
 * bytes. */
static const char document[] =
    "{\"thermostat1\":{\"__t\":\"c\",\"targetTemperature\":21.5,\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{"
    "\"f\":{\"g\":{\"h\":[1,-0.25,1E+2,true,false,null]}}}}}}}},\n"
    " \"l\\u00e9d\" : \"\\\"on\\\\\\/\\b\\f\\n\\r\\t \xC3\xBC\xE2\x82\xAC\\ud83d\\ude00\","
    "\t\"empty\":{},\"list\":[[],\"\"] ,\"$version\":4}";

static void every_truncation_is_refused(void **state)
{
    (void)state;
    const size_t whole = sizeof document - 1;

    assert_true(read_by_both(document, whole));
    for (size_t len = 0; len < whole; len++) {
        assert_false(read_by_both(document, len));
    }
}

static void every_changed_byte_is_read_as_another_reader_does(void **state)
{
    (void)state;
    char text[sizeof document];
    unsigned accepted = 0;

    memcpy(text, document, sizeof text);
    for (size_t at = 0; at + 1 < sizeof document; at++) {
        for (int byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            accepted += read_by_both(text, sizeof document - 1) ? 1 : 0;
        }
        text[at] = document[at];
    }
    assert_true(accepted > 1000); /* most letters of names and strings can be replaced by others */
}

static void every_removed_and_every_doubled_byte_is_read_as_another_reader_does(void **state)
{
    (void)state;
    char text[sizeof document + 1];
    const size_t whole = sizeof document - 1;

    for (size_t at = 0; at < whole; at++) {
        memcpy(text, document, at);
        memcpy(text + at, document + at + 1, whole - at - 1);
        (void)read_by_both(text, whole - 1);
        memcpy(text, document, at + 1);
        memcpy(text + at + 1, document + at, whole - at);
        (void)read_by_both(text, whole + 1);
    }
}

static uint32_t seed;

static uint32_t roll(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

static cJSON *random_value(unsigned level)
{
    static const char *const texts[] = { "",
                                         "a",
                                         "\"\\/",
                                         "\n\t\x01\x1F",
                                         "\xC3\xBC\xF0\x9F\x98\x80",
                                         "a longer text, as people write it" };
    const uint32_t kind = roll(level < 10 ? 8 : 5);
    cJSON *made;

    switch (kind) {
    case 0: return cJSON_CreateString(texts[roll(6)]);
    case 1: return cJSON_CreateNumber((double)roll(1000) / 8 - 50);
    case 2: return cJSON_CreateNumber(1.0 / (1 + roll(100000)) * (roll(2) != 0 ? 1e-30 : 1e20));
    case 3: return cJSON_CreateBool(roll(2) != 0);
    case 4: return cJSON_CreateNull();
    default: break;
    }
    made = kind == 5 ? cJSON_CreateArray() : cJSON_CreateObject();
    for (uint32_t i = roll(6); i > 0; i--) {
        char name[40];
        snprintf(name, sizeof name, "%s%u", texts[roll(6)], i);
        if (kind == 5) {
            cJSON_AddItemToArray(made, random_value(level + 1));
        } else {
            cJSON_AddItemToObject(made, name, random_value(level + 1));
        }
    }
    return made;
}

static void random_documents_are_read_as_another_reader_does(void **state)
{
    (void)state;

    for (seed = 1; seed < 1000000; seed += 1009) {
        const uint32_t first = seed;
        cJSON *value = random_value(0);
        char *text = roll(2) != 0 ? cJSON_Print(value) : cJSON_PrintUnformatted(value);
        if (!read_by_both(text, strlen(text))) {
            fail_msg("refused: %s", text);
        }
        cJSON_free(text);
        cJSON_Delete(value);
        seed = first;
    }
}

/* --- large documents ---------------------------------------------------------------------- */

/* Checks what is read from a twin of 32 KB, and that each byte is read once. */
static void a_twin_of_32_kb_with_ten_levels_is_read_byte_by_byte(void **state)
{
    (void)state;
    enum { SIZE = 32 * 1024, LEVELS = 10 };
    char *text = malloc(SIZE);
    size_t len = 0;
    size_t numbers = 0;
    size_t found = 0;
    size_t before = 0;
    iothub_json_reader r;

    assert_non_null(text);
    for (unsigned i = 0; i < LEVELS; i++) {
        len += (size_t)sprintf(text + len, "{\"level%u\":", i);
    }
    text[len++] = '[';
    while (len + 60 < SIZE) {
        len += (size_t)sprintf(text + len, "%s%zu", numbers == 0 ? "" : ",", numbers);
        numbers++;
    }
    text[len++] = ']';
    memset(text + len, '}', LEVELS);
    len += LEVELS;

    iothub_json_reader_init(&r, mqc_span_of(text, len));
    while (iothub_json_next(&r)) {
        int64_t n = -1;
        assert_true(r.offset > before);
        before = r.offset;
        if (r.kind == IOTHUB_JSON_NUMBER) {
            assert_int_equal(r.depth, LEVELS + 1);
            assert_int_equal(iothub_json_get_int(r.value, &n), IOTHUB_OK);
            assert_int_equal(n, found++);
        }
    }
    assert_int_equal(r.result, IOTHUB_OK);
    assert_int_equal(r.offset, len);
    assert_int_equal(found, numbers);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_has_its_depth_name_and_text),
        cmocka_unit_test(what_is_skipped_becomes_one_item),
        cmocka_unit_test(a_fault_in_what_is_skipped_ends_the_walk),
        cmocka_unit_test(a_copy_of_a_reader_is_a_second_walk),
        cmocka_unit_test(kinds_are_seen_at_the_first_character),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_read_as_another_reader_does),
        cmocka_unit_test(every_removed_and_every_doubled_byte_is_read_as_another_reader_does),
        cmocka_unit_test(random_documents_are_read_as_another_reader_does),
        cmocka_unit_test(a_twin_of_32_kb_with_ten_levels_is_read_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
