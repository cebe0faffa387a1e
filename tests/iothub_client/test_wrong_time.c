#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/runner.h"
#include "store_fixture.h"

/* Mistakes that newcomers make: calls at the wrong time, and calls that they forget. */

static const iothub_telemetry hello = { .body = "x", .body_len = 1 };

static void the_least(iothub_options *o)
{
    o->rx_size = IOTHUB_RX_MIN;
    o->tx_size = IOTHUB_TX_MIN;
    o->request_size = IOTHUB_REQUEST_MIN;
}

/* --- the wrong time ---------------------------------------------------------------- */

static void a_second_start_is_refused_at_any_time(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    assert_int_equal(iothub_start(f.client), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "already started"));
    fixture_run(&f);
    assert_int_equal(iothub_start(f.client), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "already started"));

    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK); /* allowed, because it follows a stop */
    assert_int_equal(iothub_start(f.client), IOTHUB_ERR_STATE);
    fixture_free(&f);
}

static bool logged(const client_fixture *f, const char *text)
{
    return strstr(f->log, text) != NULL;
}

static void a_client_that_is_never_started_says_so_once_in_the_log(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    for (int i = 0; i < 50; i++) {
        (void)fixture_send(&f, "waits for the start"); /* allowed, since these may be sent later */
    }
    assert_string_equal(f.log, "");

    fake_clock_advance(&f.platform.clock, 3000);
    (void)iothub_get_state(f.client);
    assert_string_equal(f.log, "2 client iothub_start was not called: nothing is sent or "
                               "received\n");
    fake_clock_advance(&f.platform.clock, 100000);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    assert_int_equal(strlen(f.log), strlen("2 client iothub_start was not called: nothing is sent "
                                           "or received\n"));
    fixture_free(&f);
}

static void a_client_without_a_driver_says_so_in_the_log(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    for (int i = 0; i < 5;
         i++) { /* acts like an application that waits for IOTHUB_CONNECTED with sleep(1) */
        assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
        fake_clock_advance(&f.platform.clock, 1000);
    }
    assert_true(logged(&f, "iothub_start was called, but no iothub_process"));
    fixture_free(&f);
}

static void a_driven_client_hears_nothing_of_the_kind(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_sleep(&f, 10000);
    (void)iothub_get_state(f.client);
    assert_false(logged(&f, "was not called"));
    assert_false(logged(&f, "has driven"));
    fixture_free(&f);
}

typedef struct last_words {
    char text[200];
    unsigned lines;
} last_words;

static void hear(iothub_log_level level, const char *module, const char *text, void *user)
{
    last_words *w = user;

    w->lines++;
    snprintf(w->text, sizeof w->text, "%d %s %s", (int)level, module, text);
}

static void ignore_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    (void)d;
    (void)user;
}

static void the_end_of_a_client_that_was_never_started_says_so_unless_it_was_for_nothing(
    void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        last_words w = { .lines = 0 };
        client_fixture f;
        fixture_init(&f, NULL);
        iothub_options o = f.options;
        o.callbacks = (iothub_callbacks){ .log = hear };
        o.callbacks.done = which == 1 ? ignore_done : NULL;
        o.user = &w;
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, NULL);
        if (which == 2) {
            assert_int_equal(iothub_send_telemetry(c, &hello, NULL), IOTHUB_OK);
        } else if (which == 3) {
            assert_int_equal(iothub_start(c), IOTHUB_OK);
            assert_int_equal(iothub_send_telemetry(c, &hello, NULL), IOTHUB_OK);
        }
        iothub_free(c);
        assert_int_equal(w.lines, which == 0 ? 0 : 1);
        assert_true(which == 0 ||
                    strstr(w.text, which == 3 ? "has driven" : "was not called") != NULL);
        fixture_free(&f);
    }
}

static void a_full_queue_of_a_client_at_rest_names_what_is_missing(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result r;
    fixture_init(&f, the_least);
    while ((r = iothub_send_telemetry(f.client, &hello, NULL)) == IOTHUB_OK) {
    }
    assert_int_equal(r, IOTHUB_ERR_NO_SPACE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "iothub_start"));
    fixture_free(&f);
}

/* --- inside callbacks --------------------------------------------------------------- */

typedef struct insider {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    unsigned calls;
    bool whole; /* true: calls iothub_free, false: iothub_deinit */
} insider;

static void end_it(insider *in)
{
    in->calls++;
    if (in->whole) {
        iothub_free(in->f.client);
    } else {
        iothub_deinit(in->f.client);
    }
    assert_int_equal(iothub_last_error(in->f.client)->code, IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(in->f.client)->text, "inside a callback"));
    assert_int_equal(iothub_start(in->f.client), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_process(in->f.client), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_wait(in->f.client, 1), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_runner_start(in->f.client, NULL), IOTHUB_ERR_ARG); /* no threads */
    assert_int_equal(iothub_runner_stop(in->f.client), IOTHUB_ERR_STATE);
}

static void end_in_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    if (s->state == IOTHUB_CONNECTED) {
        end_it(user);
    }
}

static void end_in_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    if (d->result == IOTHUB_OK) {
        end_it(user);
    }
}

static iothub_disposition end_in_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    (void)c;
    (void)m;
    end_it(user);
    return IOTHUB_ACCEPT;
}

static void end_in_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    (void)d;
    end_it(user);
}

static iothub_method_verdict end_in_method(iothub_client *c, const iothub_method_call *call,
                                           void *user)
{
    (void)c;
    (void)call;
    end_it(user);
    return IOTHUB_METHOD_UNKNOWN;
}

static void enders(iothub_options *o)
{
    o->callbacks.status = end_in_status;
    o->callbacks.done = end_in_done;
    o->callbacks.c2d = end_in_c2d;
    o->callbacks.desired = end_in_desired;
    o->callbacks.method = end_in_method;
}

static void the_end_of_a_client_inside_any_of_its_callbacks_is_refused(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        insider *in = calloc(1, sizeof *in);
        fixture_init(&in->f, enders);
        in->whole = whole == 1;
        assert_int_equal(iothub_start(in->f.client), IOTHUB_OK);
        (void)fixture_send(&in->f, "x");
        fixture_run(&in->f);
        fake_hub_send(fixture_stream(&in->f), "devices/device1/messages/devicebound/", "m", 1, 5);
        fake_hub_send(fixture_stream(&in->f), "$iothub/methods/POST/go/?$rid=1", "{}", 2, 0);
        fixture_run(&in->f);

        assert_int_equal(in->calls, 5);
        assert_true(logged(&in->f, "1 client iothub_deinit, iothub_free inside a callback"));
        assert_int_equal(iothub_get_state(in->f.client), IOTHUB_CONNECTED);
        fixture_free(&in->f);
        free(in);
    }
}

static void end_again(iothub_client *c, const iothub_done *d, void *user)
{
    insider *in = user;

    assert_int_equal(d->result, IOTHUB_ERR_CANCELLED);
    in->calls++;
    iothub_free(c);
}

static void cancelled(iothub_options *o)
{
    o->callbacks.done = end_again;
}

static void the_end_of_a_client_inside_its_end_is_refused(void **state)
{
    (void)state;
    insider *in = calloc(1, sizeof *in);
    fixture_init(&in->f, cancelled);
    (void)fixture_send(&in->f, "one");
    (void)fixture_send(&in->f, "two");
    iothub_free(in->f.client);
    assert_int_equal(in->calls, 2);
    fake_platform_free(&in->f.platform);
    free(in);
}

static void end_in_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    insider *in = user;

    (void)level;
    (void)module;
    if (strstr(text, "was not called") != NULL || strstr(text, "empty message") != NULL) {
        in->calls++;
        iothub_free(in->f.client);
        assert_int_equal(iothub_process(in->f.client), IOTHUB_ERR_STATE);
    }
}

static void log_ends(iothub_options *o)
{
    o->callbacks.log = end_in_log;
}

static void nor_is_it_ended_by_a_line_that_a_request_logs(void **state)
{
    (void)state;
    const iothub_telemetry empty = { .body = "" };
    insider *in = calloc(1, sizeof *in);
    fixture_init(&in->f, log_ends);
    fake_clock_advance(&in->f.platform.clock, 5000);
    assert_int_equal(iothub_send_telemetry(in->f.client, &empty, NULL), IOTHUB_OK);
    assert_int_equal(in->calls, 2);
    assert_int_equal(iothub_process(in->f.client), IOTHUB_OK); /* the client can be used again */
    fixture_free(&in->f);
    free(in);
}

/* --- stores and sizes of the hub ----------------------------------------------------- */

static void two_clients_do_not_share_a_store(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    fake_store_init(&fixture_store);
    fixture_init(&f, store_options);

    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "store is in use by another client"));
    fixture_free(&f);

    fixture_init(&f, store_options); /* another client may use the store after the first one */
    fixture_free(&f);
    fake_store_free(&fixture_store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_start_is_refused_at_any_time),
        cmocka_unit_test(a_client_that_is_never_started_says_so_once_in_the_log),
        cmocka_unit_test(a_client_without_a_driver_says_so_in_the_log),
        cmocka_unit_test(a_driven_client_hears_nothing_of_the_kind),
        cmocka_unit_test(
            the_end_of_a_client_that_was_never_started_says_so_unless_it_was_for_nothing),
        cmocka_unit_test(a_full_queue_of_a_client_at_rest_names_what_is_missing),
        cmocka_unit_test(the_end_of_a_client_inside_any_of_its_callbacks_is_refused),
        cmocka_unit_test(the_end_of_a_client_inside_its_end_is_refused),
        cmocka_unit_test(nor_is_it_ended_by_a_line_that_a_request_logs),
        cmocka_unit_test(two_clients_do_not_share_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
