/* Tests a device that is deleted and registered again with the same id, and clocks that are set. */

#include "hub_exchange.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS "devices/device1/messages/events/"

static const int old_client;
static const int new_client;

static void delete_and_register_again(hub_fixture *f)
{
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "DELETE", "/devices/device1", NULL), 204);
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1", "{}"), 200);
    hub_exchange_end(&x);
}

static void connect_for_methods(hub_fixture *f, const void *key)
{
    assert_int_equal(fixture_connect(f, key, "device1", false), HUB_OK);
    fixture_subscribe(f, key, "$iothub/methods/POST/#", 0);
    hub_tick(&f->hub);
}

static void call(hub_exchange *x)
{
    (void)hub_ask(x, "POST", "/twins/device1/methods",
                  "{\"methodName\":\"go\",\"connectTimeoutInSeconds\":300,"
                  "\"responseTimeoutInSeconds\":60}");
    assert_int_equal(x->outcome, REST_LATER);
}

static void expect_deleted(const hub_exchange *x)
{
    assert_int_equal(x->finished, 1);
    assert_int_equal(x->handling.reply.status, 404);
    assert_non_null(strstr(hub_reply(x), "ErrorCode:DeviceNotFound;"));
}

static void a_call_that_waits_ends_with_its_device(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    call(&x);
    delete_and_register_again(f);
    expect_deleted(&x);
    connect_for_methods(f, &new_client);
    assert_int_equal(f->sent_count, 0);
    hub_exchange_end(&x);
}

static void a_call_that_was_sent_ends_with_its_device(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    connect_for_methods(f, &old_client);
    call(&x);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 1);
    delete_and_register_again(f);
    expect_deleted(&x);
    assert_int_equal(fixture_connect(f, &new_client, "device1", true), HUB_OK);
    assert_int_equal(fixture_publish(f, &new_client, "$iothub/methods/res/200/?$rid=1", "{}"),
                     HUB_OK);
    assert_int_equal(x.finished, 1);
    hub_exchange_end(&x);
}

static void the_old_connection_belongs_to_no_device(void **state)
{
    hub_fixture *f = *state;
    const hub_publish will = { .topic = EVENTS, .payload = "w", .len = 1 };

    connect_for_methods(f, &old_client);
    delete_and_register_again(f);
    assert_int_equal(fixture_publish(f, &old_client, EVENTS, "x"), HUB_ERR_UNAUTHORIZED);
    fixture_subscribe(f, &old_client, "$iothub/methods/POST/#", 0);
    assert_int_equal(fixture_device(f, "device1")->session.subscriptions, 0);
    assert_int_equal(fixture_connect(f, &new_client, "device1", false), HUB_OK);
    assert_false(hub_may_resume(&f->hub, &new_client));
    hub_disconnected(&f->hub, &old_client);
    hub_accept_will(&f->hub, &old_client, "device1", &will);
    assert_int_equal(f->hub.telemetry.count, 0);
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "");
    hub_disconnected(&f->hub, &new_client);
    hub_accept_will(&f->hub, &new_client, "device1", &will);
    assert_int_equal(f->hub.telemetry.count, 1);
    assert_int_equal(fixture_connect(f, &new_client, "device1", false), HUB_OK);
    assert_true(hub_may_resume(&f->hub, &new_client));
}

static void the_session_that_is_kept_for_it_is_ended(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(fixture_connect(f, &old_client, "device1", true), HUB_OK);
    delete_and_register_again(f);
    assert_string_equal(f->ended, ""); /* the session of the deleted device does not continue */
    hub_disconnected(&f->hub, &old_client);
    assert_int_equal(fixture_connect(f, &old_client, "device1", false), HUB_OK);
    hub_disconnected(&f->hub, &old_client);
    delete_and_register_again(f);
    assert_string_equal(f->ended, "device1 ");
}

static void nothing_of_it_is_left_behind(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PATCH", "/twins/device1", "{\"tags\":{\"a\":1}}"), 200);
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{}"), 200);
    fixture_queue(f, "device1", "x", 60);
    const hub_identity *id = fixture_device(f, "device1");
    char *generation = hub_strdup(id->generation_id);
    for (int i = 0; i < 2; i++) {
        delete_and_register_again(f);
        id = fixture_device(f, "device1");
        assert_string_not_equal(id->generation_id, generation);
        assert_int_equal(id->c2d.count, 0);
        assert_null(id->twin.tags->child);
        assert_int_equal(f->hub.registry.identities.count, 1);
        fixture_restart(f);
    }
    free(generation);
    hub_exchange_end(&x);
}

/* --- clocks -------------------------------------------------------------- */

static void setting_the_clock_neither_ends_nor_prolongs_a_call(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    connect_for_methods(f, &old_client);
    call(&x);
    hub_tick(&f->hub);
    f->step_ms = INT64_C(3000) * 1000;
    f->now_ms += 59999;
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 0);
    f->step_ms = INT64_C(-86400) * 1000;
    f->now_ms += 1;
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 1);
    assert_int_equal(x.handling.reply.status, 504);
    hub_disconnected(&f->hub, &old_client);
    call(&x);
    f->step_ms = INT64_C(86400) * 1000;
    f->now_ms += 299999;
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 1);
    f->now_ms += 1;
    hub_tick(&f->hub);
    assert_int_equal(x.finished, 2);
    assert_int_equal(x.handling.reply.status, 404);
    hub_exchange_end(&x);
}

/* The wall clock counts, because the client has signed a date. */
static void a_token_goes_by_the_date(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(fixture_connect(f, &old_client, "device1", true), HUB_OK);
    f->step_ms = INT64_C(3600) * 1000;
    f->now_ms += 100;
    hub_tick(&f->hub);
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "device1 ");
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_call_that_waits_ends_with_its_device),
        FIXTURE_TEST(a_call_that_was_sent_ends_with_its_device),
        FIXTURE_TEST(the_old_connection_belongs_to_no_device),
        FIXTURE_TEST(the_session_that_is_kept_for_it_is_ended),
        FIXTURE_TEST(nothing_of_it_is_left_behind),
        FIXTURE_TEST(setting_the_clock_neither_ends_nor_prolongs_a_call),
        FIXTURE_TEST(a_token_goes_by_the_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
