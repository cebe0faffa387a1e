#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub/connections.h"

#define COUNT 50

typedef struct world {
    hub_connections connections;
    hub_identity *id;
    char keys[COUNT];
} world;

static int make_world(void **state)
{
    static world w;

    w = (world){ .id = hub_identity_new(1, "device1", NULL, 0) };
    *state = &w;
    return 0;
}

static int end_world(void **state)
{
    world *w = *state;
    hub_connection *c;

    while ((c = hub_list_first(&w->connections.all)) != NULL) {
        hub_connections_remove(&w->connections, c);
    }
    assert_null(w->connections.by_key);
    assert_int_equal(w->connections.count, 0);
    hub_identity_free(w->id);
    return 0;
}

static hub_connection *add(world *w, size_t key)
{
    const hub_connection_login login = {
        .key = &w->keys[key],
        .identity = w->id,
        .client_id = "device1",
        .expires_s = (int64_t)key,
        .resumed = key % 2 == 1,
    };
    return hub_connections_add(&w->connections, &login);
}

static void each_connection_is_found_by_its_key_alone(void **state)
{
    world *w = *state;
    hub_connection *added[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        added[i] = add(w, i * 7 % COUNT);
        assert_string_equal(added[i]->client_id, "device1");
    }
    assert_int_equal(w->connections.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const hub_connection *c = hub_connections_find(&w->connections, &w->keys[i * 7 % COUNT]);
        assert_ptr_equal(c, added[i]);
        assert_int_equal(c->expires_s, i * 7 % COUNT);
        assert_int_equal(c->resumed, i * 7 % COUNT % 2);
    }
    assert_null(hub_connections_find(&w->connections, w));
    assert_null(hub_connections_find(&w->connections, NULL));
}

static void a_number_leads_to_the_current_connection_of_a_client(void **state)
{
    world *w = *state;
    const hub_connection_login old = {
        .key = &w->keys[0], .identity = w->id, .client_id = "device1", .number = 7
    };
    const hub_connection_login fresh = {
        .key = &w->keys[1], .identity = w->id, .client_id = "device1", .number = 8
    };
    hub_connection *first = hub_connections_add(&w->connections, &old);

    assert_null(hub_connections_current(&w->connections, 7)); /* no session uses it yet */
    hub_session_connect(&w->id->session, first, true, false);
    assert_ptr_equal(hub_connections_current(&w->connections, 7), first);
    assert_null(hub_connections_current(&w->connections, 0));
    assert_null(hub_connections_current(&w->connections, 8));
    hub_connection *second = hub_connections_add(&w->connections, &fresh);
    hub_session_connect(&w->id->session, second, true, false);
    assert_null(hub_connections_current(&w->connections, 7));
    assert_ptr_equal(hub_connections_current(&w->connections, 8), second);
    hub_connections_remove(&w->connections, first);
    assert_ptr_equal(hub_connections_current(&w->connections, 8), second);
    hub_session_leave(&w->id->session);
    hub_connections_remove(&w->connections, second);
    assert_null(hub_connections_current(&w->connections, 8));
    assert_null(w->connections.by_number);
}

static void a_removed_connection_is_in_no_list(void **state)
{
    world *w = *state;

    (void)add(w, 0);
    hub_connection *second = add(w, 1);
    hub_connections_reject(&w->connections, second);
    hub_connections_remove(&w->connections, second);
    assert_int_equal(w->connections.count, 1);
    assert_null(hub_connections_find(&w->connections, &w->keys[1]));
    assert_null(hub_connections_take_unwanted(&w->connections));
    assert_ptr_equal(hub_list_first(&w->id->connections),
                     hub_connections_find(&w->connections, &w->keys[0]));
}

static void a_rejected_connection_is_taken_once(void **state)
{
    world *w = *state;
    hub_connection *c = add(w, 0);

    (void)add(w, 1);
    hub_connections_reject(&w->connections, c);
    hub_connections_reject(&w->connections, c);
    assert_int_equal(c->state, HUB_CONNECTION_UNWANTED);
    assert_ptr_equal(hub_connections_take_unwanted(&w->connections), c);
    assert_int_equal(c->state, HUB_CONNECTION_DROPPED);
    hub_connections_reject(&w->connections, c); /* no effect, because the broker was already told */
    assert_null(hub_connections_take_unwanted(&w->connections));
}

static void a_deleted_identity_leaves_its_connections_without_one(void **state)
{
    world *w = *state;
    hub_connection *a = add(w, 0);
    hub_connection *b = add(w, 1);

    hub_connections_forget(w->id);
    assert_null(a->identity);
    assert_null(b->identity);
    assert_null(hub_list_first(&w->id->connections));
    assert_int_equal(w->connections.count, 2);
}

static void a_client_listens_while_it_is_connected_wanted_and_subscribed(void **state)
{
    world *w = *state;
    hub_connection *c = add(w, 0);

    assert_false(hub_connection_listens(w->id, HUB_SUB_METHODS));
    hub_session_connect(&w->id->session, c, true, false);
    assert_false(hub_connection_listens(w->id, HUB_SUB_METHODS));
    hub_session_subscribe(&w->id->session, HUB_SUB_METHODS, 0);
    assert_true(hub_connection_listens(w->id, HUB_SUB_METHODS));
    assert_false(hub_connection_listens(w->id, HUB_SUB_C2D));
    hub_connections_reject(&w->connections, c);
    assert_false(hub_connection_listens(w->id, HUB_SUB_METHODS));
    hub_session_leave(&w->id->session);
    assert_false(hub_connection_listens(w->id, HUB_SUB_METHODS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_connection_is_found_by_its_key_alone, make_world,
                                        end_world),
        cmocka_unit_test_setup_teardown(a_number_leads_to_the_current_connection_of_a_client,
                                        make_world, end_world),
        cmocka_unit_test_setup_teardown(a_removed_connection_is_in_no_list, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_rejected_connection_is_taken_once, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_deleted_identity_leaves_its_connections_without_one,
                                        make_world, end_world),
        cmocka_unit_test_setup_teardown(
            a_client_listens_while_it_is_connected_wanted_and_subscribed, make_world, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
