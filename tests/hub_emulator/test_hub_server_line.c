/* Tests the side of the front that leads to the broker or the HTTP server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "front/server_line.h"

#define MUCH (4u * 1024 * 1024) /* more than the buffers of the kernel hold */

static hub_server_line line;
static int server;

static int start(void **state)
{
    (void)state;
    hub_server_line_init(&line);
    server = -1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hub_server_line_close(&line);
    if (server >= 0) {
        (void)close(server);
    }
    return 0;
}

static void connect_it(void)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    server = pair[1];
    hub_server_line_open(&line, pair[0]);
}

static void expect(const char *text)
{
    char got[64];
    ssize_t n = recv(server, got, sizeof got, MSG_DONTWAIT);

    assert_int_equal(n, (ssize_t)strlen(text));
    assert_memory_equal(got, text, (size_t)n);
}

static void what_was_added_before_is_sent_when_it_is_connected(void **state)
{
    (void)state;
    hub_server_line_add(&line, "one ", 4);
    hub_server_line_add(&line, "two", 3);
    assert_int_equal(hub_server_line_pending(&line), 7);
    connect_it();
    assert_int_equal(hub_server_line_pending(&line), 0);
    expect("one two");
    hub_server_line_send(&line, "three", 5);
    expect("three");
}

/* Reads all available bytes, and checks that each one is the successor of the byte before it. */
static size_t drain(size_t from)
{
    static uint8_t got[65536];
    ssize_t n;

    while ((n = recv(server, got, sizeof got, MSG_DONTWAIT)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            assert_int_equal(got[i], (uint8_t)from);
            from++;
        }
    }
    return from;
}

static void what_the_server_does_not_accept_waits_in_order(void **state)
{
    uint8_t *bytes = malloc(MUCH);
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < MUCH; i++) {
        bytes[i] = (uint8_t)i;
    }
    connect_it();
    hub_server_line_send(&line, bytes, MUCH / 2);
    assert_true(hub_server_line_pending(&line) > 0);
    hub_server_line_send(&line, bytes + MUCH / 2, MUCH / 2);
    while (hub_server_line_pending(&line) > 0) {
        seen = drain(seen);
        hub_server_line_flush(&line);
    }
    assert_int_equal(drain(seen), MUCH);
    free(bytes);
}

static void the_end_follows_the_last_byte(void **state)
{
    uint8_t *bytes = calloc(1, MUCH);
    uint8_t byte;
    ssize_t n;

    (void)state;
    connect_it();
    hub_server_line_send(&line, bytes, MUCH);
    hub_server_line_end(&line);
    for (size_t seen = 0; seen < MUCH; seen += (size_t)n) {
        n = recv(server, bytes, MUCH, MSG_DONTWAIT);
        assert_true(n > 0);
        hub_server_line_flush(&line);
    }
    assert_int_equal(recv(server, &byte, 1, MSG_DONTWAIT), 0);
    assert_int_equal(send(server, "x", 1, 0), 1); /* the other direction is still open */
    assert_int_equal(recv(line.fd, &byte, 1, MSG_DONTWAIT), 1);
    free(bytes);
}

static void bytes_for_a_server_that_has_closed_are_dropped(void **state)
{
    (void)state;
    hub_server_line_add(&line, "x", 1);
    connect_it();
    (void)close(server);
    server = -1;
    hub_server_line_send(&line, "y", 1);
    hub_server_line_flush(&line);
    assert_int_equal(hub_server_line_pending(&line), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_added_before_is_sent_when_it_is_connected, start,
                                        stop),
        cmocka_unit_test_setup_teardown(what_the_server_does_not_accept_waits_in_order, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_end_follows_the_last_byte, start, stop),
        cmocka_unit_test_setup_teardown(bytes_for_a_server_that_has_closed_are_dropped, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
