#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dps/dps_faults.h"

static bool set(dps_faults *f, const char *text, dps_error *e)
{
    cJSON *json = hub_json_read(text, strlen(text));
    static const dps_fault_words words = { "register", "poll" };
    bool ok = dps_faults_set(f, json, &words, e);

    assert_non_null(json);
    cJSON_Delete(json);
    return ok;
}

static void without_a_request_there_is_no_fault(void **state)
{
    dps_faults f = { 0 };

    (void)state;
    assert_int_equal(dps_faults_take(&f, DPS_ON_REGISTER), DPS_FAULT_NONE);
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_NONE);
}

static void a_fault_hits_as_many_requests_as_were_asked_for(void **state)
{
    dps_faults f = { 0 };
    dps_error e;

    (void)state;
    assert_true(set(&f, "{\"count\":3,\"kind\":\"half\"}", &e));
    assert_int_equal(dps_faults_take(&f, DPS_ON_REGISTER), DPS_FAULT_HALF);
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_HALF);
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_HALF);
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_NONE);
}

static void a_fault_hits_only_the_requests_that_it_is_for(void **state)
{
    dps_faults f = { 0 };
    dps_error e;

    (void)state;
    assert_true(set(&f, "{\"count\":1,\"kind\":\"silence\",\"on\":\"poll\"}", &e));
    assert_int_equal(dps_faults_take(&f, DPS_ON_REGISTER), DPS_FAULT_NONE);
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_SILENCE);
    assert_true(set(&f, "{\"count\":1,\"kind\":\"close\",\"on\":\"register\"}", &e));
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_NONE);
    assert_int_equal(dps_faults_take(&f, DPS_ON_REGISTER), DPS_FAULT_CLOSE);
    assert_true(set(&f, "{\"count\":1,\"kind\":\"failed\"}", &e));
    assert_int_equal(dps_faults_take(&f, DPS_ON_POLL), DPS_FAULT_NONE);
    assert_int_equal(dps_faults_take(&f, DPS_ON_REGISTER), DPS_FAULT_FAILED);
}

static void the_code_follows_the_status(void **state)
{
    static const struct {
        const char *text;
        int code;
        int retry_after;
    } cases[] = {
        { "{\"count\":1,\"kind\":\"status\"}", 429001, -1 },
        { "{\"count\":1,\"kind\":\"status\",\"status\":503}", 503001, -1 },
        { "{\"count\":1,\"kind\":\"status\",\"status\":401,\"errorCode\":401002}", 401002, -1 },
        { "{\"count\":1,\"kind\":\"status\",\"errorCode\":500000,\"retryAfter\":7}", 500000, 7 },
        { "{\"count\":1,\"kind\":\"failed\"}", 400207, -1 },
        { "{\"count\":1,\"kind\":\"failed\",\"errorCode\":400209}", 400209, -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dps_faults f = { 0 };
        dps_error e;
        assert_true(set(&f, cases[i].text, &e));
        assert_int_equal(f.code, cases[i].code);
        assert_int_equal(f.retry_after_s, cases[i].retry_after);
    }
}

static void a_bad_request_is_refused_with_its_member_and_changes_nothing(void **state)
{
    static const struct {
        const char *text;
        const char *member;
    } cases[] = {
        { "{}", "count" },
        { "[]", "count" },
        { "{\"count\":-1,\"kind\":\"half\"}", "count" },
        { "{\"count\":1.5,\"kind\":\"half\"}", "count" },
        { "{\"count\":\"1\",\"kind\":\"half\"}", "count" },
        { "{\"count\":1}", "kind" },
        { "{\"count\":1,\"kind\":\"\"}", "kind" },
        { "{\"count\":1,\"kind\":7}", "kind" },
        { "{\"count\":1,\"kind\":\"half\",\"on\":\"connect\"}", "on" },
        { "{\"count\":1,\"kind\":\"failed\",\"on\":\"poll\"}", "on" },
        { "{\"count\":1,\"kind\":\"status\",\"status\":200}", "status" },
        { "{\"count\":1,\"kind\":\"status\",\"status\":600}", "status" },
        { "{\"count\":1,\"kind\":\"status\",\"errorCode\":1}", "errorCode" },
        { "{\"count\":1,\"kind\":\"status\",\"status\":401,\"errorCode\":404000}", "errorCode" },
        { "{\"count\":1,\"kind\":\"status\",\"retryAfter\":-1}", "retryAfter" },
    };
    dps_faults f = { 0 };
    dps_error e;

    (void)state;
    assert_true(set(&f, "{\"count\":5,\"kind\":\"half\"}", &e));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(set(&f, cases[i].text, &e));
        assert_int_equal(strncmp(e.text, cases[i].member, strlen(cases[i].member)), 0);
        assert_int_equal(f.left, 5);
        assert_int_equal(f.kind, DPS_FAULT_HALF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_request_there_is_no_fault),
        cmocka_unit_test(a_fault_hits_as_many_requests_as_were_asked_for),
        cmocka_unit_test(a_fault_hits_only_the_requests_that_it_is_for),
        cmocka_unit_test(the_code_follows_the_status),
        cmocka_unit_test(a_bad_request_is_refused_with_its_member_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
