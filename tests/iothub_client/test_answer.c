#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provisioning/answer.h"

static dps_answer parse(unsigned status, const char *body)
{
    dps_answer a;

    dps_answer_parse(&a, status, mqc_span_str(body));
    return a;
}

#define STATE(members)                                                                  \
    "{\"operationId\":\"5.op\",\"status\":\"assigned\",\"registrationState\":{"         \
    "\"registrationId\":\"d\",\"status\":\"assigned\",\"assignedHub\":\"hub.example\"," \
    "\"deviceId\":\"d1\"" members "}}"

static void an_assignment_is_read_with_all_its_members(void **state)
{
    (void)state;
    const dps_answer a =
        parse(200, STATE(",\"substatus\":\"deviceDataMigrated\",\"payload\":{\"a\":"
                         "[1, 2]},\"etag\":\"x\",\"connectionProfile\":null"));

    assert_int_equal(a.verdict, DPS_ASSIGNED);
    assert_string_equal(a.hub, "hub.example");
    assert_string_equal(a.device_id, "d1");
    assert_string_equal(a.substatus, "deviceDataMigrated");
    assert_string_equal(a.operation_id, "5.op");
    assert_true(mqc_span_eq(a.payload, mqc_span_str("{\"a\":[1, 2]}")));
}

static void escapes_in_names_are_decoded(void **state)
{
    (void)state;
    const dps_answer a =
        parse(200, "{\"status\":\"assig\\u006eed\",\"registrationState\":{\"assignedHub\":"
                   "\"hub\\u002eexample\",\"deviceId\":\"o\\u0027clock\"}}");

    assert_int_equal(a.verdict, DPS_ASSIGNED);
    assert_string_equal(a.hub, "hub.example");
    assert_string_equal(a.device_id, "o'clock");
}

static void a_payload_of_null_is_none(void **state)
{
    (void)state;
    assert_int_equal(parse(200, STATE(",\"payload\":null")).payload.len, 0);
    assert_int_equal(parse(200, STATE(",\"payload\":0")).payload.len, 1);
}

static void an_issued_chain_is_found_and_null_is_none(void **state)
{
    (void)state;
    assert_true(
        mqc_span_eq(parse(200, STATE(",\"issuedCertificateChain\":[\"MAA=\"]")).certificates,
                    mqc_span_str("[\"MAA=\"]")));
    assert_int_equal(parse(200, STATE(",\"issuedCertificateChain\":null")).certificates.len, 0);
    assert_int_equal(parse(200, STATE("")).certificates.len, 0);
}

static void the_classic_profile_is_accepted_and_any_other_refused_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(parse(200, STATE(",\"connectionProfile\":\"classic\"")).verdict, DPS_ASSIGNED);
    const dps_answer a = parse(200, STATE(",\"connectionProfile\":\"mqttV5\""));
    assert_int_equal(a.verdict, DPS_REFUSED);
    assert_int_equal(a.why.code, IOTHUB_ERR_UNSUPPORTED);
    assert_non_null(strstr(a.why.text, "\"mqttV5\""));
    assert_int_equal(parse(200, STATE(",\"connectionProfile\":7")).verdict, DPS_REFUSED);
    const dps_answer longest =
        parse(200, STATE(",\"connectionProfile\":\"1234567890123456789012345678901\""));
    assert_non_null(strstr(longest.why.text, "\"1234567890123456789012345678901\""));
    const dps_answer longer =
        parse(200, STATE(",\"connectionProfile\":\"12345678901234567890123456789012\""));
    assert_int_equal(longer.verdict, DPS_REFUSED);
    assert_non_null(strstr(longer.why.text, "\"?\""));
}

static void what_is_not_decided_yet_is_polled(void **state)
{
    (void)state;
    assert_int_equal(parse(202, "{\"operationId\":\"o\",\"status\":\"assigning\"}").verdict,
                     DPS_ASSIGNING);
    assert_int_equal(parse(200, "{\"status\":\"assigning\"}").verdict, DPS_ASSIGNING);
    assert_int_equal(parse(202, "{\"status\":\"unassigned\"}").verdict, DPS_ASSIGNING);
    assert_int_equal(parse(202, "{}").verdict, DPS_ASSIGNING);
    assert_int_equal(parse(202, "{\"registrationState\":{\"status\":\"assigning\"}}").verdict,
                     DPS_ASSIGNING);
}

static void a_name_that_no_client_can_use_is_broken(void **state)
{
    static const char *const bodies[] = {
        "{\"status\":\"assigned\"}",
        "{\"status\":\"assigned\",\"registrationState\":null}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":1,\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x\",\"deviceId\":[]}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h x\","
        "\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x;DeviceId=e\","
        "\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x\","
        "\"deviceId\":\"d/#\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\" h.x\","
        "\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x\\u0000\","
        "\"deviceId\":\"d\"}}",
        "{\"status\":\"reassigned\"}",
        "{\"status\":1}",
        "{\"operationId\":[],\"status\":\"assigning\"}",
        "{}",
        "[]",
        "\"assigned\"",
        "",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const dps_answer a = parse(200, bodies[i]);
        assert_int_equal(a.verdict, DPS_BROKEN);
        assert_int_equal(a.why.code, IOTHUB_ERR_PROTOCOL);
    }
}

static void a_text_that_is_too_long_is_broken(void **state)
{
    char body[512];
    char name[300];
    (void)state;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(body, sizeof body, "{\"operationId\":\"%.129s\",\"status\":\"assigning\"}", name);
    assert_int_equal(parse(202, body).verdict, DPS_BROKEN);
    snprintf(body, sizeof body, "{\"operationId\":\"%.128s\",\"status\":\"assigning\"}", name);
    assert_int_equal(parse(202, body).verdict, DPS_ASSIGNING);
    snprintf(body, sizeof body,
             "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.x\","
             "\"deviceId\":\"%.129s\"}}",
             name);
    assert_int_equal(parse(200, body).verdict, DPS_BROKEN);
}

static void errors_are_read_with_their_code_and_tracking_id(void **state)
{
    (void)state;
    const dps_answer a =
        parse(404, "{\"errorCode\":404201,\"trackingId\":\"t-7\",\"message\":\"secret\"}");

    assert_int_equal(a.verdict, DPS_REFUSED);
    assert_true(mqc_span_eq(a.tracking_id, mqc_span_str("t-7")));
    assert_non_null(strstr(a.why.text, "404201"));
    assert_null(strstr(a.why.text, "secret"));
    assert_int_equal(parse(429, "{\"errorCode\":429001}").verdict, DPS_BUSY);
    assert_int_equal(parse(500, "not JSON").verdict, DPS_BUSY);
    assert_int_equal(parse(401, "").verdict, DPS_REFUSED);
    assert_int_equal(parse(401, "").why.code, IOTHUB_ERR_AUTH);
    assert_int_equal(parse(302, "{}").verdict, DPS_REFUSED);
    assert_null(strstr(parse(404, "{\"errorCode\":404201").why.text, "404201")); /* cut */
    assert_int_equal(parse(401, "{\"trackingId\":7}").tracking_id.len, 0);
}

static void a_failed_operation_is_judged_by_its_code(void **state)
{
    (void)state;
    assert_int_equal(
        parse(200, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":401002}}").why.code,
        IOTHUB_ERR_AUTH);
    assert_int_equal(
        parse(200, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":500000}}").verdict,
        DPS_BUSY);
    assert_int_equal(parse(200, "{\"status\":\"failed\"}").verdict, DPS_REFUSED);
    /* The first three of six digits are a status. */
    for (unsigned code = 7; code < 2000000; code *= 7) {
        char body[100];
        snprintf(body, sizeof body,
                 "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":%u}}", code);
        assert_int_equal(parse(200, body).verdict, DPS_REFUSED);
    }
    const dps_answer first =
        parse(200, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":100000}}");
    assert_non_null(strstr(first.why.text, "100000"));
    const dps_answer beyond =
        parse(200, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":1000000}}");
    assert_null(strstr(beyond.why.text, "1000"));
}

/* The body has no NUL and not one byte more, so that the sanitizer reports a read beyond its
 * end. */
static dps_answer parse_exactly(const char *body, size_t len)
{
    dps_answer a;
    char *copy = malloc(len > 0 ? len : 1);

    memcpy(copy, body, len);
    dps_answer_parse(&a, 200, mqc_span_of(copy, len));
    free(copy);
    return a;
}

static void every_truncation_is_broken_and_every_changed_byte_is_read_within_bounds(void **state)
{
    static const char body[] = STATE(",\"substatus\":\"initialAssignment\",\"payload\":[\"x\"]");
    const size_t len = sizeof body - 1;
    char changed[sizeof body];
    (void)state;

    for (size_t n = 0; n < len; n++) {
        assert_int_equal(parse_exactly(body, n).verdict, DPS_BROKEN);
    }
    for (size_t at = 0; at < len; at++) {
        for (int byte = 0; byte < 256; byte += 5) {
            memcpy(changed, body, sizeof body);
            changed[at] = (char)byte;
            const dps_answer a = parse_exactly(changed, len);
            assert_true(a.verdict >= DPS_ASSIGNED && a.verdict <= DPS_BROKEN);
            assert_true(a.verdict == DPS_ASSIGNED || a.verdict == DPS_ASSIGNING ||
                        a.why.text[0] != '\0');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_is_read_with_all_its_members),
        cmocka_unit_test(escapes_in_names_are_decoded),
        cmocka_unit_test(a_payload_of_null_is_none),
        cmocka_unit_test(an_issued_chain_is_found_and_null_is_none),
        cmocka_unit_test(the_classic_profile_is_accepted_and_any_other_refused_by_its_name),
        cmocka_unit_test(what_is_not_decided_yet_is_polled),
        cmocka_unit_test(a_name_that_no_client_can_use_is_broken),
        cmocka_unit_test(a_text_that_is_too_long_is_broken),
        cmocka_unit_test(errors_are_read_with_their_code_and_tracking_id),
        cmocka_unit_test(a_failed_operation_is_judged_by_its_code),
        cmocka_unit_test(every_truncation_is_broken_and_every_changed_byte_is_read_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
