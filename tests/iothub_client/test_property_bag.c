#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/property_bag.h"
#include "text/percent.h"

static mqc_span str(const char *z)
{
    return mqc_span_str(z);
}

static iothub_result write_bag(char *buf, size_t cap)
{
    iothub_text t;
    iothub_bag_writer w;
    iothub_text_init(&t, buf, cap);
    iothub_bag_begin(&w, &t);
    iothub_bag_put_system(&w, "mid", "1/2");
    iothub_bag_put(&w, "a b", "c&d=e");
    iothub_bag_put(&w, "empty", "");
    return iothub_text_finish(&t);
}

static const char written[] = "%24.mid=1%2F2&a%20b=c%26d%3De&empty=";

static void every_capacity_writes_all_or_reports_no_space(void **state)
{
    (void)state;

    for (size_t cap = 0; cap <= sizeof written; cap++) {
        char buf[64];
        memset(buf, 0x5A, sizeof buf);

        iothub_result r = write_bag(buf, cap);

        assert_int_equal(r, cap >= sizeof written ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_int_equal(buf[cap], 0x5A);
        if (r == IOTHUB_OK) {
            assert_string_equal(buf, written);
        }
    }
}

static void every_byte_round_trips_in_names_and_values(void **state)
{
    (void)state;

    for (int byte = 1; byte < 256; byte++) {
        const char raw[] = { 'x', (char)byte, 'y', '\0' };
        const mqc_span expected = str(raw);
        char buf[64];
        char value[8];
        size_t len = 0;
        iothub_text t;
        iothub_bag_writer w;
        iothub_bag_pair pair;

        iothub_text_init(&t, buf, sizeof buf);
        iothub_bag_begin(&w, &t);
        iothub_bag_put(&w, "first", "1");
        iothub_bag_put(&w, raw, raw);
        iothub_bag_put(&w, "last", "2");
        mqc_span bag = iothub_text_span(&t);

        assert_int_equal(iothub_bag_check(bag), IOTHUB_OK);
        assert_true(iothub_bag_find(bag, expected, &pair));
        assert_int_equal(iothub_percent_decode(pair.value, value, sizeof value, &len), IOTHUB_OK);
        assert_true(mqc_span_eq(mqc_span_of(value, len), expected));
        assert_true(iothub_bag_find(bag, str("last"), &pair));
    }
}

static void null_empty_and_value_differ(void **state)
{
    (void)state;
    const mqc_span bag = str("null&empty=&one=1&eq=a=b&plus=a+b");
    static const struct {
        const char *name;
        bool has_value;
        const char *value;
    } cases[] = {
        { "null", false, "" }, { "empty", true, "" },   { "one", true, "1" },
        { "eq", true, "a=b" }, { "plus", true, "a+b" },
    };

    assert_int_equal(iothub_bag_check(bag), IOTHUB_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_bag_pair pair;
        assert_true(iothub_bag_find(bag, str(cases[i].name), &pair));
        assert_true(pair.has_value == cases[i].has_value);
        assert_true(mqc_span_eq(pair.value, str(cases[i].value)));
    }
}

static void pairs_come_in_order(void **state)
{
    (void)state;
    mqc_span rest = str("a=1&b&c=3");
    iothub_bag_pair pair;

    assert_true(iothub_bag_next(&rest, &pair));
    assert_true(mqc_span_eq(pair.name, str("a")));
    assert_true(iothub_bag_next(&rest, &pair));
    assert_true(mqc_span_eq(pair.name, str("b")));
    assert_true(iothub_bag_next(&rest, &pair));
    assert_true(mqc_span_eq(pair.name, str("c")));
    assert_true(mqc_span_eq(pair.value, str("3")));
    assert_false(iothub_bag_next(&rest, &pair));
    assert_false(iothub_bag_next(&rest, &pair));
}

static void both_spellings_of_system_properties_are_found(void **state)
{
    (void)state;
    static const char *const bags[] = {
        "a=1&%24.mid=7", "$.mid=7&a=1", "%24%2Emid=7", "%24.%6D%69%64=7", "a&$.mid=7",
    };

    for (size_t i = 0; i < sizeof bags / sizeof bags[0]; i++) {
        iothub_bag_pair pair;
        assert_true(iothub_bag_find(str(bags[i]), str("$.mid"), &pair));
        assert_true(mqc_span_eq(pair.value, str("7")));
        assert_false(iothub_bag_find(str(bags[i]), str("$.mi"), &pair));
        assert_false(iothub_bag_find(str(bags[i]), str("mid"), &pair));
    }
}

static void broken_bags_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *bag;
        iothub_result code;
    } cases[] = {
        { "no pair at all is a bag", "", IOTHUB_OK },
        { "one null", "a", IOTHUB_OK },
        { "duplicates are the business of the reader", "a=1&a=2", IOTHUB_OK },
        { "raw UTF-8", "a=\xC3\xBC", IOTHUB_OK },
        { "separator alone", "&", IOTHUB_ERR_PROTOCOL },
        { "separator first", "&a=1", IOTHUB_ERR_PROTOCOL },
        { "separator last", "a=1&", IOTHUB_ERR_PROTOCOL },
        { "two separators", "a=1&&b=2", IOTHUB_ERR_PROTOCOL },
        { "no name", "=1", IOTHUB_ERR_PROTOCOL },
        { "equals alone", "=", IOTHUB_ERR_PROTOCOL },
        { "no name later", "a=1&=", IOTHUB_ERR_PROTOCOL },
        { "broken percent in a name", "a%2=1", IOTHUB_ERR_PROTOCOL },
        { "broken percent in a value", "a=%2", IOTHUB_ERR_PROTOCOL },
        { "percent cut off by the separator", "a=%2&b=1", IOTHUB_ERR_PROTOCOL },
        { "no hex", "a=%xx", IOTHUB_ERR_PROTOCOL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_result r = iothub_bag_check(str(cases[i].bag));
        if (r != cases[i].code) {
            fail_msg("%s: got %s", cases[i].why, iothub_result_str(r));
        }
    }
}

static void every_truncation_is_read_within_bounds(void **state)
{
    (void)state;

    for (size_t len = 0; len < sizeof written; len++) {
        /* An exact copy, so that the sanitizer detects a read past the end. */
        char copy[sizeof written];
        iothub_bag_pair pair;
        char *end = copy + sizeof copy - len;
        memcpy(end, written, len);
        mqc_span bag = mqc_span_of(end, len);

        bool broken = iothub_bag_check(bag) != IOTHUB_OK;

        assert_true(broken || len == 0 || written[len - 1] != '&');
        assert_false(iothub_bag_find(bag, str("absent"), &pair));
    }
}

static void numbers_in_queries_are_read(void **state)
{
    (void)state;
    const mqc_span query = str("$rid=a%2F1&$version=18446744073709551615&big=18446744073709551616"
                               "&neg=-1&hex=0x1&none&empty=&x=1%30");
    static const char *const bad[] = { "big", "neg", "hex", "none", "empty", "x", "$rid" };
    iothub_bag_pair pair;
    uint64_t n = 0;

    assert_true(iothub_bag_find(query, str("$version"), &pair));
    assert_int_equal(iothub_bag_u64(&pair, &n), IOTHUB_OK);
    assert_true(n == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_true(iothub_bag_find(query, str(bad[i]), &pair));
        assert_int_equal(iothub_bag_u64(&pair, &n), IOTHUB_ERR_PROTOCOL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capacity_writes_all_or_reports_no_space),
        cmocka_unit_test(every_byte_round_trips_in_names_and_values),
        cmocka_unit_test(null_empty_and_value_differ),
        cmocka_unit_test(pairs_come_in_order),
        cmocka_unit_test(both_spellings_of_system_properties_are_found),
        cmocka_unit_test(broken_bags_are_refused),
        cmocka_unit_test(every_truncation_is_read_within_bounds),
        cmocka_unit_test(numbers_in_queries_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
