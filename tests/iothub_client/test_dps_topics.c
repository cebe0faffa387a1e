#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/dps_topics.h"

static void the_topics_are_those_of_the_documentation(void **state)
{
    char buf[200];
    iothub_text t;
    (void)state;

    iothub_text_init(&t, buf, sizeof buf);
    dps_topic_put_register(&t, 7);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(buf, "$dps/registrations/PUT/iotdps-register/?$rid=7");
    iothub_text_init(&t, buf, sizeof buf);
    dps_topic_put_poll(&t, 8, mqc_span_str("5.d0a6-/&="));
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(buf, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=8"
                             "&operationId=5.d0a6-%2F%26%3D");
    iothub_text_init(&t, buf, sizeof buf);
    dps_put_resource(&t, mqc_span_str("0ne1"), mqc_span_str("d:1"));
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(buf, "0ne1/registrations/d:1");
    assert_memory_equal(dps_topic_filter().ptr, "$dps/registrations/res/#", 24);
}

static bool parse(const char *topic, dps_topic *out)
{
    return dps_topic_parse(mqc_span_str(topic), out);
}

static void status_request_and_retry_after_are_read(void **state)
{
    dps_topic t;
    (void)state;

    assert_true(parse("$dps/registrations/res/202/?$rid=1&retry-after=3", &t));
    assert_int_equal(t.status, 202);
    assert_int_equal(t.rid, 1);
    assert_true(t.has_retry_after);
    assert_int_equal(t.retry_after_s, 3);
    assert_true(parse("$dps/registrations/res/200/?retry-after=4294967296&$rid=4294967295&x", &t));
    assert_int_equal(t.rid, UINT32_MAX);
    assert_int_equal(t.retry_after_s, UINT64_C(4294967296));
    assert_true(parse("$dps/registrations/res/429/?$rid=1&retry-after=soon", &t));
    assert_false(t.has_retry_after);
    assert_true(parse("$dps/registrations/res/401/?$rid=2", &t));
    assert_false(t.has_retry_after);
}

static void anything_else_is_no_answer(void **state)
{
    static const char *const bad[] = {
        "",
        "$dps/registrations/res/",
        "$dps/registrations/res/200",
        "$dps/registrations/res/200/",
        "$dps/registrations/res/200/?",
        "$dps/registrations/res/200/$rid=1",
        "$dps/registrations/res/200/?rid=1",
        "$dps/registrations/res/200/?$rid=",
        "$dps/registrations/res/200/?$rid=x",
        "$dps/registrations/res/200/?$rid=4294967296",
        "$dps/registrations/res/200/?$rid=1&",
        "$dps/registrations/res/200/?$rid=%3",
        "$dps/registrations/res/-200/?$rid=1",
        "$dps/registrations/res/1000/?$rid=1",
        "$dps/registrations/res//?$rid=1",
        "$iothub/twin/res/200/?$rid=1",
    };
    dps_topic t = { .status = 77 };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(parse(bad[i], &t));
        assert_int_equal(t.status, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_topics_are_those_of_the_documentation),
        cmocka_unit_test(status_request_and_retry_after_are_read),
        cmocka_unit_test(anything_else_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
