#include "packet.h"
#include "rig.h"

/* Tests each way in which a server can break the rules, in each possible state: the error names
 * the packet, no later packet is delivered, and nothing more is sent. */

typedef enum stage {
    BEFORE_CONNACK,
    /* Publishes 1 (QoS 1) and 2 (QoS 2), SUBSCRIBE 3 and UNSUBSCRIBE 4 are unanswered. */
    AFTER_CONNACK,
} stage;

typedef struct violation {
    const char *why;
    stage stage;
    uint8_t bytes[16];
    size_t len;
    const char *packet;
    mqc_result want;
} violation;

#define BYTES(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define MALFORMED  MQC_ERR_MALFORMED
#define PROTOCOL   MQC_ERR_PROTOCOL

static const violation violations[] = {
    { "PUBLISH first", BEFORE_CONNACK, BYTES(0x30, 3, 0, 1, 't'), "PUBLISH", PROTOCOL },
    { "PUBACK first", BEFORE_CONNACK, BYTES(0x40, 2, 0, 1), "PUBACK", PROTOCOL },
    { "SUBACK first", BEFORE_CONNACK, BYTES(0x90, 3, 0, 1, 0), "SUBACK", PROTOCOL },
    { "PINGRESP first", BEFORE_CONNACK, BYTES(0xD0, 0), "PINGRESP", PROTOCOL },
    { "CONNACK with flags", BEFORE_CONNACK, BYTES(0x21, 2, 0, 0), "CONNACK", MALFORMED },
    { "CONNACK too long", BEFORE_CONNACK, BYTES(0x20, 3, 0, 0, 0), "CONNACK", MALFORMED },
    { "CONNACK too short", BEFORE_CONNACK, BYTES(0x20, 1, 0), "CONNACK", MALFORMED },
    { "reserved CONNACK flag", BEFORE_CONNACK, BYTES(0x20, 2, 2, 0), "CONNACK", MALFORMED },
    { "reserved return code", BEFORE_CONNACK, BYTES(0x20, 2, 0, 6), "CONNACK", MALFORMED },
    { "refused with a session", BEFORE_CONNACK, BYTES(0x20, 2, 1, 5), "CONNACK", MALFORMED },
    { "data after a refusal", BEFORE_CONNACK, BYTES(0x20, 2, 0, 5, 0x30, 3, 0, 1, 't'), "CONNACK",
      MQC_ERR_REFUSED },

    { "CONNACK twice", AFTER_CONNACK, BYTES(0x20, 2, 0, 0), "CONNACK", PROTOCOL },
    { "CONNECT", AFTER_CONNACK, BYTES(0x10, 0), "CONNECT", PROTOCOL },
    { "SUBSCRIBE", AFTER_CONNACK, BYTES(0x82, 6, 0, 1, 0, 1, 't', 0), "SUBSCRIBE", PROTOCOL },
    { "UNSUBSCRIBE", AFTER_CONNACK, BYTES(0xA2, 5, 0, 1, 0, 1, 't'), "UNSUBSCRIBE", PROTOCOL },
    { "PINGREQ", AFTER_CONNACK, BYTES(0xC0, 0), "PINGREQ", PROTOCOL },
    { "DISCONNECT", AFTER_CONNACK, BYTES(0xE0, 0), "DISCONNECT", PROTOCOL },
    { "type 0", AFTER_CONNACK, BYTES(0x00, 0), "", MALFORMED },
    { "type 15", AFTER_CONNACK, BYTES(0xF0, 0), "", MALFORMED },

    { "QoS 3", AFTER_CONNACK, BYTES(0x36, 5, 0, 1, 't', 0, 1), "PUBLISH", MALFORMED },
    { "DUP with QoS 0", AFTER_CONNACK, BYTES(0x38, 3, 0, 1, 't'), "PUBLISH", MALFORMED },
    { "PUBLISH without topic", AFTER_CONNACK, BYTES(0x30, 1, 0), "PUBLISH", MALFORMED },
    { "empty topic", AFTER_CONNACK, BYTES(0x30, 3, 0, 0, 'x'), "PUBLISH", MALFORMED },
    { "topic beyond the packet", AFTER_CONNACK, BYTES(0x30, 3, 0, 2, 't'), "PUBLISH", MALFORMED },
    { "id beyond the packet", AFTER_CONNACK, BYTES(0x32, 4, 0, 1, 't', 0), "PUBLISH", MALFORMED },
    { "PUBLISH 0", AFTER_CONNACK, BYTES(0x32, 5, 0, 1, 't', 0, 0), "PUBLISH", MALFORMED },
    { "QoS 2 PUBLISH 0", AFTER_CONNACK, BYTES(0x34, 5, 0, 1, 't', 0, 0), "PUBLISH", MALFORMED },
    { "wildcard + in a topic", AFTER_CONNACK, BYTES(0x30, 3, 0, 1, '+'), "PUBLISH", MALFORMED },
    { "wildcard # in a topic", AFTER_CONNACK, BYTES(0x30, 5, 0, 3, 'a', '/', '#'), "PUBLISH",
      MALFORMED },
    { "NUL in a topic", AFTER_CONNACK, BYTES(0x30, 4, 0, 2, 'a', 0), "PUBLISH", MALFORMED },
    { "topic not UTF-8", AFTER_CONNACK, BYTES(0x30, 4, 0, 2, 0xC3, 'a'), "PUBLISH", MALFORMED },
    { "surrogate in a topic", AFTER_CONNACK, BYTES(0x30, 5, 0, 3, 0xED, 0xA0, 0x80), "PUBLISH",
      MALFORMED },
    { "overlong UTF-8 in a topic", AFTER_CONNACK, BYTES(0x30, 4, 0, 2, 0xC0, 0x80), "PUBLISH",
      MALFORMED },

    { "length of five bytes", AFTER_CONNACK, BYTES(0x30, 0x80, 0x80, 0x80, 0x80), "PUBLISH",
      MALFORMED },
    { "length longer than needed", AFTER_CONNACK, BYTES(0x30, 0x83, 0x00), "PUBLISH", MALFORMED },
    { "SUBACK larger than any", AFTER_CONNACK, BYTES(0x90, 0xFF, 0xFF, 0xFF, 0x7F), "SUBACK",
      MALFORMED },
    { "PUBACK too long", AFTER_CONNACK, BYTES(0x40, 3, 0, 1, 0), "PUBACK", MALFORMED },
    { "PUBACK too short", AFTER_CONNACK, BYTES(0x40, 1, 1), "PUBACK", MALFORMED },
    { "PUBREC too long", AFTER_CONNACK, BYTES(0x50, 3, 0, 2, 0), "PUBREC", MALFORMED },
    { "PUBREL too long", AFTER_CONNACK, BYTES(0x62, 3, 0, 2, 0), "PUBREL", MALFORMED },
    { "PUBCOMP too long", AFTER_CONNACK, BYTES(0x70, 3, 0, 2, 0), "PUBCOMP", MALFORMED },
    { "UNSUBACK too long", AFTER_CONNACK, BYTES(0xB0, 3, 0, 4, 0), "UNSUBACK", MALFORMED },
    { "PINGRESP too long", AFTER_CONNACK, BYTES(0xD0, 1, 0), "PINGRESP", MALFORMED },
    { "PUBREL without its flags", AFTER_CONNACK, BYTES(0x60, 2, 0, 1), "PUBREL", MALFORMED },

    { "PUBACK 0", AFTER_CONNACK, BYTES(0x40, 2, 0, 0), "PUBACK", MALFORMED },
    { "PUBREC 0", AFTER_CONNACK, BYTES(0x50, 2, 0, 0), "PUBREC", MALFORMED },
    { "PUBREL 0", AFTER_CONNACK, BYTES(0x62, 2, 0, 0), "PUBREL", MALFORMED },
    { "PUBCOMP 0", AFTER_CONNACK, BYTES(0x70, 2, 0, 0), "PUBCOMP", MALFORMED },
    { "SUBACK 0", AFTER_CONNACK, BYTES(0x90, 3, 0, 0, 0), "SUBACK", MALFORMED },
    { "UNSUBACK 0", AFTER_CONNACK, BYTES(0xB0, 2, 0, 0), "UNSUBACK", MALFORMED },

    { "PUBACK for nothing", AFTER_CONNACK, BYTES(0x40, 2, 0, 9), "PUBACK", PROTOCOL },
    { "PUBACK twice", AFTER_CONNACK, BYTES(0x40, 2, 0, 1, 0x40, 2, 0, 1), "PUBACK", PROTOCOL },
    { "PUBACK for QoS 2", AFTER_CONNACK, BYTES(0x40, 2, 0, 2), "PUBACK", PROTOCOL },
    { "PUBACK for SUBSCRIBE", AFTER_CONNACK, BYTES(0x40, 2, 0, 3), "PUBACK", PROTOCOL },
    { "PUBREC for QoS 1", AFTER_CONNACK, BYTES(0x50, 2, 0, 1), "PUBREC", PROTOCOL },
    { "PUBCOMP for QoS 1", AFTER_CONNACK, BYTES(0x70, 2, 0, 1), "PUBCOMP", PROTOCOL },
    { "PUBCOMP before PUBREC", AFTER_CONNACK, BYTES(0x70, 2, 0, 2), "PUBCOMP", PROTOCOL },
    { "PUBREL before PUBREC", AFTER_CONNACK, BYTES(0x34, 5, 0, 1, 't', 0, 7, 0x62, 2, 0, 7),
      "PUBREL", PROTOCOL },
    { "SUBACK for nothing", AFTER_CONNACK, BYTES(0x90, 3, 0, 9, 0), "SUBACK", PROTOCOL },
    { "SUBACK for PUBLISH", AFTER_CONNACK, BYTES(0x90, 3, 0, 1, 0), "SUBACK", PROTOCOL },
    { "SUBACK for UNSUBSCRIBE", AFTER_CONNACK, BYTES(0x90, 3, 0, 4, 0), "SUBACK", PROTOCOL },
    { "SUBACK twice", AFTER_CONNACK, BYTES(0x90, 4, 0, 3, 0, 0, 0x90, 4, 0, 3, 0, 0), "SUBACK",
      PROTOCOL },
    { "a code too few", AFTER_CONNACK, BYTES(0x90, 3, 0, 3, 0), "SUBACK", PROTOCOL },
    { "a code too many", AFTER_CONNACK, BYTES(0x90, 5, 0, 3, 0, 0, 0), "SUBACK", PROTOCOL },
    { "no code", AFTER_CONNACK, BYTES(0x90, 2, 0, 3), "SUBACK", MALFORMED },
    { "reserved code", AFTER_CONNACK, BYTES(0x90, 4, 0, 3, 0, 3), "SUBACK", MALFORMED },
    { "UNSUBACK for SUBSCRIBE", AFTER_CONNACK, BYTES(0xB0, 2, 0, 3), "UNSUBACK", PROTOCOL },
    { "UNSUBACK twice", AFTER_CONNACK, BYTES(0xB0, 2, 0, 4, 0xB0, 2, 0, 4), "UNSUBACK", PROTOCOL },
    { "data after a violation", AFTER_CONNACK, BYTES(0xC0, 0, 0x30, 3, 0, 1, 't'), "PINGREQ",
      PROTOCOL },
};

static void start(rig *r, stage s)
{
    const mqc_subscription subs[] = { { MQC_SPAN_LIT("a"), 1 }, { MQC_SPAN_LIT("b"), 0 } };
    const mqc_span filter = MQC_SPAN_LIT("c");
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };

    rig_init(r, NULL);
    if (s == BEFORE_CONNACK) {
        assert_int_equal(mqc_connect(&r->e, &o, r->now), MQC_OK);
        rig_send_all(r);
        return;
    }
    rig_connect(r, false, false);
    assert_int_equal(rig_publish(r, 0, 1, 1, 1), 1);
    assert_int_equal(rig_publish(r, 0, 2, 2, 1), 2);
    assert_int_equal(mqc_subscribe(&r->e, subs, 2, NULL), MQC_OK);
    assert_int_equal(mqc_unsubscribe(&r->e, &filter, 1, NULL), MQC_OK);
    rig_send_all(r);
    rig_forget(r);
}

/* Feeds the bytes in pieces of the given size. */
static void violate(const violation *v, size_t piece)
{
    mqc_result got = MQC_OK;
    size_t len;
    rig r;

    start(&r, v->stage);
    for (size_t at = 0; at < v->len && got == MQC_OK; at += piece) {
        got = rig_feed(&r, v->bytes + at, piece < v->len - at ? piece : v->len - at);
    }
    if (got != v->want || strcmp(mqc_error_packet(&r.e), v->packet) != 0) {
        fail_msg("%s: %s in \"%s\"", v->why, mqc_result_str(got), mqc_error_packet(&r.e));
    }
    size_t events = r.events;
    rig_pull(&r);
    assert_int_equal(r.events, events);
    assert_int_equal(mqc_get_state(&r.e), MQC_FAILED);
    assert_null(mqc_rx_space(&r.e, &len));
    assert_null(mqc_tx_data(&r.e, &len));
    assert_int_equal(mqc_tick(&r.e, r.now), v->want);
    assert_int_equal(mqc_rx_commit(&r.e, 0, r.now), v->want);
    mqc_reset(&r.e);
    rig_connect(&r, false, true); /* the engine can connect again */
    rig_deinit(&r);
}

static void every_violation_ends_the_connection_with_an_error_that_names_the_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(violations); i++) {
        for (size_t piece = 1; piece <= violations[i].len; piece++) {
            violate(&violations[i], piece);
        }
    }
}

/* Returns whether the first byte of a packet is valid, by tables 2.1 and 2.2 of MQTT 3.1.1. */
static bool first_byte_valid(unsigned first)
{
    static const uint16_t flags[16] = {
        [2] = 1, [3] = 0x3C3F, [4] = 1, [5] = 1, [6] = 4, [7] = 1, [9] = 1, [11] = 1, [13] = 1
    };
    return ((unsigned)flags[first >> 4] >> (first & 0xF) & 1u) != 0 && first >> 4 != MQC_CONNACK;
}

static void every_first_byte_that_the_tables_do_not_allow_ends_the_connection(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        rig r;
        start(&r, AFTER_CONNACK);

        mqc_result got = RIG_FEED(&r, (uint8_t)first);

        assert_int_equal(got == MQC_OK, first_byte_valid(first));
        rig_deinit(&r);
    }
}

/* --- what looks like a violation and is none ------------------------------------ */

static void a_byte_order_mark_is_kept(void **state)
{
    (void)state;
    rig r;
    start(&r, AFTER_CONNACK);

    assert_int_equal(RIG_FEED(&r, 0x30, 6, 0, 4, 0xEF, 0xBB, 0xBF, 'a'), MQC_OK);

    rig_expect_log(&r, "PUBLISH d0 q0 r0 id0 \\ef\\bb\\bfa 0 \n");
    rig_deinit(&r);
}

static void after_its_puback_an_id_belongs_to_a_new_message_whatever_dup_says(void **state)
{
    (void)state;
    for (uint8_t dup = 0; dup < 2; dup++) {
        rig r;
        start(&r, AFTER_CONNACK);
        r.ack_at_once = true;

        assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 7), MQC_OK);
        rig_send_all(&r);
        assert_int_equal(RIG_FEED(&r, dup ? 0x3A : 0x32, 5, 0, 1, 't', 0, 7), MQC_OK);
        rig_send_all(&r);

        assert_int_equal(r.events, 2);
        rig_expect_sent(&r, 0x40, 2, 0, 7, 0x40, 2, 0, 7);
        rig_deinit(&r);
    }
}

static void a_qos_0_publish_has_no_id_and_never_dup(void **state)
{
    (void)state;
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = MQC_SPAN_LIT("x"),
                             .keep = true };
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, false, false);
    assert_int_equal(mqc_publish(&r.e, &m, NULL), MQC_OK);
    for (int i = 0; i < 2; i++) { /* a kept message is sent again on the next connection */
        r.sent_len = 0;
        rig_send_all(&r);
        rig_expect_sent(&r, 0x30, 4, 0, 1, 't', 'x');
        mqc_reset(&r.e);
        rig_connect(&r, false, true);
    }
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_violation_ends_the_connection_with_an_error_that_names_the_packet),
        cmocka_unit_test(every_first_byte_that_the_tables_do_not_allow_ends_the_connection),
        cmocka_unit_test(a_byte_order_mark_is_kept),
        cmocka_unit_test(after_its_puback_an_id_belongs_to_a_new_message_whatever_dup_says),
        cmocka_unit_test(a_qos_0_publish_has_no_id_and_never_dup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
