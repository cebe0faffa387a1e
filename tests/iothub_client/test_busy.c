#include "client_fixture.h"
#include "connection/busy.h"
#include "fake_store.h"

/* Tests what a stop and a renewal wait for. */

static const session_busy idle = { 0 };

static void without_work_nothing_is_waited_for(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    const iothub_context *context = &f.client->context;

    assert_false(busy_with_requests(context, &idle));
    assert_false(busy_with_connection(context, &idle));
    assert_false(busy_with_last_messages(context, &idle, true));
    fixture_free(&f);
}

static void what_the_features_have_open_postpones_a_renewal(void **state)
{
    (void)state;
    const session_busy methods = { .methods_open = true };
    const session_busy deferred = { .deferred = true };
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    const iothub_context *context = &f.client->context;

    assert_true(busy_with_connection(context, &methods));
    assert_true(busy_with_connection(context, &deferred));
    assert_true(busy_with_last_messages(context, &methods, true));
    /* A stop does not wait for methods. */
    assert_false(busy_with_last_messages(context, &methods, false));
    assert_false(busy_with_last_messages(context, &deferred, true));
    assert_false(busy_with_requests(context, &methods));
    fixture_free(&f);
}

static void a_twin_request_counts_but_for_the_clients_own(void **state)
{
    (void)state;
    const session_busy own = { .own_request = true };
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    const iothub_context *context = &f.client->context;
    f.hub.mute_publish = true;

    assert_int_equal(iothub_twin_get(f.client, NULL, NULL), IOTHUB_OK);

    assert_true(busy_with_requests(context, &idle));
    assert_false(busy_with_requests(context, &own));
    assert_false(busy_with_connection(context, &idle)); /* the request was not sent yet */
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    assert_true(busy_with_connection(context, &idle));
    /* The client is not busy, because the request can be made again later. */
    assert_false(busy_with_last_messages(context, &idle, true));
    fixture_free(&f);
}

static void with_a_store_a_stop_waits_for_telemetry_only_while_connected(void **state)
{
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        client_fixture f;
        fake_store store;
        fake_store_init(&store);
        fixture_init(&f, fixture_quiet);
        iothub_free(f.client);
        f.options.store = stored ? &store.base : NULL;
        f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
        assert_non_null(f.client);
        const iothub_context *context = &f.client->context;
        fixture_connect(&f);
        f.hub.mute_publish = true;
        fixture_send(&f, "x");
        fixture_run(&f);

        assert_true(busy_with_requests(context, &idle));
        assert_true(busy_with_last_messages(context, &idle, true));
        fixture_cut(&f);
        assert_int_equal(busy_with_requests(context, &idle), !stored);
        fixture_free(&f);
        fake_store_free(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_work_nothing_is_waited_for),
        cmocka_unit_test(what_the_features_have_open_postpones_a_renewal),
        cmocka_unit_test(a_twin_request_counts_but_for_the_clients_own),
        cmocka_unit_test(with_a_store_a_stop_waits_for_telemetry_only_while_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
