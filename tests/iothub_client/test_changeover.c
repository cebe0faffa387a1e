#include <stdio.h>

#include "connection/changeover.h"
#include "context_fixture.h"

/* The change to a new connection, without a session: the test says when the old one is left. */

enum { PATIENCE_MS = 10000, RETRY_MAX_MS = 60000 };

typedef struct changeover_rig {
    context_fixture base;
    iothub_changeover c;
    credential_part k;
    plat_identity identity;
    iothub_credential list[1];
    iothub_token_provider provider;
    char memory[256];
    char scratch[1000];
    unsigned requests; /* number of requests for a token */
    unsigned warnings; /* number of warnings in the log */
} changeover_rig;

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    changeover_rig *r = user;

    (void)module;
    (void)text;
    r->warnings += level == IOTHUB_LOG_WARNING ? 1 : 0;
}

static void on_request(iothub_client *client, void *user)
{
    (void)client;
    ((changeover_rig *)user)->requests++;
}

static mqc_time now(const changeover_rig *r)
{
    return context_now(&r->base.context);
}

static void advance(changeover_rig *r, uint64_t ms)
{
    fake_clock_advance(&r->base.platform.clock, ms);
}

static scripted_stream *stream(changeover_rig *r, size_t number)
{
    return &r->base.platform.streams[number];
}

/* Makes a client that has just logged in with a key and whose old channel is open. */
static void begin(changeover_rig *r)
{
    memset(r, 0, sizeof *r);
    context_fixture_init(&r->base);
    iothub_context *context = &r->base.context;
    iothub_error error;
    context->identity.key = mqc_span_str("c2VjcmV0");
    context->options.callbacks.log = on_log;
    context->options.user = r;
    context->options.retry_min_ms = context->options.retry_max_ms = RETRY_MAX_MS;
    changeover_init(&r->c, context);
    credential_init(&r->k, context);
    credential_set_memory(&r->k, NULL, 0, sizeof r->scratch);
    context_set_scratch(context, r->scratch, sizeof r->scratch, 0);
    context_end_connection(context); /* the generation is 0 only before the first connection */
    context_set_state(context, IOTHUB_CONNECTED);
    changeover_on_login(&r->c, now(r));
    assert_int_equal(channel_open(changeover_channel(&r->c), NULL, &error), IOTHUB_OK);
    assert_int_equal(channel_progress(changeover_channel(&r->c), now(r), &error), CHANNEL_READY);
    assert_true(changeover_plan(&r->c, &r->k));
}

static void end(changeover_rig *r)
{
    changeover_deinit(&r->c);
    context_fixture_free(&r->base);
}

/* Takes one step of a renewal that is due. */
static changeover_answer step(changeover_rig *r, bool busy)
{
    const changeover_answer answer = changeover_prepare(&r->c, &r->k, now(r));

    return answer == CHANGEOVER_PREPARED && r->c.renewal.due
               ? changeover_go_on(&r->c, &r->k, busy, now(r))
               : answer;
}

static changeover_answer progress(changeover_rig *r)
{
    return changeover_progress(&r->c, &r->k, now(r));
}

static void open_spare(changeover_rig *r)
{
    assert_int_equal(step(r, false), CHANGEOVER_WAITS);
    assert_true(channel_in_use(changeover_spare(&r->c)));
    assert_int_equal(progress(r), CHANGEOVER_OPENED);
}

static void the_old_channel_is_left_when_the_spare_is_open(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    stream(&r, 1)->stall_at = PLAT_STAGE_CONNECT;
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    for (int turns = 0; turns < 3; turns++) {
        assert_int_equal(progress(&r), CHANGEOVER_WAITS);
        assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    }
    assert_int_equal(changeover_spare_state(&r.c, &r.k), IOTHUB_CONNECTING);
    stream(&r, 1)->stall_at = PLAT_STAGE_OPEN;
    assert_int_equal(progress(&r), CHANGEOVER_OPENED);
    assert_int_equal(progress(&r), CHANGEOVER_WAITS); /* it is reported once */
    assert_int_equal(changeover_spare_state(&r.c, &r.k), IOTHUB_LOGGING_IN);
    assert_int_equal(step(&r, false), CHANGEOVER_LEAVES);
    assert_int_equal(r.c.failed_attempts, 0);
    end(&r);
}

static void without_overlap_the_old_channel_is_left_first(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    r.base.context.options.overlap = false;
    changeover_begin(&r.c, &r.k, now(&r));
    assert_int_equal(step(&r, true), CHANGEOVER_WAITS);
    assert_int_equal(step(&r, false), CHANGEOVER_LEAVES);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    end(&r);
}

static void with_and_without_overlap_the_next_connection_begins_with_port_8883(void **state)
{
    (void)state;
    for (int overlap = 0; overlap < 2; overlap++) {
        changeover_rig r;
        begin(&r);
        r.base.context.options.overlap = overlap == 1;
        context_prefer_websocket(&r.base.context, true);
        changeover_begin(&r.c, &r.k, now(&r));
        assert_int_equal(step(&r, true), CHANGEOVER_WAITS);
        assert_true(r.base.context.prefers_websocket);
        assert_int_equal(step(&r, false), overlap == 0 ? CHANGEOVER_LEAVES : CHANGEOVER_WAITS);
        assert_false(r.base.context.prefers_websocket);
        end(&r);
    }
}

static void open_work_postpones_it_as_long_as_the_token_allows(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    const mqc_time until = now(&r) + credential_reserve_ms(&r.k);
    assert_true(r.c.renewal.switch_by == until);
    assert_true(changeover_deadline(&r.c, &r.k) == until);
    assert_int_equal(step(&r, true), CHANGEOVER_WAITS);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    advance(&r, until - now(&r));
    assert_int_equal(step(&r, true), CHANGEOVER_WAITS);
    assert_true(channel_in_use(changeover_spare(&r.c)));
    end(&r);
}

static void a_token_of_unknown_life_is_renewed_soon(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        changeover_rig r;
        begin(&r);
        uint64_t expected = PATIENCE_MS;
        if (way == 0) {
            r.k.new_token = true;
            changeover_begin(&r.c, &r.k, now(&r));
        } else if (way == 1) {
            fake_clock_set_wall(&r.base.platform.clock, 1800000000);
            assert_true(changeover_clock_moved(&r.c));
            changeover_begin(&r.c, &r.k, now(&r));
        } else {
            expected = 3000;
            changeover_hurry(&r.c, now(&r));
        }
        assert_true(r.c.renewal.switch_by == now(&r) + expected);
        end(&r);
    }
}

static void a_spare_that_fails_is_counted_and_opened_again_later(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    scripted_fail(stream(&r, 1), SCRIPTED_PROGRESS, 1, PLAT_ERR_IO);
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_int_equal(progress(&r), CHANGEOVER_WAITS);
    assert_int_equal(r.c.failed_attempts, 1);
    const mqc_time again = changeover_deadline(&r.c, &r.k);
    assert_true(again > now(&r));
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    advance(&r, again - now(&r));
    open_spare(&r);
    assert_int_equal(step(&r, false), CHANGEOVER_LEAVES);
    end(&r);
}

static void a_spare_that_takes_too_long_is_closed(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    stream(&r, 1)->stall_at = PLAT_STAGE_CONNECT;
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_int_equal(progress(&r), CHANGEOVER_WAITS);
    const mqc_time late = changeover_deadline(&r.c, &r.k);
    assert_true(late == channel_deadline(changeover_spare(&r.c)));
    advance(&r, late - now(&r));
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    assert_int_equal(r.c.failed_attempts, 1);
    end(&r);
}

/* The clock loses its time after the spare was opened, so that no token can be made any more. */
static void without_a_new_token_the_old_channel_stays(void **state)
{
    (void)state;
    for (int overlap = 0; overlap < 2; overlap++) {
        changeover_rig r;
        begin(&r);
        r.base.context.options.overlap = overlap == 1;
        changeover_begin(&r.c, &r.k, now(&r));
        if (overlap == 1) {
            open_spare(&r);
        }
        fake_clock_set_wall(&r.base.platform.clock, 0);
        assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
        assert_false(channel_in_use(changeover_spare(&r.c)));
        assert_int_equal(r.c.failed_attempts, overlap);
        assert_true(r.c.renewal.due);
        assert_true(changeover_deadline(&r.c, &r.k) > now(&r));
        end(&r);
    }
}

static void a_token_is_requested_before_the_spare_is_opened(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    r.provider = (iothub_token_provider){
        .request = on_request, .user = &r, .memory = r.memory, .memory_size = sizeof r.memory
    };
    r.list[0] = iothub_provider_credential(&r.provider);
    assert_int_equal(credential_replace(&r.k, r.list, 1, 1), IOTHUB_OK);
    changeover_begin(&r.c, &r.k, now(&r));
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_int_equal(r.requests, 1);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    credential_on_time(&r.k, now(&r));
    assert_true(credential_deadline(&r.k) != IOTHUB_NEVER);
    assert_true(changeover_deadline(&r.c, &r.k) == IOTHUB_NEVER);
    end(&r);
}

/* Replaces the key by a certificate that has expired. */
static void replace_by_what_is_refused(changeover_rig *r)
{
    r->identity.info.not_before_s = 1700000000;
    r->identity.info.not_after_s = r->identity.info.chain_until_s = 1700000001;
    r->list[0] = iothub_x509_credential(&r->identity);
    assert_int_equal(credential_replace(&r->k, r->list, 1, 1), IOTHUB_OK);
    advance(r, 2000);
}

static void a_spare_of_a_replaced_credential_is_of_no_use(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    open_spare(&r);
    replace_by_what_is_refused(&r);
    assert_int_equal(changeover_spare_state(&r.c, &r.k), IOTHUB_STOPPED);
    assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    end(&r);
}

static void if_new_credentials_are_given_up_the_next_renewal_is_planned_again(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    const mqc_time planned = channel_deadline(changeover_channel(&r.c));
    replace_by_what_is_refused(&r);
    changeover_begin(&r.c, &r.k, now(&r));
    channel_set_deadline(changeover_channel(&r.c), IOTHUB_NEVER);
    for (int attempts = 0; r.c.renewal.due && attempts < 3; attempts++) {
        assert_int_equal(step(&r, false), CHANGEOVER_WAITS);
        advance(&r, RETRY_MAX_MS);
    }
    assert_false(r.c.renewal.due);
    assert_true(channel_deadline(changeover_channel(&r.c)) == planned);
    assert_true(credential_has_key(&r.k));
    end(&r);
}

static void the_spare_becomes_the_channel_in_use(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    for (unsigned times = 0; times < 3; times++) {
        iothub_channel *spare = changeover_spare(&r.c);
        changeover_begin(&r.c, &r.k, now(&r));
        open_spare(&r);
        channel_close(changeover_channel(&r.c));
        advance(&r, 5);
        changeover_adopt(&r.c, now(&r));
        assert_ptr_equal(changeover_channel(&r.c), spare);
        assert_ptr_equal(changeover_read_channel(&r.c), spare);
        assert_ptr_equal(changeover_read_spare(&r.c), changeover_spare(&r.c));
        assert_true(spare->began == now(&r));
        assert_false(r.c.renewal.due);
    }
    end(&r);
}

static void a_renewal_that_is_cancelled_closes_the_spare(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    changeover_cancel(&r.c); /* no renewal is due */
    changeover_begin(&r.c, &r.k, now(&r));
    open_spare(&r);
    changeover_cancel(&r.c);
    assert_false(channel_in_use(changeover_spare(&r.c)));
    assert_true(channel_in_use(changeover_channel(&r.c)));
    assert_false(r.c.renewal.due);
    assert_int_equal(changeover_spare_state(&r.c, &r.k), IOTHUB_STOPPED);
    end(&r);
}

static void a_clock_that_was_set_brings_the_renewal_forward_but_not_each_time(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    const iothub_channel *ch = changeover_read_channel(&r.c);
    const mqc_time login = now(&r);
    assert_false(changeover_clock_moved(&r.c));
    advance(&r, 10);
    changeover_on_clock_set(&r.c, now(&r));
    assert_true(channel_deadline(ch) == login + RETRY_MAX_MS);
    assert_int_equal(r.warnings, 1);
    changeover_on_clock_set(&r.c, now(&r)); /* the deadline is that early already */
    assert_int_equal(r.warnings, 1);
    advance(&r, RETRY_MAX_MS);
    channel_set_deadline(changeover_channel(&r.c), IOTHUB_NEVER);
    changeover_on_clock_set(&r.c, now(&r));
    assert_true(channel_deadline(ch) == now(&r));
    channel_set_deadline(changeover_channel(&r.c), IOTHUB_NEVER);
    changeover_begin(&r.c, &r.k, now(&r));
    changeover_on_clock_set(&r.c, now(&r)); /* a renewal is due already */
    assert_true(channel_deadline(ch) == IOTHUB_NEVER);
    end(&r);
}

static void a_login_that_needs_no_renewal_has_no_deadline(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    r.identity.info.not_before_s = 1600000000;
    r.identity.info.not_after_s = r.identity.info.chain_until_s = 1900000000;
    r.list[0] = iothub_x509_credential(&r.identity);
    assert_int_equal(credential_replace(&r.k, r.list, 1, 1), IOTHUB_OK);
    credential_begin(&r.k, now(&r));
    assert_false(changeover_plan(&r.c, &r.k));
    assert_true(channel_deadline(changeover_read_channel(&r.c)) == IOTHUB_NEVER);
    end(&r);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    changeover_rig r;
    begin(&r);
    assert_true(changeover_valid(&r.c));
    r.c.used = 2;
    assert_false(changeover_valid(&r.c));
    r.c.used = 1; /* channel 0 is open, and no renewal is due */
    assert_false(changeover_valid(&r.c));
    r.c.used = 0;
    changeover_begin(&r.c, &r.k, now(&r));
    open_spare(&r);
    assert_true(changeover_valid(&r.c));
    r.c.renewal.due = false;
    assert_false(changeover_valid(&r.c));
    r.c.renewal.due = true;
    end(&r);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_channel_is_left_when_the_spare_is_open),
        cmocka_unit_test(without_overlap_the_old_channel_is_left_first),
        cmocka_unit_test(with_and_without_overlap_the_next_connection_begins_with_port_8883),
        cmocka_unit_test(open_work_postpones_it_as_long_as_the_token_allows),
        cmocka_unit_test(a_token_of_unknown_life_is_renewed_soon),
        cmocka_unit_test(a_spare_that_fails_is_counted_and_opened_again_later),
        cmocka_unit_test(a_spare_that_takes_too_long_is_closed),
        cmocka_unit_test(without_a_new_token_the_old_channel_stays),
        cmocka_unit_test(a_token_is_requested_before_the_spare_is_opened),
        cmocka_unit_test(a_spare_of_a_replaced_credential_is_of_no_use),
        cmocka_unit_test(if_new_credentials_are_given_up_the_next_renewal_is_planned_again),
        cmocka_unit_test(the_spare_becomes_the_channel_in_use),
        cmocka_unit_test(a_renewal_that_is_cancelled_closes_the_spare),
        cmocka_unit_test(a_clock_that_was_set_brings_the_renewal_forward_but_not_each_time),
        cmocka_unit_test(a_login_that_needs_no_renewal_has_no_deadline),
#ifndef NDEBUG
        cmocka_unit_test(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
