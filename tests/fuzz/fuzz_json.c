/* Tests the JSON reader, look-up and writer: values found in a valid text are valid themselves,
 * and nothing reads outside the text. */

#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "iothub/json_writer.h"
#include "iothub/pnp.h"
#include "text/json_path.h"

static void find(mqc_span text, const char *const *keys, size_t count, bool good)
{
    mqc_span value;
    uint64_t n;

    if (!iothub_json_find(text, keys, count, &value)) {
        FUZZ_CHECK(!good || count > 0);
        return;
    }
    FUZZ_CHECK(value.ptr >= text.ptr && value.ptr + value.len <= text.ptr + text.len);
    FUZZ_CHECK(!good || iothub_json_check(value, NULL) == IOTHUB_OK);
    FUZZ_CHECK(!good || iothub_json_kind_of(value) != IOTHUB_JSON_NONE);
    if (iothub_json_u64(value, &n)) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
        FUZZ_CHECK(mqc_span_eq(value, mqc_span_str(digits)));
    }
}

/* A number is read as strtod reads it; with many digits it may also be the neighbouring double. */
static void check_number(mqc_span value)
{
    char text[400];
    double out = 0;
    int64_t n;

    if (value.len >= sizeof text) {
        return;
    }
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    const double expected = strtod(text, NULL);
    if (iothub_json_get_double(value, &out) == IOTHUB_OK) {
        FUZZ_CHECK(value.len <= 19 ? out == expected
                                   : out >= nextafter(expected, -HUGE_VAL) &&
                                         out <= nextafter(expected, HUGE_VAL));
    } else {
        FUZZ_CHECK(!isfinite(nextafter(expected, expected * 2)));
    }
    if (iothub_json_get_int(value, &n) == IOTHUB_OK) {
        const volatile double rounded = (double)n; /* x87 would keep more digits in a register */
        FUZZ_CHECK(rounded == expected);
    }
}

static void check_item(mqc_span text, const iothub_json_reader *r)
{
    const bool scalar = r->kind >= IOTHUB_JSON_STRING && r->kind <= IOTHUB_JSON_NULL;
    char string[256];
    size_t len;
    bool truth;

    FUZZ_CHECK(r->depth <= IOTHUB_JSON_DEPTH && r->offset <= text.len);
    FUZZ_CHECK(r->kind == IOTHUB_JSON_END ||
               (r->value.ptr >= text.ptr && r->value.ptr + r->value.len <= text.ptr + r->offset));
    FUZZ_CHECK(!scalar || iothub_json_check(r->value, NULL) == IOTHUB_OK);
    FUZZ_CHECK(iothub_json_get_bool(r->value, &truth) ==
               (r->kind == IOTHUB_JSON_TRUE || r->kind == IOTHUB_JSON_FALSE ? IOTHUB_OK
                                                                            : IOTHUB_ERR_JSON));
    if (r->kind == IOTHUB_JSON_NUMBER) {
        check_number(r->value);
    }
    if (r->kind == IOTHUB_JSON_STRING &&
        iothub_json_get_string(r->value, string, sizeof string, &len) == IOTHUB_OK) {
        FUZZ_CHECK(iothub_json_equals(r->value, string) == (strlen(string) == len));
    }
}

/* Walks through the text, then does it again and skips every object and array below the first
 * level. */
static void walk(mqc_span text, bool good)
{
    iothub_json_reader r;
    iothub_json_reader skipping;

    iothub_json_reader_init(&r, text);
    for (size_t before = 0; iothub_json_next(&r); before = r.offset) {
        FUZZ_CHECK(r.offset > before);
        check_item(text, &r);
    }
    FUZZ_CHECK((r.result == IOTHUB_OK) == good);
    iothub_json_reader_init(&skipping, text);
    while (iothub_json_next(&skipping) && (skipping.depth == 0 || iothub_json_skip(&skipping))) {
        FUZZ_CHECK(skipping.depth <= 1);
        FUZZ_CHECK(skipping.depth == 0 || skipping.kind == IOTHUB_JSON_END ||
                   iothub_json_check(skipping.value, NULL) == IOTHUB_OK);
    }
    FUZZ_CHECK(skipping.result == r.result && skipping.offset == r.offset);
}

static void put_item(iothub_json_writer *w, const iothub_json_reader *r)
{
    char string[256];
    size_t len;

    if (r->name.len != 0) {
        iothub_json_put_name(w, r->name);
    }
    if (r->kind == IOTHUB_JSON_OBJECT) {
        iothub_json_put_object(w, NULL);
    } else if (r->kind == IOTHUB_JSON_ARRAY) {
        iothub_json_put_array(w, NULL);
    } else if (r->kind == IOTHUB_JSON_END) {
        iothub_json_put_end(w);
    } else if (r->kind == IOTHUB_JSON_STRING &&
               iothub_json_get_string(r->value, string, sizeof string, &len) == IOTHUB_OK) {
        iothub_json_put_text(w, NULL, mqc_span_of(string, len));
    } else {
        iothub_json_put_raw(w, NULL, r->value);
    }
}

/* Writes what was read and reads that again; both must be the same. */
static void rewrite(mqc_span text)
{
    /* Each byte of a string may become an escape of six bytes. */
    char *buf = malloc(6 * text.len + 1);
    iothub_json_reader r;
    iothub_json_reader again;
    iothub_json_writer w;

    FUZZ_CHECK(buf != NULL);
    iothub_json_writer_init(&w, buf, 6 * text.len + 1);
    iothub_json_reader_init(&r, text);
    while (iothub_json_next(&r)) {
        put_item(&w, &r);
    }
    FUZZ_CHECK(iothub_json_writer_finish(&w) == IOTHUB_OK);
    iothub_json_reader_init(&r, text);
    iothub_json_reader_init(&again, mqc_span_of(buf, w.len));
    while (iothub_json_next(&r)) {
        char string[256];
        FUZZ_CHECK(iothub_json_next(&again) && again.kind == r.kind && again.depth == r.depth);
        FUZZ_CHECK(mqc_span_eq(again.name, r.name));
        if (iothub_json_get_string(r.value, string, sizeof string, NULL) == IOTHUB_OK) {
            FUZZ_CHECK(iothub_json_equals(again.value, string) ==
                       iothub_json_equals(r.value, string));
        } else {
            FUZZ_CHECK(mqc_span_eq(again.value, r.value));
        }
    }
    FUZZ_CHECK(!iothub_json_next(&again) && again.result == IOTHUB_OK);
    free(buf);
}

/* Every property of a document must be a valid value that lies inside the document. */
static void walk_properties(mqc_span text, bool good)
{
    static const char *const components[] = { "desired", "a" };
    iothub_pnp_walk p;

    iothub_pnp_walk_init(&p, text, components, 2);
    while (iothub_pnp_next(&p)) {
        FUZZ_CHECK(p.value.ptr >= text.ptr && p.value.ptr + p.value.len <= text.ptr + text.len);
        FUZZ_CHECK(iothub_json_check(p.value, NULL) == IOTHUB_OK);
        FUZZ_CHECK(p.name.len != 0 || p.kind == IOTHUB_JSON_NULL);
    }
    FUZZ_CHECK((p.result == IOTHUB_OK) ==
               (good && iothub_json_kind_of(text) == IOTHUB_JSON_OBJECT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "desired", "$version", "a\"b" };
    const mqc_span text = mqc_span_of(data, size);
    const bool good = iothub_json_check(text, NULL) == IOTHUB_OK;

    walk(text, good);
    walk_properties(text, good);
    if (good) {
        rewrite(text);
    }
    for (size_t first = 0; first < 3; first++) {
        for (size_t count = 0; first + count <= 3; count++) {
            find(text, keys + first, count, good);
        }
    }
    FUZZ_CHECK(!good || iothub_json_kind_of(text) != IOTHUB_JSON_NONE);
    return 0;
}
