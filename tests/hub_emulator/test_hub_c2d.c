#include "hub_fixture.h"

#include <string.h>

#include "hub/hub_c2d.h"

#define BOUND "devices/device1/messages/devicebound/"

static const int first_client;
static const int second_client;

static void connect_and_listen(hub_fixture *f, const void *key, bool clean)
{
    assert_int_equal(fixture_connect(f, key, "device1", clean), HUB_OK);
    fixture_subscribe(f, key, BOUND "#", 1);
    hub_tick(&f->hub);
}

/* Acts as the broker: sends everything that was passed to it, with packet ids that count up from
 * `first`. */
static void put_on_wire(hub_fixture *f, uint16_t first)
{
    for (size_t i = 0; i < f->sent_count; i++) {
        hub_c2d_on_wire(&f->hub, "device1", (uint16_t)(first + i));
    }
}

static size_t waiting(hub_fixture *f)
{
    return fixture_device(f, "device1")->c2d.count;
}

static void messages_wait_until_the_device_subscribes(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    fixture_queue(f, "device1", "two", 60);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(fixture_connect(f, &first_client, "device1", false), HUB_OK);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 0);
    fixture_subscribe(f, &first_client, BOUND "#", 1);
    hub_tick(&f->hub);

    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].payload, "one");
    assert_string_equal(f->sent[0].topic, BOUND);
    assert_string_equal(f->sent[1].payload, "two");
    assert_int_equal(f->sent[1].qos, 1);
    assert_int_equal(waiting(f), 2);
}

static void an_acknowledged_message_is_gone_for_good(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    fixture_queue(f, "device1", "two", 60);
    connect_and_listen(f, &first_client, false);
    put_on_wire(f, 7);
    hub_c2d_on_ack(&f->hub, "device1", 8); /* acknowledged out of order */
    assert_int_equal(waiting(f), 1);
    hub_c2d_on_ack(&f->hub, "device1", 8);
    hub_c2d_on_ack(&f->hub, "device1", 9);
    hub_c2d_on_ack(&f->hub, "nobody", 7);
    assert_int_equal(waiting(f), 1);

    fixture_restart(f);
    fixture_forget_sent(f);
    assert_int_equal(waiting(f), 1);
    connect_and_listen(f, &first_client, false);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].payload, "one");
}

static void a_resumed_session_gets_nothing_twice_from_us(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    connect_and_listen(f, &first_client, false);
    put_on_wire(f, 1);
    hub_disconnected(&f->hub, &first_client);
    fixture_queue(f, "device1", "two", 60);
    hub_tick(&f->hub);
    fixture_forget_sent(f);

    /* The device need not subscribe again: the broker has kept its subscription and repeats
     * "one" itself. */
    assert_int_equal(fixture_connect(f, &second_client, "device1", false), HUB_OK);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].payload, "two");
    hub_c2d_on_ack(&f->hub, "device1", 1);
    assert_int_equal(waiting(f), 1);
}

/* If the device has disconnected before the first delivery was seen, the broker repeats the
 * message to the next connection. A repetition of a message that was seen changes nothing. */
static void a_message_is_known_by_its_repetition(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    connect_and_listen(f, &first_client, false);
    hub_disconnected(&f->hub, &first_client);
    assert_int_equal(fixture_connect(f, &second_client, "device1", false), HUB_OK);
    fixture_queue(f, "device1", "two", 60);
    hub_tick(&f->hub);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    hub_c2d_on_wire(&f->hub, "device1", 2);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    hub_c2d_on_ack(&f->hub, "device1", 2);
    assert_int_equal(waiting(f), 1);
    assert_string_equal(fixture_device(f, "device1")->c2d.items[0]->body, "one");
    hub_c2d_on_ack(&f->hub, "device1", 1);
    assert_int_equal(waiting(f), 0);
}

static void a_clean_session_gets_unacknowledged_messages_again(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    connect_and_listen(f, &first_client, true);
    put_on_wire(f, 1);
    hub_disconnected(&f->hub, &first_client);
    fixture_forget_sent(f);
    connect_and_listen(f, &second_client, true);

    assert_int_equal(f->sent_count, 1);
    put_on_wire(f, 1);
    hub_c2d_on_ack(&f->hub, "device1", 1);
    assert_int_equal(waiting(f), 0);
}

static void a_take_over_with_a_clean_session_starts_again(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    connect_and_listen(f, &first_client, false);
    put_on_wire(f, 1);
    fixture_forget_sent(f);
    assert_int_equal(fixture_connect(f, &second_client, "device1", true), HUB_OK);
    hub_disconnected(&f->hub, &first_client);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 0);
    fixture_subscribe(f, &second_client, BOUND "#", 1);
    hub_tick(&f->hub);

    assert_int_equal(f->sent_count, 1);
}

static void only_a_window_of_messages_is_on_its_way(void **state)
{
    hub_fixture *f = *state;

    for (int i = 0; i < HUB_C2D_QUEUE_MAX; i++) {
        fixture_queue(f, "device1", "x", 60);
    }
    connect_and_listen(f, &first_client, false);
    assert_int_equal(f->sent_count, HUB_C2D_WINDOW);
    put_on_wire(f, 1);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, HUB_C2D_WINDOW);
    hub_c2d_on_ack(&f->hub, "device1", 1);
    hub_tick(&f->hub);

    assert_int_equal(f->sent_count, HUB_C2D_WINDOW + 1);
}

static void the_queue_and_the_size_are_bounded(void **state)
{
    hub_fixture *f = *state;
    static char large[HUB_C2D_BYTES_MAX + 1];
    hub_c2d *q = &fixture_device(f, "device1")->c2d;
    const hub_store *store = &f->hub.registry.store;
    const hub_clock now = hub_time(&f->hub);
    hub_bag bag = { 0 };
    hub_fault fault;

    hub_bag_add(&bag, "ab", "cd");
    assert_int_equal(hub_c2d_add(q, store, &bag, large, sizeof large - 5, now, 60, &fault), HUB_OK);
    assert_int_equal(hub_c2d_add(q, store, &bag, large, sizeof large - 4, now, 60, &fault),
                     HUB_ERR_TOO_LARGE);
    for (int i = 1; i < HUB_C2D_QUEUE_MAX; i++) {
        fixture_queue(f, "device1", "x", 60);
    }
    assert_int_equal(hub_c2d_add(q, store, &bag, "x", 1, now, 60, &fault), HUB_ERR_QUEUE_FULL);
    hub_bag_free(&bag);
}

static void what_has_expired_is_not_delivered(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "short", 1);
    fixture_queue(f, "device1", "long", 60);
    f->now_ms += 1000;
    connect_and_listen(f, &first_client, false);

    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].payload, "long");
    assert_int_equal(waiting(f), 1);
}

static void setting_the_clock_neither_ends_nor_prolongs_a_message(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    f->step_ms = INT64_C(1000) * 86400;
    f->now_ms += 59999;
    hub_tick(&f->hub);
    assert_int_equal(waiting(f), 1);
    f->step_ms = -f->step_ms;
    f->now_ms += 51;
    hub_tick(&f->hub);
    assert_int_equal(waiting(f), 0);
}

static void after_a_restart_a_message_goes_by_its_date(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "short", 10);
    fixture_queue(f, "device1", "long", 60);
    f->now_ms += 1000;
    f->step_ms = 20000;
    fixture_restart(f);
    f->now_ms += 50;
    hub_tick(&f->hub);
    assert_int_equal(waiting(f), 1);
    /* Setting the clock back must not extend the life of a message. */
    f->step_ms = INT64_C(-1000) * 86400;
    fixture_restart(f);
    f->now_ms += 60050;
    hub_tick(&f->hub);
    assert_int_equal(waiting(f), 0);
}

static void quality_zero_needs_no_acknowledgement(void **state)
{
    hub_fixture *f = *state;

    fixture_queue(f, "device1", "one", 60);
    assert_int_equal(fixture_connect(f, &first_client, "device1", false), HUB_OK);
    fixture_subscribe(f, &first_client, BOUND "#", 0);
    hub_tick(&f->hub);

    assert_int_equal(f->sent_count, 1);
    assert_int_equal(f->sent[0].qos, 0);
    assert_int_equal(waiting(f), 0);
}

static void an_unsubscribed_device_gets_nothing(void **state)
{
    hub_fixture *f = *state;

    connect_and_listen(f, &first_client, false);
    hub_unsubscribe(&f->hub, &first_client, BOUND "#");
    fixture_queue(f, "device1", "one", 60);
    hub_tick(&f->hub);

    assert_int_equal(f->sent_count, 0);
}

static void bytes_and_properties_survive_a_restart(void **state)
{
    hub_fixture *f = *state;
    hub_bag bag = { 0 };
    hub_fault fault;
    hub_c2d *q = &fixture_device(f, "device1")->c2d;

    hub_bag_add(&bag, "$.mid", "m~1");
    hub_bag_add(&bag, "alone", NULL);
    hub_bag_add(&bag, "k", "\xC3\xA4 &");
    assert_int_equal(
        hub_c2d_add(q, &f->hub.registry.store, &bag, "\0\xFF\n", 3, hub_time(&f->hub), 60, &fault),
        HUB_OK);
    hub_bag_free(&bag);
    fixture_restart(f);
    connect_and_listen(f, &first_client, false);

    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].topic, BOUND "%24.mid=m%7E1&alone&k=%C3%A4%20%26");
    assert_int_equal(f->sent[0].len, 3);
    assert_memory_equal(f->sent[0].payload, "\0\xFF\n", 3);
}

/* Changes one member, expects that the check notices it, and changes it back. */
#define EXPECT_NOTICED(type, part, value) \
    do {                                  \
        const type kept = (part);         \
        (part) = (value);                 \
        assert_false(hub_c2d_valid(q));   \
        (part) = kept;                    \
        assert_true(hub_c2d_valid(q));    \
    } while (0)

static void parts_that_disagree_are_noticed(void **state)
{
    hub_fixture *f = *state;
    hub_c2d *q = &fixture_device(f, "device1")->c2d;

    for (int i = 0; i < HUB_C2D_WINDOW + 2; i++) {
        fixture_queue(f, "device1", "x", 60);
    }
    connect_and_listen(f, &first_client, false);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    assert_true(hub_c2d_valid(q));
    EXPECT_NOTICED(uint64_t, q->last_sequence, HUB_C2D_WINDOW + 1);
    EXPECT_NOTICED(uint64_t, q->purged, HUB_C2D_WINDOW + 3);
    EXPECT_NOTICED(uint64_t, q->items[4]->sequence, 4);
    EXPECT_NOTICED(hub_c2d_state, q->items[0]->state, HUB_C2D_QUEUED);
    EXPECT_NOTICED(hub_c2d_state, q->items[1]->state, HUB_C2D_QUEUED);
    EXPECT_NOTICED(hub_c2d_state, q->items[2]->state, HUB_C2D_SENT);
    EXPECT_NOTICED(hub_c2d_state, q->items[HUB_C2D_WINDOW]->state, HUB_C2D_HANDED);
    EXPECT_NOTICED(hub_c2d_state, q->items[HUB_C2D_WINDOW]->state, HUB_C2D_LOCKED);
    EXPECT_NOTICED(char, q->items[HUB_C2D_WINDOW]->lock[0], 'a');
    EXPECT_NOTICED(uint64_t, q->items[0]->turn, 0);
    EXPECT_NOTICED(uint64_t, q->items[0]->turn, 3);
    EXPECT_NOTICED(uint64_t, q->items[HUB_C2D_WINDOW]->turn, 1);
    EXPECT_NOTICED(uint64_t, q->turns, 1);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(messages_wait_until_the_device_subscribes),
        FIXTURE_TEST(an_acknowledged_message_is_gone_for_good),
        FIXTURE_TEST(a_resumed_session_gets_nothing_twice_from_us),
        FIXTURE_TEST(a_message_is_known_by_its_repetition),
        FIXTURE_TEST(a_clean_session_gets_unacknowledged_messages_again),
        FIXTURE_TEST(a_take_over_with_a_clean_session_starts_again),
        FIXTURE_TEST(only_a_window_of_messages_is_on_its_way),
        FIXTURE_TEST(the_queue_and_the_size_are_bounded),
        FIXTURE_TEST(what_has_expired_is_not_delivered),
        FIXTURE_TEST(setting_the_clock_neither_ends_nor_prolongs_a_message),
        FIXTURE_TEST(after_a_restart_a_message_goes_by_its_date),
        FIXTURE_TEST(quality_zero_needs_no_acknowledgement),
        FIXTURE_TEST(an_unsubscribed_device_gets_nothing),
        FIXTURE_TEST(bytes_and_properties_survive_a_restart),
        FIXTURE_TEST(parts_that_disagree_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
