#include <stdio.h>
#include <stdlib.h>

#include "store_fixture.h"

static void begin(client_fixture *f)
{
    fake_store_init(&fixture_store);
    fixture_init(f, store_options);
}

static void end(client_fixture *f)
{
    store_check_sum(f);
    fixture_free(f);
    fake_store_free(&fixture_store);
}

/* --- order, repeats, names ------------------------------------------------------------------ */

static void what_is_sent_is_in_the_store_until_the_hub_has_it(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    begin(&f);
    iothub_op op = store_send(&f, 1);
    assert_int_equal(fake_store_count(&fixture_store), 1);
    assert_int_equal(store_stats(&f).queued, 1);
    assert_true(store_stats(&f).queued_bytes > 0);

    fixture_connect(&f);

    assert_int_equal(fake_store_count(&fixture_store), 0);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(store_stats(&f).telemetry_stored, 1);
    assert_int_equal(store_stats(&f).telemetry_acknowledged, 1);
    end(&f);
}

static void the_tag_comes_back(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    const iothub_telemetry t = { .body = "x", .body_len = 1, .tag = &f };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    fixture_connect(&f);
    assert_int_equal(f.done_count, 1);
    assert_ptr_equal(f.dones[0].tag, &f);
    end(&f);
}

static void a_run_goes_on_where_another_was_killed(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    for (unsigned n = 1; n <= 100; n++) {
        store_send(&f, n);
    }
    store_kill(&f);
    fixture_init(&f, store_options);
    assert_int_equal(store_stats(&f).queued, 100);
    assert_int_equal(store_stats(&f).telemetry_found, 100);
    iothub_op op = store_send(&f, 101);

    fixture_connect(&f);

    assert_int_equal(f.hub.publishes, 101);
    for (unsigned n = 0; n <= 100; n++) {
        assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), n + 1);
    }
    assert_int_equal(f.done_count, 1); /* the other messages have no done callback */
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    end(&f);
}

static void a_repeat_has_the_same_message_id_after_a_kill(void **state)
{
    (void)state;
    client_fixture f;
    char first[512];
    begin(&f);
    f.hub.mute_publish = true;
    store_send(&f, 1);
    fixture_connect(&f);
    snprintf(first, sizeof first, "%s", fake_hub_at(&f.hub, 0)->topic);
    assert_non_null(strstr(first, "%24.mid=0123456789abcdef-7"));
    store_kill(&f);

    fixture_init(&f, store_options);
    store_send(&f, 2);
    fixture_connect(&f);
    assert_string_equal(fake_hub_at(&f.hub, 0)->topic, first);
    assert_non_null(strstr(fake_hub_at(&f.hub, 1)->topic, "%24.mid=0123456789abcdef-8"));
    end(&f);
}

static void a_message_id_of_the_application_is_left_alone(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    const iothub_telemetry t = { .body = "x", .body_len = 1, .message_id = "mine" };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    fixture_connect(&f);
    assert_non_null(strstr(fake_hub_at(&f.hub, 0)->topic, "%24.mid=mine"));
    assert_null(strstr(fake_hub_at(&f.hub, 0)->topic, "cdef-"));
    end(&f);
}

static void qos_0_keeps_its_position_and_leaves_the_store_when_it_was_sent(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    for (unsigned n = 1; n <= 20; n++) {
        char body[16];
        snprintf(body, sizeof body, "%u", n);
        const iothub_telemetry t = { .body = body,
                                     .body_len = strlen(body),
                                     .at_most_once = n % 2 == 0 };
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    }
    fixture_connect(&f);
    assert_string_equal(store_arrived(&f, 0), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    assert_int_equal(fake_hub_at(&f.hub, 1)->qos, 0);
    assert_int_equal(f.done_count, 20);
    assert_int_equal(fake_store_count(&fixture_store), 0);
    end(&f);
}

/* --- windows and batches ------------------------------------------------------------------ */

static uint16_t window;
static size_t tx_size;

static void sized(iothub_options *o)
{
    store_options(o);
    o->window = window;
    o->tx_size = tx_size;
}

static void a_backlog_larger_than_the_ring_drains_in_order(void **state)
{
    (void)state;
    static const uint16_t windows[] = { 1, 2, 3, 16, 100 };
    for (size_t w = 0; w < 5; w++) {
        for (tx_size = 256; tx_size <= 4096; tx_size *= 2) {
            client_fixture f;
            window = windows[w];
            fake_store_init(&fixture_store);
            fixture_init(&f, sized);
            for (unsigned n = 0; n < 200; n++) {
                store_send(&f, n);
            }
            fixture_connect(&f);
            assert_int_equal(f.hub.publishes, 200);
            for (unsigned n = 0; n < 200; n++) {
                assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), n);
            }
            assert_int_equal(f.done_count, 200);
            end(&f);
        }
    }
}

static void the_backlog_leaves_in_batches(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    for (unsigned n = 0; n < 160; n++) {
        store_send(&f, n);
    }
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 160);
    /* CONNECT, SUBSCRIBE, and one call for each half window in the worst case. */
    assert_in_range(store_stats(&f).send_calls, 1, 2 + 160 / 8 + 4);
    end(&f);
}

static void one_that_is_larger_than_the_ring_is_refused_immediately(void **state)
{
    (void)state;
    client_fixture f;
    static const char body[20000];
    begin(&f);
    const iothub_telemetry t = { .body = body, .body_len = sizeof body };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);
    assert_int_equal(fake_store_count(&fixture_store), 0);
    end(&f);
}

static void one_stored_with_a_larger_ring_is_not_skipped(void **state)
{
    (void)state;
    client_fixture f;
    static const char body[2000];
    window = 16;
    tx_size = 16384;
    fake_store_init(&fixture_store);
    fixture_init(&f, sized);
    const iothub_telemetry t = { .body = body, .body_len = sizeof body };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    store_send(&f, 2);
    store_kill(&f);

    tx_size = 1024;
    fixture_init(&f, sized);
    fixture_connect(&f);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.hub.publishes, 0);
    assert_int_equal(store_stats(&f).queued, 2);
    assert_non_null(strstr(f.log, "larger than tx_size"));
    assert_in_range(store_stats(&f).store_errors, 2, 10);
    store_kill(&f);

    tx_size = 16384;
    fixture_init(&f, sized);
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 2);
    end(&f);
}

/* --- stop and start, connections ------------------------------------------------------------ */

static void stopping_keeps_what_is_left_and_starting_goes_on(void **state)
{
    (void)state;
    for (unsigned acked = 0; acked <= 16; acked++) {
        client_fixture f;
        begin(&f);
        f.hub.mute_publish = true;
        for (unsigned n = 0; n < 50; n++) {
            store_send(&f, n);
        }
        fixture_connect(&f);
        for (unsigned n = 0; n < acked; n++) {
            fake_hub_ack(&f.hub, fixture_stream(&f), acked % 2 != 0 ? n : 15 - n);
        }
        fixture_run(&f);
        assert_int_equal(iothub_stop(f.client, 100), IOTHUB_OK);
        fixture_run(&f);
        fixture_sleep(&f, 3000);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
        assert_int_equal(f.done_count, acked);
        assert_int_equal(store_stats(&f).queued, 50 - acked);
        store_check_sum(&f);

        f.hub.mute_publish = false;
        unsigned before = f.hub.publishes;
        fixture_connect(&f);
        assert_int_equal(f.hub.publishes - before, 50 - acked);
        assert_int_equal(f.done_count, 50);
        for (unsigned i = 0; i < 50; i++) {
            assert_int_equal(fixture_ended(&f, f.dones[i].op, NULL), 1);
            assert_int_equal(f.dones[i].result, IOTHUB_OK);
        }
        end(&f);
    }
}

static void a_stop_waits_for_what_is_on_its_way_and_not_for_the_backlog(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    f.hub.mute_publish = true;
    fixture_connect(&f);
    for (unsigned n = 0; n < 200; n++) {
        store_send(&f, n);
    }
    fixture_run(&f);
    f.hub.mute_publish = false;
    assert_int_equal(iothub_stop(f.client, 60000), IOTHUB_OK);
    for (unsigned n = 0; n < 16; n++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), n);
    }
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(f.done_count, 32);
    assert_int_equal(f.hub.disconnects, 1);
    assert_int_equal(store_stats(&f).queued, 168);
    end(&f);
}

static void a_stop_without_connection_does_not_wait(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    f.hub.mute_publish = true;
    fixture_connect(&f);
    store_send(&f, 1);
    fixture_run(&f);
    fixture_cut(&f);
    assert_int_equal(iothub_stop(f.client, 60000), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(store_stats(&f).queued, 1);
    end(&f);
}

static unsigned kept_count;

static void count_kept(iothub_client *c, const iothub_done *d, void *user)
{
    iothub_stats s;
    (void)user;
    assert_int_equal(d->result, IOTHUB_KEPT);
    assert_true(d->op > 0);
    kept_count++;
    iothub_get_stats(c, &s);
    assert_int_equal(s.telemetry_kept, kept_count);
    assert_int_equal(s.telemetry_accepted + s.telemetry_found, s.telemetry_kept + s.queued);
}

static void keep_counter(iothub_options *o)
{
    store_options(o);
    o->callbacks.done = count_kept;
}

static void the_end_of_the_client_tells_that_they_are_kept(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    store_send(&f, 0);
    store_kill(&f); /* a message of an earlier run, whose end is not reported */
    kept_count = 0;
    fixture_init(&f, keep_counter);
    f.hub.mute_publish = true;
    for (unsigned n = 1; n <= 40; n++) {
        store_send(&f, n);
    }
    fixture_connect(&f);
    fixture_free(&f);
    assert_int_equal(kept_count, 40);
    assert_int_equal(fake_store_count(&fixture_store), 41);
    fake_store_free(&fixture_store);
}

static void a_lost_connection_repeats_in_order_and_loses_nothing(void **state)
{
    (void)state;
    for (int present = 0; present <= 1; present++) {
        for (unsigned acked = 0; acked <= 16; acked++) {
            client_fixture f;
            begin(&f);
            f.hub.mute_publish = true;
            for (unsigned n = 0; n < 60; n++) {
                store_send(&f, n);
            }
            fixture_connect(&f);
            for (unsigned n = 0; n < acked; n++) {
                fake_hub_ack(&f.hub, fixture_stream(&f), n);
            }
            fixture_run(&f);
            f.hub.session_present = present == 1;
            f.hub.mute_publish = false;
            unsigned before = f.hub.publishes;
            fixture_cut(&f);
            fixture_sleep(&f, 1000);
            assert_int_equal(f.hub.publishes, before + 60 - acked);
            for (unsigned n = acked; n < 60; n++) {
                const fake_hub_publish *p = fake_hub_at(&f.hub, before + n - acked);
                assert_int_equal(atoi(p->payload), n);
            }
            assert_int_equal(f.done_count, 60);
            end(&f);
        }
    }
}

/* --- time ----------------------------------------------------------------------------------- */

static iothub_op send_ttl(client_fixture *f, const char *body, uint32_t ttl_ms)
{
    iothub_op op;
    const iothub_telemetry t = { .body = body, .body_len = strlen(body), .ttl_ms = ttl_ms };
    assert_int_equal(iothub_send_telemetry(f->client, &t, &op), IOTHUB_OK);
    return op;
}

static void what_waits_too_long_expires_to_the_millisecond(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    begin(&f);
    iothub_op op = send_ttl(&f, "1", 1000);
    fixture_sleep(&f, 999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    assert_int_equal(store_stats(&f).queued, 0);
    end(&f);
}

static void one_behind_others_that_expires_is_never_sent(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);
    for (unsigned n = 0; n < 150; n++) {
        char body[16];
        snprintf(body, sizeof body, "%u", n);
        send_ttl(&f, body, n < 10 || n == 149 ? 0 : 1 + n % 50 * 100);
    }
    fixture_sleep(&f, 10000);
    assert_int_equal(f.done_count, 0); /* found late */
    fixture_connect(&f);
    assert_string_equal(store_arrived(&f, 0), "0 1 2 3 4 5 6 7 8 9 149");
    assert_int_equal(f.done_count, 150);
    assert_int_equal(store_stats(&f).telemetry_expired, 139);
    end(&f);
}

static void the_wall_clock_may_jump_within_a_run(void **state)
{
    (void)state;
    static const int64_t jumps[] = { 0, 1, 1600000000, 2100000000 };
    for (size_t i = 0; i < 4; i++) {
        client_fixture f;
        begin(&f);
        send_ttl(&f, "1", 60000);
        fake_clock_set_wall(&f.platform.clock, jumps[i]);
        fixture_sleep(&f, 59999);
        assert_int_equal(f.done_count, 0);
        fixture_sleep(&f, 1);
        assert_int_equal(f.done_count, 1);
        end(&f);
    }
}

static void after_a_restart_the_wall_clock_tells_the_age_and_in_doubt_it_is_new(void **state)
{
    (void)state;
    static const struct {
        int64_t stored, now;
        bool expires;
    } cases[] = {
        /* Both times are whole seconds, so up to a second more may have passed. */
        { 1700000000, 1700000060, false }, { 1700000000, 1700000061, true },
        { 1700000000, 1600000000, false }, { 1700000000, 0, false },
        { 0, 1700000000, false },          { 1700000000, 1700000000, false },
        { 1700000000, 1800000000, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client_fixture f;
        begin(&f);
        fake_clock_set_wall(&f.platform.clock, cases[i].stored);
        send_ttl(&f, "1", 60000);
        send_ttl(&f, "2", 0);
        store_kill(&f);
        fixture_init(&f, store_options);
        fake_clock_set_wall(&f.platform.clock, cases[i].now);
        fixture_run(&f);
        assert_int_equal(store_stats(&f).telemetry_expired, cases[i].expires);
        assert_int_equal(store_stats(&f).queued, cases[i].expires ? 1 : 2);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_in_the_store_until_the_hub_has_it),
        cmocka_unit_test(the_tag_comes_back),
        cmocka_unit_test(a_run_goes_on_where_another_was_killed),
        cmocka_unit_test(a_repeat_has_the_same_message_id_after_a_kill),
        cmocka_unit_test(a_message_id_of_the_application_is_left_alone),
        cmocka_unit_test(qos_0_keeps_its_position_and_leaves_the_store_when_it_was_sent),
        cmocka_unit_test(a_backlog_larger_than_the_ring_drains_in_order),
        cmocka_unit_test(the_backlog_leaves_in_batches),
        cmocka_unit_test(one_that_is_larger_than_the_ring_is_refused_immediately),
        cmocka_unit_test(one_stored_with_a_larger_ring_is_not_skipped),
        cmocka_unit_test(stopping_keeps_what_is_left_and_starting_goes_on),
        cmocka_unit_test(a_stop_waits_for_what_is_on_its_way_and_not_for_the_backlog),
        cmocka_unit_test(a_stop_without_connection_does_not_wait),
        cmocka_unit_test(the_end_of_the_client_tells_that_they_are_kept),
        cmocka_unit_test(a_lost_connection_repeats_in_order_and_loses_nothing),
        cmocka_unit_test(what_waits_too_long_expires_to_the_millisecond),
        cmocka_unit_test(one_behind_others_that_expires_is_never_sent),
        cmocka_unit_test(the_wall_clock_may_jump_within_a_run),
        cmocka_unit_test(after_a_restart_the_wall_clock_tells_the_age_and_in_doubt_it_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
