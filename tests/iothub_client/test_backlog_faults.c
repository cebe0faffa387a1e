#include <stdio.h>
#include <stdlib.h>

#include "store_fixture.h"

/* Makes each call of the store fail in turn, and kills the process at each step. */

enum { MESSAGES = 30 };

typedef struct run {
    client_fixture f;
    bool accepted[MESSAGES];
    iothub_op ops[MESSAGES];
    unsigned sent;
} run;

static void send_next(run *r)
{
    char body[16];
    unsigned n = r->sent;

    if (n == MESSAGES) {
        return;
    }
    snprintf(body, sizeof body, "%u", n);
    const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
    iothub_result result = iothub_send_telemetry(r->f.client, &t, &r->ops[n]);
    r->accepted[n] = result == IOTHUB_OK;
    if (result != IOTHUB_OK) {
        assert_int_equal(result, IOTHUB_ERR_STORE);
        assert_non_null(strstr(iothub_last_error(r->f.client)->text, "told to fail"));
    }
    r->sent++;
}

static void start(run *r)
{
    (void)iothub_start(r->f.client);
}

static void stop(run *r)
{
    (void)iothub_stop(r->f.client, 0);
}

static void cut(run *r)
{
    scripted_stream *s = fixture_stream(&r->f);
    if (s != NULL && s->state == SCRIPTED_READY) {
        scripted_break(s, PLAT_ERR_IO);
    }
}

static void be_silent(run *r)
{
    r->f.hub.mute_publish = true;
}

static void speak(run *r)
{
    r->f.hub.mute_publish = false;
}

static void wait_a_second(run *r)
{
    fixture_sleep(&r->f, 1000);
}

static void ack_some(run *r)
{
    scripted_stream *s = fixture_stream(&r->f);
    for (unsigned n = 1; s != NULL && n < 4 && n <= r->f.hub.publishes; n++) {
        fake_hub_ack(&r->f.hub, s, r->f.hub.publishes - n); /* acknowledges the last ones first */
    }
}

/* The steps of a client's life; iothub_process runs after each of them. */
static void (*const scenario[])(run *r) = {
    send_next, send_next, start,         send_next, wait_a_second, be_silent, send_next,
    send_next, send_next, send_next,     send_next, ack_some,      cut,       send_next,
    speak,     send_next, wait_a_second, be_silent, send_next,     send_next, send_next,
    ack_some,  stop,      send_next,     speak,     start,         send_next, send_next,
    be_silent, send_next, send_next,     stop,      start,         send_next, cut,
    speak,     send_next, wait_a_second, send_next,
};

enum { STEPS = sizeof scenario / sizeof scenario[0] };

static void small(iothub_options *o)
{
    store_options(o);
    o->window = 4;
}

static void walk(run *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        scenario[i](r);
        store_check_sum(&r->f);
        fixture_run(&r->f);
        store_check_sum(&r->f);
    }
}

/* Expects that all accepted messages have arrived, and that new ones arrived in order. */
static void check_arrived(const run *r, const char *arrived)
{
    char want[512];
    size_t len = 0;

    want[0] = '\0';
    for (unsigned n = 0; n < r->sent; n++) {
        if (r->accepted[n]) {
            len += (size_t)snprintf(want + len, sizeof want - len, "%s%u", len > 0 ? " " : "", n);
        }
    }
    assert_string_equal(arrived, want);
}

static void check_ended(const run *r)
{
    iothub_result how;
    unsigned accepted = 0;

    for (unsigned n = 0; n < r->sent; n++) {
        if (r->accepted[n]) {
            assert_int_equal(fixture_ended(&r->f, r->ops[n], &how), 1);
            assert_int_equal(how, IOTHUB_OK);
            accepted++;
        }
    }
    assert_int_equal(r->f.done_count, accepted);
}

/* Lets the store and the hub work again. */
static void settle(run *r)
{
    fake_store_fail(&fixture_store, 0, 0, PLAT_OK);
    speak(r);
    (void)iothub_start(r->f.client);
    fixture_run(&r->f);
    fixture_sleep(&r->f, 300000);
    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_CONNECTED);
}

static void every_call_may_fail_once_or_for_long(void **state)
{
    (void)state;
    static const unsigned lengths[] = { 1, 2, 7, 1000000 };
    for (size_t i = 0; i < 4; i++) {
        unsigned failures = 1;
        for (unsigned at = 1; failures > 0; at++) {
            run r = { .sent = 0 };
            fake_store_init(&fixture_store);
            fixture_init(&r.f, small);
            fake_store_fail(&fixture_store, at, lengths[i], PLAT_ERR_STORE);
            walk(&r, STEPS);
            failures = fixture_store.failures;
            assert_int_equal(store_stats(&r.f).store_errors, failures);
            assert_int_equal(strstr(r.f.log, "told to fail") != NULL ||
                             store_stats(&r.f).telemetry_accepted<r.sent, failures> 0);
            settle(&r);
            check_arrived(&r, store_arrived(&r.f, 0));
            check_ended(&r);
            assert_int_equal(fake_store_count(&fixture_store), 0);
            store_check_sum(&r.f);
            fixture_free(&r.f);
            fake_store_free(&fixture_store);
        }
    }
}

static void a_store_that_always_fails_costs_no_time(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    fake_store_init(&fixture_store);
    fixture_init(&r.f, small);
    for (int n = 0; n < 10; n++) {
        send_next(&r);
    }
    fake_store_fail(&fixture_store, 1, 1000000, PLAT_ERR_STORE_DAMAGED);
    fixture_connect(&r.f);
    unsigned before = fixture_store.calls;
    fixture_sleep(&r.f, 3600000); /* an hour; by the end the store is tried once a minute */
    assert_in_range(fixture_store.calls - before, 50, 100);
    before = fixture_store.calls;
    while (fixture_store.calls == before) {
        fixture_sleep(&r.f, 1);
    }
    before = fixture_store.calls;
    fixture_sleep(&r.f, 59999);
    assert_int_equal(fixture_store.calls, before);
    fixture_sleep(&r.f, 1);
    assert_true(fixture_store.calls > before);
    assert_int_equal(r.f.hub.publishes, 0);
    assert_int_equal(store_stats(&r.f).queued, 10);
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

/* A record whose end was reported may still be in the store. It is not reported again and not
 * sent. */
static void one_that_cannot_be_removed_ends_once(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    fake_store_init(&fixture_store);
    fixture_init(&r.f, small);
    be_silent(&r);
    send_next(&r);
    send_next(&r);
    fixture_connect(&r.f);
    fake_hub_ack(&r.f.hub, fixture_stream(&r.f), 1);
    fake_store_fail(&fixture_store, 1, 1, PLAT_ERR_STORE);
    fixture_run(&r.f);
    assert_int_equal(fixture_ended(&r.f, r.ops[1], NULL), 1);
    assert_int_equal(fake_store_count(&fixture_store), 2);

    /* The removal fails again when the client ends. */
    fake_store_fail(&fixture_store, 1, 1, PLAT_ERR_STORE);
    iothub_deinit(r.f.client);
    assert_int_equal(fixture_ended(&r.f, r.ops[0], NULL), 1);
    assert_int_equal(fixture_ended(&r.f, r.ops[1], NULL), 1);
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

static void one_is_reported_as_expired_once_it_is_removed(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    const iothub_telemetry t = { .body = "0", .body_len = 1, .ttl_ms = 1000 };
    fake_store_init(&fixture_store);
    fixture_init(&r.f, small);
    assert_int_equal(iothub_send_telemetry(r.f.client, &t, NULL), IOTHUB_OK);
    fixture_sleep(&r.f, 500);
    /* The read succeeds, and the removal after it fails. */
    fake_store_fail(&fixture_store, 2, 1, PLAT_ERR_STORE);
    fixture_sleep(&r.f, 500);
    assert_int_equal(fixture_store.failures, 1);
    assert_int_equal(r.f.done_count, 0);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(r.f.done_count, 1);
    assert_int_equal(fake_store_count(&fixture_store), 0);
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

/* Any program may have written it: the record is too short for the time stamp of eight bytes and
 * a topic. */
static void a_record_that_is_no_message_is_reported_and_holds_up_those_behind_it(void **state)
{
    (void)state;
    for (uint32_t head_len = 0; head_len <= 9; head_len++) {
        client_fixture f;
        plat_store_record bad = {
            .head = "\0\0\0\0\0\0\0\0#", .head_len = head_len, .body = "x", .body_len = 1
        };
        fake_store_init(&fixture_store);
        assert_int_equal(fixture_store.base.ops->append(&fixture_store.base, &bad, 0), PLAT_OK);
        fixture_init(&f, small);
        (void)store_send(&f, 1);

        fixture_connect(&f);
        fixture_sleep(&f, 10000);

        assert_int_equal(f.hub.publishes, 0);
        assert_int_equal(fake_store_count(&fixture_store), 2);
        assert_non_null(strstr(f.log, "the next record is not a message of this client"));
        assert_in_range(store_stats(&f).store_errors, 2, 10);
        fixture_free(&f);
        fake_store_free(&fixture_store);
    }
}

/* After a failure the store is not called again, not even in the same turn. */
static void behind_a_removal_that_failed_nothing_is_asked_of_the_store(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    fake_store_init(&fixture_store);
    fixture_init(&r.f, small);
    be_silent(&r);
    for (int n = 0; n < 12; n++) {
        send_next(&r);
    }
    fixture_connect(&r.f);
    fake_store_fail(&fixture_store, 1, 1, PLAT_ERR_STORE);
    fake_hub_ack(&r.f.hub, fixture_stream(&r.f), 1);
    fixture_run(&r.f);
    assert_int_equal(fixture_ended(&r.f, r.ops[1], NULL), 1);

    for (int n = 0; n < 5; n++) {
        unsigned before = fixture_store.calls;
        mqc_time now = r.f.platform.clock.monotonic_ms;
        assert_true(r.f.client->telemetry.limits.backlog.health.retry_at > now);
        fixture_sleep(&r.f, r.f.client->telemetry.limits.backlog.health.retry_at - now - 1);
        assert_int_equal(fixture_store.calls, before);
        fake_store_fail(&fixture_store, 1, 1, PLAT_ERR_STORE);
        fixture_sleep(&r.f, 1);
        assert_int_equal(fixture_store.calls, before + 1);
    }
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

static void small_dropping(iothub_options *o)
{
    small(o);
    o->when_full = IOTHUB_DROP_OLDEST;
    o->queue_max_count = 4;
}

/* The message was sent on a connection that is gone. It is dropped now, and leaves the store
 * when a removal succeeds. */
static void one_that_was_dropped_and_not_removed_is_removed_later(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    fake_store_init(&fixture_store);
    fixture_init(&r.f, small_dropping);
    be_silent(&r);
    for (int n = 0; n < 4; n++) {
        send_next(&r);
    }
    fixture_connect(&r.f);
    r.f.hub.mute_connect = true;
    fixture_cut(&r.f);

    fake_store_fail(&fixture_store, 1, 1, PLAT_ERR_STORE);
    send_next(&r);
    assert_int_equal(fixture_store.failures, 1);
    fixture_sleep(&r.f, 60000);

    assert_int_equal(fixture_ended(&r.f, r.ops[0], NULL), 1);
    assert_int_equal(fake_store_count(&fixture_store), 4);
    assert_int_equal(fixture_store.records[0].removed, true);
    store_check_sum(&r.f);
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

static void one_window(iothub_options *o)
{
    store_options(o);
    o->window = 1;
}

static void what_comes_to_the_front_expires_in_time(void **state)
{
    (void)state;
    run r = { .sent = 0 };
    const iothub_telemetry t = { .body = "2", .body_len = 1, .ttl_ms = 5000 };
    iothub_op op;
    fake_store_init(&fixture_store);
    fixture_init(&r.f, one_window);
    send_next(&r);
    send_next(&r);
    assert_int_equal(iothub_send_telemetry(r.f.client, &t, &op), IOTHUB_OK);
    fixture_run(&r.f); /* the first message never expires */
    be_silent(&r);
    fixture_connect(&r.f); /* takes the first two messages from the store */
    r.f.hub.mute_connect = true;
    fixture_cut(&r.f);
    fixture_sleep(&r.f, 4999);
    assert_int_equal(fixture_ended(&r.f, op, NULL), 0);
    fixture_sleep(&r.f, 1);
    assert_int_equal(fixture_ended(&r.f, op, NULL), 1);
    fixture_free(&r.f);
    fake_store_free(&fixture_store);
}

static void the_process_may_be_killed_at_any_step(void **state)
{
    (void)state;
    for (unsigned first = 0; first <= STEPS; first++) {
        for (unsigned second = 0; second <= STEPS; second += 3) {
            run r = { .sent = 0 };
            char arrived[4][4096];
            const unsigned steps[] = { first, second, STEPS };
            fake_store_init(&fixture_store);
            for (int life = 0; life < 3; life++) {
                fixture_init(&r.f, small);
                walk(&r, steps[life]);
                snprintf(arrived[life], sizeof arrived[life], "%s", store_arrived(&r.f, 0));
                store_kill(&r.f);
            }
            fixture_init(&r.f, small);
            fixture_connect(&r.f);
            fixture_sleep(&r.f, 1000);
            snprintf(arrived[3], sizeof arrived[3], "%s", store_arrived(&r.f, 0));
            assert_int_equal(fake_store_count(&fixture_store), 0);

            /* Repeats do not count: a message that arrived in an earlier life is skipped. */
            char all[512] = "";
            unsigned next = 0;
            for (int life = 0; life < 4; life++) {
                for (char *p = arrived[life]; *p != '\0';) {
                    unsigned n = (unsigned)strtoul(p, &p, 10);
                    if (n >= next) {
                        size_t len = strlen(all);
                        snprintf(all + len, sizeof all - len, "%s%u", len > 0 ? " " : "", n);
                        next = n + 1;
                    }
                }
            }
            check_arrived(&r, all);
            fixture_free(&r.f);
            fake_store_free(&fixture_store);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail_once_or_for_long),
        cmocka_unit_test(a_store_that_always_fails_costs_no_time),
        cmocka_unit_test(one_that_cannot_be_removed_ends_once),
        cmocka_unit_test(one_is_reported_as_expired_once_it_is_removed),
        cmocka_unit_test(a_record_that_is_no_message_is_reported_and_holds_up_those_behind_it),
        cmocka_unit_test(one_that_was_dropped_and_not_removed_is_removed_later),
        cmocka_unit_test(behind_a_removal_that_failed_nothing_is_asked_of_the_store),
        cmocka_unit_test(what_comes_to_the_front_expires_in_time),
        cmocka_unit_test(the_process_may_be_killed_at_any_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
