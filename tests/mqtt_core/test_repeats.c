#include "qos2.h"

/* QoS 2 messages that a server sends again after their PUBREL; see repeats.h. */

enum { REMEMBERED = 16 };

static const rig_sizes sizes = { .inbound = 40, .released = REMEMBERED };

/* A message "t" with one byte of payload, acknowledged by the application at once. */
static void publish(rig *r, unsigned id, uint8_t payload, bool dup)
{
    assert_int_equal(
        RIG_FEED(r, dup ? 0x3C : 0x34, 6, 0, 1, 't', (uint8_t)(id >> 8), (uint8_t)id, payload),
        MQC_OK);
}

/* As a whole: what is sent is forgotten. */
static void complete(rig *r, unsigned id, uint8_t payload)
{
    publish(r, id, payload, false);
    rig_send_all(r);
    pubrel(r, id);
    rig_send_all(r);
    rig_forget(r);
}

static void open(rig *r, const rig_sizes *s)
{
    begin(r, s);
    r->ack_at_once = true;
}

/* With ids 1 to n, all different, and a new connection behind them. */
static void open_after(rig *r, unsigned n)
{
    open(r, &sizes);
    for (unsigned id = 1; id <= n; id++) {
        complete(r, id, (uint8_t)id);
    }
    reconnect(r, true);
}

static void expect_handed_out(rig *r, bool handed_out)
{
    assert_int_equal(r->events, handed_out);
    rig_forget(r);
}

static void a_repeat_after_its_pubrel_is_answered_but_not_handed_out(void **state)
{
    (void)state;
    rig r;
    open_after(&r, REMEMBERED);
    for (unsigned id = 1; id <= REMEMBERED; id++) {
        publish(&r, id, (uint8_t)id, true);
        expect_handed_out(&r, false);
        rig_send_all(&r);
        pubrel(&r, id);
        rig_send_all(&r);
        rig_expect_sent(&r, 0x50, 2, 0, (uint8_t)id, 0x70, 2, 0, (uint8_t)id);
        rig_forget(&r);
    }
    reconnect(&r, true);
    publish(&r, 3, 3, true); /* once more */
    expect_handed_out(&r, false);
    publish(&r, REMEMBERED + 1, 1, false);
    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void without_memory_for_it_a_repeat_is_handed_out(void **state)
{
    (void)state;
    const rig_sizes none = { .inbound = 40 };
    rig r;
    open(&r, &none);
    for (unsigned id = 1; id <= REMEMBERED; id++) {
        complete(&r, id, (uint8_t)id);
    }
    reconnect(&r, true);

    publish(&r, 3, 3, true);

    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void memory_for_repeats_needs_both_its_values(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    mqc_memory memory = r.memory;
    memory.released_len = 1;

    assert_int_equal(mqc_init(&r.e, &memory), MQC_ERR_ARG);

    rig_deinit(&r);
}

static void what_is_no_repeat_is_handed_out(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t id;
        uint8_t payload;
        bool dup;
    } cases[] = {
        { "no DUP: a new message", 3, 3, false },
        { "another payload", 3, 4, true },
        { "an id that nobody used", 200, 3, true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig r;
        open_after(&r, REMEMBERED);
        publish(&r, cases[i].id, cases[i].payload, cases[i].dup);
        if (r.events != 1) {
            fail_msg("%s", cases[i].why);
        }
        rig_deinit(&r);
    }
}

static void on_the_same_connection_it_is_a_new_message(void **state)
{
    (void)state;
    rig r;
    open_after(&r, 1);
    for (unsigned id = 2; id <= REMEMBERED; id++) {
        complete(&r, id, (uint8_t)id);
    }

    publish(&r, 5, 5, true);

    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void a_server_that_comes_back_to_an_id_is_believed_until_the_session_ends(void **state)
{
    (void)state;
    rig r;
    open_after(&r, REMEMBERED);
    complete(&r, 7, 7); /* a new message under an old id */
    reconnect(&r, true);

    publish(&r, 3, 3, true);
    expect_handed_out(&r, true);
    reconnect(&r, false);
    for (unsigned id = 1; id <= REMEMBERED; id++) {
        complete(&r, id, (uint8_t)id);
    }
    reconnect(&r, true);
    publish(&r, 3, 3, true);
    expect_handed_out(&r, false);
    rig_deinit(&r);
}

static void a_lost_session_forgets_all(void **state)
{
    (void)state;
    rig r;
    open_after(&r, REMEMBERED);
    reconnect(&r, false);
    reconnect(&r, true);

    publish(&r, 3, 3, true);

    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void messages_must_have_differed_for_a_while(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 9; n++) {
        rig r;
        open(&r, &sizes);
        for (unsigned id = 1; id <= n; id++) {
            publish(&r, id, (uint8_t)id, false);
        }
        for (unsigned id = 1; id <= n; id++) {
            pubrel(&r, id);
        }
        reconnect(&r, true);

        publish(&r, 1, 1, true);

        expect_handed_out(&r, n < 8);
        rig_deinit(&r);
    }
}

/* Ids 1 to 10 under way at once, then what shows how the server counts. */
static void equal_messages(rig *r)
{
    open(r, &sizes);
    for (unsigned id = 1; id <= 10; id++) {
        publish(r, id, 'x', false);
    }
    rig_send_all(r);
}

static void equal_messages_need_a_server_that_counts(void **state)
{
    (void)state;
    rig r;
    equal_messages(&r);
    for (unsigned id = 1; id <= 10; id++) {
        pubrel(&r, id);
    }
    reconnect(&r, true);

    publish(&r, 1, 'x', true); /* may be new: it was the lowest free id */

    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void a_free_id_passed_over_on_one_connection_shows_that_it_counts(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        rig r;
        equal_messages(&r);
        pubrel(&r, 1); /* our PUBCOMP goes out before the PUBREC of 11 */
        publish(&r, 11, 'x', false);
        if (known) {
            pubrel(&r, 11); /* so the server has that PUBCOMP */
        }
        publish(&r, 12, 'x', false);
        for (unsigned id = 2; id <= 10; id++) {
            pubrel(&r, id);
        }
        reconnect(&r, true);
        rig_forget(&r);

        publish(&r, 5, 'x', true);

        expect_handed_out(&r, !known);
        rig_deinit(&r);
    }
}

static void a_free_id_passed_over_on_the_next_connection_shows_it_too(void **state)
{
    (void)state;
    for (int repeated = 0; repeated < 3; repeated++) {
        rig r;
        equal_messages(&r);
        pubrel(&r, 1);
        reconnect(&r, true);
        if (repeated == 1) {
            pubrel(&r, 1);
        } else if (repeated == 2) {
            publish(&r, 1, 'x', true);
        }
        publish(&r, 11, 'x', false);
        for (unsigned id = 2; id <= 10; id++) {
            pubrel(&r, id);
        }
        reconnect(&r, true);
        rig_forget(&r);

        publish(&r, 5, 'x', true);

        expect_handed_out(&r, repeated != 0); /* 1 was not free then */
        rig_deinit(&r);
    }
}

static void counting_goes_on_round_the_end_of_the_ids(void **state)
{
    (void)state;
    rig r;
    open(&r, &sizes);
    for (unsigned id = 65530; id <= 65535; id++) {
        complete(&r, id, (uint8_t)id);
    }
    for (unsigned id = 1; id <= 6; id++) {
        complete(&r, id, (uint8_t)id);
    }
    reconnect(&r, true);

    publish(&r, 65533, (uint8_t)65533, true);
    expect_handed_out(&r, false);
    publish(&r, 2, 2, true);
    expect_handed_out(&r, false);
    rig_deinit(&r);
}

static void the_oldest_are_forgotten_first(void **state)
{
    (void)state;
    rig r;
    open_after(&r, REMEMBERED + 3);

    publish(&r, 4, 4, true);
    expect_handed_out(&r, false);
    publish(&r, 3, 3, true);
    expect_handed_out(&r, true);
    rig_deinit(&r);
}

static void a_repeat_is_answered_in_its_turn(void **state)
{
    (void)state;
    rig r;
    open_after(&r, REMEMBERED);
    r.ack_at_once = false;
    publish(&r, 20, 20, false);
    publish(&r, 3, 3, true);
    publish(&r, 3, 3, true); /* impatient */

    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 20), MQC_OK);
    expect_sent(&r, "PUBREC 20\nPUBREC 3\n");
    assert_int_equal(r.events, 1);
    assert_int_equal(mqc_ack(&r.e, 3), MQC_ERR_STATE);
    rig_deinit(&r);
}

static void a_repeat_larger_than_the_buffer_is_known_by_its_topic_and_length(void **state)
{
    (void)state;
    const rig_sizes small = { .rx = 32, .inbound = 40, .released = REMEMBERED };
    uint8_t large[60] = { 0x34, 58, 0, 1, 't', 0, 1 };
    rig r;
    open(&r, &small);
    for (uint8_t id = 1; id <= REMEMBERED; id++) {
        large[6] = id;
        assert_int_equal(rig_feed(&r, large, sizeof large), MQC_OK);
        rig_send_all(&r);
        pubrel(&r, id);
        rig_send_all(&r);
    }
    assert_int_equal(r.events, REMEMBERED);
    reconnect(&r, true);
    large[0] = 0x3C;

    assert_int_equal(rig_feed(&r, large, sizeof large), MQC_OK);
    expect_handed_out(&r, false);
    expect_sent(&r, "PUBREC 16\n");
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeat_after_its_pubrel_is_answered_but_not_handed_out),
        cmocka_unit_test(without_memory_for_it_a_repeat_is_handed_out),
        cmocka_unit_test(memory_for_repeats_needs_both_its_values),
        cmocka_unit_test(what_is_no_repeat_is_handed_out),
        cmocka_unit_test(on_the_same_connection_it_is_a_new_message),
        cmocka_unit_test(a_server_that_comes_back_to_an_id_is_believed_until_the_session_ends),
        cmocka_unit_test(a_lost_session_forgets_all),
        cmocka_unit_test(messages_must_have_differed_for_a_while),
        cmocka_unit_test(equal_messages_need_a_server_that_counts),
        cmocka_unit_test(a_free_id_passed_over_on_one_connection_shows_that_it_counts),
        cmocka_unit_test(a_free_id_passed_over_on_the_next_connection_shows_it_too),
        cmocka_unit_test(counting_goes_on_round_the_end_of_the_ids),
        cmocka_unit_test(the_oldest_are_forgotten_first),
        cmocka_unit_test(a_repeat_is_answered_in_its_turn),
        cmocka_unit_test(a_repeat_larger_than_the_buffer_is_known_by_its_topic_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
