#include <stdio.h>

#include "connection/spare.h"
#include "context_fixture.h"

typedef struct spare_rig {
    context_fixture base;
    iothub_channel spare;
    iothub_renewal renewal;
    credential_part credential;
    scripted_stream *stream;
    char line[256]; /* logged last */
} spare_rig;

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    spare_rig *r = user;

    assert_true(level == IOTHUB_LOG_INFO || level == IOTHUB_LOG_WARNING);
    assert_string_equal(module, "renewal");
    snprintf(r->line, sizeof r->line, "%s", text);
}

static void begin(spare_rig *r)
{
    memset(r, 0, sizeof *r);
    context_fixture_init(&r->base);
    r->base.context.identity.key = mqc_span_str("c2VjcmV0");
    r->base.context.options.callbacks.log = on_log;
    r->base.context.options.user = r;
    channel_init(&r->spare, &r->base.context);
    credential_init(&r->credential, &r->base.context);
    renewal_begin(&r->renewal, 10000, 0);
    r->stream = &r->base.platform.streams[0];
}

static void end(spare_rig *r)
{
    channel_deinit(&r->spare);
    context_fixture_free(&r->base);
}

static mqc_time now(const spare_rig *r)
{
    return context_now(&r->base.context);
}

static spare_answer open_it(spare_rig *r)
{
    return spare_open(&r->spare, &r->renewal, &r->credential, now(r));
}

static spare_answer progress(spare_rig *r)
{
    return spare_progress(&r->spare, &r->renewal, now(r));
}

static void expect_failure(const spare_rig *r, const char *why)
{
    assert_int_equal(r->spare.state, CHANNEL_CLOSED);
    assert_int_equal(r->renewal.failures, 1);
    assert_true(r->renewal.retry_at > now(r));
    assert_true(r->renewal.due);
    assert_non_null(strstr(r->line, why));
    assert_non_null(strstr(r->line, "the old one stays in use"));
}

static void it_opens_as_far_as_tls_and_is_watched_then(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    r.stream->stall_at = PLAT_STAGE_CONNECT;
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    assert_string_equal(r.line, "opening a second connection");
    assert_int_equal(progress(&r), SPARE_ADVANCED);
    assert_int_equal(progress(&r), SPARE_UNCHANGED);
    r.stream->stall_at = PLAT_STAGE_OPEN;
    assert_int_equal(progress(&r), SPARE_ADVANCED);
    assert_int_equal(r.spare.state, CHANNEL_OPEN);
    assert_int_equal(progress(&r), SPARE_UNCHANGED);
    assert_int_equal(r.stream->tx_total, 0); /* nothing is sent before CONNECT */
    assert_int_equal(r.renewal.failures, 0);
    end(&r);
}

static void without_a_credential_it_is_not_opened(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    fake_clock_set_wall(&r.base.platform.clock, 0);
    assert_int_equal(open_it(&r), SPARE_FAILED);
    expect_failure(&r, "the wall clock is not set");
    assert_int_equal(r.stream->calls[SCRIPTED_OPEN], 0);
    end(&r);
}

static void a_call_that_fails_closes_it_for_another_attempt(void **state)
{
    (void)state;
    static const scripted_call calls[] = { SCRIPTED_OPEN, SCRIPTED_PROGRESS, SCRIPTED_RECV };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        spare_rig r;
        begin(&r);
        scripted_fail(r.stream, calls[i], 1, PLAT_ERR_IO);
        spare_answer answer = open_it(&r);
        for (int times = 0; answer != SPARE_FAILED && times < 5; times++) {
            answer = progress(&r);
        }
        assert_int_equal(answer, SPARE_FAILED);
        expect_failure(&r, "scripted failure");
        end(&r);
    }
}

static void the_hub_may_not_speak_on_it(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    assert_int_equal(progress(&r), SPARE_ADVANCED);
    scripted_feed(r.stream, "x", 1);
    assert_int_equal(progress(&r), SPARE_FAILED);
    expect_failure(&r, "before CONNECT");
    end(&r);
}

static void a_stage_that_takes_too_long_is_a_failure(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    r.stream->stall_at = PLAT_STAGE_RESOLVE;
    assert_int_equal(spare_on_time(&r.spare, &r.renewal, now(&r)), SPARE_UNCHANGED); /* closed */
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    fake_clock_advance(&r.base.platform.clock, channel_deadline(&r.spare) - now(&r) - 1);
    assert_int_equal(spare_on_time(&r.spare, &r.renewal, now(&r)), SPARE_UNCHANGED);
    fake_clock_advance(&r.base.platform.clock, 1);
    assert_int_equal(spare_on_time(&r.spare, &r.renewal, now(&r)), SPARE_FAILED);
    expect_failure(&r, "the new connection failed: ");
    end(&r);
}

/* The duration of an attempt is a part of the wait for the next one. */
static void what_an_attempt_took_shortens_the_wait_for_the_next(void **state)
{
    (void)state;
    enum { LONG_MS = 1000000 };
    const iothub_error why = { IOTHUB_ERR_AUTH, "none" };
    for (int way = 0; way < 3; way++) {
        spare_rig r;
        begin(&r);
        iothub_options *o = &r.base.context.options;
        o->retry_min_ms = o->retry_max_ms = LONG_MS;
        r.stream->stall_at = way == 0 ? PLAT_STAGE_RESOLVE : PLAT_STAGE_OPEN;
        assert_int_equal(open_it(&r), SPARE_ADVANCED);
        if (way > 0) {
            assert_int_equal(progress(&r), SPARE_ADVANCED);
        }
        const mqc_time took = way == 0 ? channel_deadline(&r.spare) - now(&r) : 4321;
        fake_clock_advance(&r.base.platform.clock, took);
        iothub_renewal expected = r.renewal;
        const uint32_t seed = r.base.platform.crypto.seed;
        renewal_on_failure(&expected, o, IOTHUB_ERR_AUTH, took, now(&r));
        r.base.platform.crypto.seed = seed; /* produces the same random number again */

        if (way == 0) {
            assert_int_equal(spare_on_time(&r.spare, &r.renewal, now(&r)), SPARE_FAILED);
        } else if (way == 1) {
            scripted_feed(r.stream, "x", 1);
            assert_int_equal(progress(&r), SPARE_FAILED);
        } else {
            assert_int_equal(spare_give_up(&r.spare, &r.renewal, &why, now(&r)), SPARE_FAILED);
        }
        assert_true(r.renewal.retry_at == expected.retry_at);
        assert_true(r.renewal.retry_at > now(&r) + 1);
        end(&r);
    }
}

static void an_open_one_waits_without_a_limit(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    assert_int_equal(progress(&r), SPARE_ADVANCED);
    fake_clock_advance(&r.base.platform.clock, 3600000);
    assert_int_equal(spare_on_time(&r.spare, &r.renewal, now(&r)), SPARE_UNCHANGED);
    const iothub_error why = { .code = IOTHUB_ERR_CREDENTIAL, .text = "no credential" };
    assert_int_equal(spare_give_up(&r.spare, &r.renewal, &why, now(&r)), SPARE_FAILED);
    assert_int_equal(r.renewal.reason, IOTHUB_ERR_CREDENTIAL);
    expect_failure(&r, "no credential");
    end(&r);
}

#ifndef NDEBUG
static void a_spare_without_a_renewal_is_seen(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    const iothub_renewal none = { 0 };
    const iothub_renewal torn = { .failures = 1 };

    assert_true(spare_valid(&r.spare, &none)); /* closed */
    assert_false(spare_valid(&r.spare, &torn));
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    assert_true(spare_valid(&r.spare, &r.renewal));
    assert_false(spare_valid(&r.spare, &none));
    r.spare.want_write = true; /* the spare is not open */
    assert_false(spare_valid(&r.spare, &r.renewal));
    r.spare.want_write = false;
    end(&r);
}
#endif

static void a_planned_connection_begins_with_port_8883_again(void **state)
{
    (void)state;
    spare_rig r;
    begin(&r);
    context_prefer_websocket(&r.base.context, true);
    assert_int_equal(open_it(&r), SPARE_ADVANCED);
    assert_false(r.base.context.prefers_websocket);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planned_connection_begins_with_port_8883_again),
        cmocka_unit_test(it_opens_as_far_as_tls_and_is_watched_then),
        cmocka_unit_test(without_a_credential_it_is_not_opened),
        cmocka_unit_test(a_call_that_fails_closes_it_for_another_attempt),
        cmocka_unit_test(the_hub_may_not_speak_on_it),
        cmocka_unit_test(a_stage_that_takes_too_long_is_a_failure),
        cmocka_unit_test(what_an_attempt_took_shortens_the_wait_for_the_next),
        cmocka_unit_test(an_open_one_waits_without_a_limit),
#ifndef NDEBUG
        cmocka_unit_test(a_spare_without_a_renewal_is_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
