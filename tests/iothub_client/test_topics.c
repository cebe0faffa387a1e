#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub/topics.h"

static const topic_identity device = { { (const uint8_t *)"dev1", 4 }, { NULL, 0 } };
static const topic_identity module = { { (const uint8_t *)"dev1", 4 },
                                       { (const uint8_t *)"mod1", 4 } };

static topic_parts parse(const char *topic, const topic_identity *id)
{
    return topic_parse(mqc_span_str(topic), id);
}

static void assert_span(mqc_span s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_true(mqc_span_eq(s, mqc_span_str(expected)));
}

/* --- outgoing ---------------------------------------------------------------- */

typedef void (*put_fn)(iothub_text *t);

static void put_device_events(iothub_text *t)
{
    topic_put_events(t, &device);
}

static void put_module_events(iothub_text *t)
{
    topic_put_events(t, &module);
}

static void put_get(iothub_text *t)
{
    topic_put_twin_get(t, 7);
}

static void put_report(iothub_text *t)
{
    topic_put_twin_report(t, UINT32_MAX);
}

static void put_response(iothub_text *t)
{
    topic_put_method_response(t, 200, mqc_span_str("a%2Fb"));
}

static void put_negative_response(iothub_text *t)
{
    topic_put_method_response(t, INT32_MIN, mqc_span_str("1"));
}

static void put_response_filter(iothub_text *t)
{
    topic_put_filter(t, &device, TOPIC_FEATURE_TWIN_RESPONSE);
}

static void put_device_c2d_filter(iothub_text *t)
{
    topic_put_filter(t, &device, TOPIC_FEATURE_C2D);
}

static void put_module_c2d_filter(iothub_text *t)
{
    topic_put_filter(t, &module, TOPIC_FEATURE_C2D);
}

static void put_desired_filter(iothub_text *t)
{
    topic_put_filter(t, &module, TOPIC_FEATURE_DESIRED);
}

static void put_method_filter(iothub_text *t)
{
    topic_put_filter(t, &device, TOPIC_FEATURE_METHOD);
}

static void put_certificate_filter(iothub_text *t)
{
    topic_put_filter(t, &device, TOPIC_FEATURE_CERTIFICATE);
}

static void put_certificate_request(iothub_text *t)
{
    topic_put_certificate_request(t, mqc_span_str("ab12"));
}

static const struct {
    put_fn put;
    const char *topic;
} outgoing[] = {
    { put_device_events, "devices/dev1/messages/events/" },
    { put_module_events, "devices/dev1/modules/mod1/messages/events/" },
    { put_get, "$iothub/twin/GET/?$rid=7" },
    { put_report, "$iothub/twin/PATCH/properties/reported/?$rid=4294967295" },
    { put_response, "$iothub/methods/res/200/?$rid=a%2Fb" },
    { put_negative_response, "$iothub/methods/res/-2147483648/?$rid=1" },
    { put_response_filter, "$iothub/twin/res/#" },
    { put_device_c2d_filter, "devices/dev1/messages/devicebound/#" },
    { put_module_c2d_filter, "devices/dev1/modules/mod1/inputs/#" },
    { put_desired_filter, "$iothub/twin/PATCH/properties/desired/#" },
    { put_method_filter, "$iothub/methods/POST/#" },
    { put_certificate_filter, "$iothub/credentials/res/#" },
    { put_certificate_request, "$iothub/credentials/POST/issueCertificate/?$rid=ab12" },
};

static void outgoing_topics_are_the_documented_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outgoing / sizeof outgoing[0]; i++) {
        char buf[128];
        iothub_text t;
        iothub_text_init(&t, buf, sizeof buf);
        outgoing[i].put(&t);
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_string_equal(buf, outgoing[i].topic);
    }
}

static void too_small_a_buffer_latches_at_every_capacity(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outgoing / sizeof outgoing[0]; i++) {
        for (size_t cap = 1; cap <= strlen(outgoing[i].topic); cap++) {
            /* An exact allocation, so that the sanitizer detects overruns. */
            char *buf = malloc(cap);
            iothub_text t;
            iothub_text_init(&t, buf, cap);
            outgoing[i].put(&t);
            assert_int_equal(iothub_text_finish(&t), IOTHUB_ERR_NO_SPACE);
            free(buf);
        }
    }
}

/* --- incoming ------------------------------------------------------------------ */

static void a_twin_response_gives_status_rid_and_version(void **state)
{
    (void)state;
    topic_parts p = parse("$iothub/twin/res/204/?$rid=12&$version=34", &device);

    assert_int_equal(p.kind, TOPIC_TWIN_RESPONSE);
    assert_int_equal(p.status, 204);
    assert_span(p.rid, "12");
    assert_true(p.has_version);
    assert_int_equal(p.version, 34);
}

static void an_answer_to_a_certificate_request_gives_status_and_rid(void **state)
{
    (void)state;
    topic_parts p = parse("$iothub/credentials/res/202/?$rid=ab12", &device);

    assert_int_equal(p.kind, TOPIC_CERTIFICATE);
    assert_int_equal(p.status, 202);
    assert_span(p.rid, "ab12");
}

static void query_keys_come_in_any_order_and_unknown_ones_are_ignored(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "?$rid=12&$version=34",
        "?$version=34&$rid=12",
        "?%24version=34&%24rid=12",
        "?$rid=12&x&$version=34&y=&z=1=2",
        "?a=b&$version=34&$rid2=9&$rid=12&$versio=1",
    };

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char topic[128] = "$iothub/twin/res/200/";
        strcat(topic, queries[i]);
        topic_parts p = parse(topic, &device);
        assert_int_equal(p.kind, TOPIC_TWIN_RESPONSE);
        assert_span(p.rid, "12");
        assert_true(p.has_version);
        assert_int_equal(p.version, 34);
    }
}

static void a_version_may_be_missing(void **state)
{
    (void)state;
    topic_parts p = parse("$iothub/twin/res/200/?$rid=1", &device);
    assert_int_equal(p.kind, TOPIC_TWIN_RESPONSE);
    assert_false(p.has_version);
    assert_int_equal(p.version, 0);

    p = parse("$iothub/twin/PATCH/properties/desired/?x=y", &device);
    assert_int_equal(p.kind, TOPIC_DESIRED);
    assert_false(p.has_version);
}

static void what_comes_as_a_desired_change_is_one_whatever_its_version(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "$iothub/twin/PATCH/properties/desired/?$version=18446744073709551616",
        "$iothub/twin/PATCH/properties/desired/?$version=99999999999999999999999",
        "$iothub/twin/PATCH/properties/desired/?$version=",
        "$iothub/twin/PATCH/properties/desired/?$version",
        "$iothub/twin/PATCH/properties/desired/?$version=-1",
        "$iothub/twin/PATCH/properties/desired/?$version=1x",
        "$iothub/twin/PATCH/properties/desired/?$version=1&x=%zz",
        "$iothub/twin/PATCH/properties/desired/$version=1",
        "$iothub/twin/PATCH/properties/desired/",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        topic_parts p = parse(odd[i], &device);
        if (p.kind != TOPIC_DESIRED || p.has_version) {
            fail_msg("not taken: %s", odd[i]);
        }
    }
}

static void numbers_are_read_to_their_end_and_not_beyond(void **state)
{
    (void)state;
    topic_parts p =
        parse("$iothub/twin/PATCH/properties/desired/?$version=18446744073709551615", &device);
    assert_int_equal(p.kind, TOPIC_DESIRED);
    assert_true(p.version == UINT64_MAX);

    static const char *const wrong[] = {
        "$iothub/twin/res/1000/?$rid=1",
        "$iothub/twin/res/18446744073709551816/?$rid=1", /* equals 200 modulo 2^64 */
        "$iothub/twin/res/-1/?$rid=1",
        "$iothub/twin/res//?$rid=1",
        "$iothub/twin/res/200/?$rid=",
        "$iothub/twin/res/200/?$rid",
        "$iothub/twin/res/200/?$version=1",
        "$iothub/twin/res/200/$rid=1",
        "$iothub/twin/res/200/?$rid=%1",
        "$iothub/twin/res/200",
        "$iothub/credentials/res/1000/?$rid=1",
        "$iothub/credentials/res/200/?$rid=",
        "$iothub/credentials/res/200",
        "$iothub/credentials/POST/issueCertificate/?$rid=1",
        "$iothub/methods/POST//?$rid=1",
        "$iothub/methods/POST/name/?$rid=",
        "$iothub/methods/POST/name/more/?$rid=1",
        "$iothub/methods/POST/name",
        "",
        "$",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (parse(wrong[i], &device).kind != TOPIC_UNKNOWN) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static void a_method_gives_name_and_rid_as_received(void **state)
{
    (void)state;
    topic_parts p = parse("$iothub/methods/POST/re%20boot*now/?$rid=0f%2D8", &device);

    assert_int_equal(p.kind, TOPIC_METHOD);
    assert_span(p.name, "re%20boot*now");
    assert_span(p.rid, "0f%2D8");
}

static void a_message_gives_its_bag_and_a_module_its_input(void **state)
{
    (void)state;
    topic_parts p = parse("devices/dev1/messages/devicebound/%24.mid=1&a=b/c", &device);
    assert_int_equal(p.kind, TOPIC_C2D);
    assert_span(p.bag, "%24.mid=1&a=b/c");
    assert_int_equal(p.input.len, 0);

    p = parse("devices/dev1/messages/devicebound/", &device);
    assert_int_equal(p.kind, TOPIC_C2D);
    assert_int_equal(p.bag.len, 0);

    p = parse("devices/dev1/modules/mod1/inputs/in1/a=b", &module);
    assert_int_equal(p.kind, TOPIC_C2D);
    assert_span(p.input, "in1");
    assert_span(p.bag, "a=b");

    p = parse("devices/dev1/modules/mod1/inputs/in1", &module);
    assert_int_equal(p.kind, TOPIC_C2D);
    assert_span(p.input, "in1");
    assert_int_equal(p.bag.len, 0);
}

static void messages_of_others_are_not_ours(void **state)
{
    (void)state;
    static const char *const others[] = {
        "devices/dev/messages/devicebound/",          "devices/dev10/messages/devicebound/",
        "devices/dev1x/messages/devicebound/",        "devices/Dev1/messages/devicebound/",
        "devices/dev1/messages/devicebound",          "devices/dev1/messages/events/",
        "xdevices/dev1/messages/devicebound/",        "/devices/dev1/messages/devicebound/",
        "devices/devices/dev1/messages/devicebound/", "devices/dev1/modules/mod/inputs/in1/",
        "devices/dev1/modules/mod10/inputs/in1/",     "devices/dev/modules/mod1/inputs/in1/",
        "devices/dev1/modules/mod1/outputs/in1/",     "a/$iothub/twin/res/200/?$rid=1",
        "x$iothub/methods/POST/name/?$rid=1",
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(parse(others[i], &device).kind, TOPIC_UNKNOWN);
        assert_int_equal(parse(others[i], &module).kind, TOPIC_UNKNOWN);
    }
    assert_int_equal(parse("devices/dev1/messages/devicebound/", &module).kind, TOPIC_UNKNOWN);
    assert_int_equal(parse("devices/dev1/modules/mod1/inputs/in1/", &device).kind, TOPIC_UNKNOWN);
}

/* --- damage ---------------------------------------------------------------------- */

static const struct {
    const char *topic;
    const topic_identity *id;
    const char *prefix; /* the common start of all topics of this kind */
    topic_kind kind;
} valid[] = {
    { "$iothub/twin/res/204/?$rid=12&$version=34", &device, "$iothub/twin/res/",
      TOPIC_TWIN_RESPONSE },
    { "$iothub/twin/PATCH/properties/desired/?$version=34", &device,
      "$iothub/twin/PATCH/properties/desired/", TOPIC_DESIRED },
    { "$iothub/methods/POST/reboot/?$rid=12", &device, "$iothub/methods/POST/", TOPIC_METHOD },
    { "devices/dev1/messages/devicebound/%24.mid=1&a=%20", &device,
      "devices/dev1/messages/devicebound/", TOPIC_C2D },
    { "devices/dev1/modules/mod1/inputs/in1/a=b", &module, "devices/dev1/modules/mod1/inputs/",
      TOPIC_C2D },
};

static bool inside(mqc_span part, mqc_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* Uses a block of the exact size, so that the sanitizer detects every access outside. */
static void check_damaged(size_t n, const char *topic, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, topic, len);
    mqc_span whole = mqc_span_of(copy, len);
    size_t prefix = strlen(valid[n].prefix);

    topic_parts p = topic_parse(whole, valid[n].id);

    bool same_start = len >= prefix && memcmp(copy, valid[n].prefix, prefix) == 0;
    assert_true(p.kind == TOPIC_UNKNOWN || (p.kind == valid[n].kind && same_start));
    assert_true(p.kind == TOPIC_UNKNOWN || (inside(p.bag, whole) && inside(p.input, whole) &&
                                            inside(p.name, whole) && inside(p.rid, whole)));
    free(copy);
}

static void no_truncation_is_taken_for_another_kind(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof valid / sizeof valid[0]; n++) {
        assert_int_equal(parse(valid[n].topic, valid[n].id).kind, valid[n].kind);
        for (size_t len = 0; len <= strlen(valid[n].topic); len++) {
            check_damaged(n, valid[n].topic, len);
            check_damaged(n, valid[n].topic + len, strlen(valid[n].topic) - len);
        }
    }
}

static void no_changed_byte_makes_it_another_kind(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof valid / sizeof valid[0]; n++) {
        char topic[128];
        strcpy(topic, valid[n].topic);
        for (size_t at = 0; topic[at] != '\0'; at++) {
            for (int byte = 0; byte < 256; byte++) {
                topic[at] = (char)byte;
                check_damaged(n, topic, strlen(valid[n].topic));
            }
            topic[at] = valid[n].topic[at];
        }
    }
}

static void a_rid_is_a_number_of_32_bits(void **state)
{
    (void)state;
    uint32_t n = 0;

    assert_true(topic_rid_number(mqc_span_str("4294967295"), &n));
    assert_int_equal(n, UINT32_MAX);
    assert_false(topic_rid_number(mqc_span_str("4294967296"), &n));
    assert_false(topic_rid_number(mqc_span_str(""), &n));
    assert_false(topic_rid_number(mqc_span_str("12a"), &n));
    assert_false(topic_rid_number(mqc_span_str("%31"), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outgoing_topics_are_the_documented_ones),
        cmocka_unit_test(too_small_a_buffer_latches_at_every_capacity),
        cmocka_unit_test(a_twin_response_gives_status_rid_and_version),
        cmocka_unit_test(an_answer_to_a_certificate_request_gives_status_and_rid),
        cmocka_unit_test(query_keys_come_in_any_order_and_unknown_ones_are_ignored),
        cmocka_unit_test(a_version_may_be_missing),
        cmocka_unit_test(what_comes_as_a_desired_change_is_one_whatever_its_version),
        cmocka_unit_test(numbers_are_read_to_their_end_and_not_beyond),
        cmocka_unit_test(a_method_gives_name_and_rid_as_received),
        cmocka_unit_test(a_message_gives_its_bag_and_a_module_its_input),
        cmocka_unit_test(messages_of_others_are_not_ours),
        cmocka_unit_test(no_truncation_is_taken_for_another_kind),
        cmocka_unit_test(no_changed_byte_makes_it_another_kind),
        cmocka_unit_test(a_rid_is_a_number_of_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
