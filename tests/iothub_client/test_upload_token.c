#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "upload/upload_token.h"

#define TOKEN_UNTIL(seconds) "SharedAccessSignature sr=h%2Fdevices%2Fd&sig=c2ln&se=" seconds

static const char good[] = TOKEN_UNTIL("1700003600");

typedef struct app {
    fake_clock clock;
    plat_platform platform;
    iothub_upload_options o;
    upload_token token;
    unsigned requests;
    const char *at_once; /* what the callback provides; NULL: nothing */
} app;

static void on_request(iothub_upload *u, void *user)
{
    app *a = user;

    (void)u;
    a->requests++;
    if (a->at_once != NULL) {
        assert_int_equal(upload_token_provide(&a->token, a->at_once, NULL), IOTHUB_OK);
    }
}

static void begin(app *a)
{
    memset(a, 0, sizeof *a);
    fake_clock_init(&a->clock, 1000, 1700000000);
    a->platform.clock = &a->clock.base;
    iothub_upload_options_init(&a->o);
    a->o.platform = &a->platform;
    a->o.request_token = on_request;
    a->o.user = a;
    upload_token_init(&a->token, &a->o, NULL);
}

static void without_the_function_nothing_is_requested(void **state)
{
    (void)state;
    app a;

    begin(&a);
    a.o.request_token = NULL;
    assert_int_equal(upload_token_prepare(&a.token, NULL), UPLOAD_TOKEN_READY);
    assert_int_equal(upload_token_provide(&a.token, good, NULL), IOTHUB_ERR_STATE);
    assert_false(upload_token_refused(&a.token));
    assert_int_equal(upload_token_text(&a.token).len, 0);
}

static void a_token_is_requested_once_and_used_until_it_expires(void **state)
{
    (void)state;
    app a;
    iothub_error why;

    begin(&a);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_WAITS);
    }
    assert_int_equal(a.requests, 1);
    assert_int_equal(upload_token_deadline(&a.token, 5), 1000 + a.o.request_timeout_ms);
    assert_int_equal(upload_token_provide(&a.token, good, NULL), IOTHUB_OK);
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_READY);
    assert_int_equal(upload_token_deadline(&a.token, 5), 5);
    assert_int_equal(upload_token_text(&a.token).len, strlen(good));
    fake_clock_advance(&a.clock, 3599 * 1000u);
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_READY);
    fake_clock_advance(&a.clock, 1000);
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_WAITS);
    assert_int_equal(a.requests, 2);
    assert_int_equal(upload_token_text(&a.token).len, 0);
}

static void the_callback_may_answer_at_once(void **state)
{
    (void)state;
    app a;
    iothub_error why;

    begin(&a);
    a.at_once = " " TOKEN_UNTIL("1700003600") "\r\n";
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_READY);
    assert_string_equal(a.token.text, good);
}

static void a_failed_request_is_reported_once_and_then_repeated(void **state)
{
    (void)state;
    app a;
    iothub_error why = { IOTHUB_OK, "" };

    begin(&a);
    (void)upload_token_prepare(&a.token, &why);
    upload_token_fail(&a.token, "the vault is locked");
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_MISSING);
    assert_int_equal(why.code, IOTHUB_ERR_NO_TOKEN);
    assert_non_null(strstr(why.text, "the vault is locked"));
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_WAITS);
    assert_int_equal(a.requests, 2);
    fake_clock_advance(&a.clock, a.o.request_timeout_ms);
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_MISSING);
    assert_non_null(strstr(why.text, "did not answer"));
}

static void what_is_not_a_token_is_refused_and_never_shown(void **state)
{
    (void)state;
    static char too_long[IOTHUB_SAS_TOKEN_SIZE + 1];
    app a;
    iothub_error error = { IOTHUB_OK, "" };

    begin(&a);
    (void)upload_token_prepare(&a.token, &error);
    memset(too_long, 'x', sizeof too_long - 1);
    assert_int_equal(upload_token_provide(&a.token, too_long, &error), IOTHUB_ERR_TOO_BIG);
    assert_int_equal(upload_token_provide(&a.token, NULL, &error), IOTHUB_ERR_ARG);
    assert_int_not_equal(upload_token_provide(&a.token, "hunter2", &error), IOTHUB_OK);
    assert_null(strstr(error.text, "hunter2"));
    assert_int_not_equal(upload_token_provide(&a.token, TOKEN_UNTIL("1&\r\nX: y"), NULL),
                         IOTHUB_OK);
    assert_int_equal(upload_token_provide(&a.token, TOKEN_UNTIL("1699999999"), &error),
                     IOTHUB_ERR_TOKEN_EXPIRED);
    assert_int_equal(upload_token_prepare(&a.token, &error), UPLOAD_TOKEN_WAITS);
    assert_int_equal(upload_token_provide(&a.token, good, &error), IOTHUB_OK);
}

static void a_refused_token_is_replaced_but_not_without_end(void **state)
{
    (void)state;
    app a;
    iothub_error why;

    begin(&a);
    a.at_once = good;
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_READY);
    assert_true(upload_token_refused(&a.token));
    assert_int_equal(upload_token_text(&a.token).len, 0);
    assert_int_equal(upload_token_prepare(&a.token, &why), UPLOAD_TOKEN_READY);
    assert_int_equal(a.requests, 2);
    assert_false(upload_token_refused(&a.token));
    upload_token_accepted(&a.token);
    assert_true(upload_token_refused(&a.token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_function_nothing_is_requested),
        cmocka_unit_test(a_token_is_requested_once_and_used_until_it_expires),
        cmocka_unit_test(the_callback_may_answer_at_once),
        cmocka_unit_test(a_failed_request_is_reported_once_and_then_repeated),
        cmocka_unit_test(what_is_not_a_token_is_refused_and_never_shown),
        cmocka_unit_test(a_refused_token_is_replaced_but_not_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
