#include "client_fixture.h"

/* Tests that each function refuses a pointer that is not a client, and leaves the lock
 * unchanged. */

typedef iothub_result call(iothub_client *c);

static iothub_result start(iothub_client *c)
{
    return iothub_start(c);
}
static iothub_result stop(iothub_client *c)
{
    return iothub_stop(c, 0);
}
static iothub_result reconnect(iothub_client *c)
{
    return iothub_reconnect_now(c);
}
static iothub_result set_credentials(iothub_client *c)
{
    return iothub_set_credentials(c, NULL, 0);
}

static iothub_result set_token(iothub_client *c)
{
    return iothub_set_token(c, "x");
}
static iothub_result process(iothub_client *c)
{
    return iothub_process(c);
}
static iothub_result wait_for(iothub_client *c)
{
    return iothub_wait(c, 0);
}
static iothub_result purge(iothub_client *c)
{
    return iothub_purge(c, NULL);
}
static iothub_result accept(iothub_client *c)
{
    return iothub_message_accept(c, 1);
}
static iothub_result get(iothub_client *c)
{
    return iothub_twin_get(c, NULL, NULL);
}

static iothub_result send(iothub_client *c)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    return iothub_send_telemetry(c, &t, NULL);
}

static iothub_result report(iothub_client *c)
{
    return iothub_twin_report(c, "{}", 2, NULL, NULL);
}

static iothub_result respond(iothub_client *c)
{
    static const iothub_method_token token;
    return iothub_method_respond(c, &token, 200, "{}", 2, NULL, NULL);
}

static call *const calls[] = { start,   stop,     reconnect, set_token, set_credentials,
                               process, wait_for, purge,     accept,    get,
                               send,    report,   respond };
enum { CALLS = sizeof calls / sizeof calls[0] };

static void without_a_client_each_call_is_refused(void **state)
{
    (void)state;
    iothub_stats stats;
    iothub_poll p;

    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i](NULL), IOTHUB_ERR_ARG);
    }
    assert_int_equal(iothub_last_error(NULL)->code, IOTHUB_ERR_ARG);
    assert_int_equal(iothub_get_state(NULL), IOTHUB_STOPPED);
    iothub_get_stats(NULL, &stats);
    assert_int_equal(stats.connects, 0);
    iothub_poll_info(NULL, &p);
    assert_int_equal(p.timeout_ms, -1);
    iothub_deinit(NULL);
    iothub_free(NULL);
}

static void a_client_that_has_ended_is_refused(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    iothub_deinit(f.client);

    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i](f.client), IOTHUB_ERR_STATE);
    }
    assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_STATE);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    iothub_deinit(f.client); /* a second call, which has no effect */
    fixture_free(&f);
}

/* The fake lock ends the test if it is taken twice or released without being held. */
static void each_call_leaves_the_lock_free(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    iothub_poll p;
    fixture_init(&f, NULL);
    fixture_lock(&f);
    fixture_connect(&f);

    for (size_t i = 0; i < CALLS; i++) {
        (void)calls[i](f.client);
        fixture_check_unlocked(&f);
    }
    (void)iothub_get_state(f.client);
    iothub_get_stats(f.client, &stats);
    iothub_poll_info(f.client, &p);
    fixture_check_unlocked(&f);
    fixture_free(&f);
}

static iothub_result inner[2];

static iothub_disposition drive_inside(client_fixture *f)
{
    inner[0] = iothub_process(f->client);
    inner[1] = iothub_wait(f->client, 0);
    return IOTHUB_ACCEPT;
}

static void on_c2d(client_fixture *f, const iothub_message *m)
{
    (void)m;
    (void)drive_inside(f);
}

static void a_callback_may_request_and_not_drive(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.on_c2d = on_c2d;
    fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/", "x", 1, 0);
    fixture_run(&f);
    assert_int_equal(inner[0], IOTHUB_ERR_STATE);
    assert_int_equal(inner[1], IOTHUB_ERR_STATE);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static client_fixture *asleep;

static void start_runner(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    (void)self;
    (void)polls;
    (void)count;
    (void)timeout_ms;
    fixture_check_unlocked(asleep);
    assert_true(lock_take_runner(asleep->client->context.lock));
}

static void begin_turn(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    (void)self;
    (void)polls;
    (void)count;
    (void)timeout_ms;
    (void)context_begin_turn(&asleep->client->context);
}

/* Another thread may start a runner, or process the client, while this thread sleeps. */
static void a_wait_makes_no_turn_if_somebody_else_drives_when_it_wakes(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_lock(&f);
    fixture_connect(&f);
    asleep = &f;
    const plat_net net = f.platform.net.base;
    const unsigned reads = fixture_stream(&f)->calls[SCRIPTED_RECV];

    f.platform.net.base.wait = start_runner;
    assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "the runner drives the client"));
    lock_drop_runner(f.client->context.lock);
    f.platform.net.base.wait = begin_turn;
    assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "on two threads at once"));
    context_end_turn(&f.client->context);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_RECV], reads);
    fixture_check_unlocked(&f);

    f.platform.net.base = net;
    assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_OK);
    assert_true(fixture_stream(&f)->calls[SCRIPTED_RECV] > reads);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_client_each_call_is_refused),
        cmocka_unit_test(a_client_that_has_ended_is_refused),
        cmocka_unit_test(each_call_leaves_the_lock_free),
        cmocka_unit_test(a_callback_may_request_and_not_drive),
        cmocka_unit_test(a_wait_makes_no_turn_if_somebody_else_drives_when_it_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
