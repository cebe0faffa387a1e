#include "rig.h"

/* Tests that waiting publishes get other topics. The bytes that are sent afterwards are compared
 * with those of an engine that was given the new topics from the start. */

static mqc_result publish(rig *r, const char *topic, uint32_t id, size_t len)
{
    static uint8_t payload[400];

    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)(id + i);
    }
    const mqc_outgoing m = { .topic = mqc_span_str(topic),
                             .payload = { payload, len },
                             .qos = (uint8_t)(id % 2),
                             .id = id };
    return mqc_publish(&r->e, &m, NULL);
}

static mqc_result rename_topics(rig *r, const char *from, const char *to)
{
    return mqc_rename_topics(&r->e, 0, mqc_span_str(from), mqc_span_str(to));
}

/* Moves the head of the ring by whole packets, and leaves one publish whose topic is not
 * renamed. */
static void turn_ring(rig *r, unsigned turns)
{
    rig_connect(r, true, false);
    assert_int_equal(publish(r, "x", 1, 20), MQC_OK);
    for (unsigned i = 0; i < turns; i++) {
        assert_int_equal(publish(r, "x", 2 * i + 3, 30), MQC_OK);
        rig_send_all(r);
        rig_puback(r, (uint16_t)(i + 1));
    }
    mqc_reset(&r->e);
    rig_forget(r);
}

static void queue_all(rig *r, const char *beginning, size_t len)
{
    char topic[300];

    for (uint32_t id = 100; id < 106; id++) {
        snprintf(topic, sizeof topic, "%s/events/%u", id == 103 ? "other" : beginning, id);
        assert_int_equal(publish(r, topic, id, len + id - 100), MQC_OK);
    }
}

/* Checks that both engines send the same. oldest is the packet id of the oldest publish. */
static void check_sent_alike(rig *renamed, rig *wanted, unsigned oldest)
{
    rig_connect(renamed, true, false);
    rig_connect(wanted, true, false);
    rig_send_all(renamed);
    rig_send_all(wanted);
    assert_int_equal(renamed->sent_len, wanted->sent_len);
    assert_memory_equal(renamed->sent, wanted->sent, wanted->sent_len);
    rig_puback(renamed, (uint16_t)oldest);
    rig_puback(wanted, (uint16_t)oldest);
    assert_string_equal(renamed->log, wanted->log);
    assert_int_equal(mqc_lane(&renamed->e, 0).bytes, mqc_lane(&wanted->e, 0).bytes);
}

static void renamed_publishes_are_sent_as_if_they_had_the_name_from_the_start(void **state)
{
    static const char *const names[] = { "d", "devices/abc", "devices/abd",
                                         "devices/abcdefghijklmnopqrstuvwxyz0123456789" };
    static const size_t lens[] = { 0, 1, 60, 110, 125, 140 };
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 1500, .entries_len = 16 } } };

    for (unsigned turns = 0; turns < 48; turns++) {
        for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(names) * COUNT_OF(lens); i++) {
            const char *from = names[i % COUNT_OF(names)];
            const char *to = names[i / COUNT_OF(names) % COUNT_OF(names)];
            const size_t len = lens[i / COUNT_OF(names) / COUNT_OF(names)];
            rig renamed;
            rig wanted;
            rig_init(&renamed, &sizes);
            rig_init(&wanted, &sizes);
            turn_ring(&renamed, turns);
            turn_ring(&wanted, turns);
            queue_all(&renamed, from, len);
            queue_all(&wanted, to, len);
            assert_int_equal(rename_topics(&renamed, from, to), MQC_OK);
            check_sent_alike(&renamed, &wanted, turns + 1);
            rig_deinit(&renamed);
            rig_deinit(&wanted);
        }
    }
}

static void without_room_nothing_changes_and_dropping_the_oldest_makes_room(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 200, .entries_len = 16 } } };
    rig r;
    rig same;
    rig_init(&r, &sizes);
    rig_init(&same, &sizes);
    for (uint32_t id = 1; id <= 6; id++) {
        assert_int_equal(publish(&r, "dev/a", id, 20), MQC_OK);
        assert_int_equal(publish(&same, "dev/a", id, 20), MQC_OK);
    }

    assert_int_equal(rename_topics(&r, "dev/", "devices/"), MQC_ERR_NO_SPACE);
    assert_int_equal(mqc_drop(&r.e, 0, NULL), MQC_OK);
    assert_int_equal(mqc_drop(&same.e, 0, NULL), MQC_OK);
    assert_int_equal(rename_topics(&r, "dev/", "devices/"), MQC_OK);
    assert_int_equal(rename_topics(&r, "devices/", "dev/"), MQC_OK);
    check_sent_alike(&r, &same, 2);
    rig_deinit(&r);
    rig_deinit(&same);
}

static void a_publish_that_was_sent_is_renamed_and_sent_again_under_its_id(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(publish(&r, "old/t", 1, 3), MQC_OK);
    rig_send_all(&r);
    rig_forget(&r);
    mqc_reset(&r.e);

    assert_int_equal(rename_topics(&r, "old", "n"), MQC_OK);
    rig_connect(&r, true, false);
    rig_send_all(&r);

    rig_expect_sent(&r, 0x32, 10, 0, 3, 'n', '/', 't', 0, 1, 1, 2, 3);
    rig_puback(&r, 1);
    rig_expect_log(&r, "DONE acked lane0 id1\n");
    rig_deinit(&r);
}

static void ended_publishes_and_expiries_are_kept(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("old/t"), .qos = 1, .id = 9, .expires = 500 };
    assert_int_equal(publish(&r, "old/t", 1, 3), MQC_OK);
    assert_int_equal(mqc_publish(&r.e, &m, NULL), MQC_OK);
    assert_int_equal(publish(&r, "old/t", 3, 3), MQC_OK);
    assert_int_equal(mqc_drop(&r.e, 0, NULL), MQC_OK); /* the drop is not reported yet */

    assert_int_equal(rename_topics(&r, "old", "n"), MQC_OK);
    assert_int_equal(rename_topics(&r, "n", "longer/than/before"), MQC_OK);
    r.now = 600;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "DONE dropped lane0 id1\nDONE expired lane0 id9\n");
    rig_connect(&r, true, false);
    rig_send_all(&r);
    assert_int_equal(r.sent[3], strlen("longer/than/before/t"));
    rig_deinit(&r);
}

static void it_is_refused_with_a_connection_and_with_empty_texts(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);

    const mqc_span name = mqc_span_str("a");
    assert_int_equal(mqc_rename_topics(NULL, 0, name, name), MQC_ERR_ARG);
    assert_int_equal(mqc_rename_topics(&r.e, 3, name, name), MQC_ERR_ARG);
    assert_int_equal(rename_topics(&r, "", "b"), MQC_ERR_ARG);
    assert_int_equal(rename_topics(&r, "a", ""), MQC_ERR_ARG);
    /* The lane is empty, so there is nothing to rename. */
    assert_int_equal(rename_topics(&r, "a", "b"), MQC_OK);
    rig_connect(&r, true, false);
    assert_int_equal(rename_topics(&r, "a", "b"), MQC_ERR_STATE);
    rig_deinit(&r);
}

static void a_topic_longer_than_mqtt_allows_is_refused(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 200000, .entries_len = 4 } } };
    char *topic = malloc(65536);
    rig r;
    rig_init(&r, &sizes);
    memset(topic, 'a', 65535);
    topic[65535] = '\0';

    assert_int_equal(publish(&r, topic, 1, 0), MQC_OK);
    assert_int_equal(rename_topics(&r, "a", "bb"), MQC_ERR_TOO_BIG);
    assert_int_equal(rename_topics(&r, "a", "b"), MQC_OK);
    free(topic);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renamed_publishes_are_sent_as_if_they_had_the_name_from_the_start),
        cmocka_unit_test(without_room_nothing_changes_and_dropping_the_oldest_makes_room),
        cmocka_unit_test(a_publish_that_was_sent_is_renamed_and_sent_again_under_its_id),
        cmocka_unit_test(ended_publishes_and_expiries_are_kept),
        cmocka_unit_test(it_is_refused_with_a_connection_and_with_empty_texts),
        cmocka_unit_test(a_topic_longer_than_mqtt_allows_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
