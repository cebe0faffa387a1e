#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "text/percent.h"

static void every_byte_round_trips(void **state)
{
    (void)state;
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (int byte = 0; byte < 256; byte++) {
        uint8_t raw = (uint8_t)byte;
        uint8_t back = 0;
        size_t len = 0;
        char buf[4];
        iothub_text t;
        iothub_text_init(&t, buf, sizeof buf);

        iothub_percent_put(&t, mqc_span_of(&raw, 1));

        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_int_equal(t.len, byte != 0 && strchr(unreserved, byte) != NULL ? 1 : 3);
        assert_int_equal(iothub_percent_decode(iothub_text_span(&t), &back, 1, &len), IOTHUB_OK);
        assert_int_equal(len, 1);
        assert_int_equal(back, raw);
        assert_true(iothub_percent_eq(iothub_text_span(&t), mqc_span_of(&raw, 1)));
    }
}

static void encoding_is_upper_case_and_space_is_percent_20(void **state)
{
    (void)state;
    char buf[64];
    iothub_text t;
    iothub_text_init(&t, buf, sizeof buf);

    iothub_percent_put(&t, mqc_span_str("a/b c+\xC3\xBC~'("));

    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(buf, "a%2Fb%20c%2B%C3%BC~%27%28");
}

static void every_capacity_encodes_all_or_overflows(void **state)
{
    (void)state;
    static const char expected[] = "a%2F%2F";

    for (size_t cap = 0; cap <= sizeof expected; cap++) {
        char buf[16];
        memset(buf, 0x5A, sizeof buf);
        iothub_text t;
        iothub_text_init(&t, buf, cap);

        iothub_percent_put(&t, mqc_span_str("a//"));

        bool fits = cap >= sizeof expected;
        assert_int_equal(iothub_text_finish(&t), fits ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_int_equal(buf[cap], 0x5A);
    }
}

/* A simple encoder to compare with. Returns how many bytes are before the first escape. */
static size_t encode_slowly(const char *raw, char *out)
{
    static const char unreserved[] = "az~";

    *out = '\0';
    for (size_t i = 0; raw[i] != '\0'; i++) {
        bool plain = strchr(unreserved, raw[i]) != NULL;
        out += plain ? sprintf(out, "%c", raw[i]) : sprintf(out, "%%%02X", (uint8_t)raw[i]);
    }
    return strspn(raw, unreserved);
}

static void check_capacities(const char *raw)
{
    char expected[32];
    size_t front = encode_slowly(raw, expected);
    size_t needed = strlen(expected) + 1;

    assert_int_equal(iothub_percent_run(raw), front);

    for (size_t cap = 0; cap <= needed; cap++) {
        char buf[32];
        iothub_text t;
        memset(buf, 0x5A, sizeof buf);
        iothub_text_init(&t, buf, cap);

        iothub_percent_put(&t, mqc_span_str(raw));

        assert_int_equal(iothub_text_finish(&t), cap == needed ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_true(cap < needed || strcmp(buf, expected) == 0);
        assert_int_equal(buf[cap], 0x5A);
    }
}

static void every_mix_is_encoded_as_byte_by_byte(void **state)
{
    (void)state;
    static const char bytes[] = { 'a', 'z', '~', '/', '\xC3' };

    for (size_t len = 0; len <= 5; len++) {
        for (unsigned mix = 0; mix < 5 * 5 * 5 * 5 * 5; mix++) {
            char raw[6] = "";
            unsigned rest = mix;
            for (size_t i = 0; i < len; i++, rest /= 5) {
                raw[i] = bytes[rest % 5];
            }
            check_capacities(raw);
        }
    }
}

static void decoding_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *encoded;
        const char *raw; /* NULL: refused */
    } cases[] = {
        { "nothing", "", "" },
        { "plus is no space", "a+b", "a+b" },
        { "lower-case hex", "%2f%c3%bc", "/\xC3\xBC" },
        { "mixed-case hex", "%aF", "\xAF" },
        { "a percent sign, encoded, is not decoded twice", "%2541", "%41" },
        { "percent at the end", "ab%", NULL },
        { "one digit at the end", "ab%4", NULL },
        { "no hex digit", "%4g", NULL },
        { "no hex digit first", "%g4", NULL },
        { "two percent signs", "%%41", NULL },
        { "sign inside", "%+4", NULL },
        { "space inside", "% 4", NULL },
        { "neighbours of the digits", "%/0", NULL },
        { "neighbours of the letters", "%@0", NULL },
        { "colon", "%:0", NULL },
        { "back-tick", "%`0", NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[16];
        size_t len = 99;
        mqc_span encoded = mqc_span_str(cases[i].encoded);
        bool good = cases[i].raw != NULL;

        iothub_result r = iothub_percent_decode(encoded, out, sizeof out, &len);

        if (r != (good ? IOTHUB_OK : IOTHUB_ERR_PROTOCOL) ||
            iothub_percent_valid(encoded) != good) {
            fail_msg("%s: got %s", cases[i].why, iothub_result_str(r));
        }
        assert_true(iothub_percent_eq(encoded, mqc_span_str(cases[i].raw)) == good);
        if (good) {
            assert_true(mqc_span_eq(mqc_span_of(out, len), mqc_span_str(cases[i].raw)));
        } else {
            assert_int_equal(len, 99);
        }
    }
}

static void decoding_respects_the_capacity_and_works_in_place(void **state)
{
    (void)state;
    char text[] = "%41b%43";
    char out[4] = { 0x5A, 0x5A, 0x5A, 0x5A };
    size_t len = 0;
    mqc_span encoded = mqc_span_str(text);

    assert_int_equal(iothub_percent_decode(encoded, out, 2, &len), IOTHUB_ERR_NO_SPACE);
    assert_int_equal(out[2], 0x5A);
    assert_int_equal(iothub_percent_decode(encoded, out, 3, &len), IOTHUB_OK);
    assert_memory_equal(out, "AbC", 3);
    assert_int_equal(iothub_percent_decode(encoded, text, sizeof text, &len), IOTHUB_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "AbC", 3);
}

static void comparing_sees_length_differences(void **state)
{
    (void)state;

    assert_false(iothub_percent_eq(mqc_span_str("%24.mi"), mqc_span_str("$.mid")));
    assert_false(iothub_percent_eq(mqc_span_str("%24.midd"), mqc_span_str("$.mid")));
    assert_true(iothub_percent_eq(mqc_span_str("%24.mid"), mqc_span_str("$.mid")));
    assert_true(iothub_percent_eq(mqc_span_str("$.mid"), mqc_span_str("$.mid")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_round_trips),
        cmocka_unit_test(encoding_is_upper_case_and_space_is_percent_20),
        cmocka_unit_test(every_capacity_encodes_all_or_overflows),
        cmocka_unit_test(every_mix_is_encoded_as_byte_by_byte),
        cmocka_unit_test(decoding_is_strict),
        cmocka_unit_test(decoding_respects_the_capacity_and_works_in_place),
        cmocka_unit_test(comparing_sees_length_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
