#include <stdio.h>

#include "client_fixture.h"

/* Sends each packet that a server may send, cut at each length and with each byte changed.
 * Whatever the result means, the client must continue, or close the connection with the right
 * reason and connect again. */

typedef struct packet {
    uint8_t bytes[256];
    size_t len;
} packet;

static void put(packet *p, const void *bytes, size_t len)
{
    assert_true(p->len + len <= sizeof p->bytes);
    memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

static void publish(packet *p, const char *topic, const char *body, uint16_t id)
{
    size_t topic_len = strlen(topic);
    const uint8_t head[] = { id != 0 ? 0x32 : 0x30,
                             (uint8_t)(2 + topic_len + (id != 0 ? 2 : 0) + strlen(body)), 0,
                             (uint8_t)topic_len };
    const uint8_t id_bytes[] = { (uint8_t)(id >> 8), (uint8_t)id };

    assert_true(head[1] < 128);
    put(p, head, sizeof head);
    put(p, topic, topic_len);
    put(p, id_bytes, id != 0 ? 2 : 0);
    put(p, body, strlen(body));
}

/* --- scenes: bring the client to where it expects the packet ------------------------------ */

static void connected(client_fixture *f)
{
    if (iothub_get_state(f->client) == IOTHUB_WAITING) {
        assert_int_equal(iothub_reconnect_now(f->client), IOTHUB_OK);
    }
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
}

static void connack(client_fixture *f, packet *p)
{
    f->hub.mute_connect = true;
    fixture_cut(f);
    assert_int_equal(iothub_reconnect_now(f->client), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_LOGGING_IN);
    f->hub.mute_connect = false;
    put(p, "\x20\x02\x00\x00", 4);
}

static void suback(client_fixture *f, packet *p)
{
    f->hub.mute_subscribe = true;
    fixture_cut(f);
    assert_int_equal(iothub_reconnect_now(f->client), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_SUBSCRIBING);
    f->hub.mute_subscribe = false;
    uint16_t id = f->client->engine.requests.pending[0].packet_id;
    const uint8_t bytes[] = { 0x90, 6, (uint8_t)(id >> 8), (uint8_t)id, 0, 1, 0, 0 };
    put(p, bytes, sizeof bytes);
}

static void puback(client_fixture *f, packet *p)
{
    f->hub.mute_publish = true;
    fixture_send(f, "x");
    fixture_run(f);
    f->hub.mute_publish = false;
    uint16_t id = fake_hub_at(&f->hub, f->hub.publishes - 1)->packet_id;
    const uint8_t bytes[] = { 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id };
    put(p, bytes, sizeof bytes);
}

static void pingresp(client_fixture *f, packet *p)
{
    (void)f;
    put(p, "\xD0\x00", 2);
}

static void twin_answer(client_fixture *f, packet *p)
{
    char topic[64];
    iothub_op op;
    f->hub.twin_status = 0;
    assert_int_equal(iothub_twin_get(f->client, NULL, &op), IOTHUB_OK);
    fixture_run(f);
    f->hub.twin_status = 200;
    snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%u&$version=1", (unsigned)op);
    publish(p, topic, "{\"desired\":{\"$version\":1}}", 0);
}

static void desired(client_fixture *f, packet *p)
{
    (void)f;
    publish(p, "$iothub/twin/PATCH/properties/desired/?$version=2", "{\"a\":1,\"$version\":2}", 0);
}

static void method(client_fixture *f, packet *p)
{
    /* Answered with 404, so that exactly one packet is sent back. */
    f->verdict = IOTHUB_METHOD_UNKNOWN;
    publish(p, "$iothub/methods/POST/reboot/?$rid=17", "{\"in\":5}", 0);
}

static void message(client_fixture *f, packet *p)
{
    (void)f;
    publish(p, "devices/device1/messages/devicebound/%24.mid=1&a=b&c", "hello", 300);
}

static const struct {
    const char *name;
    void (*prepare)(client_fixture *f, packet *p);
    /* The result, other than a protocol error, that a changed packet may cause. */
    iothub_result refusal;
} scenes[] = {
    { "CONNACK", connack, IOTHUB_ERR_AUTH },
    { "SUBACK", suback, IOTHUB_ERR_REJECTED },
    { "PUBACK", puback, IOTHUB_ERR_PROTOCOL },
    { "PINGRESP", pingresp, IOTHUB_ERR_PROTOCOL },
    { "twin answer", twin_answer, IOTHUB_ERR_PROTOCOL },
    { "desired", desired, IOTHUB_ERR_PROTOCOL },
    { "method", method, IOTHUB_ERR_PROTOCOL },
    { "message", message, IOTHUB_ERR_PROTOCOL },
};

enum { SCENES = sizeof scenes / sizeof scenes[0] };

/* --- what must hold ------------------------------------------------------------------------ */

static void check_outcome(client_fixture *f, size_t scene, size_t at, int byte)
{
    iothub_state s = iothub_get_state(f->client);
    iothub_result reason = fixture_last_status(f)->reason;

    if (s >= IOTHUB_LOGGING_IN && s <= IOTHUB_CONNECTED) {
        return;
    }
    bool named = reason == IOTHUB_ERR_PROTOCOL || reason == scenes[scene].refusal ||
                 (scene == 0 && reason == IOTHUB_ERR_UNAVAILABLE);
    if (s != IOTHUB_WAITING || !named) {
        fail_msg("%s, byte %zu = %d: %s, %s", scenes[scene].name, at, byte, iothub_state_str(s),
                 iothub_result_str(reason));
    }
}

static void restore(client_fixture *f)
{
    if (iothub_get_state(f->client) != IOTHUB_WAITING) {
        fixture_cut(f);
    }
    connected(f);
    while (mqc_lane(f->client->context.engine, IOTHUB_LANE_TWIN).count > 0) {
        fixture_sleep(f, 1000); /* a changed status can make the client repeat a request later */
    }
    f->done_count = 0;
    f->log[0] = '\0';
}

static void begin(client_fixture *f)
{
    fixture_init(f, NULL);
    f->options.log_level = IOTHUB_LOG_ERROR;
    fixture_connect(f);
}

static void a_packet_cut_short_is_waited_for_and_then_given_up(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);

    for (size_t n = 0; n < SCENES; n++) {
        for (size_t len = 1;; len++) {
            packet p = { .len = 0 };
            scenes[n].prepare(&f, &p);
            if (len == p.len) {
                break;
            }
            unsigned connects = f.hub.connects;
            scripted_feed(fixture_stream(&f), p.bytes, len);
            fixture_run(&f);
            /* The rest of the packet may still arrive. */
            assert_true(iothub_get_state(f.client) < IOTHUB_WAITING);
            f.hub.mute_ping = true;
            fixture_sleep(&f, 700000); /* nothing arrives, not even an answer to a ping */
            assert_true(f.hub.connects > connects);
            f.hub.mute_ping = false;
            restore(&f);
        }
        restore(&f);
    }
    fixture_free(&f);
}

static void a_packet_cut_short_may_come_in_two_parts(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);

    for (size_t n = 0; n < SCENES; n++) {
        for (size_t len = 1;; len++) {
            packet p = { .len = 0 };
            scenes[n].prepare(&f, &p);
            if (len == p.len) {
                break;
            }
            scripted_feed(fixture_stream(&f), p.bytes, len);
            fixture_run(&f);
            scripted_feed(fixture_stream(&f), p.bytes + len, p.len - len);
            fixture_run(&f);
            assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
            restore(&f);
        }
        restore(&f);
    }
    fixture_free(&f);
}

static void a_stream_that_ends_inside_a_packet_is_a_lost_connection(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);

    for (size_t n = 0; n < SCENES; n++) {
        for (size_t len = 1;; len++) {
            packet p = { .len = 0 };
            scenes[n].prepare(&f, &p);
            if (len == p.len) {
                break;
            }
            scripted_stream *s = fixture_stream(&f);
            scripted_feed(s, p.bytes, len);
            s->recv_then = PLAT_EOF;
            fixture_run(&f);
            assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
            assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NETWORK);
            s->recv_then = PLAT_WOULD_BLOCK;
            restore(&f);
        }
        restore(&f);
    }
    fixture_free(&f);
}

static void a_changed_byte_is_survived(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);

    for (size_t n = 0; n < SCENES; n++) {
        packet whole = { .len = 0 };
        scenes[n].prepare(&f, &whole);
        restore(&f);
        for (size_t at = 0; at < whole.len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                packet p = { .len = 0 };
                scenes[n].prepare(&f, &p);
                p.bytes[at] = (uint8_t)byte;
                scripted_feed(fixture_stream(&f), p.bytes, p.len);
                fixture_run(&f);
                check_outcome(&f, n, at, byte);
                restore(&f);
            }
        }
    }
    fixture_free(&f);
}

static void packets_that_a_server_never_sends_end_the_connection(void **state)
{
    (void)state;
    client_fixture f;
    begin(&f);

    for (int type = 0; type < 16; type++) {
        if (type == 3 || type == 13) { /* a server does send PUBLISH and PINGRESP */
            continue;
        }
        /* An answer to a QoS 2 message of an earlier session is allowed. */
        if (type >= 5 && type <= 7) {
            continue;
        }
        const uint8_t bytes[] = { (uint8_t)(type << 4 | (type == 8 || type == 10) << 1), 2, 0, 1 };
        scripted_feed(fixture_stream(&f), bytes, sizeof bytes);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_PROTOCOL);
        restore(&f);
    }
    fixture_free(&f);
}

static void random_bytes_are_survived(void **state)
{
    (void)state;
    client_fixture f;
    uint32_t seed = 1;
    begin(&f);

    for (int n = 0; n < 3000; n++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        scripted_feed(fixture_stream(&f), bytes, 1 + bytes[0] % sizeof bytes);
        fixture_run(&f);
        check_outcome(&f, 4, 0, n);
        restore(&f);
    }
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_cut_short_is_waited_for_and_then_given_up),
        cmocka_unit_test(a_packet_cut_short_may_come_in_two_parts),
        cmocka_unit_test(a_stream_that_ends_inside_a_packet_is_a_lost_connection),
        cmocka_unit_test(a_changed_byte_is_survived),
        cmocka_unit_test(packets_that_a_server_never_sends_end_the_connection),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
