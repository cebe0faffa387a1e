#include <stdio.h>

#include "iothub/message.h"
#include "twin_fixture.h"

/* Tests callbacks that are set and removed after the client was made. */

#define C2D_FILTER     "devices/device1/messages/devicebound/#"
#define DESIRED_FILTER "$iothub/twin/PATCH/properties/desired/#"
#define METHOD_FILTER  "$iothub/methods/POST/#"
#define TWIN_FILTER    "$iothub/twin/res/#"

#define C2D    "devices/device1/messages/devicebound/"
#define METHOD "$iothub/methods/POST/reboot/?$rid=1"

typedef struct rig {
    client_fixture fixture;
    iothub_callbacks callbacks; /* the callbacks of the fixture */
} rig;

static void without_any(iothub_options *o)
{
    o->callbacks.c2d = NULL;
    o->callbacks.desired = NULL;
    o->callbacks.method = NULL;
}

/* Makes a client without the three callbacks. */
static client_fixture *begin(rig *r)
{
    fixture_init(&r->fixture, NULL);
    r->callbacks = r->fixture.options.callbacks;
    fixture_free(&r->fixture);
    fixture_init(&r->fixture, without_any);
    return &r->fixture;
}

static void set_all(rig *r)
{
    iothub_client *c = r->fixture.client;

    assert_int_equal(iothub_set_c2d_callback(c, r->callbacks.c2d), IOTHUB_OK);
    assert_int_equal(iothub_set_desired_callback(c, r->callbacks.desired), IOTHUB_OK);
    assert_int_equal(iothub_set_method_callback(c, r->callbacks.method), IOTHUB_OK);
}

static void remove_all(rig *r)
{
    iothub_client *c = r->fixture.client;

    assert_int_equal(iothub_set_c2d_callback(c, NULL), IOTHUB_OK);
    assert_int_equal(iothub_set_desired_callback(c, NULL), IOTHUB_OK);
    assert_int_equal(iothub_set_method_callback(c, NULL), IOTHUB_OK);
}

static iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

static void set_twin(client_fixture *f, char *memory, size_t cap, unsigned version)
{
    snprintf(memory, cap, "{\"desired\":{\"a\":%u,\"$version\":%u},\"reported\":{\"$version\":1}}",
             version, version);
    f->hub.twin = memory;
}

/* --- setting --------------------------------------------------------------------------------- */

static void each_callback_that_is_set_while_connected_is_subscribed_to(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    fixture_connect(f);
    assert_string_equal(f->hub.held, TWIN_FILTER " ");

    assert_int_equal(iothub_set_c2d_callback(f->client, r.callbacks.c2d), IOTHUB_OK);
    fixture_run(f);
    assert_string_equal(f->hub.filters, C2D_FILTER);
    assert_string_equal(f->hub.wanted_qos, "1");
    fake_hub_send(fixture_stream(f), C2D, "hello", 5, 1);
    fixture_run(f);
    assert_string_equal(f->c2d_body, "hello");

    assert_int_equal(iothub_set_method_callback(f->client, r.callbacks.method), IOTHUB_OK);
    fixture_run(f);
    assert_string_equal(f->hub.filters, METHOD_FILTER);
    fake_hub_send(fixture_stream(f), METHOD, "{}", 2, 0);
    fixture_run(f);
    assert_string_equal(f->method_name, "reboot");

    assert_int_equal(f->desired_count, 0);
    assert_int_equal(iothub_set_desired_callback(f->client, r.callbacks.desired), IOTHUB_OK);
    fixture_run(f);
    assert_string_equal(f->hub.filters, DESIRED_FILTER);
    assert_int_equal(f->desired_count, 1);
    assert_true(f->desired[0].complete);
    fixture_free(f);
}

static void callbacks_set_before_the_connection_need_no_packet_more(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);

    fixture_connect(f);

    assert_int_equal(f->hub.subscribes, 1);
    assert_int_equal(f->hub.unsubscribes, 0);
    assert_string_equal(f->hub.held,
                        TWIN_FILTER " " C2D_FILTER " " DESIRED_FILTER " " METHOD_FILTER " ");
    assert_int_equal(f->desired_count, 1);
    fixture_free(f);
}

static void callbacks_set_before_suback_are_subscribed_to_after_it(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    f->hub.mute_subscribe = true;
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_SUBSCRIBING);

    set_all(&r);
    fixture_run(f);
    assert_int_equal(f->hub.subscribes, 1);
    f->hub.mute_subscribe = false;
    fixture_cut(f);
    fixture_sleep(f, 5000);

    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
    assert_non_null(strstr(f->hub.held, C2D_FILTER " " DESIRED_FILTER " " METHOD_FILTER));
    assert_int_equal(f->desired_count, 1);
    fixture_free(f);
}

static void a_filter_that_the_hub_refuses_later_is_named(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    fixture_connect(f);
    f->hub.refuse_filter = "devicebound";

    assert_int_equal(iothub_set_c2d_callback(f->client, r.callbacks.c2d), IOTHUB_OK);
    fixture_run(f);

    const fixture_status *last = fixture_last_status(f);
    assert_int_equal(last->reason, IOTHUB_ERR_REJECTED);
    assert_non_null(strstr(last->text, C2D_FILTER));
    fixture_free(f);
}

/* --- removing -------------------------------------------------------------------------------- */

static void callbacks_that_are_removed_are_unsubscribed_from_and_not_called(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);
    fixture_connect(f);
    twin_patch(f, 2);
    fixture_run(f);
    const unsigned desired = f->desired_count;

    remove_all(&r);
    fixture_run(f);
    assert_string_equal(f->hub.held, TWIN_FILTER " ");
    fake_hub_send(fixture_stream(f), C2D, "late", 4, 7);
    fake_hub_send(fixture_stream(f), METHOD, "{}", 2, 0);
    twin_patch(f, 3);
    fixture_run(f);

    assert_int_equal(f->c2d_count, 0);
    assert_int_equal(f->method_count, 0);
    assert_int_equal(f->desired_count, desired);
    assert_int_equal(stats_of(f).ignored, 3);
    assert_int_equal(f->hub.acked[0], 7);
    fixture_free(f);
}

static void what_an_earlier_callback_has_taken_can_still_be_answered(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);
    f->disposition = IOTHUB_DEFER;
    f->verdict = IOTHUB_METHOD_TAKEN;
    fixture_connect(f);
    fake_hub_send(fixture_stream(f), C2D, "x", 1, 5);
    fake_hub_send(fixture_stream(f), METHOD, "{}", 2, 0);
    fixture_run(f);

    remove_all(&r);
    fixture_run(f);
    assert_int_equal(iothub_message_accept(f->client, f->deliveries[0]), IOTHUB_OK);
    assert_int_equal(iothub_method_respond(f->client, &f->tokens[0], 200, "{}", 2, NULL, NULL),
                     IOTHUB_OK);
    fixture_run(f);

    assert_int_equal(f->hub.acked[0], 5);
    assert_non_null(fake_hub_last(&f->hub, "$iothub/methods/res/200/?$rid=1"));
    fixture_free(f);
}

static void a_callback_removed_while_offline_is_unsubscribed_from_in_a_kept_session(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);
    f->hub.session_present = true;
    fixture_connect(f);
    fixture_cut(f);

    assert_int_equal(iothub_set_c2d_callback(f->client, NULL), IOTHUB_OK);
    fixture_sleep(f, 5000);

    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
    assert_int_equal(f->hub.unsubscribes, 1);
    assert_null(strstr(f->hub.held, C2D_FILTER));
    assert_non_null(strstr(f->hub.held, METHOD_FILTER));
    fixture_free(f);
}

static void an_unsubscribe_that_was_lost_is_repeated_on_the_next_connection(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);
    f->hub.session_present = true;
    fixture_connect(f);
    f->hub.mute_unsubscribe = true;
    assert_int_equal(iothub_set_method_callback(f->client, NULL), IOTHUB_OK);
    fixture_run(f);
    /* Acts as if the hub had not processed the UNSUBSCRIBE. */
    strcat(f->hub.held, METHOD_FILTER " ");
    f->hub.mute_unsubscribe = false;

    fixture_cut(f);
    fixture_sleep(f, 5000);

    assert_int_equal(f->hub.unsubscribes, 2);
    assert_null(strstr(f->hub.held, METHOD_FILTER));
    fixture_free(f);
}

/* --- desired properties ---------------------------------------------------------------------- */

static void a_new_desired_callback_gets_the_document_before_any_patch(void **state)
{
    (void)state;
    rig r;
    char twin[200];
    client_fixture *f = begin(&r);
    set_all(&r);
    set_twin(f, twin, sizeof twin, 1);
    fixture_connect(f);
    assert_int_equal(f->desired[0].version, 1);

    /* The client misses version 2 because it has no callback; the patch to version 3 arrives
     * before SUBACK. */
    assert_int_equal(iothub_set_desired_callback(f->client, NULL), IOTHUB_OK);
    fixture_run(f);
    set_twin(f, twin, sizeof twin, 3);
    assert_int_equal(iothub_set_desired_callback(f->client, r.callbacks.desired), IOTHUB_OK);
    twin_patch(f, 2);
    twin_patch(f, 3);
    fixture_run(f);

    assert_int_equal(f->desired_count, 2);
    assert_true(f->desired[1].complete);
    assert_int_equal(f->desired[1].version, 3);
    twin_patch(f, 4);
    fixture_run(f);
    assert_int_equal(f->desired_count, 3);
    assert_false(f->desired[2].complete);
    fixture_free(f);
}

static void a_desired_callback_that_replaces_another_gets_the_document(void **state)
{
    (void)state;
    rig r;
    client_fixture *f = begin(&r);
    set_all(&r);
    fixture_connect(f);
    assert_int_equal(f->desired_count, 1);

    assert_int_equal(iothub_set_desired_callback(f->client, r.callbacks.desired), IOTHUB_OK);
    fixture_run(f);

    assert_int_equal(f->desired_count, 2);
    assert_true(f->desired[1].complete);
    assert_int_equal(f->hub.subscribes, 1);
    fixture_free(f);
}

static void an_answer_to_a_request_of_an_earlier_callback_is_not_delivered(void **state)
{
    (void)state;
    rig r;
    char twin[200];
    client_fixture *f = begin(&r);
    set_all(&r);
    f->hub.twin_status = 0;
    fixture_connect(f);
    const uint32_t rid = twin_rid(fake_hub_last(&f->hub, "$iothub/twin/GET/"));

    assert_int_equal(iothub_set_desired_callback(f->client, NULL), IOTHUB_OK);
    fixture_run(f);
    set_twin(f, twin, sizeof twin, 1);
    twin_answer(f, 200, rid, "", twin);
    fixture_run(f);
    assert_int_equal(f->desired_count, 0);

    f->hub.twin_status = 200;
    set_twin(f, twin, sizeof twin, 9);
    assert_int_equal(iothub_set_desired_callback(f->client, r.callbacks.desired), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(f->desired_count, 1);
    assert_int_equal(f->desired[0].version, 9);
    fixture_free(f);
}

/* The request was made before the hub began to send changes, so its answer may lack one. */
static void an_answer_from_before_the_subscription_is_requested_again(void **state)
{
    (void)state;
    rig r;
    char twin[200];
    client_fixture *f = begin(&r);
    set_all(&r);
    f->hub.twin_status = 0;
    fixture_connect(f);
    const uint32_t rid = twin_rid(fake_hub_last(&f->hub, "$iothub/twin/GET/"));

    assert_int_equal(iothub_set_desired_callback(f->client, NULL), IOTHUB_OK);
    assert_int_equal(iothub_set_desired_callback(f->client, r.callbacks.desired), IOTHUB_OK);
    fixture_run(f);
    f->hub.twin_status = 200;
    char old[200];
    set_twin(f, old, sizeof old, 1);
    set_twin(f, twin, sizeof twin, 2);
    twin_answer(f, 200, rid, "", old);
    fixture_run(f);

    assert_int_equal(f->desired_count, 1);
    assert_int_equal(f->desired[0].version, 2);
    fixture_free(f);
}

/* --- sweeps ---------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 16;
}

static void change(rig *r, unsigned feature, bool set, bool *is_set)
{
    iothub_client *c = r->fixture.client;
    iothub_result result = IOTHUB_ERR_ARG;

    switch (feature) {
    case 0: result = iothub_set_c2d_callback(c, set ? r->callbacks.c2d : NULL); break;
    case 1: result = iothub_set_desired_callback(c, set ? r->callbacks.desired : NULL); break;
    default: result = iothub_set_method_callback(c, set ? r->callbacks.method : NULL); break;
    }
    assert_int_equal(result, IOTHUB_OK);
    is_set[feature] = set;
}

static void step(rig *r, uint32_t *seed, bool *is_set)
{
    client_fixture *f = &r->fixture;

    switch (next_random(seed) % 8) {
    case 0: fixture_run(f); break;
    case 1: (void)iothub_process(f->client); break;
    case 2: f->hub.session_present = next_random(seed) % 4 != 0; break;
    case 3:
        if (next_random(seed) % 4 == 0 && iothub_get_state(f->client) == IOTHUB_CONNECTED) {
            fixture_cut(f);
        }
        break;
    case 4:
        if (fixture_stream(f) != NULL) {
            (void)fake_hub_serve(&f->hub, fixture_stream(f));
        }
        break;
    default: change(r, next_random(seed) % 3, next_random(seed) % 2 == 0, is_set); break;
    }
}

static void after_any_changes_the_hub_has_exactly_the_subscriptions_that_are_wanted(void **state)
{
    (void)state;
    static const char *const filters[] = { C2D_FILTER, DESIRED_FILTER, METHOD_FILTER };

    for (uint32_t seed = 1; seed <= 60; seed++) {
        uint32_t random = seed;
        bool is_set[3] = { false, false, false };
        rig r;
        client_fixture *f = begin(&r);
        fixture_connect(f);

        for (unsigned i = 0; i < 60; i++) {
            step(&r, &random, is_set);
        }
        fixture_run(f);
        fixture_sleep(f, 120000);
        assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(strstr(f->hub.held, filters[i]) != NULL, is_set[i]);
        }
        assert_null(strchr(strstr(f->hub.held, TWIN_FILTER) + 1, '\n'));
        fixture_free(f);
    }
}

static void a_handle_that_is_no_client_is_refused(void **state)
{
    (void)state;
    assert_int_equal(iothub_set_c2d_callback(NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_set_desired_callback(NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_set_method_callback(NULL, NULL), IOTHUB_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_callback_that_is_set_while_connected_is_subscribed_to),
        cmocka_unit_test(callbacks_set_before_the_connection_need_no_packet_more),
        cmocka_unit_test(callbacks_set_before_suback_are_subscribed_to_after_it),
        cmocka_unit_test(a_filter_that_the_hub_refuses_later_is_named),
        cmocka_unit_test(callbacks_that_are_removed_are_unsubscribed_from_and_not_called),
        cmocka_unit_test(what_an_earlier_callback_has_taken_can_still_be_answered),
        cmocka_unit_test(a_callback_removed_while_offline_is_unsubscribed_from_in_a_kept_session),
        cmocka_unit_test(an_unsubscribe_that_was_lost_is_repeated_on_the_next_connection),
        cmocka_unit_test(a_new_desired_callback_gets_the_document_before_any_patch),
        cmocka_unit_test(a_desired_callback_that_replaces_another_gets_the_document),
        cmocka_unit_test(an_answer_to_a_request_of_an_earlier_callback_is_not_delivered),
        cmocka_unit_test(an_answer_from_before_the_subscription_is_requested_again),
        cmocka_unit_test(after_any_changes_the_hub_has_exactly_the_subscriptions_that_are_wanted),
        cmocka_unit_test(a_handle_that_is_no_client_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
