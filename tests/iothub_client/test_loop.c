#include "client_fixture.h"

/* Tests what an event loop waits for: the earliest deadline of any part, and the events that the
 * streams want. */

static mqc_time poll_of(client_fixture *f, plat_poll *polls, int *timeout_ms)
{
    return loop_poll(f->client, polls, timeout_ms);
}

static mqc_time now(const client_fixture *f)
{
    return f->platform.clock.monotonic_ms;
}

static void a_client_that_was_never_started_waits_for_nothing(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    fixture_init(&f, NULL);

    assert_true(poll_of(&f, polls, &timeout_ms) == IOTHUB_NEVER);
    assert_int_equal(timeout_ms, -1);
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        assert_int_equal(polls[i].fd, -1);
        assert_false(polls[i].want_read || polls[i].want_write || polls[i].ready_now);
    }
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_int_equal(timeout_ms, 0);
    fixture_free(&f);
}

static void the_stream_is_read_and_written_when_it_was_full(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_stream(&f)->fd = 9;

    (void)poll_of(&f, polls, &timeout_ms);
    assert_int_equal(polls[0].fd, 9);
    assert_true(polls[0].want_read);
    assert_false(polls[0].want_write);
    assert_int_equal(polls[1].fd, -1);
    fixture_stream(&f)->send_room = 3;
    (void)fixture_send(&f, "more than fits");
    fixture_run(&f);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_true(polls[0].want_read && polls[0].want_write);
    assert_int_not_equal(timeout_ms, 0);
    fixture_free(&f);
}

static void a_stream_that_has_input_does_not_let_it_sleep(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    scripted_feed(fixture_stream(&f), "\x30", 1);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_true(polls[0].ready_now);
    assert_int_equal(timeout_ms, 0);
    fixture_run(&f);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_false(polls[0].ready_now);
    assert_int_not_equal(timeout_ms, 0);
    fixture_free(&f);
}

/* Each deadline in turn is the earliest one. */
static void the_earliest_deadline_counts(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    const iothub_telemetry brief = { .body = "x", .body_len = 1, .ttl_ms = 5000 };
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    const mqc_time ping = poll_of(&f, polls, &timeout_ms);
    /* The keep-alive deadline of the engine. */
    assert_in_range(ping, now(&f) + 100000, now(&f) + 240000);
    assert_int_equal(timeout_ms, ping - now(&f));

    f.hub.mute_publish = true;
    fixture_stream(&f)->send_room = 0;
    assert_int_equal(iothub_send_telemetry(f.client, &brief, NULL), IOTHUB_OK);
    fixture_run(&f);
    const mqc_time expiry = poll_of(&f, polls, &timeout_ms);
    assert_true(expiry < ping);

    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK); /* adds the deadline of the stop */
    fixture_run(&f);
    assert_int_equal(poll_of(&f, polls, &timeout_ms), now(&f) + 1000);
    assert_int_equal(timeout_ms, 1000);
    fake_clock_advance(&f.platform.clock, 999);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_int_equal(timeout_ms, 1);
    fake_clock_advance(&f.platform.clock, 1);
    (void)poll_of(&f, polls, &timeout_ms);
    assert_int_equal(timeout_ms, 0);
    fixture_free(&f);
}

static void a_wait_for_the_next_attempt_is_a_deadline(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    fixture_init(&f, NULL);
    f.hub.return_code = 3;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    const uint32_t retry_in_ms = fixture_last_status(&f)->retry_in_ms;
    assert_int_equal(poll_of(&f, polls, &timeout_ms), now(&f) + retry_in_ms);
    assert_int_equal(timeout_ms, retry_in_ms);
    fixture_free(&f);
}

/* A message that waits for the application may fill the buffer; then nothing is read until it is
 * accepted. */
static void a_full_buffer_is_not_read_into(void **state)
{
    (void)state;
    client_fixture f;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.client->reading.full = true;
    (void)poll_of(&f, polls, &timeout_ms);
    assert_false(polls[0].want_read || polls[0].ready_now);
    f.client->reading.full = false;
    (void)poll_of(&f, polls, &timeout_ms);
    assert_true(polls[0].want_read);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_was_never_started_waits_for_nothing),
        cmocka_unit_test(the_stream_is_read_and_written_when_it_was_full),
        cmocka_unit_test(a_stream_that_has_input_does_not_let_it_sleep),
        cmocka_unit_test(the_earliest_deadline_counts),
        cmocka_unit_test(a_wait_for_the_next_attempt_is_a_deadline),
        cmocka_unit_test(a_full_buffer_is_not_read_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
