#include "connection/wall_clock.h"
#include "drive/wake.h"
#include "store_fixture.h"

/* --- a runner that sleeps, without a thread -------------------------------------- */

/* Runs the client until it has nothing to do, then lets it sleep. */
static void fall_asleep(client_fixture *f)
{
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;

    f->client->context.lock->asleep = false;
    fixture_run(f);
    mqc_time deadline = loop_poll(f->client, polls, &timeout_ms);
    assert_int_not_equal(timeout_ms, 0);
    wake_on_sleep(&f->client->wake, f->client->context.last_op, deadline);
    lock_on_sleep(f->client->context.lock);
}

static unsigned wakes(client_fixture *f)
{
    return (unsigned)f->client->context.lock->threads->take_wakes(&f->client->context.lock->thread);
}

static void begin(client_fixture *f, void (*change)(iothub_options *o))
{
    fixture_init(f, change != NULL ? change : fixture_quiet);
    fixture_lock(f);
    fixture_connect(f);
    f->client->wake.lone = true;
    fall_asleep(f);
    fake_hub_init(&f->hub);
}

/* Returns how many writes the call that sends makes itself. */
static unsigned writes_of_a_send(client_fixture *f, const char *body)
{
    unsigned before = f->platform.streams[0].calls[SCRIPTED_SEND];

    (void)fixture_send(f, body);
    return f->platform.streams[0].calls[SCRIPTED_SEND] - before;
}

/* --- one at a time ---------------------------------------------------------------- */

static void a_lone_message_is_on_its_way_when_the_call_returns(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);

    for (unsigned n = 1; n <= 500; n++) {
        assert_int_equal(writes_of_a_send(&f, "lone"), 1);
        assert_int_equal(f.hub.publishes, n);
        assert_int_equal(wakes(&f), 0);
        assert_int_equal(f.done_count, n - 1); /* the sending thread runs no callback */
        fall_asleep(&f);
        assert_int_equal(f.done_count, n);
    }
    fixture_free(&f);
}

static void what_has_left_does_not_wake_for_the_time_it_may_take(void **state)
{
    (void)state;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .ttl_ms = 100 };
    client_fixture f;
    begin(&f, NULL);
    f.hub.mute_publish = true;

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(wakes(&f), 0);
    assert_int_equal(f.hub.publishes, 1);
    fake_clock_advance(&f.platform.clock, 10000);
    fall_asleep(&f);
    assert_int_equal(f.done_count, 0);
    fake_hub_ack(&f.hub, fixture_stream(&f), 0);
    fall_asleep(&f);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    fixture_free(&f);
}

static void the_second_of_one_sleep_is_left_to_the_thread(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);

    assert_int_equal(writes_of_a_send(&f, "first"), 1);
    assert_int_equal(writes_of_a_send(&f, "second"), 0);
    assert_int_equal(wakes(&f), 1);
    assert_int_equal(writes_of_a_send(&f, "third"), 0);
    assert_int_equal(wakes(&f), 0); /* the runner was already woken */
    fixture_free(&f);
}

static void a_thread_that_sent_many_wakes_the_runner_for_the_next(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);
    (void)fixture_send(&f, "one");
    (void)fixture_send(&f, "two");
    fall_asleep(&f);
    (void)wakes(&f);
    fall_asleep(&f); /* a sleep without a request gives no information about requests */

    assert_int_equal(writes_of_a_send(&f, "maybe one of many"), 0);
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    assert_int_equal(writes_of_a_send(&f, "it was not"), 1);
    assert_int_equal(wakes(&f), 0);
    fixture_free(&f);
}

static void the_end_of_what_has_no_acknowledgement_is_the_threads_to_tell(void **state)
{
    (void)state;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    client_fixture f;
    begin(&f, NULL);

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    assert_int_equal(f.done_count, 1);
    fixture_free(&f);
}

static void small_ring(iothub_options *o)
{
    fixture_quiet(o);
    o->tx_size = 1024;
}

/* A packet that wraps around the end of the ring takes two writes. */
static void it_leaves_whole_wherever_it_stands_in_the_ring(void **state)
{
    (void)state;
    char body[200];
    client_fixture f;
    begin(&f, small_ring);
    f.hub.mute_publish = true;
    unsigned writes = 0;
    memset(body, 'b', sizeof body);
    body[sizeof body - 1] = '\0';

    for (unsigned n = 0; n < 100; n++) {
        writes += writes_of_a_send(&f, body + n);
        assert_int_equal(wakes(&f), 0);
        fall_asleep(&f);
        assert_int_equal(f.hub.publishes, n + 1);
        /* One message is always open, so that the ring does not start at its beginning again. */
        if (n > 0) {
            fake_hub_ack(&f.hub, fixture_stream(&f), n - 1);
            fall_asleep(&f);
        }
    }
    assert_true(writes > 110);
    fixture_free(&f);
}

/* --- what is out of the ordinary ------------------------------------------------------ */

static void what_the_stream_does_not_take_wakes_the_thread(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);
    (void)fixture_send(&f, "how long it is");
    size_t len = fixture_stream(&f)->last_send;
    fall_asleep(&f);

    for (size_t room = 0; room < len; room++) {
        unsigned before = f.hub.publishes;
        fixture_stream(&f)->send_room = room;
        (void)fixture_send(&f, "how long it is");
        assert_int_equal(wakes(&f), 1);
        f.client->context.lock->asleep = false;
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        fixture_stream(&f)->send_room = SIZE_MAX;
        fall_asleep(&f);
        assert_int_equal(f.hub.publishes, before + 1);
    }
    assert_int_equal(f.done_count, len + 1);
    fixture_free(&f);
}

static void a_failure_is_the_threads_to_tell(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);
    unsigned statuses = f.status_count;
    scripted_fail(fixture_stream(&f), SCRIPTED_SEND, 1, PLAT_ERR_IO);

    (void)fixture_send(&f, "survives");
    assert_int_equal(wakes(&f), 1);
    assert_int_equal(f.status_count, statuses);
    f.client->context.lock->asleep = false;
    fixture_run(&f);
    assert_true(f.status_count > statuses);
    assert_int_equal(f.client->session.counts.losses, 1);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.done_count, 1);
    fixture_free(&f);
}

static void what_is_dropped_for_another_wakes_for_its_end(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);
    f.client->context.options.queue_max_count = 1;
    f.client->context.options.when_full = IOTHUB_DROP_OLDEST;
    mqc_hold(f.client->context.engine, IOTHUB_LANE_TELEMETRY, true);

    (void)fixture_send(&f, "goes");
    assert_int_equal(wakes(&f), 0);
    (void)fixture_send(&f, "stays");
    assert_int_equal(wakes(&f), 1);
    fixture_free(&f);
}

/* --- nothing to do ---------------------------------------------------------------------- */

static void window_of_two(iothub_options *o)
{
    fixture_quiet(o);
    o->window = 2;
}

static void the_runner_is_not_woken_while_the_window_is_closed(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, window_of_two);
    f.hub.mute_publish = true;
    (void)fixture_send(&f, "0");
    (void)fixture_send(&f, "1");
    fall_asleep(&f);
    (void)wakes(&f);

    for (unsigned n = 2; n < 50; n++) {
        assert_int_equal(writes_of_a_send(&f, "waits"), 0);
        assert_int_equal(wakes(&f), 0);
    }
    f.hub.mute_publish = false;
    fake_hub_ack(&f.hub, fixture_stream(&f), 0);
    fake_hub_ack(&f.hub, fixture_stream(&f), 1);
    fall_asleep(&f);
    assert_int_equal(f.done_count, 50);
    fixture_free(&f);
}

static void nor_while_the_stream_takes_nothing(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, NULL);
    fixture_stream(&f)->send_room = 3;
    (void)fixture_send(&f, "begun");
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    assert_true(f.client->session.changeover.channels[0].want_write);

    assert_int_equal(writes_of_a_send(&f, "behind it"), 0);
    assert_int_equal(wakes(&f), 0);
    fixture_free(&f);
}

static void nor_without_a_connection_unless_it_must_be_given_up_first(void **state)
{
    (void)state;
    client_fixture f;
    iothub_telemetry t = { .body = "x", .body_len = 1, .ttl_ms = 1000 };
    fixture_init(&f, fixture_quiet);
    fixture_lock(&f);
    fall_asleep(&f);

    assert_int_equal(writes_of_a_send(&f, "at some time"), 0);
    assert_int_equal(wakes(&f), 0);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    t.ttl_ms = 2000;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(wakes(&f), 0);
    t.ttl_ms = 999;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(wakes(&f), 1);
    fixture_free(&f);
}

/* --- what comes during a turn -------------------------------------------------------------- */

static void send_another(iothub_client *c, const iothub_done *d, void *user)
{
    client_fixture *f = user;

    (void)c;
    (void)d;
    if (f->done_count++ < 10) {
        (void)fixture_send(f, "from a callback");
    }
}

static void answer_each_end(iothub_options *o)
{
    fixture_quiet(o);
    o->callbacks.done = send_another;
}

static void what_a_callback_queues_leaves_in_the_same_turn_or_the_next(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f, answer_each_end);

    (void)fixture_send(&f, "the first");
    fall_asleep(&f);
    assert_int_equal(f.done_count, 11);
    fixture_free(&f);
}

/* --- with a store ------------------------------------------------------------------------- */

static void narrow_store(iothub_options *o)
{
    store_options(o);
    o->window = 2;
}

static void with_a_store_it_is_woken_while_there_is_room_in_the_lane(void **state)
{
    (void)state;
    client_fixture f;
    fake_store_init(&fixture_store);
    begin(&f, narrow_store);
    f.hub.mute_publish = true;

    for (unsigned n = 0; n < 4; n++) { /* twice as many as the window allows */
        assert_int_equal(writes_of_a_send(&f, "is fed to the lane"), 0);
        assert_int_equal(wakes(&f), 1);
        fall_asleep(&f);
    }
    assert_int_equal(writes_of_a_send(&f, "stays in the store"), 0);
    assert_int_equal(wakes(&f), 0);

    fake_hub_ack(&f.hub, fixture_stream(&f), 0);
    fake_hub_ack(&f.hub, fixture_stream(&f), 1);
    f.hub.mute_publish = false;
    fall_asleep(&f);
    fake_hub_ack(&f.hub, fixture_stream(&f), 2);
    fake_hub_ack(&f.hub, fixture_stream(&f), 3);
    fall_asleep(&f);
    assert_int_equal(f.done_count, 5);
    fixture_free(&f);
    fake_store_free(&fixture_store);
}

static void with_a_store_it_is_woken_to_sync_it(void **state)
{
    (void)state;
    client_fixture f;
    fake_store_init(&fixture_store);
    begin(&f, narrow_store);
    f.hub.mute_publish = true;
    for (unsigned n = 0; n < 4; n++) {
        (void)fixture_send(&f, "fills the lane");
    }
    f.client->context.lock->asleep = false;
    fixture_sleep(&f, 10000);
    fall_asleep(&f);
    (void)wakes(&f);

    assert_int_equal(writes_of_a_send(&f, "dirties"), 0);
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    assert_int_equal(writes_of_a_send(&f, "goes with it"), 0);
    assert_int_equal(wakes(&f), 0);
    fixture_free(&f);
    fake_store_free(&fixture_store);
}

static void without_a_connection_a_store_wakes_it_to_look_at_the_first_only(void **state)
{
    (void)state;
    client_fixture f;
    fake_store_init(&fixture_store);
    fixture_init(&f, store_options);
    fixture_lock(&f);
    fall_asleep(&f);

    (void)fixture_send(&f, "at the front");
    assert_int_equal(wakes(&f), 1);
    fall_asleep(&f);
    (void)fixture_send(&f, "behind it");
    assert_int_equal(wakes(&f), 0);
    fixture_free(&f);
    fake_store_free(&fixture_store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_message_is_on_its_way_when_the_call_returns),
        cmocka_unit_test(what_has_left_does_not_wake_for_the_time_it_may_take),
        cmocka_unit_test(the_second_of_one_sleep_is_left_to_the_thread),
        cmocka_unit_test(a_thread_that_sent_many_wakes_the_runner_for_the_next),
        cmocka_unit_test(the_end_of_what_has_no_acknowledgement_is_the_threads_to_tell),
        cmocka_unit_test(it_leaves_whole_wherever_it_stands_in_the_ring),
        cmocka_unit_test(what_the_stream_does_not_take_wakes_the_thread),
        cmocka_unit_test(a_failure_is_the_threads_to_tell),
        cmocka_unit_test(what_is_dropped_for_another_wakes_for_its_end),
        cmocka_unit_test(the_runner_is_not_woken_while_the_window_is_closed),
        cmocka_unit_test(nor_while_the_stream_takes_nothing),
        cmocka_unit_test(nor_without_a_connection_unless_it_must_be_given_up_first),
        cmocka_unit_test(what_a_callback_queues_leaves_in_the_same_turn_or_the_next),
        cmocka_unit_test(with_a_store_it_is_woken_while_there_is_room_in_the_lane),
        cmocka_unit_test(with_a_store_it_is_woken_to_sync_it),
        cmocka_unit_test(without_a_connection_a_store_wakes_it_to_look_at_the_first_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
