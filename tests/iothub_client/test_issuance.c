#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/issuance.h"
#include "context_fixture.h"

/* Tests when a request is sent, and what an answer means, without keys and without a client. */

enum { NOW_S = 1700000000, GENERATION = 3 };

typedef struct rig {
    context_fixture f;
    issuance i;
    mqc_time now;
} rig;

static const iothub_options *options_of(const rig *r)
{
    return &r->f.context.options;
}

static void begin(rig *r)
{
    context_fixture_init(&r->f);
    issuance_init(&r->i);
    r->now = 1000;
}

static issuance_step turn(rig *r)
{
    assert_true(issuance_valid(&r->i));
    return issuance_turn(&r->i, true, GENERATION, r->now);
}

/* Brings the part into a state. */
static void enter(rig *r, iothub_certificate_state state)
{
    static const uint8_t random[ISSUANCE_ID_LEN / 2] = { 0x12, 0xAB };
    const issue_answer accepted = { .verdict = ISSUE_ACCEPTED, .expires_s = NOW_S + 600 };

    begin(r);
    if (state == IOTHUB_CERTIFICATE_VALID) {
        return;
    }
    issuance_want(&r->i, r->now);
    if (state == IOTHUB_CERTIFICATE_WANTED) {
        return;
    }
    assert_int_equal(turn(r), ISSUANCE_BEGINS);
    issuance_begin(&r->i, random);
    issuance_sent(&r->i, options_of(r), GENERATION, r->now);
    if (state == IOTHUB_CERTIFICATE_ACCEPTED) {
        assert_false(issuance_on_answer(&r->i, options_of(r), 202, &accepted, NOW_S, r->now));
    } else if (state == IOTHUB_CERTIFICATE_ISSUED) {
        issuance_issued(&r->i);
    }
    assert_int_equal(r->i.state, state);
}

static void nothing_is_sent_unless_the_client_listens(void **state)
{
    (void)state;
    for (int s = IOTHUB_CERTIFICATE_VALID; s <= IOTHUB_CERTIFICATE_ISSUED; s++) {
        rig r;
        enter(&r, (iothub_certificate_state)s);
        assert_int_equal(issuance_turn(&r.i, false, GENERATION + 1, r.now + 600001),
                         ISSUANCE_WAITS);
        context_fixture_free(&r.f);
    }
}

static void a_new_connection_repeats_only_a_request_without_an_answer(void **state)
{
    (void)state;
    for (int s = IOTHUB_CERTIFICATE_VALID; s <= IOTHUB_CERTIFICATE_ISSUED; s++) {
        rig r;
        enter(&r, (iothub_certificate_state)s);
        const issuance_step step = issuance_turn(&r.i, true, GENERATION + 1, r.now);
        const issuance_step expected = s == IOTHUB_CERTIFICATE_WANTED      ? ISSUANCE_BEGINS
                                       : s == IOTHUB_CERTIFICATE_REQUESTED ? ISSUANCE_REPEATS
                                                                           : ISSUANCE_WAITS;
        assert_int_equal(step, expected);
        context_fixture_free(&r.f);
    }
}

static void want_changes_nothing_about_a_request_on_its_way(void **state)
{
    (void)state;
    for (int s = IOTHUB_CERTIFICATE_REQUESTED; s <= IOTHUB_CERTIFICATE_ISSUED; s++) {
        rig r;
        enter(&r, (iothub_certificate_state)s);
        issuance_want(&r.i, r.now);
        assert_int_equal(r.i.state, s);
        context_fixture_free(&r.f);
    }
}

static void an_id_is_random_hex(void **state)
{
    (void)state;
    rig r;
    enter(&r, IOTHUB_CERTIFICATE_REQUESTED);

    assert_string_equal(r.i.id, "12ab0000000000000000000000000000");
    assert_true(issuance_is_mine(&r.i, mqc_span_str(r.i.id)));
    assert_false(issuance_is_mine(&r.i, mqc_span_str("12ab")));
    assert_false(issuance_is_mine(&r.i, mqc_span_of(NULL, 0)));
    issuance_drop(&r.i, r.now);
    assert_false(issuance_is_mine(&r.i, mqc_span_of(NULL, 0)));
    context_fixture_free(&r.f);
}

static void each_answer_in_each_state_leaves_a_valid_state(void **state)
{
    (void)state;
    for (int s = IOTHUB_CERTIFICATE_REQUESTED; s <= IOTHUB_CERTIFICATE_ACCEPTED; s++) {
        for (int v = ISSUE_ISSUED; v <= ISSUE_BROKEN; v++) {
            rig r;
            enter(&r, (iothub_certificate_state)s);
            const issue_answer a = { .verdict = (issue_verdict)v,
                                     .why = { .code = IOTHUB_ERR_REJECTED } };
            const bool takes = issuance_on_answer(&r.i, options_of(&r), 400, &a, NOW_S, r.now);
            assert_int_equal(takes, v == ISSUE_ISSUED);
            assert_true(issuance_valid(&r.i));
            const bool forgets = v == ISSUE_REFUSED || v == ISSUE_BROKEN;
            assert_int_equal(r.i.id[0] == '\0', forgets);
            assert_int_equal(r.i.failures > 0, v != ISSUE_ISSUED && v != ISSUE_ACCEPTED);
            context_fixture_free(&r.f);
        }
    }
}

static void failures_wait_longer_and_longer_up_to_the_limit(void **state)
{
    (void)state;
    const iothub_error why = { .code = IOTHUB_ERR_CREDENTIAL };
    rig r;
    enter(&r, IOTHUB_CERTIFICATE_REQUESTED);

    for (unsigned n = 1; n < 40; n++) {
        issuance_failed(&r.i, options_of(&r), &why, r.now);
        assert_int_equal(r.i.failures, n);
        assert_true(r.i.due > r.now);
        assert_true(r.i.due - r.now <= options_of(&r)->auth_retry_max_ms);
    }
    issuance_succeeded(&r.i);
    assert_int_equal(r.i.failures, 0);
    assert_int_equal(r.i.fault.code, IOTHUB_OK);
    context_fixture_free(&r.f);
}

static void an_operation_ends_by_the_clock_of_the_hub_within_a_day(void **state)
{
    (void)state;
    static const struct {
        int64_t expires_s, now_s;
        mqc_time ms;
    } cases[] = {
        { NOW_S + 60, NOW_S, 60000 },       { 0, NOW_S, 86400000 }, { NOW_S + 60, 0, 86400000 },
        { NOW_S - 5, NOW_S, 1000 },         { NOW_S, NOW_S, 1000 }, { INT64_MAX, NOW_S, 86400000 },
        { NOW_S + 86401, NOW_S, 86400000 },
    };

    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        rig r;
        enter(&r, IOTHUB_CERTIFICATE_REQUESTED);
        const issue_answer a = { .verdict = ISSUE_ACCEPTED, .expires_s = cases[n].expires_s };
        (void)issuance_on_answer(&r.i, options_of(&r), 202, &a, cases[n].now_s, r.now);
        assert_int_equal(r.i.due - r.now, cases[n].ms);
        context_fixture_free(&r.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_unless_the_client_listens),
        cmocka_unit_test(a_new_connection_repeats_only_a_request_without_an_answer),
        cmocka_unit_test(want_changes_nothing_about_a_request_on_its_way),
        cmocka_unit_test(an_id_is_random_hex),
        cmocka_unit_test(each_answer_in_each_state_leaves_a_valid_state),
        cmocka_unit_test(failures_wait_longer_and_longer_up_to_the_limit),
        cmocka_unit_test(an_operation_ends_by_the_clock_of_the_hub_within_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
