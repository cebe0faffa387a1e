#include "rig.h"

/* Answers that the server owes, and reading that stands still: both end in time. */

enum { KEEP_ALIVE = 10000, ACK = 30000, STALL = 45000 };

static const mqc_connect_options options = { .client_id = MQC_SPAN_LIT("c"),
                                             .keep_alive_s = KEEP_ALIVE / 1000,
                                             .timeout_ms = 700,
                                             .ack_timeout_ms = ACK,
                                             .stall_timeout_ms = STALL };

static void connect_with(rig *r, const rig_sizes *sizes, const mqc_connect_options *o)
{
    rig_init(r, sizes);
    rig_connect_with(r, o, false);
}

/* Wake up as the engine asks, at a server that answers PINGREQ and nothing else, up to `until`. */
static mqc_result live(rig *r, mqc_time until)
{
    while (mqc_error(&r->e) == MQC_OK && r->now < until) {
        mqc_time due = rig_deadline(r);
        assert_true(due >= r->now || due == 0);
        r->now = due == 0 ? r->now : due < until ? due : until;
        size_t sent = r->sent_len;
        mqc_result result = mqc_tick(&r->e, r->now);
        assert_int_equal(result, mqc_error(&r->e)); /* at once, not at the next one */
        rig_send_all(r);
        rig_pull(r);
        if (r->sent_len == sent + 2 && r->sent[sent] == 0xC0 && mqc_error(&r->e) == MQC_OK) {
            (void)RIG_FEED(r, 0xD0, 0);
        }
    }
    return mqc_error(&r->e);
}

static void expect_timeout(rig *r, mqc_time at, const char *packet)
{
    assert_int_equal(live(r, at - 1), MQC_OK);
    assert_int_equal(live(r, at + 10 * ACK), MQC_ERR_TIMEOUT);
    assert_int_equal(r->now, at);
    assert_string_equal(mqc_error_packet(&r->e), packet);
    assert_int_equal(rig_deadline(r), UINT64_MAX);
}

static void an_answer_that_never_comes_ends_the_connection(void **state)
{
    (void)state;
    static const char *const answers[] = { "", "PUBACK", "PUBREC" };

    for (uint8_t qos = 1; qos <= 2; qos++) {
        rig r;
        connect_with(&r, NULL, &options);
        r.now += 1234;
        (void)rig_publish(&r, 0, qos, 1, 5);
        rig_send_all(&r);
        expect_timeout(&r, r.now + ACK, answers[qos]);
        rig_deinit(&r);
    }
}

/* Not even PINGREQ. */
static void a_server_that_answers_nothing_at_all_gets_no_more_time(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    rig r;
    connect_with(&r, NULL, &patient);
    (void)rig_publish(&r, 0, 1, 1, 1000);
    rig_send_all(&r);
    mqc_time start = r.now;

    while (mqc_error(&r.e) == MQC_OK) {
        r.now = rig_deadline(&r);
        (void)mqc_tick(&r.e, r.now);
        rig_send_all(&r);
    }
    assert_int_equal(r.now, start + ACK);
    assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
    rig_deinit(&r);
}

/* The stream was full, and takes the rest of a message and the PINGREQ behind it at once: what
 * moved before the PINGREQ does not explain why its answer stays away. */
static void bytes_taken_together_with_the_ping_give_no_more_time(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    rig r;
    connect_with(&r, NULL, &patient);
    (void)rig_publish(&r, 0, 1, 1, 100);
    rig_send_all(&r);
    mqc_time start = r.now;
    (void)rig_publish(&r, 0, 1, 2, 100);
    assert_int_equal(rig_send(&r, 10), 10);
    r.now = start + ACK / 2;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    r.now += 5;
    rig_send_all(&r);
    assert_memory_equal(r.sent + r.sent_len - 2, ((const uint8_t[]){ 0xC0, 0 }), 2);

    while (mqc_tick(&r.e, r.now) == MQC_OK) {
        r.now = rig_deadline(&r);
        assert_in_range(r.now, start, start + ACK);
    }
    assert_int_equal(r.now, start + ACK);
    assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
    rig_deinit(&r);
}

/* A TLS record of which the engine has seen nothing arrives at 100 bytes a second. */
static void an_answer_may_stand_behind_what_arrives_below_the_engine(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    patient.reports_flow = true;
    rig r;
    mqc_flow flow = { .received = 4, .delivered = 100 };
    connect_with(&r, NULL, &patient);
    uint16_t id = rig_publish(&r, 0, 1, 1, 100);
    rig_send_all(&r);
    mqc_time start = r.now;

    for (int wakes = 0; r.now < start + 8 * ACK; wakes++) {
        assert_true(wakes < 200);
        mqc_time due = rig_deadline(&r) > r.now ? rig_deadline(&r) : r.now;
        flow.received += (due - r.now) / 10;
        r.now = due;
        if (mqc_wants_flow(&r.e, r.now)) {
            mqc_report_flow(&r.e, &flow, r.now);
        }
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
    }
    assert_int_equal(RIG_FEED(&r, 0xD0, 0), MQC_OK);
    rig_puback(&r, id);
    rig_deinit(&r);
}

static void qos_0_and_kept_messages_are_owed_no_answer(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);

    assert_int_equal(rig_queue(&r, 1, 0, false, 0), MQC_OK);
    assert_int_equal(rig_queue(&r, 2, 0, true, 0), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(live(&r, r.now + 100 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void behind_a_kept_message_the_time_runs_once_that_has_ended(void **state)
{
    (void)state;
    for (int expires = 0; expires < 2; expires++) {
        rig r;
        connect_with(&r, NULL, &options);
        mqc_time end = r.now + 2 * ACK + 777;
        assert_int_equal(rig_queue(&r, 2, 0, true, expires != 0 ? end : 0), MQC_OK);
        (void)rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(live(&r, end), MQC_OK);
        if (expires == 0) {
            rig_release(&r, 2, MQC_OK);
        }

        assert_int_equal(live(&r, end + 10 * ACK), MQC_ERR_TIMEOUT);
        assert_in_range(r.now, end + ACK / 2, end + ACK);
        rig_deinit(&r);
    }
}

static void without_a_limit_an_answer_may_take_for_ever(void **state)
{
    (void)state;
    mqc_connect_options none = options;
    none.ack_timeout_ms = 0;
    rig r;
    connect_with(&r, NULL, &none);
    const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };

    (void)rig_publish(&r, 0, 1, 1, 5);
    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(live(&r, r.now + 100 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void an_answered_publish_is_not_waited_for(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);

    for (int i = 0; i < 50; i++) {
        uint16_t id = rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
        rig_puback(&r, id);
    }
    assert_int_equal(live(&r, r.now + 10 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void a_server_that_answers_slowly_but_in_order_is_waited_for(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    uint16_t ids[20];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = rig_publish(&r, 0, 1, 1, 5);
    }
    rig_send_all(&r);

    for (size_t i = 0; i + 1 < COUNT_OF(ids); i++) { /* all in all, 19 times the limit */
        assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
        rig_puback(&r, ids[i]);
    }
    expect_timeout(&r, r.now + ACK, "PUBACK");
    rig_deinit(&r);
}

static void a_publish_that_was_passed_by_is_noticed_however_many_others_are_answered(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    mqc_time start = r.now;
    (void)rig_publish(&r, 0, 1, 1, 5);
    rig_send_all(&r);

    while (mqc_error(&r.e) == MQC_OK && r.now < start + 10 * ACK) {
        r.sent_len = 0;
        uint16_t id = rig_publish(&r, 0, 1, 2, 5);
        rig_send_all(&r);
        rig_puback(&r, id);
        (void)live(&r, r.now + 1000);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_TIMEOUT);
    assert_int_equal(r.now, start + ACK);
    rig_deinit(&r);
}

static void each_lane_is_watched(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { 512, 8, 0 }, { 512, 8, 0 }, { 512, 8, 0 } } };

    for (uint8_t mute = 0; mute < 3; mute++) {
        rig r;
        connect_with(&r, &sizes, &options);
        mqc_time start = r.now;
        (void)rig_publish(&r, mute, 1, 1, 5);
        rig_send_all(&r);
        while (mqc_error(&r.e) == MQC_OK) {
            r.sent_len = 0;
            uint16_t id = rig_publish(&r, (uint8_t)((mute + 1) % 3), 1, 1, 5);
            rig_send_all(&r);
            rig_puback(&r, id);
            (void)live(&r, r.now + 900);
        }
        assert_int_equal(r.now, start + ACK);
        rig_deinit(&r);
    }
}

static void pubrec_gives_new_time_to_pubcomp(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    uint16_t id = rig_publish(&r, 0, 2, 1, 5);
    rig_send_all(&r);
    assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);

    assert_int_equal(RIG_FEED(&r, 0x50, 2, (uint8_t)(id >> 8), (uint8_t)id), MQC_OK);
    rig_send_all(&r);

    expect_timeout(&r, r.now + ACK, "PUBCOMP");
    rig_deinit(&r);
}

static void what_has_not_left_is_not_waited_for(void **state)
{
    (void)state;
    mqc_connect_options quiet = options;
    quiet.keep_alive_s = 0;
    rig r;
    connect_with(&r, NULL, &quiet);
    (void)rig_publish(&r, 0, 1, 1, 100);

    for (int i = 0; i < 50; i++) { /* a byte in most of the time */
        r.now += ACK - 1;
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        assert_int_equal(rig_send(&r, 1), 1);
    }
    r.now += 10 * ACK;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    rig_send_all(&r);
    expect_timeout(&r, r.now + ACK, "PUBACK");
    rig_deinit(&r);
}

static void an_answer_may_stand_behind_a_packet_that_is_arriving(void **state)
{
    (void)state;
    const rig_sizes sizes[] = { { .rx = 4096 }, { .rx = 64 } }; /* with room for it, and without */

    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        rig r;
        connect_with(&r, &sizes[s], &options);
        uint16_t id = rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(RIG_FEED(&r, 0x30, 0x80 | 100, 1, 0, 1, 'a'), MQC_OK); /* 228 bytes */

        for (int i = 0; i < 225; i++) {
            r.now += KEEP_ALIVE / 20;
            assert_int_equal(RIG_FEED(&r, 'x'), MQC_OK);
            (void)mqc_tick(&r.e, r.now);
            assert_int_equal(mqc_error(&r.e), MQC_OK);
            rig_send_all(&r);
            if (r.sent[r.sent_len - 2] == 0xC0) {
                r.e.ping = 0; /* its PINGRESP is not what this test is about */
            }
        }
        assert_true(r.now > 3 * ACK);
        assert_int_equal(live(&r, r.now + ACK - KEEP_ALIVE), MQC_OK);
        rig_puback(&r, id);
        rig_deinit(&r);
    }
}

static void subscribe_and_unsubscribe_are_waited_for(void **state)
{
    (void)state;
    const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };

    for (int unsubscribe = 0; unsubscribe < 2; unsubscribe++) {
        rig r;
        uint16_t id;
        connect_with(&r, NULL, &options);
        for (int i = 0; i < 5; i++) { /* answered ones, one with a place behind another */
            uint16_t other;
            assert_int_equal(mqc_unsubscribe(&r.e, &s.filter, 1, &id), MQC_OK);
            assert_int_equal(mqc_subscribe(&r.e, &s, 1, &other), MQC_OK);
            rig_send_all(&r);
            assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0xB0, 2, (uint8_t)(id >> 8), (uint8_t)id), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0x90, 3, (uint8_t)(other >> 8), (uint8_t)other, 1),
                             MQC_OK);
        }
        assert_int_equal(live(&r, r.now + 3 * ACK), MQC_OK);
        assert_int_equal(unsubscribe != 0 ? mqc_unsubscribe(&r.e, &s.filter, 1, NULL)
                                          : mqc_subscribe(&r.e, &s, 1, NULL),
                         MQC_OK);
        rig_send_all(&r);
        expect_timeout(&r, r.now + ACK, unsubscribe != 0 ? "UNSUBACK" : "SUBACK");
        rig_deinit(&r);
    }
}

/* The time of an earlier connection does not count, also when ids and states are the same. */
static void each_connection_counts_anew(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    (void)rig_publish(&r, 0, 1, 1, 5);
    (void)rig_publish(&r, 0, 2, 2, 5);
    rig_send_all(&r);

    for (int i = 0; i < 5; i++) {
        expect_timeout(&r, r.now + ACK, "PUBACK");
        r.now += 77777;
        mqc_reset(&r.e);
        rig_connect_with(&r, &options, true);
        rig_send_all(&r);
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    }
    rig_deinit(&r);
}

/* --- reading ----------------------------------------------------------------- */

static const uint8_t two_messages[] = { 0x32, 5, 0, 1, 't', 0, 1, 0x32, 5, 0, 1, 't', 0, 2 };

static void reading_that_stands_still_ends_the_connection(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.now += 5;
    assert_int_equal(rig_feed(&r, two_messages, sizeof two_messages), MQC_OK);
    assert_int_equal(r.events, 1);
    mqc_time start = r.now;

    assert_int_equal(rig_deadline(&r), 0); /* since when is for mqc_tick to say */
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    while (mqc_error(&r.e) == MQC_OK) { /* the server's answers cannot be read */
        r.now = rig_deadline(&r);
        assert_true(r.now <= start + STALL);
        (void)mqc_tick(&r.e, r.now);
        rig_send_all(&r);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_STALLED);
    assert_int_equal(r.now, start + STALL);
    assert_int_equal(r.sent_len, 2 * (STALL / KEEP_ALIVE)); /* it heard from us all the time */
    rig_deinit(&r);
}

static void each_acknowledgement_of_the_application_gives_new_time(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);

    for (uint8_t id = 1; id <= 30; id++) {
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        uint8_t *at;
        size_t cap;
        if (id <= 2) {
            assert_int_equal(rig_feed(&r, message, sizeof message), MQC_OK);
            continue;
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
            r.now += STALL / 2;
        }
        assert_int_equal(mqc_ack(&r.e, (uint16_t)(id - 2)), MQC_OK);
        rig_send_all(&r);
        rig_pull(&r);
        assert_int_equal(r.events, (size_t)id - 1);
        at = mqc_rx_space(&r.e, &cap);
        assert_true(cap >= sizeof message);
        memcpy(at, message, sizeof message);
        assert_int_equal(mqc_rx_commit(&r.e, sizeof message, r.now), MQC_OK);
        rig_pull(&r); /* it stands still again, without mqc_tick between */
        assert_int_equal(r.events, (size_t)id - 1);
    }
    rig_deinit(&r);
}

static void acknowledgements_that_cannot_leave_do_not_stop_reading_for_ever(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1, .control = 32 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.ack_at_once = true;
    mqc_time start = r.now;
    mqc_result result = MQC_OK;

    for (uint8_t id = 1; result == MQC_OK && id < 100; id++) { /* the stream takes nothing */
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        result = rig_feed(&r, message, sizeof message);
    }
    assert_int_equal(result, MQC_ERR_NO_SPACE);
    while (mqc_error(&r.e) == MQC_OK) {
        mqc_time due = rig_deadline(&r);
        r.now = due > r.now ? due : r.now;
        (void)mqc_tick(&r.e, r.now);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_STALLED);
    assert_int_equal(r.now, start + STALL);
    rig_deinit(&r);
}

static void acknowledgements_behind_a_slow_packet_are_waited_for(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1, .control = 32 };
    mqc_connect_options quiet = options;
    quiet.ack_timeout_ms = 0;
    quiet.keep_alive_s = 0;
    rig r;
    connect_with(&r, &sizes, &quiet);
    r.ack_at_once = true;
    (void)rig_publish(&r, 0, 1, 1, 100);
    assert_int_equal(rig_send(&r, 1), 1);
    mqc_result result = MQC_OK;
    for (uint8_t id = 1; result == MQC_OK && id < 100; id++) {
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        result = rig_feed(&r, message, sizeof message);
    }
    assert_int_equal(result, MQC_ERR_NO_SPACE);

    for (int i = 0; i < 50; i++) {
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        r.now += STALL - 1;
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        assert_int_equal(rig_send(&r, 1), 1);
    }
    assert_int_equal(rig_deadline(&r), r.now + STALL);
    r.now += STALL;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_ERR_STALLED);
    rig_deinit(&r);
}

static void messages_that_were_passed_over_are_not_waited_for_without_end(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.ack_at_once = true;
    mqc_time start = r.now;

    assert_int_equal(RIG_FEED(&r, 0x34, 5, 0, 1, 't', 0, 1), MQC_OK);
    rig_send_all(&r); /* PUBREC; the PUBREL never comes */
    assert_int_equal(RIG_FEED(&r, 0x34, 5, 0, 1, 't', 0, 2), MQC_OK);
    assert_int_equal(r.events, 1);
    assert_int_equal(live(&r, r.now + 10 * STALL), MQC_ERR_STALLED);

    assert_int_equal(r.now, start + STALL);
    rig_deinit(&r);
}

/* Before or in the same moment. */
/* Each has its time from when it becomes the oldest, whatever is answered first. */
static void of_several_requests_the_oldest_is_waited_for(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 4 * 3 * 2; order++) {
        const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };
        unsigned turns[] = { order % 4, order / 4 % 3, order / 12 };
        uint16_t open[4];
        size_t left = 4;
        rig r;
        connect_with(&r, NULL, &options);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(mqc_subscribe(&r.e, &s, 1, &open[i]), MQC_OK);
        }
        rig_send_all(&r);
        mqc_time since = r.now;

        for (size_t i = 0; i < 3; i++) { /* one stays */
            uint16_t id = open[turns[i]];
            assert_int_equal(live(&r, since + ACK - 1), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0x90, 3, (uint8_t)(id >> 8), (uint8_t)id, 1), MQC_OK);
            memmove(open + turns[i], open + turns[i] + 1, (--left - turns[i]) * sizeof open[0]);
            if (turns[i] > 0) {
                break; /* the oldest is still there, and its time is nearly over */
            }
            since = r.now;
        }
        expect_timeout(&r, since + ACK, "SUBACK");
        rig_deinit(&r);
    }
}

static void an_answer_is_missed_also_while_reading_stands_still(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    for (int earlier = 0; earlier < 2; earlier++) {
        rig r;
        connect_with(&r, &sizes, &options);
        (void)rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        mqc_time start = r.now;
        for (uint8_t id = 1; id <= 2; id++) { /* there is room for one */
            r.now = earlier ? start + 1 : start + ACK;
            assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, id), MQC_OK);
        }
        assert_int_equal(r.events, 1);
        if (earlier) {
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
            assert_int_equal(mqc_tick(&r.e, start + ACK - 1), MQC_OK);
            rig_send_all(&r); /* PINGREQ */
        }

        assert_int_equal(mqc_tick(&r.e, start + ACK), MQC_ERR_TIMEOUT);
        assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
        rig_deinit(&r);
    }
}

static void without_a_limit_reading_may_stand_still(void **state)
{
    (void)state;
    mqc_connect_options none = options;
    none.stall_timeout_ms = 0;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &none);
    assert_int_equal(rig_feed(&r, two_messages, sizeof two_messages), MQC_OK);

    for (int i = 0; i < 1000; i++) {
        r.now = rig_deadline(&r);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
    }
    rig_deinit(&r);
}

/* --- anything at once ---------------------------------------------------------- */

enum { JOBS = 64, ANSWER_MAX = ACK / 2 - 1 };

/* What the server does later: answer a packet, or the application: release a kept message. */
typedef struct job {
    mqc_time at; /* 0: free */
    uint8_t type;
    uint8_t lane;
    uint16_t id;
} job;

typedef struct crowd {
    rig r;
    job jobs[JOBS];
    uint64_t seed;
    uint32_t next_kept;
    size_t seen;       /* of what the engine has sent */
    uint16_t withheld; /* the answer to this one never comes; 0: all do */
    mqc_time withheld_at;
    bool withholds;
} crowd;

static uint32_t below(crowd *c, uint32_t n)
{
    return rig_random(&c->seed) % n;
}

static void plan(crowd *c, uint8_t type, uint8_t lane, uint16_t id)
{
    for (size_t i = 0; i < JOBS; i++) {
        if (c->jobs[i].at == 0) {
            c->jobs[i] = (job){ c->r.now + 1 + below(c, ANSWER_MAX), type, lane, id };
            return;
        }
    }
    fail_msg("too much at once");
}

/* What has left gets its answer, each at a time of its own, in no order. */
static void serve(crowd *c)
{
    const uint8_t *p = c->r.sent + c->seen;

    while (c->seen < c->r.sent_len && c->seen + 2 + p[1] <= c->r.sent_len) {
        unsigned qos = p[0] >> 1 & 3;
        uint16_t id = (uint16_t)(p[0] >> 4 == 6 ? p[2] << 8 | p[3] : p[5] << 8 | p[6]);
        if (p[0] >> 4 == 3 && qos > 0 && c->withholds && c->withheld == 0) {
            c->withheld = id;
            c->withheld_at = c->r.now;
        } else if (p[0] >> 4 == 6) {
            plan(c, 0x70, 0, id);
        } else if (qos > 0) {
            plan(c, qos == 1 ? 0x40 : 0x50, 0, id);
        } else if (p[5] == 'k' && below(c, 4) > 0) { /* else it expires */
            plan(c, 0, p[6], (uint16_t)(p[7] << 8 | p[8]));
        }
        c->seen += 2u + p[1];
        p = c->r.sent + c->seen;
    }
    if (c->seen == c->r.sent_len) {
        c->r.sent_len = c->seen = 0;
    }
}

static void publish_anything(crowd *c)
{
    uint8_t lane = (uint8_t)below(c, 2);
    uint8_t kind = (uint8_t)below(c, 4);
    uint32_t id = ++c->next_kept % 30000;
    const uint8_t payload[] = { 'k', lane, (uint8_t)(id >> 8), (uint8_t)id };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, sizeof payload },
                             .qos = kind == 3 ? 0 : kind,
                             .keep = kind == 3,
                             .lane = lane,
                             .id = id,
                             .expires =
                                 kind == 3 || below(c, 4) == 0 ? c->r.now + 1 + below(c, ACK) : 0 };
    mqc_outgoing plain = m;
    plain.payload = (mqc_span){ (const uint8_t *)"p", 1 };
    (void)mqc_publish(&c->r.e, kind == 3 ? &m : &plain, NULL);
}

static void carry_out(crowd *c, job *j)
{
    mqc_done done;

    j->at = 0;
    if (j->type == 0) {
        (void)mqc_release(&c->r.e, j->lane, j->id, &done); /* refused when it has expired */
    } else {
        (void)RIG_FEED(&c->r, j->type, 2, (uint8_t)(j->id >> 8), (uint8_t)j->id);
    }
}

static void live_a_little(crowd *c)
{
    mqc_time due = rig_deadline(&c->r);
    mqc_time next = c->r.now + 1 + below(c, ACK / 20);

    for (size_t i = 0; i < JOBS; i++) {
        next = c->jobs[i].at != 0 && c->jobs[i].at < next ? c->jobs[i].at : next;
    }
    if (due < next) {
        next = due;
    }
    c->r.now = next > c->r.now ? next : c->r.now;
    (void)mqc_tick(&c->r.e, c->r.now);
    rig_pull(&c->r);
    for (size_t i = 0; i < JOBS && mqc_error(&c->r.e) == MQC_OK; i++) {
        if (c->jobs[i].at != 0 && c->jobs[i].at <= c->r.now) {
            carry_out(c, &c->jobs[i]);
        }
    }
    if (below(c, 3) == 0) {
        publish_anything(c);
    }
    (void)rig_send(&c->r, below(c, 4) == 0 ? below(c, 30) : SIZE_MAX);
    rig_pull(&c->r);
    serve(c);
    c->r.log_len = 0;
}

static void crowd_init(crowd *c, uint64_t seed)
{
    static const rig_sizes sizes = { .lanes = { { 256, 8, 0 }, { 256, 8, 3 } } };
    mqc_connect_options o = options;

    memset(c, 0, sizeof *c);
    o.keep_alive_s = 0;
    connect_with(&c->r, &sizes, &o);
    c->seed = seed;
}

static void what_is_answered_in_half_of_the_time_is_never_missed(void **state)
{
    (void)state;
    static crowd c;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        crowd_init(&c, seed);
        for (int i = 0; i < 10000; i++) {
            live_a_little(&c);
            if (mqc_error(&c.r.e) != MQC_OK) {
                fail_msg("seed %u, step %d: %s", (unsigned)seed, i, mqc_error_packet(&c.r.e));
            }
        }
        assert_true(c.r.events > 1000);
        rig_deinit(&c.r);
    }
}

static void whatever_else_goes_on_a_missing_answer_is_noticed_in_its_time(void **state)
{
    (void)state;
    static crowd c;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        crowd_init(&c, seed);
        for (uint32_t i = below(&c, 300); i > 0; i--) {
            live_a_little(&c);
        }
        c.withholds = true;
        while (mqc_error(&c.r.e) == MQC_OK && c.r.now < 1000000000) {
            live_a_little(&c);
        }
        /* What is before it in its lane is answered, or expires, first. */
        assert_int_equal(mqc_error(&c.r.e), MQC_ERR_TIMEOUT);
        assert_true(c.r.now >= c.withheld_at + ACK);
        assert_true(c.r.now <= c.withheld_at + 2 * ACK);
        rig_deinit(&c.r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_never_comes_ends_the_connection),
        cmocka_unit_test(a_server_that_answers_nothing_at_all_gets_no_more_time),
        cmocka_unit_test(bytes_taken_together_with_the_ping_give_no_more_time),
        cmocka_unit_test(an_answer_may_stand_behind_what_arrives_below_the_engine),
        cmocka_unit_test(qos_0_and_kept_messages_are_owed_no_answer),
        cmocka_unit_test(behind_a_kept_message_the_time_runs_once_that_has_ended),
        cmocka_unit_test(without_a_limit_an_answer_may_take_for_ever),
        cmocka_unit_test(an_answered_publish_is_not_waited_for),
        cmocka_unit_test(a_server_that_answers_slowly_but_in_order_is_waited_for),
        cmocka_unit_test(a_publish_that_was_passed_by_is_noticed_however_many_others_are_answered),
        cmocka_unit_test(each_lane_is_watched),
        cmocka_unit_test(pubrec_gives_new_time_to_pubcomp),
        cmocka_unit_test(what_has_not_left_is_not_waited_for),
        cmocka_unit_test(an_answer_may_stand_behind_a_packet_that_is_arriving),
        cmocka_unit_test(subscribe_and_unsubscribe_are_waited_for),
        cmocka_unit_test(each_connection_counts_anew),
        cmocka_unit_test(reading_that_stands_still_ends_the_connection),
        cmocka_unit_test(each_acknowledgement_of_the_application_gives_new_time),
        cmocka_unit_test(acknowledgements_that_cannot_leave_do_not_stop_reading_for_ever),
        cmocka_unit_test(acknowledgements_behind_a_slow_packet_are_waited_for),
        cmocka_unit_test(messages_that_were_passed_over_are_not_waited_for_without_end),
        cmocka_unit_test(of_several_requests_the_oldest_is_waited_for),
        cmocka_unit_test(an_answer_is_missed_also_while_reading_stands_still),
        cmocka_unit_test(without_a_limit_reading_may_stand_still),
        cmocka_unit_test(what_is_answered_in_half_of_the_time_is_never_missed),
        cmocka_unit_test(whatever_else_goes_on_a_missing_answer_is_noticed_in_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
