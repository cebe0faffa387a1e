#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/issue_answer.h"

static issue_answer parse(int status, const char *body)
{
    issue_answer a;

    issue_answer_parse(&a, status, mqc_span_str(body));
    return a;
}

static void each_status_has_its_verdict(void **state)
{
    (void)state;
    for (int status = 0; status < 1000; status++) {
        const issue_verdict v = parse(status, "{\"certificates\":[]}").verdict;
        issue_verdict expected = ISSUE_REFUSED;
        if (status == 202) {
            expected = ISSUE_ACCEPTED;
        } else if (status >= 200 && status < 300) {
            expected = ISSUE_ISSUED;
        } else if (status == 409) {
            expected = ISSUE_ACTIVE;
        } else if (status == 412) {
            expected = ISSUE_NOT_REPLACED;
        } else if (status == 429 || status >= 500) {
            expected = ISSUE_BUSY;
        }
        assert_int_equal(v, expected);
    }
}

static void the_members_of_a_refusal_are_read(void **state)
{
    (void)state;
    const issue_answer a = parse(
        409, "{\"errorCode\":409005,\"message\":\"secret\",\"retryAfter\":7,"
             "\"info\":{\"requestId\":\"ab\",\"operationExpires\":\"2026-01-01T00:00:10.5Z\"}}");

    assert_string_equal(a.active_id, "ab");
    assert_int_equal(a.expires_s, 1767225610);
    assert_int_equal(a.retry_after_s, 7);
    assert_int_equal(a.why.code, IOTHUB_ERR_REJECTED);
    assert_non_null(strstr(a.why.text, "409"));
    assert_non_null(strstr(a.why.text, "code 409005"));
    assert_null(strstr(a.why.text, "secret"));
}

static void members_of_the_wrong_kind_count_as_absent(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{",
        "{\"info\":7}",
        "{\"info\":{\"requestId\":7,\"operationExpires\":{}}}",
        "{\"retryAfter\":\"soon\",\"errorCode\":\"x\"}",
        "{\"retryAfter\":-3}",
        "{\"info\":{\"requestId\":\"a\\u0000b\",\"operationExpires\":\"yesterday\"}}",
        /* would end the text of the next request, or is not ASCII */
        "{\"info\":{\"requestId\":\"a\\\"b\"}}",
        "{\"info\":{\"requestId\":\"a\\\\b\"}}",
        "{\"info\":{\"requestId\":\"a\\nb\"}}",
        "{\"info\":{\"requestId\":\"\xc3\xa4\"}}",
        /* longer than a request id */
        "{\"info\":{\"requestId\":\"0123456789012345678901234567890123456789012345678901234567890"
        "123456789\"}}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const issue_answer a = parse(409, bodies[i]);
        assert_string_equal(a.active_id, "");
        assert_int_equal(a.expires_s, 0);
        assert_int_equal(a.retry_after_s, 0);
    }
}

static void a_wait_is_at_most_a_day(void **state)
{
    (void)state;
    assert_int_equal(parse(429, "{\"retryAfter\":86400}").retry_after_s, 86400);
    assert_int_equal(parse(429, "{\"retryAfter\":86401}").retry_after_s, 86400);
    assert_int_equal(parse(429, "{\"retryAfter\":18446744073709551615}").retry_after_s, 86400);
}

static void certificates_are_passed_on_as_they_are(void **state)
{
    (void)state;
    const issue_answer a = parse(200, "{\"a\":1,\"certificates\": [\"x\", 2] }");

    assert_true(mqc_span_eq(a.certificates, mqc_span_str("[\"x\", 2]")));
}

static void an_accepted_request_needs_no_readable_body(void **state)
{
    (void)state;
    static const char body[] = "{\"operationExpires\":\"2026-01-01T00:00:10Z\"}";

    assert_int_equal(parse(202, body).expires_s, 1767225610);
    for (size_t len = 0; len < sizeof body - 1; len++) {
        issue_answer a;
        issue_answer_parse(&a, 202, mqc_span_of(body, len));
        assert_int_equal(a.verdict, ISSUE_ACCEPTED);
        assert_int_equal(a.expires_s, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_verdict),
        cmocka_unit_test(the_members_of_a_refusal_are_read),
        cmocka_unit_test(members_of_the_wrong_kind_count_as_absent),
        cmocka_unit_test(a_wait_is_at_most_a_day),
        cmocka_unit_test(certificates_are_passed_on_as_they_are),
        cmocka_unit_test(an_accepted_request_needs_no_readable_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
