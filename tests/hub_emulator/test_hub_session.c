#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/session.h"

struct hub_connection {
    int any;
};

static struct hub_connection a_connection;
static struct hub_connection *const connection = &a_connection;

static hub_session subscribed(void)
{
    hub_session s = { 0 };

    hub_session_connect(&s, connection, true, true);
    hub_session_subscribe(&s, HUB_SUB_C2D, 1);
    hub_session_subscribe(&s, HUB_SUB_METHODS, 0);
    return s;
}

static void a_login_says_what_the_broker_keeps(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 4; flags++) {
        hub_session s = { 0 };
        bool kept = (flags & 1) != 0;
        bool old_api = (flags & 2) != 0;

        hub_session_connect(&s, connection, kept, old_api);
        assert_ptr_equal(s.connection, connection);
        assert_int_equal(s.exists, kept);
        assert_int_equal(s.old_api, old_api);
        assert_int_equal(s.subscriptions, HUB_SUB_NONE);
    }
}

static void a_session_outlives_its_connection(void **state)
{
    hub_session s = subscribed();

    (void)state;
    hub_session_leave(&s);
    assert_null(s.connection);
    assert_true(s.exists);
    assert_int_equal(s.subscriptions, HUB_SUB_C2D | HUB_SUB_METHODS);
}

static void a_session_that_ends_forgets_all_but_the_connection(void **state)
{
    hub_session s = subscribed();

    (void)state;
    hub_session_end(&s);
    assert_ptr_equal(s.connection, connection);
    assert_false(s.exists);
    assert_false(s.old_api);
    assert_int_equal(s.c2d_qos, 0);
    assert_int_equal(s.subscriptions, HUB_SUB_NONE);
}

static void only_the_subscription_to_messages_grants_their_qos(void **state)
{
    (void)state;
    for (int qos = 0; qos <= 2; qos++) {
        hub_session s = { 0 };

        hub_session_subscribe(&s, HUB_SUB_TWIN_ANSWERS, 1);
        assert_int_equal(s.c2d_qos, 0);
        hub_session_subscribe(&s, HUB_SUB_C2D, qos);
        assert_int_equal(s.c2d_qos, qos > 0 ? 1 : 0);
        hub_session_subscribe(&s, HUB_SUB_DESIRED, 1 - qos);
        assert_int_equal(s.c2d_qos, qos > 0 ? 1 : 0);
    }
}

static void what_is_unsubscribed_leaves_the_others(void **state)
{
    hub_session s = subscribed();

    (void)state;
    hub_session_unsubscribe(&s, HUB_SUB_DESIRED); /* never subscribed */
    assert_int_equal(s.subscriptions, HUB_SUB_C2D | HUB_SUB_METHODS);
    hub_session_unsubscribe(&s, HUB_SUB_C2D);
    assert_int_equal(s.subscriptions, HUB_SUB_METHODS);
    hub_session_unsubscribe(&s, HUB_SUB_NONE);
    assert_int_equal(s.subscriptions, HUB_SUB_METHODS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_says_what_the_broker_keeps),
        cmocka_unit_test(a_session_outlives_its_connection),
        cmocka_unit_test(a_session_that_ends_forgets_all_but_the_connection),
        cmocka_unit_test(only_the_subscription_to_messages_grants_their_qos),
        cmocka_unit_test(what_is_unsubscribed_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
