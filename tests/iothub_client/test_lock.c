#include "client_fixture.h"
#include "connection/wall_clock.h"
#include "drive/wake.h"

#define TOKEN(expiry) \
    "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=YWJj&se=" expiry
#define WITH_TOKEN(expiry) \
    "HostName=myhub.azure-devices.net;DeviceId=device1;SharedAccessSignature=" TOKEN(expiry)

static void do_start(iothub_client *c)
{
    (void)iothub_start(c);
}

static void do_stop(iothub_client *c)
{
    (void)iothub_stop(c, 1000);
}

static void do_reconnect_now(iothub_client *c)
{
    (void)iothub_reconnect_now(c);
}

static void do_set_token(iothub_client *c)
{
    (void)iothub_set_token(c, TOKEN("1700000500"));
}

static void do_provide_token(iothub_client *c)
{
    (void)iothub_provide_token(c, TOKEN("1700000500"));
}

static void do_token_failed(iothub_client *c)
{
    (void)iothub_token_failed(c, NULL);
}

static void do_set_credentials(iothub_client *c)
{
    static iothub_credential key;

    key = iothub_key_credential("c2VjcmV0", NULL);
    (void)iothub_set_credentials(c, &key, 1);
}

static void do_get_credentials(iothub_client *c)
{
    iothub_credentials_info info;

    iothub_get_credentials(c, &info);
}

static void do_set_c2d_callback(iothub_client *c)
{
    (void)iothub_set_c2d_callback(c, NULL);
}

static void do_set_desired_callback(iothub_client *c)
{
    (void)iothub_set_desired_callback(c, NULL);
}

static void do_set_method_callback(iothub_client *c)
{
    (void)iothub_set_method_callback(c, NULL);
}

static void do_last_error(iothub_client *c)
{
    (void)iothub_last_error(c);
}

static void do_get_state(iothub_client *c)
{
    (void)iothub_get_state(c);
}

static void do_poll_info(iothub_client *c)
{
    iothub_poll p;
    iothub_poll_info(c, &p);
}

static void do_send_telemetry(iothub_client *c)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    (void)iothub_send_telemetry(c, &t, NULL);
}

static void do_send_brief_telemetry(iothub_client *c)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1, .ttl_ms = 100 };
    (void)iothub_send_telemetry(c, &t, NULL);
}

static void do_send_bad_telemetry(iothub_client *c)
{
    (void)iothub_send_telemetry(c, NULL, NULL);
}

static void do_message_accept(iothub_client *c)
{
    (void)iothub_message_accept(c, 77);
}

static void do_purge(iothub_client *c)
{
    (void)iothub_purge(c, NULL);
}

static void do_twin_get(iothub_client *c)
{
    (void)iothub_twin_get(c, NULL, NULL);
}

static void do_twin_report(iothub_client *c)
{
    (void)iothub_twin_report(c, "{}", 2, NULL, NULL);
}

static void do_method_respond(iothub_client *c)
{
    const iothub_method_token token = { .call = 1 };
    (void)iothub_method_respond(c, &token, 200, "{}", 2, NULL, NULL);
}

static void do_get_stats(iothub_client *c)
{
    iothub_stats s;
    iothub_get_stats(c, &s);
}

static void do_process(iothub_client *c)
{
    (void)iothub_process(c);
}

static void do_wait(iothub_client *c)
{
    (void)iothub_wait(c, 1);
}

/* Every function of client.h that takes a client; check_lock.py reports one that is missing. */
static const struct guarded {
    const char *name;
    void (*call)(iothub_client *c);
    unsigned locks; /* how often a client without work takes the lock */
} functions[] = {
    { "iothub_start", do_start, 1 },
    { "iothub_stop", do_stop, 1 },
    { "iothub_reconnect_now", do_reconnect_now, 1 },
    { "iothub_set_token", do_set_token, 1 },
    { "iothub_provide_token", do_provide_token, 1 },
    { "iothub_token_failed", do_token_failed, 1 },
    { "iothub_set_credentials", do_set_credentials, 1 },
    { "iothub_get_credentials", do_get_credentials, 1 },
    { "iothub_set_c2d_callback", do_set_c2d_callback, 1 },
    { "iothub_set_desired_callback", do_set_desired_callback, 1 },
    { "iothub_set_method_callback", do_set_method_callback, 1 },
    /* Returns the error of the calling thread, which needs no lock. */
    { "iothub_last_error", do_last_error, 0 },
    { "iothub_get_state", do_get_state, 1 },
    { "iothub_poll_info", do_poll_info, 1 },
    { "iothub_send_telemetry", do_send_telemetry, 1 },
    { "iothub_send_telemetry", do_send_brief_telemetry, 1 },
    { "iothub_send_telemetry", do_send_bad_telemetry, 1 },
    { "iothub_purge", do_purge, 1 },
    { "iothub_message_accept", do_message_accept, 1 },
    { "iothub_twin_get", do_twin_get, 1 },
    { "iothub_twin_report", do_twin_report, 1 },
    { "iothub_method_respond", do_method_respond, 1 },
    { "iothub_get_stats", do_get_stats, 1 },
    { "iothub_process", do_process, 1 },
    { "iothub_wait", do_wait, 2 }, /* releases the lock while it sleeps */
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static void each_public_function_enters_and_leaves_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_lock(&f);
        const plat_thread *t = &f.client->context.lock->thread;

        functions[i].call(f.client);

        if (fake_threads_held(t) || fake_threads_locks(t) != functions[i].locks) {
            fail_msg("%s: %u locks%s", functions[i].name, fake_threads_locks(t),
                     fake_threads_held(t) ? ", and still held" : "");
        }
        fixture_free(&f);
    }
}

static void each_does_when_connected_and_when_the_client_is_processing(void **state)
{
    (void)state;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_lock(&f);
        fixture_connect(&f);

        functions[i].call(f.client);
        assert_false(fake_threads_held(&f.client->context.lock->thread));
        f.client->context.processing = true;
        functions[i].call(f.client);
        assert_false(fake_threads_held(&f.client->context.lock->thread));

        f.client->context.processing = false;
        fixture_free(&f);
    }
}

/* --- callbacks --------------------------------------------------------------- */

static void call_everything(client_fixture *f)
{
    fixture_check_unlocked(f);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        functions[i].call(f->client);
    }
}

static bool enough(client_fixture *f)
{
    return f->done_count++ >= 40;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)module;
    (void)text;
    if (!enough(user)) {
        call_everything(user);
    }
}

static void on_expiring(iothub_client *c, int64_t seconds_left, void *user)
{
    client_fixture *f = user;
    (void)c;
    f->seconds_left = seconds_left;
    f->expiring_count++;
    call_everything(f);
}

static void meddle_in_the_log(iothub_options *o)
{
    o->callbacks.log = on_log;
    o->callbacks.token_expiring = on_expiring;
    o->callbacks.status = NULL;
    o->callbacks.done = NULL;
}

static void everything_may_be_called_while_a_line_is_logged(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, meddle_in_the_log);
    fixture_lock(&f);

    (void)iothub_start(f.client);
    for (int turn = 0; turn < 2000 && !enough(&f); turn++) {
        (void)iothub_start(f.client);
        (void)iothub_process(f.client);
        fake_clock_advance(&f.platform.clock, 100);
    }

    assert_true(f.done_count >= 40);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    fixture_free(&f);
}

static void the_notice_of_a_token_leaves_the_lock_free(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f, WITH_TOKEN("1700000100"), meddle_in_the_log);
    fixture_lock(&f);
    f.done_count = 1000; /* makes the log callback do nothing */

    fake_clock_advance(&f.platform.clock, 90000);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);

    assert_int_equal(f.expiring_count, 1);
    fixture_free(&f);
}

/* --- what a thread's calls return ------------------------------------------------------ */

static void a_refusal_is_reported_to_the_thread_that_made_the_call(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);

    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_ERR_STATE);
    fixture_lock(&f);
    assert_int_equal(iothub_send_telemetry(f.client, NULL, NULL), IOTHUB_ERR_ARG);

    const iothub_error *own = fake_threads.local();
    assert_ptr_equal(iothub_last_error(f.client), own);
    assert_int_equal(own->code, IOTHUB_ERR_ARG);
    assert_int_equal(f.client->context.error.code, IOTHUB_ERR_STATE);

    const iothub_property twice[] = { { "name", "a" }, { "name", "b" } };
    const iothub_telemetry t = { .properties = twice, .property_count = 2 };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_ARG);
    assert_non_null(strstr(own->text, "given twice"));
    fixture_free(&f);
}

static void only_work_wakes_the_runner_and_only_while_it_sleeps(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_lock(&f);
    fixture_connect(&f);
    iothub_lock *g = f.client->context.lock;

    do_send_telemetry(f.client);
    /* The runner is awake, so it needs no wake-up. */
    assert_int_equal(fake_threads.take_wakes(&g->thread), 0);
    fixture_run(&f);

    g->asleep = true;
    do_get_stats(f.client);
    do_send_bad_telemetry(f.client);
    assert_int_equal(fake_threads.take_wakes(&g->thread), 0);
    do_send_telemetry(f.client);
    do_send_telemetry(f.client);
    assert_int_equal(g->wakes, 1);
    assert_int_equal(fake_threads.take_wakes(&g->thread), 1); /* one wake-up is enough for both */
    assert_false(g->asleep);
    fixture_free(&f);
}

/* Telemetry wakes the runner only if necessary; test_wake.c tests that. */
static void every_request_wakes(void **state)
{
    (void)state;
    static void (*const requests[])(iothub_client *) = { do_start, do_stop, do_twin_get,
                                                         do_twin_report };

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_lock(&f);
        f.client->context.lock->asleep = true;

        requests[i](f.client);

        assert_int_equal(f.client->context.lock->wakes, 1);
        fixture_free(&f);
    }
}

static mqc_time client_deadline(const client_fixture *f)
{
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;

    mqc_time deadline = loop_poll(f->client, polls, &timeout_ms);
    if (timeout_ms == 0) {
        return 1;
    }
    return deadline;
}

static void check_that_it_wakes(const struct guarded *function, const char *connection_string)
{
    client_fixture f;
    fixture_init_as(&f, connection_string, NULL);
    fixture_lock(&f);
    if (connection_string == NULL) {
        fixture_connect(&f);
    }
    f.hub.mute_publish = true; /* an answer would wake the runner, too */
    mqc_time before = client_deadline(&f);
    wake_on_sleep(&f.client->wake, f.client->context.last_op, before);
    lock_on_sleep(f.client->context.lock);
    f.client->wake.lone = false; /* messages in flight have no deadline */

    function->call(f.client);

    if (client_deadline(&f) < before && f.client->context.lock->wakes != 1) {
        fail_msg("%s: the runner sleeps past its deadline", function->name);
    }
    fixture_free(&f);
}

/* A thread that sleeps until a deadline must be woken if a request has an earlier one. */
static void nothing_brings_a_deadline_forward_without_waking(void **state)
{
    (void)state;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        bool drives = functions[i].call == do_process || functions[i].call == do_wait;
        if (!drives) {
            check_that_it_wakes(&functions[i], NULL);
            check_that_it_wakes(&functions[i], WITH_TOKEN("1800000000"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_public_function_enters_and_leaves_once),
        cmocka_unit_test(each_does_when_connected_and_when_the_client_is_processing),
        cmocka_unit_test(everything_may_be_called_while_a_line_is_logged),
        cmocka_unit_test(the_notice_of_a_token_leaves_the_lock_free),
        cmocka_unit_test(a_refusal_is_reported_to_the_thread_that_made_the_call),
        cmocka_unit_test(only_work_wakes_the_runner_and_only_while_it_sleeps),
        cmocka_unit_test(every_request_wakes),
        cmocka_unit_test(nothing_brings_a_deadline_forward_without_waking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
