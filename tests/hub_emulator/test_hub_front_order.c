/* Tests the faults that the hub orders for connections: drops, delays and cuts. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front_fixture.h"
#include "hub/note.h"

#define LONG_MS 600000
#define PUBACK  "\x40\x02\0\1"
#define PING    "\xD0\0"

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

static int64_t up_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The connection of the first client of a fixture has the number 1. */
static void order(hub_note_kind kind, uint32_t value)
{
    const hub_note note = { .number = 1, .kind = kind, .value = value };

    write_all(f.notes, &note, sizeof note);
}

static void expect(tls_client *c, const char *bytes, size_t len)
{
    char got[64];

    tls_client_receive(c, got, len);
    assert_memory_equal(got, bytes, len);
}

static void a_drop_closes_in_the_regular_way(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    write_all(broker, PING, 2);
    expect(&c, PING, 2);
    order(HUB_NOTE_DROP, HUB_DROP_CLOSE);
    assert_true(tls_client_ends(&c));
    assert_true(ends(broker));
    (void)close(broker);
    tls_client_close(&c);
}

static void a_drop_may_reset_the_connection(void **state)
{
    tls_client c;
    char byte;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DROP, HUB_DROP_RESET);
    assert_int_equal(recv(c.fd, &byte, 1, 0), -1); /* ECONNRESET */
    assert_true(ends(broker));
    (void)close(broker);
    gnutls_deinit(c.session);
    (void)close(c.fd);
}

static void what_the_broker_sends_arrives_late(void **state)
{
    enum { DELAY_MS = 100 };
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DELAY, DELAY_MS);
    for (int i = 0; i < 3; i++) {
        const int64_t begun = up_ms();
        write_all(broker, PUBACK PING, 6);
        expect(&c, PUBACK PING, 6);
        assert_true(up_ms() - begun >= DELAY_MS - 1); /* the front may see it a moment earlier */
    }
    order(HUB_NOTE_DELAY, 0);
    write_all(broker, PING, 2);
    expect(&c, PING, 2);
    front_fixture_close_pair(&c, broker);
}

static void other_packets_overtake_a_late_puback(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DELAY_PUBACKS, 100);
    write_all(broker, PUBACK, 4);
    write_all(broker, PING, 2);
    expect(&c, PING PUBACK, 6);
    front_fixture_close_pair(&c, broker);
}

/* The end of the broker does not overtake its bytes either. */
static void late_bytes_arrive_before_the_end(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DELAY, 100);
    write_all(broker, PING, 2);
    (void)close(broker);
    expect(&c, PING, 2);
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
}

static void a_client_may_leave_while_bytes_are_held(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DELAY, 20);
    write_all(broker, PING, 2);
    tls_client_close(&c);
    assert_true(ends(broker));
    (void)close(broker);
}

static void held_bytes_are_limited(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    order(HUB_NOTE_DELAY, LONG_MS);
    assert_true(front_fill(broker) < FRONT_FULL);
    tls_client_close(&c);
    order(HUB_NOTE_DROP, HUB_DROP_RESET);
    assert_true(ends(broker));
    (void)close(broker);
}

static void a_connection_is_cut_after_bytes_to_the_device(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= 6; n++) {
        tls_client c;
        int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
        const hub_note note = { .number = n + 1, .kind = HUB_NOTE_CUT_TO_DEVICE, .value = n };
        write_all(f.notes, &note, sizeof note);
        (void)send(broker, PUBACK PING, 6, MSG_NOSIGNAL);
        expect(&c, PUBACK PING, n);
        c.framed = false; /* no close of WebSocket is sent */
        assert_true(tls_client_ends(&c));
        assert_true(ends(broker));
        (void)close(broker);
        tls_client_close(&c);
    }
}

static void a_connection_is_cut_after_bytes_from_the_device(void **state)
{
    char got[6];

    (void)state;
    for (uint32_t n = 1; n <= 6; n++) {
        tls_client c;
        int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
        const hub_note note = { .number = n, .kind = HUB_NOTE_CUT_FROM_DEVICE, .value = n };
        write_all(f.notes, &note, sizeof note);
        write_all(broker, PING, 2);
        expect(&c, PING, 2); /* now the front has read the note */
        tls_client_send(&c, PUBACK PING, 6);
        read_all(broker, got, n);
        assert_memory_equal(got, PUBACK PING, n);
        assert_true(ends(broker));
        (void)close(broker);
        c.framed = false;
        assert_true(tls_client_ends(&c));
        tls_client_close(&c);
    }
}

static void notes_about_nobody_change_nothing(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    for (uint32_t kind = 0; kind < 20; kind++) {
        const hub_note note = { .number = 77, .kind = kind, .value = 1 };
        write_all(f.notes, &note, sizeof note);
    }
    order(HUB_NOTE_REFUSED, 3);
    order((hub_note_kind)99, 1);
    write_all(broker, PING, 2);
    expect(&c, PING, 2);
    front_fixture_close_pair(&c, broker);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_drop_closes_in_the_regular_way),
        TEST(a_drop_may_reset_the_connection),
        TEST(what_the_broker_sends_arrives_late),
        TEST(other_packets_overtake_a_late_puback),
        TEST(late_bytes_arrive_before_the_end),
        TEST(a_client_may_leave_while_bytes_are_held),
        TEST(held_bytes_are_limited),
        TEST(a_connection_is_cut_after_bytes_to_the_device),
        TEST(a_connection_is_cut_after_bytes_from_the_device),
        TEST(notes_about_nobody_change_nothing),
    };
    front_fixture_choose(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
