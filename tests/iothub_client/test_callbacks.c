#include <stdio.h>

#include "context/callbacks.h"
#include "context_fixture.h"
#include "fake_threads.h"

static context_fixture f;
static unsigned calls;
static bool locked; /* true if the lock was held during a callback */
static char line[256];
static iothub_log_level level;
static bool was_logging;

static void note(void *user)
{
    assert_ptr_equal(user, &f);
    calls++;
    locked = f.context.lock != NULL && fake_threads_held(&f.context.lock->thread);
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    assert_int_equal(s->state, IOTHUB_CONNECTED);
    note(user);
}

static uint32_t on_retry(iothub_client *c, const iothub_retry *r, void *user)
{
    (void)c;
    note(user);
    return r->delay_ms + 5;
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    assert_int_equal(d->op, 7);
    note(user);
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    (void)c;
    (void)m;
    note(user);
    return IOTHUB_DEFER;
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    (void)d;
    note(user);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    (void)c;
    (void)call;
    note(user);
    return IOTHUB_METHOD_TAKEN;
}

static void on_token(iothub_client *c, int64_t seconds_left, void *user)
{
    (void)c;
    assert_int_equal(seconds_left, 99);
    note(user);
}

static void on_log(iothub_log_level l, const char *module, const char *text, void *user)
{
    level = l;
    assert_string_not_equal(module, "");
    snprintf(line, sizeof line, "%s", text);
    was_logging = f.context.logging;
    note(user);
}

static int setup(void **state)
{
    (void)state;
    context_fixture_init(&f);
    f.platform.platform.threads = &fake_threads;
    f.context.options.user = &f;
    calls = 0;
    locked = was_logging = false;
    line[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    context_drop_lock(&f.context);
    context_fixture_free(&f);
    return 0;
}

static void set_all(void)
{
    f.context.options.callbacks.status = on_status;
    f.context.options.callbacks.retry = on_retry;
    f.context.options.callbacks.done = on_done;
    f.context.options.callbacks.c2d = on_c2d;
    f.context.options.callbacks.desired = on_desired;
    f.context.options.callbacks.method = on_method;
    f.context.options.callbacks.token_expiring = on_token;
}

/* Calls each callback once; each call must return the callback's result. */
static void call_all(void)
{
    const iothub_status s = { .state = IOTHUB_CONNECTED, .text = "x" };
    const iothub_retry r = { .delay_ms = 10 };
    const iothub_done d = { .op = 7 };
    const iothub_desired change = { .version = 3 };
    const iothub_method_call call = { .payload = { 0 } };

    callback_status(&f.context, &s);
    assert_int_equal(callback_retry(&f.context, &r), 15);
    callback_done(&f.context, &d);
    assert_int_equal(callback_c2d(&f.context, NULL), IOTHUB_DEFER);
    callback_desired(&f.context, &change);
    assert_int_equal(callback_method(&f.context, &call), IOTHUB_METHOD_TAKEN);
    callback_token_expiring(&f.context, 99);
}

static void each_callback_gets_what_it_is_for(void **state)
{
    (void)state;
    set_all();
    call_all();
    assert_int_equal(calls, 7);
}

static void callbacks_run_without_the_lock_which_is_held_again_afterwards(void **state)
{
    (void)state;
    set_all();
    f.context.options.callbacks.log = on_log;
    assert_int_equal(context_make_lock(&f.context), PLAT_OK);
    context_enter(&f.context);
    call_all();
    callback_log(&f.context, IOTHUB_LOG_ERROR, "module", "text");
    assert_int_equal(calls, 9); /* nine calls, because the status is logged, too */
    assert_false(locked);
    assert_true(fake_threads_held(&f.context.lock->thread));
    context_leave(&f.context);
}

static void a_callback_that_is_not_set_is_not_missed(void **state)
{
    (void)state;
    const iothub_status s = { .state = IOTHUB_CONNECTED, .text = "x" };
    const iothub_retry r = { .delay_ms = 10 };
    const iothub_done d = { .op = 7 };

    callback_status(&f.context, &s);
    assert_int_equal(callback_retry(&f.context, &r), 10);
    callback_done(&f.context, &d);
    callback_token_expiring(&f.context, 1);
    callback_log_text(&f.context, IOTHUB_LOG_ERROR, "module", "text");
    assert_int_equal(calls, 0);
}

static void a_line_is_logged_up_to_the_level(void **state)
{
    (void)state;
    f.context.options.callbacks.log = on_log;
    for (int most = IOTHUB_LOG_ERROR; most <= IOTHUB_LOG_DEBUG; most++) {
        f.context.options.log_level = (iothub_log_level)most;
        calls = 0;
        for (int l = IOTHUB_LOG_ERROR; l <= IOTHUB_LOG_DEBUG; l++) {
            callback_log(&f.context, (iothub_log_level)l, "module", "level %zu", (size_t)l);
        }
        assert_int_equal(calls, most);
        assert_int_equal(level, most);
    }
    assert_string_equal(line, "level 4");
}

static void a_status_is_logged_with_its_state(void **state)
{
    (void)state;
    f.context.options.callbacks.log = on_log;
    const iothub_status good = { .state = IOTHUB_CONNECTED, .text = "ready" };
    const iothub_status bad = { .state = IOTHUB_WAITING,
                                .reason = IOTHUB_ERR_CONNECT,
                                .text = "refused" };

    callback_status(&f.context, &good);
    assert_string_equal(line, "connected: ready");
    assert_int_equal(level, IOTHUB_LOG_INFO);
    callback_status(&f.context, &bad);
    assert_non_null(strstr(line, ": refused"));
    assert_int_equal(level, IOTHUB_LOG_WARNING);
}

static void a_text_is_no_format_and_has_no_control_characters(void **state)
{
    (void)state;
    f.context.options.callbacks.log = on_log;
    callback_log_text(&f.context, IOTHUB_LOG_ERROR, "module", "100 %s\n\x1b[31m");
    assert_memory_equal(line, "100 %s", 6);
    for (const char *p = line; *p != '\0'; p++) {
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
}

/* With this information, a request inside the log callback can be refused unless it runs within
 * a turn. */
static void the_context_knows_that_the_log_runs(void **state)
{
    (void)state;
    f.context.options.callbacks.log = on_log;
    callback_log_text(&f.context, IOTHUB_LOG_ERROR, "module", "text");
    assert_true(was_logging);
    assert_false(f.context.logging);
    (void)context_begin_turn(&f.context);
    callback_log_text(&f.context, IOTHUB_LOG_ERROR, "module", "text");
    assert_false(was_logging);
    context_end_turn(&f.context);
}

#define WITH_CONTEXT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(each_callback_gets_what_it_is_for),
        WITH_CONTEXT(callbacks_run_without_the_lock_which_is_held_again_afterwards),
        WITH_CONTEXT(a_callback_that_is_not_set_is_not_missed),
        WITH_CONTEXT(a_line_is_logged_up_to_the_level),
        WITH_CONTEXT(a_status_is_logged_with_its_state),
        WITH_CONTEXT(a_text_is_no_format_and_has_no_control_characters),
        WITH_CONTEXT(the_context_knows_that_the_log_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
