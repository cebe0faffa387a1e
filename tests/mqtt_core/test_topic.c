#include "mqtt_core/topic.h"
#include "rig.h"

static void utf8_follows_the_unicode_table(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *text;
        bool valid;
    } cases[] = {
        { "nothing", "", true },
        { "ASCII with wildcards, longer than a word", "abc/+/#/defghijklmnop", true },
        { "two bytes", "\xC2\x80\xDF\xBF", true },
        { "overlong two bytes", "\xC1\xBF", false },
        { "three bytes", "\xE0\xA0\x80\xEF\xBF\xBD", true },
        { "overlong three bytes", "\xE0\x9F\xBF", false },
        { "last before the surrogates", "\xED\x9F\xBF", true },
        { "first surrogate", "\xED\xA0\x80", false },
        { "first after the surrogates", "\xEE\x80\x80", true },
        { "four bytes", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", true },
        { "overlong four bytes", "\xF0\x8F\xBF\xBF", false },
        { "above U+10FFFF", "\xF4\x90\x80\x80", false },
        { "lone continuation", "\x80", false },
        { "cut off", "\xE2\x82", false },
        { "cut off in the fourth byte", "\xF0\x90\x80", false },
        { "ASCII where a continuation belongs", "\xE2\x82z", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (mqc_utf8_valid(mqc_span_str(cases[i].text)) != cases[i].valid) {
            fail_msg("%s", cases[i].why);
        }
    }
}

static bool allowed(unsigned byte)
{
    return byte != 0 && byte < 0x80 && byte != '+' && byte != '#';
}

/* Puts one byte among equal ones, at each position and alignment. */
static void check_places(uint8_t *text, size_t len, uint8_t fill, uint8_t byte)
{
    memset(text, fill, len);
    for (size_t at = 0; at < len; at++) {
        text[at] = byte;
        assert_int_equal(mqc_topic_name_valid(mqc_span_of(text, len)), allowed(byte));
        assert_int_equal(mqc_utf8_valid(mqc_span_of(text, len)), byte != 0 && byte < 0x80);
        text[at] = fill;
    }
}

/* The fast path checks whole words and leaves some of them to the slow path. */
static void a_bad_byte_is_found_at_every_place(void **state)
{
    (void)state;
    static const uint8_t fills[] = { 'a', '/', ' ', 0x01, 0x7F };
    uint8_t text[33 + 8];

    for (size_t len = 1; len <= 33; len++) {
        for (unsigned b = 0; b < 256; b++) {
            for (size_t i = 0; i < COUNT_OF(fills); i++) {
                check_places(text + b % 8, len, fills[i], (uint8_t)b);
                check_places(text + len % 8, len, fills[i], (uint8_t)b);
            }
        }
    }
}

static void longer_sequences_are_valid_at_every_place(void **state)
{
    (void)state;
    static const char *const sequences[] = { "\xC3\x9F", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };

    for (size_t i = 0; i < COUNT_OF(sequences); i++) {
        size_t n = strlen(sequences[i]);
        for (size_t len = n; len <= 33; len++) {
            for (size_t at = 0; at + n <= len; at++) {
                uint8_t text[33];
                memset(text, 'a', sizeof text);
                memcpy(text + at, sequences[i], n);

                assert_true(mqc_topic_name_valid(mqc_span_of(text, len)));
                assert_true(mqc_utf8_valid(mqc_span_of(text, len)));
                assert_false(mqc_utf8_valid(mqc_span_of(text, at + n - 1)));
                assert_false(mqc_topic_name_valid(mqc_span_of(text, at + n - 1)));
            }
        }
    }
}

static void filters_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        bool valid;
    } cases[] = {
        { "", false },   { "a", true },     { "/", true },     { "#", true },
        { "+", true },   { "a/#", true },   { "a#", false },   { "a/#/b", false },
        { "#/", false }, { "+/b", true },   { "a/+/b", true }, { "a+", false },
        { "+a", false }, { "a/+b", false }, { "+/+/#", true }, { "##", false },
        { "++", false }, { "a//b", true },  { "/+", true },    { "/#", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const size_t len = strlen(cases[i].filter);
        /* The text begins at index 1 so that it ends exactly at the end of the allocation, which
         * the sanitizer guards. */
        uint8_t *exact = malloc(len + 1);
        memcpy(exact + 1, cases[i].filter, len);
        /* The result must not depend on the bytes after the text. */
        for (int next = 0; next < 2; next++) {
            uint8_t longer[16] = { 0 };
            memcpy(longer, cases[i].filter, len);
            longer[len] = next ? '+' : '/';
            longer[len + 1] = '#';
            const uint8_t *text = next ? longer : exact + 1;
            if (mqc_topic_filter_valid(mqc_span_of(text, len)) != cases[i].valid) {
                fail_msg("%s", cases[i].filter);
            }
        }
        free(exact);
    }
}

static void lengths_end_at_65535(void **state)
{
    (void)state;
    static uint8_t text[65536];
    memset(text, 'a', sizeof text);

    assert_true(mqc_topic_name_valid(mqc_span_of(text, 65535)));
    assert_false(mqc_topic_name_valid(mqc_span_of(text, 65536)));
    assert_false(mqc_topic_filter_valid(mqc_span_of(text, 65536)));
    assert_false(mqc_topic_name_valid(mqc_span_of(text, 0)));
}

static void filters_match_as_in_section_4_7(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        const char *name;
        bool matches;
    } cases[] = {
        { "a", "a", true },           { "a", "b", false },        { "a", "ab", false },
        { "ab", "a", false },         { "a/b", "a/b", true },     { "#", "a/b", true },
        { "a/#", "a", true },         { "a/#", "a/b/c", true },   { "a/#", "ab", false },
        { "+", "a", true },           { "+", "a/b", false },      { "+", "/a", false },
        { "/+", "/a", true },         { "+/+", "/a", true },      { "a/+", "a", false },
        { "a/+", "a/", true },        { "a/+/c", "a/b/c", true }, { "a/+/c", "a/c", false },
        { "a/+/#", "a/b", true },     { "#", "$SYS/x", false },   { "+/x", "$SYS/x", false },
        { "$SYS/#", "$SYS/x", true }, { "a//b", "a//b", true },   { "a/+/b", "a//b", true },
        { "a/#", "a/", true },        { "a/b/#", "a", false },    { "", "a", false },
        { "a", "", false },           { "", "", false },          { "#", "", false },
        { "+", "", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (mqc_topic_matches(mqc_span_str(cases[i].filter), mqc_span_str(cases[i].name)) !=
            cases[i].matches) {
            fail_msg("%s and %s", cases[i].filter, cases[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_follows_the_unicode_table),
        cmocka_unit_test(a_bad_byte_is_found_at_every_place),
        cmocka_unit_test(longer_sequences_are_valid_at_every_place),
        cmocka_unit_test(filters_are_checked),
        cmocka_unit_test(lengths_end_at_65535),
        cmocka_unit_test(filters_match_as_in_section_4_7),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
