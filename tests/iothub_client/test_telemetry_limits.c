#include <stdio.h>
#include <stdlib.h>

#include "store_fixture.h"

/* Tests limits, drop-oldest and purge, which behave the same in RAM and with a store. */

static iothub_options limits;
static bool stored;

static void limited(iothub_options *o)
{
    if (stored) {
        store_options(o);
    } else {
        fixture_quiet(o);
    }
    o->queue_max_count = limits.queue_max_count;
    o->queue_max_bytes = limits.queue_max_bytes;
    o->queue_max_age_s = limits.queue_max_age_s;
    o->when_full = limits.when_full;
    o->tx_size = limits.tx_size != 0 ? limits.tx_size : o->tx_size;
}

static void begin(client_fixture *f, iothub_options wanted)
{
    limits = wanted;
    fake_store_init(&fixture_store);
    fixture_init(f, limited);
}

static void end(client_fixture *f)
{
    store_check_sum(f);
    fixture_free(f);
    fake_store_free(&fixture_store);
}

static iothub_result try_send(client_fixture *f, unsigned number)
{
    char body[16];
    snprintf(body, sizeof body, "%u", number);
    const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
    return iothub_send_telemetry(f->client, &t, NULL);
}

/* Runs the test in RAM and then with a store. */
#define EACH for (int pass = 0; stored = pass == 1, pass <= 1; pass++)

static unsigned ended_with(const client_fixture *f, iothub_result result)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->done_count; i++) {
        n += f->dones[i].result == result;
    }
    return n;
}

static void a_full_queue_refuses_the_new_one(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        begin(&f, (iothub_options){ .queue_max_count = 5 });
        for (unsigned n = 0; n < 5; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        assert_int_equal(try_send(&f, 5), IOTHUB_ERR_NO_SPACE);
        assert_non_null(strstr(iothub_last_error(f.client)->text, "queue_max_count"));
        fixture_connect(&f);
        assert_int_equal(try_send(&f, 6), IOTHUB_OK);
        fixture_run(&f);
        assert_string_equal(store_arrived(&f, 0), "0 1 2 3 4 6");
        assert_int_equal(f.done_count, 6);
        end(&f);
    }
}

static void a_full_queue_drops_the_oldest(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        begin(&f, (iothub_options){ .queue_max_count = 5, .when_full = IOTHUB_DROP_OLDEST });
        for (unsigned n = 0; n < 12; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        assert_int_equal(f.done_count, 0); /* callbacks run only in iothub_process */
        store_check_sum(&f);
        fixture_run(&f);
        assert_int_equal(ended_with(&f, IOTHUB_ERR_DROPPED), 7);
        for (unsigned i = 0; i < 7; i++) {
            assert_int_equal(f.dones[i].op, i + 1);
        }
        assert_int_equal(store_stats(&f).telemetry_dropped, 7);
        assert_int_equal(store_stats(&f).queued, 5);
        fixture_connect(&f);
        assert_string_equal(store_arrived(&f, 0), "7 8 9 10 11");
        assert_int_equal(f.done_count, 12);
        end(&f);
    }
}

/* Messages in flight cannot be dropped; those that were sent on an earlier connection can. */
static void the_oldest_that_was_not_sent_goes(void **state)
{
    (void)state;
    EACH
    {
        for (int cut = 0; cut <= 1; cut++) {
            client_fixture f;
            begin(&f, (iothub_options){ .queue_max_count = 40, .when_full = IOTHUB_DROP_OLDEST });
            f.hub.mute_publish = true;
            for (unsigned n = 0; n < 40; n++) {
                assert_int_equal(try_send(&f, n), IOTHUB_OK);
            }
            fixture_connect(&f); /* messages 0 to 15 are now in flight */
            f.hub.mute_publish = false;
            unsigned before = 0;
            if (cut == 1) {
                fixture_cut(&f);
                before = f.hub.publishes;
            }
            for (unsigned n = 40; n < 50; n++) {
                assert_int_equal(try_send(&f, n), IOTHUB_OK);
            }
            for (unsigned n = 0; cut == 0 && n < 16; n++) {
                fake_hub_ack(&f.hub, fixture_stream(&f), n);
            }
            fixture_run(&f);
            fixture_sleep(&f, 1000);
            for (unsigned i = 0; i < 10; i++) {
                iothub_result how;
                assert_int_equal(fixture_ended(&f, i + (cut == 1 ? 1 : 17), &how), 1);
                assert_int_equal(how, IOTHUB_ERR_DROPPED);
            }
            assert_int_equal(ended_with(&f, IOTHUB_OK), 40);
            assert_int_equal(f.done_count, 50);
            assert_int_equal(f.hub.publishes - before, 40);
            end(&f);
        }
    }
}

static void bytes_are_limited(void **state)
{
    (void)state;
    EACH
    {
        for (int drop = 0; drop <= 1; drop++) {
            client_fixture f;
            unsigned taken = 0;
            begin(&f,
                  (iothub_options){ .queue_max_bytes = 1000, .when_full = (iothub_when_full)drop });
            for (unsigned n = 0; n < 100; n++) {
                taken += try_send(&f, n) == IOTHUB_OK;
                assert_in_range(store_stats(&f).queued_bytes, 1, 1000);
            }
            assert_in_range(taken, drop ? 100 : 5, drop ? 100 : 30);
            fixture_connect(&f);
            assert_int_equal(f.done_count, taken);
            assert_int_equal(atoi(fake_hub_at(&f.hub, f.hub.publishes - 1)->payload),
                             drop ? 99 : taken - 1);
            char body[1001] = { 0 };
            const iothub_telemetry t = { .body = body, .body_len = sizeof body };
            assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);
            end(&f);
        }
    }
}

/* A size computed in advance includes the nine bytes that MQTT may add. */
static void the_limit_of_bytes_may_be_filled_to_the_last_one(void **state)
{
    (void)state;
    for (uint64_t less = 0; less < 2; less++) {
        client_fixture f;
        stored = false;
        begin(&f, (iothub_options){ .queue_max_count = 0 });
        assert_int_equal(try_send(&f, 1), IOTHUB_OK);
        const uint64_t each = store_stats(&f).queued_bytes;
        end(&f);
        begin(&f, (iothub_options){ .queue_max_bytes = 4 * each + each + 3 - less });

        for (unsigned n = 1; n <= 4; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        assert_int_equal(try_send(&f, 5), less == 0 ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        assert_int_equal(try_send(&f, 6), IOTHUB_ERR_NO_SPACE);
        end(&f);
    }
}

/* A dropped message keeps its entry until its end is reported; a quarter of the entries is
 * reserved for that. */
static void a_ring_that_drops_holds_three_quarters_of_its_entries(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1024, 2048, 16384, 100000 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint64_t most = IOTHUB_TELEMETRY_ENTRIES(sizes[i]) / 4 * 3;
        client_fixture f;
        uint64_t longest = 0;
        stored = false;
        begin(&f, (iothub_options){ .when_full = IOTHUB_DROP_OLDEST, .tx_size = sizes[i] });
        for (unsigned n = 0; n < 3 * most; n++) {
            assert_int_equal(try_send(&f, n % 10), IOTHUB_OK);
            fixture_run(&f);
            uint64_t queued = store_stats(&f).queued;
            longest = queued > longest ? queued : longest;
        }
        const uint64_t fit = sizes[i] / 41; /* the size of a message with its topic of 32 bytes */
        assert_int_equal(longest, most < fit ? most : fit);
        end(&f);
    }
}

static void age_is_a_time_to_live_for_all(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        begin(&f, (iothub_options){ .queue_max_age_s = 2 });
        iothub_telemetry t = { .body = "1", .body_len = 1 };
        static const uint32_t ttl_ms[] = { 0, 1000, 5000 };
        for (size_t i = 0; i < 3; i++) {
            t.ttl_ms = ttl_ms[i];
            assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        }
        fixture_sleep(&f, 1999);
        /* With a store, the expiry may be noticed later. */
        assert_int_equal(ended_with(&f, IOTHUB_ERR_EXPIRED), stored ? 0 : 1);
        fixture_sleep(&f, 1);
        assert_int_equal(ended_with(&f, IOTHUB_ERR_EXPIRED), 3);
        end(&f);
    }
}

static void a_ring_that_drops_has_the_newest_whatever_the_sizes(void **state)
{
    (void)state;
    stored = false;
    for (size_t len = 1; len < 300; len += 7) {
        client_fixture f;
        uint8_t body[300] = { 0 };
        begin(&f, (iothub_options){ .when_full = IOTHUB_DROP_OLDEST, .tx_size = 2048 });
        for (unsigned n = 0; n < 200; n++) {
            body[0] = (uint8_t)n;
            const iothub_telemetry t = { .body = body, .body_len = len };
            assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
            if (n % 5 == 0) {
                fixture_run(&f);
            }
        }
        fixture_connect(&f);
        assert_in_range(f.hub.publishes, 4, 48);
        for (unsigned n = 0; n < f.hub.publishes; n++) {
            assert_int_equal((uint8_t)fake_hub_at(&f.hub, n)->payload[0],
                             200 - f.hub.publishes + n);
        }
        assert_int_equal(f.done_count, 200);
        end(&f);
    }
}

static void a_ring_held_by_what_is_on_its_way_refuses(void **state)
{
    (void)state;
    client_fixture f;
    unsigned n = 0;
    stored = false;
    begin(&f, (iothub_options){ .when_full = IOTHUB_DROP_OLDEST, .tx_size = 256 });
    f.hub.mute_publish = true;
    fixture_connect(&f);
    assert_int_equal(try_send(&f, n++), IOTHUB_OK);
    fixture_run(&f);
    mqc_hold(f.client->context.engine, IOTHUB_LANE_TELEMETRY, true);
    while (try_send(&f, n) == IOTHUB_OK) {
        n++;
    }
    assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_NO_SPACE);
    fixture_run(&f);
    assert_int_equal(ended_with(&f, IOTHUB_ERR_DROPPED), 0);
    fake_hub_ack(&f.hub, fixture_stream(&f), 0);
    fixture_run(&f);
    assert_int_equal(try_send(&f, n), IOTHUB_OK);
    end(&f);
}

static void a_full_store_refuses_or_drops(void **state)
{
    (void)state;
    stored = true;
    for (int drop = 0; drop <= 1; drop++) {
        client_fixture f;
        begin(&f, (iothub_options){ .when_full = (iothub_when_full)drop });
        fixture_store.max_count = 10;
        for (unsigned n = 0; n < 10; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        assert_int_equal(try_send(&f, 10), drop ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
        if (drop == 0) {
            assert_non_null(strstr(iothub_last_error(f.client)->text, "fake.db"));
        }
        fixture_connect(&f);
        assert_string_equal(store_arrived(&f, 0),
                            drop ? "1 2 3 4 5 6 7 8 9 10" : "0 1 2 3 4 5 6 7 8 9");
        assert_int_equal(f.done_count, 10 + drop);
        assert_int_equal(store_stats(&f).store_errors, 0);
        end(&f);
    }
}

/* In RAM the exact overhead of MQTT counts, in a store the largest possible overhead. */
static void the_largest_message_with_its_topic_is_as_large_as_the_ring(void **state)
{
    (void)state;
    static char body[2000];
    EACH
    {
        client_fixture f;
        iothub_telemetry t = { .body = body, .body_len = 1, .message_id = "x" };
        begin(&f, (iothub_options){ .tx_size = 2000 });
        fixture_connect(&f);
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        fixture_run(&f);
        const size_t most = 2000 - strlen(fake_hub_at(&f.hub, 0)->topic) - (stored ? 9 : 7);

        t.body_len = most + 1;
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);
        t.body_len = most;
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        fixture_run(&f);
        assert_int_equal(fake_hub_at(&f.hub, 1)->payload_len, most);
        end(&f);
    }
}

static void limits_out_of_range_are_refused(void **state)
{
    (void)state;
    static const iothub_options wrong[] = { { .queue_max_age_s = 4294968 },
                                            { .when_full = (iothub_when_full)2 } };
    static const char *const names[] = { "queue_max_age_s", "when_full" };
    for (size_t i = 0; i < 2; i++) {
        client_fixture f;
        iothub_error error;
        stored = false;
        begin(&f, (iothub_options){ .queue_max_age_s = 4294967 });
        iothub_options o = f.options;
        o.queue_max_age_s = wrong[i].queue_max_age_s;
        o.when_full = wrong[i].when_full;
        assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &o, &error));
        assert_int_equal(error.code, IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, names[i]));
        end(&f);
    }
}

/* --- purge ------------------------------------------------------------------------------------ */

static void a_purge_offline_gives_everything_up(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        uint64_t count;
        begin(&f, (iothub_options){ 0 });
        for (unsigned n = 0; n < 100; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
        assert_int_equal(count, 100);
        assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
        assert_int_equal(count, 0);
        assert_int_equal(try_send(&f, 100), IOTHUB_OK);
        assert_int_equal(f.done_count, 0);
        fixture_connect(&f);
        assert_string_equal(store_arrived(&f, 0), "100");
        assert_int_equal(ended_with(&f, IOTHUB_ERR_DROPPED), 100);
        assert_int_equal(f.done_count, 101);
        end(&f);
    }
}

static void a_purge_makes_room_immediately_and_for_good(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        begin(&f, (iothub_options){ .queue_max_count = 5 });
        for (unsigned round = 0; round < 4; round++) {
            uint64_t count = 0;
            for (unsigned n = 0; n < 5; n++) {
                assert_int_equal(try_send(&f, n), IOTHUB_OK);
            }
            assert_int_equal(try_send(&f, 5), IOTHUB_ERR_NO_SPACE);
            assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
            assert_int_equal(count, 5);
            if (!stored) { /* records in a store are removed in the next turn */
                assert_int_equal(try_send(&f, 6), IOTHUB_OK);
                assert_int_equal(iothub_purge(f.client, NULL), IOTHUB_OK);
            }
            fixture_run(&f);
            assert_int_equal(store_stats(&f).queued, 0);
        }
        end(&f);
    }
}

static void a_purge_online_leaves_what_is_on_its_way(void **state)
{
    (void)state;
    EACH
    {
        client_fixture f;
        uint64_t count;
        begin(&f, (iothub_options){ 0 });
        f.hub.mute_publish = true;
        for (unsigned n = 0; n < 100; n++) {
            assert_int_equal(try_send(&f, n), IOTHUB_OK);
        }
        fixture_connect(&f);
        assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
        assert_int_equal(count, 84);
        fixture_run(&f);
        assert_int_equal(ended_with(&f, IOTHUB_ERR_DROPPED), 84);
        assert_int_equal(store_stats(&f).queued, 16);
        assert_int_equal(try_send(&f, 100), IOTHUB_OK);
        f.hub.mute_publish = false;
        for (unsigned n = 0; n < 16; n++) {
            fake_hub_ack(&f.hub, fixture_stream(&f), n);
        }
        fixture_run(&f);
        assert_string_equal(store_arrived(&f, 0), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 100");
        assert_int_equal(f.done_count, 101);
        end(&f);
    }
}

static void a_purge_takes_what_an_earlier_run_left(void **state)
{
    (void)state;
    client_fixture f;
    uint64_t count;
    stored = true;
    begin(&f, (iothub_options){ 0 });
    for (unsigned n = 0; n < 300; n++) {
        assert_int_equal(try_send(&f, n), IOTHUB_OK);
    }
    store_kill(&f);
    fixture_init(&f, limited);
    assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
    assert_int_equal(count, 300);
    fixture_run(&f);
    assert_int_equal(f.done_count, 0);
    assert_int_equal(store_stats(&f).telemetry_dropped, 300);
    assert_int_equal(fake_store_count(&fixture_store), 0);
    end(&f);
}

static void one_at_a_time(iothub_options *o)
{
    o->queue_max_count = 1;
}

static void a_queue_of_one_takes_one(void **state)
{
    (void)state;
    client_fixture f;
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    fixture_init(&f, one_at_a_time);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_NO_SPACE);
    fixture_connect(&f);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_of_one_takes_one),
        cmocka_unit_test(a_full_queue_refuses_the_new_one),
        cmocka_unit_test(a_full_queue_drops_the_oldest),
        cmocka_unit_test(the_oldest_that_was_not_sent_goes),
        cmocka_unit_test(bytes_are_limited),
        cmocka_unit_test(the_limit_of_bytes_may_be_filled_to_the_last_one),
        cmocka_unit_test(a_ring_that_drops_holds_three_quarters_of_its_entries),
        cmocka_unit_test(age_is_a_time_to_live_for_all),
        cmocka_unit_test(a_ring_that_drops_has_the_newest_whatever_the_sizes),
        cmocka_unit_test(a_ring_held_by_what_is_on_its_way_refuses),
        cmocka_unit_test(a_full_store_refuses_or_drops),
        cmocka_unit_test(the_largest_message_with_its_topic_is_as_large_as_the_ring),
        cmocka_unit_test(limits_out_of_range_are_refused),
        cmocka_unit_test(a_purge_offline_gives_everything_up),
        cmocka_unit_test(a_purge_makes_room_immediately_and_for_good),
        cmocka_unit_test(a_purge_online_leaves_what_is_on_its_way),
        cmocka_unit_test(a_purge_takes_what_an_earlier_run_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
