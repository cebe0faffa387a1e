#include "packet.h"
#include "rig.h"

#define GUARD 0xA5

static void header_is_judged_as_early_as_possible(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t bytes[6];
        size_t len;
        mqc_result want;
    } cases[] = {
        { "nothing yet", { 0 }, 0, MQC_ERR_NO_SPACE },
        { "type alone", { 0x40 }, 1, MQC_ERR_NO_SPACE },
        { "PUBACK", { 0x40, 2 }, 2, MQC_OK },
        { "PUBACK is never longer", { 0x40, 3 }, 2, MQC_ERR_MALFORMED },
        { "PUBACK is never shorter", { 0x40, 1 }, 2, MQC_ERR_MALFORMED },
        { "PUBACK has no flags", { 0x41 }, 1, MQC_ERR_MALFORMED },
        { "PUBREL has flags 2", { 0x62, 2 }, 2, MQC_OK },
        { "PUBREL without them", { 0x60 }, 1, MQC_ERR_MALFORMED },
        { "CONNACK too short", { 0x20, 1 }, 2, MQC_ERR_MALFORMED },
        { "SUBACK without a code", { 0x90, 2 }, 2, MQC_ERR_MALFORMED },
        { "SUBACK with one", { 0x90, 3 }, 2, MQC_OK },
        { "UNSUBACK", { 0xB0, 2 }, 2, MQC_OK },
        { "UNSUBACK with codes is MQTT 5", { 0xB0, 3 }, 2, MQC_ERR_MALFORMED },
        { "PINGRESP", { 0xD0, 0 }, 2, MQC_OK },
        { "PINGRESP with a body", { 0xD0, 1 }, 2, MQC_ERR_MALFORMED },
        { "PUBLISH needs a topic", { 0x30, 2 }, 2, MQC_ERR_MALFORMED },
        { "shortest PUBLISH", { 0x30, 3 }, 2, MQC_OK },
        { "PUBLISH QoS 2", { 0x34, 5 }, 2, MQC_OK },
        { "QoS 3", { 0x36 }, 1, MQC_ERR_MALFORMED },
        { "DUP with QoS 0", { 0x38 }, 1, MQC_ERR_MALFORMED },
        { "DUP with QoS 1", { 0x3A, 5 }, 2, MQC_OK },
        { "type 0", { 0x00 }, 1, MQC_ERR_MALFORMED },
        { "type 15", { 0xF0 }, 1, MQC_ERR_MALFORMED },
        { "length continues", { 0x30, 0x80 }, 2, MQC_ERR_NO_SPACE },
        { "two bytes of length", { 0x30, 0x80, 1 }, 3, MQC_OK },
        { "longer than needed", { 0x30, 0x83, 0 }, 3, MQC_ERR_MALFORMED },
        { "largest", { 0x30, 0xFF, 0xFF, 0xFF, 0x7F }, 5, MQC_OK },
        { "five bytes of length", { 0x30, 0xFF, 0xFF, 0xFF, 0xFF }, 5, MQC_ERR_MALFORMED },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mqc_header h;
        mqc_result r = mqc_decode_header(mqc_span_of(cases[i].bytes, cases[i].len), &h);
        if (r != cases[i].want) {
            fail_msg("%s: got %s", cases[i].why, mqc_result_str(r));
        }
    }
}

static void connack_is_strict(void **state)
{
    (void)state;
    for (unsigned present = 0; present < 256; present++) {
        for (unsigned code = 0; code < 256; code++) {
            const uint8_t body[] = { (uint8_t)present, (uint8_t)code };
            bool valid = code <= 5 && (present == 0 || (present == 1 && code == 0));
            uint8_t got_code = 0xEE;
            bool got_present = false;

            mqc_result r = mqc_decode_connack(mqc_span_of(body, 2), &got_code, &got_present);

            assert_int_equal(r, valid ? MQC_OK : MQC_ERR_MALFORMED);
            assert_int_equal(got_code, valid ? code : 0xEE);
        }
    }
}

static void publish_rejects_bad_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t flags;
        uint8_t body[8];
        size_t len;
    } cases[] = {
        { "empty body", 0x00, { 0 }, 0 },
        { "topic longer than body", 0x00, { 0, 5, 't' }, 3 },
        { "empty topic", 0x00, { 0, 0, 'x' }, 3 },
        { "packet id cut off", 0x02, { 0, 1, 't', 0 }, 4 },
        { "packet id zero", 0x02, { 0, 1, 't', 0, 0 }, 5 },
        { "wildcard + in the topic", 0x00, { 0, 3, 'a', '/', '+' }, 5 },
        { "wildcard # in the topic", 0x00, { 0, 1, '#' }, 3 },
        { "NUL in the topic", 0x00, { 0, 2, 'a', 0 }, 4 },
        { "surrogate in the topic", 0x00, { 0, 3, 0xED, 0xA0, 0x80 }, 5 },
        { "overlong UTF-8", 0x00, { 0, 2, 0xC0, 0xAF }, 4 },
        { "UTF-8 cut off", 0x00, { 0, 2, 0xE2, 0x82 }, 4 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mqc_message m;
        mqc_result r =
            mqc_decode_publish(cases[i].flags, mqc_span_of(cases[i].body, cases[i].len), &m);
        if (r != MQC_ERR_MALFORMED) {
            fail_msg("%s: got %s", cases[i].why, mqc_result_str(r));
        }
    }
}

static void suback_takes_the_four_codes_only(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        const uint8_t body[] = { 0, 1, (uint8_t)code };
        bool valid = code <= 2 || code == 0x80;
        uint16_t id;
        mqc_span codes;

        mqc_result r = mqc_decode_suback(mqc_span_of(body, sizeof body), &id, &codes);

        assert_int_equal(r, valid ? MQC_OK : MQC_ERR_MALFORMED);
    }
}

/* --- every capacity -------------------------------------------------------- */

static const mqc_subscription some_subs[] = { { MQC_SPAN_LIT("a/+/b"), 1 },
                                              { MQC_SPAN_LIT("#"), 0 } };
static const mqc_span some_filters[] = { MQC_SPAN_LIT("a/+/b"), MQC_SPAN_LIT("#") };

static void encode_connect(mqc_writer *w)
{
    const mqc_connect_options o = {
        .client_id = MQC_SPAN_LIT("device"),
        .username = MQC_SPAN_LIT("user"),
        .password = MQC_SPAN_LIT("secret"),
        .will = { MQC_SPAN_LIT("w"), MQC_SPAN_LIT("gone"), 0, false },
    };
    mqc_encode_connect(w, &o);
}

static void encode_subscribe(mqc_writer *w)
{
    const mqc_filters f = { some_subs, NULL, COUNT_OF(some_subs) };
    mqc_encode_filters(w, &f, 77);
}

static void encode_unsubscribe(mqc_writer *w)
{
    const mqc_filters f = { NULL, some_filters, COUNT_OF(some_filters) };
    mqc_encode_filters(w, &f, 77);
}

static void short_packets_have_all_their_bytes(void **state)
{
    (void)state;
    static const struct {
        mqc_packet_type type;
        uint8_t want[MQC_ACK_LEN];
    } acks[] = {
        { MQC_PUBACK, { 0x40, 2, 0x12, 0x34 } },
        { MQC_PUBREC, { 0x50, 2, 0x12, 0x34 } },
        { MQC_PUBREL, { 0x62, 2, 0x12, 0x34 } },
        { MQC_PUBCOMP, { 0x70, 2, 0x12, 0x34 } },
    };
    uint8_t packet[MQC_ACK_LEN];

    for (size_t i = 0; i < COUNT_OF(acks); i++) {
        mqc_encode_id(packet, acks[i].type, 0x1234);
        assert_memory_equal(packet, acks[i].want, sizeof packet);
    }
    mqc_encode_empty(packet, MQC_PINGREQ);
    assert_memory_equal(packet, "\xC0\x00", MQC_EMPTY_LEN);
    mqc_encode_empty(packet, MQC_DISCONNECT);
    assert_memory_equal(packet, "\xE0\x00", MQC_EMPTY_LEN);
}

static void encoders_stay_inside_every_capacity(void **state)
{
    (void)state;
    static void (*const encoders[])(mqc_writer *) = { encode_connect, encode_subscribe,
                                                      encode_unsubscribe };
    for (size_t i = 0; i < COUNT_OF(encoders); i++) {
        uint8_t full[128];
        mqc_writer whole = { full, sizeof full, 0 };
        encoders[i](&whole);
        assert_true(whole.at < sizeof full);

        for (size_t cap = 0; cap <= whole.at; cap++) {
            uint8_t buf[130];
            memset(buf, GUARD, sizeof buf);
            mqc_writer w = { buf, cap, 0 };

            encoders[i](&w);

            assert_int_equal(w.at, whole.at);
            for (size_t j = cap; j < sizeof buf; j++) {
                assert_int_equal(buf[j], GUARD);
            }
            if (cap == whole.at) {
                assert_memory_equal(buf, full, cap);
            }
        }
    }
}

/* See section 2.2.3, table 2.4 of MQTT 3.1.1. */
static void the_length_of_a_packet_counts_its_header(void **state)
{
    (void)state;
    static const size_t ends[] = { 127, 16383, 2097151, 268435455 };

    assert_int_equal(mqc_packet_len(0), 2);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        assert_int_equal(mqc_packet_len(ends[i]), ends[i] + 2 + i);
        if (i + 1 < COUNT_OF(ends)) {
            assert_int_equal(mqc_packet_len(ends[i] + 1), ends[i] + 1 + 3 + i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_judged_as_early_as_possible),
        cmocka_unit_test(connack_is_strict),
        cmocka_unit_test(publish_rejects_bad_bodies),
        cmocka_unit_test(suback_takes_the_four_codes_only),
        cmocka_unit_test(short_packets_have_all_their_bytes),
        cmocka_unit_test(encoders_stay_inside_every_capacity),
        cmocka_unit_test(the_length_of_a_packet_counts_its_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
