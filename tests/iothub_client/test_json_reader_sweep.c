#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iothub/json.h"

/*
 * Every truncation and every change of one byte of a twin of 32 KB with ten levels.
 *
 * To read the whole text each time would take hours. The reader decides by its own state and by
 * what it reads next, so that a walk may begin at the last item before the change, and may end
 * where it is in the same state, at the same byte, as the walk through the original text.
 */

enum { SIZE = 32 * 1024, ITEMS = 8000, LEVELS = 10 };

typedef struct document {
    char text[SIZE + 1];
    size_t len;
    /* The reader after each item; at[0] is the reader before the first item. */
    iothub_json_reader at[ITEMS];
    size_t items;
    /* For each byte: index of the last of these readers that has not read the byte. */
    size_t before[SIZE + 1];
} document;

static void add(document *d, const char *text)
{
    const size_t len = strlen(text);

    assert_true(d->len + len < SIZE);
    memcpy(d->text + d->len, text, len);
    d->len += len;
}

static void write_text(document *d)
{
    add(d, "{\"desired\":{");
    for (unsigned n = 0; d->len < SIZE - 1000; n++) {
        char name[60];
        snprintf(name, sizeof name, "\"component%u\":{\"__t\":\"c\",", n);
        add(d, name);
        for (unsigned level = 3; level < LEVELS; level++) {
            add(d, "\"l\\u00e9vel\" : {");
        }
        add(d, "\"list\":[1,-2.50e+3,true,false,null,\"a \\\"text\\\" "
               "\xC3\xBC\xE2\x82\xAC\"],\"x\":{}");
        for (unsigned level = 3; level < LEVELS; level++) {
            add(d, "}");
        }
        add(d, "},\n");
    }
    add(d, "\"$version\":7},\"reported\":{\"$version\":18446744073709551615}}");
}

static document *make_document(void)
{
    document *d = calloc(1, sizeof *d);
    size_t byte = 0;
    iothub_json_reader r;

    assert_non_null(d);
    write_text(d);
    iothub_json_reader_init(&r, mqc_span_of(d->text, d->len));
    do {
        assert_true(d->items < ITEMS);
        d->at[d->items++] = r;
    } while (iothub_json_next(&r));
    assert_int_equal(r.result, IOTHUB_OK);
    for (size_t i = 0; i < d->items; i++) {
        const size_t end = i + 1 < d->items ? d->at[i + 1].offset : d->len + 1;
        for (; byte < end; byte++) {
            d->before[byte] = i;
        }
    }
    return d;
}

static void every_truncation_is_refused(void **state)
{
    document *d = *state;

    for (size_t len = 0; len < d->len; len++) {
        iothub_json_reader r = d->at[d->before[len]];
        r.text.len = len;
        while (iothub_json_next(&r)) {
            assert_true(r.offset <= len);
        }
        if (r.result != IOTHUB_ERR_JSON) {
            fail_msg("accepted: %zu of %zu bytes", len, d->len);
        }
    }
}

static bool same_state(const iothub_json_reader *a, const iothub_json_reader *b)
{
    return a->offset == b->offset && a->open == b->open && a->braces == b->braces &&
           a->expect == b->expect;
}

/* Returns whether the text is accepted with the change that was made at this byte. */
static bool accepted(const document *d, size_t byte)
{
    size_t item = d->before[byte];
    iothub_json_reader r = d->at[item];

    while (iothub_json_next(&r)) {
        while (item + 1 < d->items && d->at[item].offset < r.offset) {
            item++;
        }
        if (r.offset > byte && same_state(&r, &d->at[item])) {
            return true; /* the rest is read as in the original text */
        }
    }
    return r.result == IOTHUB_OK;
}

static bool accepted_from_the_start(const document *d)
{
    iothub_json_reader r;

    iothub_json_reader_init(&r, mqc_span_of(d->text, d->len));
    while (iothub_json_next(&r)) {
        /* only the end matters */
    }
    return r.result == IOTHUB_OK;
}

static void every_changed_byte_gets_the_right_answer(void **state)
{
    document *d = *state;
    unsigned good = 0;
    unsigned bad = 0;

    for (size_t at = 0; at < d->len; at++) {
        const char was = d->text[at];
        for (unsigned byte = 0; byte < 256; byte++) {
            d->text[at] = (char)byte;
            const bool fine = accepted(d, at);
            /* A few of the changed texts are read completely. */
            if ((at * 256 + byte) % 9973 == 0) {
                assert_int_equal(fine, accepted_from_the_start(d));
            }
            good += fine ? 1 : 0;
            bad += fine ? 0 : 1;
        }
        d->text[at] = was;
    }
    assert_int_equal(good + bad, 256 * d->len);
    assert_true(good > 10 * d->len && bad > 10 * d->len);
    assert_true(accepted_from_the_start(d));
}

static int make(void **state)
{
    *state = make_document();
    return 0;
}

static int discard(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_gets_the_right_answer),
    };
    return cmocka_run_group_tests(tests, make, discard);
}
