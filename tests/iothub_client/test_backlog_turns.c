#include <stdio.h>

#include "store_fixture.h"

/* Tests when the store is read: early enough, and a limited number of records per turn. */

static uint16_t window;

static void with_window(iothub_options *o)
{
    store_options(o);
    o->window = window;
}

static void begin(client_fixture *f)
{
    fake_store_init(&fixture_store);
    fixture_init(f, with_window);
}

static void end(client_fixture *f)
{
    store_check_sum(f);
    fixture_free(f);
    fake_store_free(&fixture_store);
}

static iothub_op send_for(client_fixture *f, uint32_t ttl_ms)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1, .ttl_ms = ttl_ms };
    iothub_op op;

    assert_int_equal(iothub_send_telemetry(f->client, &t, &op), IOTHUB_OK);
    return op;
}

static int timeout_of(client_fixture *f)
{
    iothub_poll p;
    iothub_poll_info(f->client, &p);
    return p.timeout_ms;
}

/* A stop moves the messages in flight back to the front of the backlog, before the one that was
 * first. */
static void what_a_stop_takes_back_expires_in_time(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    window = 1;
    begin(&f);
    f.hub.mute_publish = true;
    iothub_op soon = send_for(&f, 5000);
    (void)send_for(&f, 0);
    iothub_op never = send_for(&f, 0);
    fixture_connect(&f); /* takes the first two messages from the store */
    f.hub.mute_connect = true;
    fixture_cut(&f); /* the third message is now the first of the backlog */

    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    fixture_sleep(&f, 4999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);

    assert_int_equal(fixture_ended(&f, soon, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    assert_int_equal(fixture_ended(&f, never, NULL), 0);
    end(&f);
}

static void what_was_on_its_way_at_a_purge_is_kept_at_a_stop_and_sent_later(void **state)
{
    (void)state;
    for (unsigned waiting = 0; waiting < 3; waiting++) {
        client_fixture f;
        uint64_t count;
        iothub_result how;
        window = 1;
        begin(&f);
        f.hub.mute_publish = true;
        iothub_op first = send_for(&f, 0);
        fixture_connect(&f); /* sends it */
        for (unsigned n = 0; n < waiting; n++) {
            (void)send_for(&f, 0);
        }
        assert_int_equal(iothub_purge(f.client, &count), IOTHUB_OK);
        assert_int_equal(count, waiting);
        assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
        assert_int_not_equal(timeout_of(&f), 0);
        assert_int_equal(store_stats(&f).telemetry_dropped, waiting);

        f.hub.mute_publish = false;
        fixture_connect(&f);
        fixture_run(&f);
        assert_int_equal(fixture_ended(&f, first, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
        assert_int_equal(store_stats(&f).telemetry_dropped, waiting);
        end(&f);
    }
}

static void what_an_earlier_run_left_is_looked_at_before_the_first_sleep(void **state)
{
    (void)state;
    client_fixture f;
    window = 16;
    begin(&f);
    (void)send_for(&f, 10000);
    store_kill(&f);
    fixture_init(&f, with_window);

    assert_int_equal(timeout_of(&f), 0);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    /* A message expires even if the client was never started. */
    assert_in_range(timeout_of(&f), 1, 10000);
    fixture_sleep(&f, 12000); /* the age of a record is known in whole seconds of the wall clock */

    assert_int_equal(store_stats(&f).telemetry_expired, 1);
    /* The record belongs to an earlier run, so no request of this run ends. */
    assert_int_equal(f.done_count, 0);
    end(&f);
}

static void the_first_one_in_an_empty_store_expires_in_time_without_a_start(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    window = 16;
    begin(&f);
    for (int n = 0; n < 3; n++) {
        fixture_run(&f); /* finds nothing */
        iothub_op op = send_for(&f, 1000);
        fixture_sleep(&f, 999);
        assert_int_equal(fixture_ended(&f, op, NULL), 0);
        fixture_sleep(&f, 1);
        assert_int_equal(fixture_ended(&f, op, &how), 1);
        assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    }
    end(&f);
}

/* Each turn ends some of the messages, and asks for another turn if there are more. */
static void many_that_have_expired_end_in_turns_without_a_sleep_between(void **state)
{
    (void)state;
    enum { MANY = 300, IN_A_TURN = 64 };
    for (int connected = 0; connected < 2; connected++) {
        client_fixture f;
        window = 1;
        begin(&f);
        f.hub.mute_publish = true;
        if (connected) {
            (void)send_for(&f, 0);
            (void)send_for(&f, 0);
            fixture_connect(&f); /* takes these two messages, which fill the lane */
        }
        for (unsigned n = 0; n < MANY; n++) {
            (void)send_for(&f, 1000);
        }
        fixture_run(&f);
        fake_clock_advance(&f.platform.clock, 1000);
        if (connected) {
            fake_hub_ack(&f.hub, fixture_stream(&f), 0);
        }

        unsigned before = f.done_count;
        while (f.done_count < before + MANY) {
            unsigned turn = f.done_count;
            assert_int_equal(timeout_of(&f), turn == before && connected ? timeout_of(&f) : 0);
            assert_int_equal(iothub_process(f.client), IOTHUB_OK);
            assert_in_range(f.done_count - turn, 1, 2 * IN_A_TURN + 1);
        }
        end(&f);
    }
}

/* For a record of an earlier run the wall clock gives the age; a record without a date counts as
 * new. */
static void a_record_without_a_date_is_new_and_one_of_1970_is_old(void **state)
{
    (void)state;
    for (int64_t stored_s = -1; stored_s <= 2; stored_s++) {
        plat_store_record old = {
            .stored_s = stored_s, .ttl_ms = 4000000, .head = "\0\0\0\0\0\0\0\0topic", .head_len = 13
        };
        client_fixture f;
        window = 16;
        fake_store_init(&fixture_store);
        assert_int_equal(fixture_store.base.ops->append(&fixture_store.base, &old, 0), PLAT_OK);
        fixture_init(&f, with_window);
        fixture_run(&f);
        assert_int_equal(store_stats(&f).telemetry_expired, stored_s > 0);
        end(&f);
    }
}

static void few_places(iothub_options *o)
{
    with_window(o);
    o->when_full = IOTHUB_DROP_OLDEST;
    o->queue_max_count = 5;
    o->tx_size = 4096;
}

/* Each end that was not reported yet occupies a slot of the table; without a free slot nothing
 * is dropped. */
static void more_drops_than_slots_wait_for_a_turn(void **state)
{
    (void)state;
    client_fixture f;
    unsigned taken = 0;
    window = 4;
    fake_store_init(&fixture_store);
    fixture_init(&f, few_places);
    const uint32_t places = f.client->telemetry.limits.backlog.table.len;

    for (unsigned round = 1; round <= 3; round++) {
        const iothub_telemetry t = { .body = "x", .body_len = 1 };
        unsigned more = 0;
        while (iothub_send_telemetry(f.client, &t, NULL) == IOTHUB_OK) {
            more++;
            assert_true(more < 1000);
        }
        taken += more;
        assert_int_equal(more, (round == 1 ? 5 : 0) + places);
        assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_NO_SPACE);
        assert_int_equal(fake_store_count(&fixture_store), 5);
        fixture_run(&f);
        assert_int_equal(f.done_count, taken - 5);
    }
    end(&f);
}

static void the_bytes_that_are_queued_are_those_of_the_store(void **state)
{
    (void)state;
    client_fixture f;
    plat_store_info info;
    window = 16;
    begin(&f);
    assert_int_equal(store_stats(&f).queued_bytes, 0);

    for (unsigned n = 0; n < 10; n++) {
        (void)send_for(&f, 0);
        fixture_store.base.ops->info(&fixture_store.base, &info);
        assert_int_equal(store_stats(&f).queued_bytes, info.bytes);
    }
    assert_true(info.bytes > 0);
    fixture_connect(&f);
    assert_int_equal(store_stats(&f).queued_bytes, 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_stop_takes_back_expires_in_time),
        cmocka_unit_test(what_was_on_its_way_at_a_purge_is_kept_at_a_stop_and_sent_later),
        cmocka_unit_test(what_an_earlier_run_left_is_looked_at_before_the_first_sleep),
        cmocka_unit_test(the_first_one_in_an_empty_store_expires_in_time_without_a_start),
        cmocka_unit_test(many_that_have_expired_end_in_turns_without_a_sleep_between),
        cmocka_unit_test(more_drops_than_slots_wait_for_a_turn),
        cmocka_unit_test(a_record_without_a_date_is_new_and_one_of_1970_is_old),
        cmocka_unit_test(the_bytes_that_are_queued_are_those_of_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
