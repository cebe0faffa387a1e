/* Tests MQTT over WebSocket at the TLS front: any cut of the request and the frames, frames that
 * are not allowed, and many connections. */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_fixture.h"

#define LONG_MS 600000
#define CONNACK "\x20\x02\x00\x00"
#define BINARY  0x82
#define TEXT    0x81
#define CLOSE   0x88
#define PING    0x89
#define PONG    0x8A
#define REQUEST                                                                    \
    "GET /$iothub/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                         \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"

static front_fixture f;

static int start(void **state)
{
    (void)state;
    front_fixture_start(&f, LONG_MS, LONG_MS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    front_fixture_stop(&f);
    return 0;
}

/* Opens TLS to the HTTPS port, without an upgrade. */
static void open_tls(tls_client *c)
{
    tls_client_init_to(c, &f, HUB_FRONT_HTTPS, TLS_1_3, NULL);
    while (gnutls_handshake(c->session) != 0) {
    }
}

static void skip_head(tls_client *c)
{
    char last[4] = "";
    char byte;

    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        tls_client_receive_raw(c, &byte, 1);
        memmove(last, last + 1, 3);
        last[3] = byte;
    }
}

static void expect_frame(tls_client *c, uint8_t first, const void *data, size_t len)
{
    uint8_t head[2];
    uint8_t got[125];

    tls_client_receive_raw(c, head, 2);
    assert_int_equal(head[0], first);
    assert_int_equal(head[1], len);
    tls_client_receive_raw(c, got, len);
    assert_memory_equal(got, data, len);
}

/* --- cuts -------------------------------------------------------------- */

/* A request, a CONNECT in fragments with pings between them, and a packet. */
static hub_text whole_beginning(void)
{
    hub_text packet = connect_of_device("secret");
    hub_text out = { 0 };

    hub_text_str(&out, REQUEST);
    add_frame(&out, BINARY & 0x7F, packet.p, 3);
    add_frame(&out, PING, "1", 1);
    add_frame(&out, 0, packet.p + 3, 0);
    add_frame(&out, 0, packet.p + 3, packet.len - 4);
    add_frame(&out, PING, "", 0);
    add_frame(&out, 0x80, packet.p + packet.len - 1, 1);
    add_frame(&out, BINARY, "\xC0\0", 2);
    hub_text_free(&packet);
    return out;
}

static void check_beginning(tls_client *c)
{
    hub_envelope e;
    char ping[2];

    int broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    read_all(broker, ping, 2);
    assert_memory_equal(ping, "\xC0\0", 2);
    write_all(broker, CONNACK, 4);
    skip_head(c);
    expect_frame(c, PONG, "1", 1);
    expect_frame(c, PONG, "", 0);
    expect_frame(c, BINARY, CONNACK, 4);
    (void)close(broker);
    expect_frame(c, CLOSE, "\x03\xE8", 2);
    assert_true(tls_client_ends(c));
    tls_client_close(c);
}

static void the_beginning_may_be_cut_anywhere(void **state)
{
    hub_text bytes = whole_beginning();

    (void)state;
    for (size_t cut = 0; cut <= bytes.len; cut += cut < strlen(REQUEST) - 8 ? 7 : 1) {
        tls_client c;
        open_tls(&c);
        if (cut > 0) {
            tls_client_send_raw(&c, bytes.p, cut);
        }
        if (cut < bytes.len) {
            tls_client_send_raw(&c, bytes.p + cut, bytes.len - cut);
        }
        check_beginning(&c);
    }
    hub_text_free(&bytes);
}

static void the_beginning_may_come_byte_by_byte(void **state)
{
    hub_text bytes = whole_beginning();
    tls_client c;

    (void)state;
    open_tls(&c);
    for (size_t i = 0; i < bytes.len; i++) {
        tls_client_send_raw(&c, bytes.p + i, 1);
    }
    check_beginning(&c);
    hub_text_free(&bytes);
}

static void a_client_may_close_at_each_byte_of_the_beginning(void **state)
{
    hub_text bytes = whole_beginning();

    (void)state;
    for (size_t len = 0; len < strlen(REQUEST) + 30; len += 3) {
        tls_client c;
        open_tls(&c);
        if (len > 0) {
            tls_client_send_raw(&c, bytes.p, len);
        }
        tls_client_close(&c);
    }
    front_fixture_wait_quiet(&f);
    hub_text_free(&bytes);
}

/* --- frames ------------------------------------------------------------ */

/* Logs in over WebSocket, and returns the broker's end. */
static int log_in(tls_client *c)
{
    hub_text packet = connect_of_device("secret");
    hub_envelope e;

    open_tls(c);
    tls_client_send_raw(c, REQUEST, strlen(REQUEST));
    skip_head(c);
    c->framed = true;
    tls_client_send(c, packet.p, packet.len);
    int broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    write_all(broker, CONNACK, 4);
    expect_frame(c, BINARY, CONNACK, 4);
    hub_text_free(&packet);
    return broker;
}

typedef struct bad_frame {
    const char *name;
    const char *bytes;
    size_t len;
    uint16_t code; /* code of the close frame; 0: it has none */
} bad_frame;

#define BAD(name, bytes, code)               \
    {                                        \
        name, bytes, sizeof(bytes) - 1, code \
    }

static const bad_frame bad_frames[] = {
    BAD("text", "\x81\x84mask\x19\x04\x0B\x1F", 1003),
    BAD("no mask", "\x82\x02\xC0\0", 1002),
    BAD("reserved bit 1", "\xC2\x81maskx", 1002),
    BAD("reserved bit 3", "\x92\x81maskx", 1002),
    BAD("continuation of nothing", "\x80\x81maskx", 1002),
    BAD("a message within another", "\x02\x81maskx\x82\x81maskx", 1002),
    BAD("unknown operation", "\x83\x81maskx", 1002),
    BAD("unknown control operation", "\x8B\x81maskx", 1002),
    BAD("a control frame in fragments", "\x09\x81maskx", 0),
    BAD("a long control frame", "\x89\xFE\0\x7Emask", 0),
    BAD("a length of 63 bits and one more", "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask", 0),
    BAD("16 bits for a short length", "\x82\xFE\0\x05mask", 0),
    BAD("64 bits for a short length", "\x82\xFF\0\0\0\0\0\0\xFF\xFFmask", 0),
    BAD("a close with one byte", "\x88\x81maskx", 0),
    BAD("a close with a code that is not allowed", "\x88\x82mask\x6E\x84", 1002),
};

/* Some of these begin with bytes that are allowed. */
static void wait_end(int broker)
{
    char byte;

    while (recv(broker, &byte, 1, 0) > 0) {
    }
    (void)close(broker);
}

static void a_frame_that_is_not_allowed_ends_the_connection(void **state)
{
    uint8_t head[4];

    (void)state;
    for (size_t i = 0; i < sizeof bad_frames / sizeof bad_frames[0]; i++) {
        const bad_frame *bad = &bad_frames[i];
        tls_client c;
        int broker = log_in(&c);
        tls_client_send_raw(&c, bad->bytes, bad->len);
        tls_client_receive_raw(&c, head, 2);
        assert_int_equal(head[0], CLOSE);
        memset(head + 2, 0, 2);
        tls_client_receive_raw(&c, head + 2, head[1] == 2 ? 2 : 0);
        if ((head[2] << 8 | head[3]) != bad->code) {
            fail_msg("%s: code %d", bad->name, head[2] << 8 | head[3]);
        }
        wait_end(broker);
        c.framed = false;
        assert_true(tls_client_ends(&c));
        tls_client_close(&c);
    }
}

/* This also holds if bytes of the message have passed to the broker already. */
static void what_was_sent_before_a_bad_frame_arrives(void **state)
{
    hub_text bytes = { 0 };
    char got[4];
    tls_client c;

    (void)state;
    int broker = log_in(&c);
    add_frame(&bytes, BINARY, "good", 4);
    hub_text_add(&bytes, "\x82\x01x", 3);
    tls_client_send_raw(&c, bytes.p, bytes.len);
    read_all(broker, got, 4);
    assert_memory_equal(got, "good", 4);
    assert_true(ends(broker));
    (void)close(broker);
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
    hub_text_free(&bytes);
}

static void a_close_is_answered_and_the_broker_sees_the_end(void **state)
{
    hub_text frame = { 0 };
    tls_client c;

    (void)state;
    int broker = log_in(&c);
    add_frame(&frame, CLOSE, "\x0F\xA1why", 5);
    tls_client_send_raw(&c, frame.p, frame.len);
    expect_frame(&c, CLOSE, "\x0F\xA1why", 5);
    assert_true(ends(broker));
    (void)close(broker);
    c.framed = false;
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
    hub_text_free(&frame);
}

/* The answers to pings are not kept without a limit. */
static void a_client_that_only_pings_and_does_not_read_is_not_read_any_more(void **state)
{
    hub_text pings = { 0 };
    char payload[125];
    size_t sent = 0;
    int quiet = 0;
    tls_client c;

    (void)state;
    memset(payload, 'p', sizeof payload);
    for (int i = 0; i < 100; i++) {
        add_frame(&pings, PING, payload, sizeof payload);
    }
    int broker = log_in(&c);
    const struct timeval soon = { .tv_usec = 1000 };
    (void)setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    while (quiet < 100 && sent < (size_t)64 << 20) {
        ssize_t n =
            gnutls_record_send(c.session, quiet > 0 ? NULL : pings.p, quiet > 0 ? 0 : pings.len);
        quiet = n < 0 ? quiet + 1 : 0;
        sent += n > 0 ? (size_t)n : 0;
    }
    assert_true(sent < (size_t)64 << 20);
    gnutls_deinit(c.session);
    (void)close(c.fd);
    assert_true(ends(broker));
    (void)close(broker);
    hub_text_free(&pings);
}

/* --- many connections -------------------------------------------------- */

enum { CROWD = 1000, DESCRIPTORS_EACH = 4 };

static void a_thousand_idle_connections_on_both_ports_are_kept(void **state)
{
    static tls_client clients[CROWD];
    static int brokers[CROWD];
    struct rlimit limit;
    char ping[2];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur > CROWD * DESCRIPTORS_EACH + 100);
    for (size_t i = 0; i < CROWD; i++) {
        brokers[i] =
            i % 2 == 0 ? log_in(&clients[i]) : front_fixture_open_pair(&f, &clients[i], TLS_1_3);
    }
    for (size_t i = 0; i < CROWD; i++) {
        tls_client_send(&clients[i], "\xC0\0", 2);
        read_all(brokers[i], ping, 2);
        write_all(brokers[i], "\xD0\0", 2);
        tls_client_receive(&clients[i], ping, 2);
        assert_memory_equal(ping, "\xD0\0", 2);
    }
    for (size_t i = 0; i < CROWD; i++) {
        front_fixture_close_pair(&clients[i], brokers[i]);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_beginning_may_be_cut_anywhere),
        TEST(the_beginning_may_come_byte_by_byte),
        TEST(a_client_may_close_at_each_byte_of_the_beginning),
        TEST(a_frame_that_is_not_allowed_ends_the_connection),
        TEST(what_was_sent_before_a_bad_frame_arrives),
        TEST(a_close_is_answered_and_the_broker_sees_the_end),
        TEST(a_client_that_only_pings_and_does_not_read_is_not_read_any_more),
        TEST(a_thousand_idle_connections_on_both_ports_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
