#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/text_writer.h"

static const char full_text[] = "id=18446744073709551615;x";

static iothub_result write_all(char *buf, size_t cap)
{
    iothub_text t;
    iothub_text_init(&t, buf, cap);
    iothub_text_put(&t, "id");
    iothub_text_put_char(&t, '=');
    iothub_text_put_u64(&t, UINT64_MAX);
    iothub_text_put_span(&t, mqc_span_str(";x"));
    return iothub_text_finish(&t);
}

static void every_capacity_writes_all_or_reports_no_space(void **state)
{
    (void)state;

    for (size_t cap = 0; cap <= sizeof full_text + 3; cap++) {
        char buf[64];
        memset(buf, 0x5A, sizeof buf);

        iothub_result r = write_all(buf, cap);

        assert_int_equal(r, cap >= sizeof full_text ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        if (cap != 0) {
            assert_string_equal(buf, r == IOTHUB_OK ? full_text : "");
        }
        for (size_t i = cap; i < sizeof buf; i++) {
            assert_int_equal(buf[i], 0x5A);
        }
    }
}

static void overflow_latches(void **state)
{
    (void)state;
    char buf[4];
    iothub_text t;
    iothub_text_init(&t, buf, sizeof buf);

    iothub_text_put(&t, "ab");
    iothub_text_put(&t, "too long");
    iothub_text_put(&t, "c");

    assert_true(t.overflow);
    assert_int_equal(iothub_text_span(&t).len, 2);
}

static void numbers_are_decimal(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 9, "9" },
        { 10, "10" },
        { 1700000000, "1700000000" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buf[24];
        iothub_text t;
        iothub_text_init(&t, buf, sizeof buf);
        iothub_text_put_u64(&t, cases[i].n);
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_string_equal(buf, cases[i].text);
    }
}

static void failure_carries_code_and_text(void **state)
{
    (void)state;
    iothub_error err;

    iothub_result r =
        iothub_fail_name(&err, IOTHUB_ERR_PART_UNKNOWN, "unknown part '", mqc_span_str("Foo"), "'");

    assert_int_equal(r, IOTHUB_ERR_PART_UNKNOWN);
    assert_int_equal(err.code, IOTHUB_ERR_PART_UNKNOWN);
    assert_string_equal(err.text, "unknown part 'Foo'");
    assert_int_equal(iothub_fail(NULL, IOTHUB_ERR_ARG, "nobody listens"), IOTHUB_ERR_ARG);
}

static void error_texts_are_printable_for_every_byte(void **state)
{
    (void)state;

    for (int byte = 0; byte < 256; byte++) {
        iothub_error err;
        uint8_t c = (uint8_t)byte;
        iothub_fail_name(&err, IOTHUB_ERR_ARG, "<", mqc_span_of(&c, 1), ">");
        assert_int_equal(strlen(err.text), 3);
        assert_int_equal(err.text[1], c >= 0x20 && c < 0x7F ? c : '?');
    }
}

static void error_texts_of_every_length_fit(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name);

    for (size_t len = 0; len <= sizeof name; len++) {
        struct {
            iothub_error err;
            char guard[8];
        } box;
        memset(&box, 0x5A, sizeof box);

        iothub_fail(&box.err, IOTHUB_ERR_ARG, "%.*s", (int)len, name);

        size_t shown = strlen(box.err.text);
        assert_int_equal(shown, len < sizeof box.err.text ? len : sizeof box.err.text - 1);
        assert_true((shown == len) == (strstr(box.err.text, "...") == NULL));
        assert_int_equal(box.guard[0], 0x5A);
    }
}

static void a_long_name_leaves_room_for_the_reason(void **state)
{
    (void)state;
    iothub_error err;
    char name[300];
    memset(name, 'n', sizeof name);

    iothub_fail_name(&err, IOTHUB_ERR_ARG, "part '", mqc_span_of(name, sizeof name),
                     "' is not known");

    assert_non_null(strstr(err.text, "nnn...' is not known"));
}

static void a_text_that_is_too_long_ends_in_three_dots(void **state)
{
    (void)state;
    char text[sizeof((iothub_error *)0)->text + 10];
    const size_t fits = sizeof((iothub_error *)0)->text - 1;

    for (size_t len = fits - 2; len < sizeof text; len++) {
        iothub_error err;
        memset(text, 'n', len);
        text[len] = '\0';
        (void)iothub_fail(&err, IOTHUB_ERR_ARG, "%s", text);
        if (len <= fits) {
            assert_string_equal(err.text, text);
            continue;
        }
        assert_int_equal(strlen(err.text), fits);
        assert_int_equal(strspn(err.text, "n"), fits - 3);
        assert_string_equal(err.text + fits - 3, "...");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capacity_writes_all_or_reports_no_space),
        cmocka_unit_test(overflow_latches),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(failure_carries_code_and_text),
        cmocka_unit_test(error_texts_are_printable_for_every_byte),
        cmocka_unit_test(error_texts_of_every_length_fit),
        cmocka_unit_test(a_long_name_leaves_room_for_the_reason),
        cmocka_unit_test(a_text_that_is_too_long_ends_in_three_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
