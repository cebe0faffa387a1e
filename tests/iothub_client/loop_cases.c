#include "loop_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>

#include "fake_dns.h"
#include "tcp_fixture.h"
#include "tcp_hub.h"

/* A connection needs a look-up, two addresses, login, subscriptions and some acknowledgements;
 * the limit leaves room to spare. A busy loop wakes thousands of times. */
enum { ROUNDS = 6, WAKEUPS_A_CONNECTION = 60 };

unsigned loop_wakeups;
unsigned loop_stalls;

static const loop_kind *loop;
static tcp_hub *hub;
static iothub_client *clients[LOOP_CLIENTS];
static uint64_t wanted; /* the number of events that the test waits for */

loop_change loop_compare(const loop_seen *seen, const plat_poll *now)
{
    if (seen->fd != now->fd || (now->fd >= 0 && seen->generation != now->generation)) {
        return LOOP_OTHER_FILE;
    }
    bool same = seen->want_read == now->want_read && seen->want_write == now->want_write;
    return same || now->fd < 0 ? LOOP_SAME : LOOP_OTHER_WISHES;
}

void loop_check_open(int fd)
{
    if (fcntl(fd, F_GETFD) == -1) {
        fail_msg("descriptor %d was closed while it was watched", fd);
    }
}

/* --- the devices ----------------------------------------------------------------- */

static iothub_client *make_client(void)
{
    iothub_options o;
    iothub_error error;

    iothub_options_init(&o);
    o.platform = tcp_hub_platform();
    o.port = tcp_hub_port(hub);
    o.rx_size = o.tx_size = 8192;
    o.request_size = 2048;
    o.connect_timeout_ms = 60000;
    o.retry_min_ms = 1;
    o.retry_max_ms = 20;
    iothub_client *c =
        iothub_new("HostName=hub.example;DeviceId=device1;SharedAccessKey=c2VjcmV0", &o, &error);
    if (c == NULL) {
        fail_msg("%s", error.text);
    }
    return c;
}

static void begin(size_t count)
{
    static const char *const addresses[] = { "127.0.0.1" };

    fake_dns_set(addresses, 1);
    hub = tcp_hub_new();
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        clients[i] = i < count ? make_client() : NULL;
        if (clients[i] != NULL) {
            assert_int_equal(iothub_start(clients[i]), IOTHUB_OK);
        }
    }
    loop->begin(clients);
}

static iothub_stats stats_of(size_t i)
{
    iothub_stats s = { 0 };

    if (clients[i] != NULL) {
        iothub_get_stats(clients[i], &s);
    }
    return s;
}

/* Returns whether the condition holds for all clients. */
static bool all(bool (*has)(size_t i))
{
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        if (clients[i] != NULL && !has(i)) {
            return false;
        }
    }
    return true;
}

static bool has_connected(size_t i)
{
    return stats_of(i).connects == wanted && iothub_get_state(clients[i]) == IOTHUB_CONNECTED;
}

static bool all_connected(void)
{
    return all(has_connected);
}

static bool has_renewed(size_t i)
{
    return stats_of(i).token_renewals == wanted && iothub_get_state(clients[i]) == IOTHUB_CONNECTED;
}

static bool all_renewed(void)
{
    return all(has_renewed);
}

static bool has_stopped(size_t i)
{
    return iothub_get_state(clients[i]) == IOTHUB_STOPPED;
}

static bool all_stopped(void)
{
    return all(has_stopped);
}

static bool was_acknowledged(size_t i)
{
    return stats_of(i).telemetry_acknowledged == wanted;
}

static bool all_acknowledged(void)
{
    return all(was_acknowledged);
}

static void run_until(bool (*is_over)(void))
{
    loop_wakeups = loop_stalls = 0;
    loop->run_until(is_over);
    assert_int_equal(loop_stalls, 0);
    if (loop_wakeups > WAKEUPS_A_CONNECTION * LOOP_CLIENTS) {
        fail_msg("%u wake-ups", loop_wakeups);
    }
}

static void end(void)
{
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        if (clients[i] != NULL) {
            assert_int_equal(stats_of(i).failed_attempts, 0);
            assert_int_equal(iothub_stop(clients[i], 60000), IOTHUB_OK);
        }
    }
    run_until(all_stopped);
    loop->end();
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        iothub_free(clients[i]);
    }
    tcp_hub_free(hub);
}

/* --- the cases ------------------------------------------------------------------- */

static void a_silent_address_before_the_one_that_answers_is_no_stall(void **state)
{
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.1" };
    (void)state;
    begin(1);
    uint16_t port = tcp_hub_port(hub);
    black_hole silent = black_hole_make("127.0.0.2", &port);
    fake_dns_set(addresses, 2);

    wanted = 1;
    run_until(all_connected);

    end();
    black_hole_close(&silent);
}

static void renewals_one_after_the_other_lose_nothing(void **state)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    (void)state;
    begin(LOOP_CLIENTS);
    wanted = 1;
    run_until(all_connected);

    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (size_t i = 0; i < LOOP_CLIENTS; i++) {
            assert_int_equal(iothub_reconnect_now(clients[i]), IOTHUB_OK);
            assert_int_equal(iothub_send_telemetry(clients[i], &t, NULL), IOTHUB_OK);
        }
        wanted = round;
        run_until(all_renewed);
        run_until(all_acknowledged);
    }
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        assert_int_equal(stats_of(i).losses, 0);
    }
    end();
}

static void lost_connections_are_made_again(void **state)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    (void)state;
    begin(LOOP_CLIENTS);
    wanted = 1;
    run_until(all_connected);

    for (unsigned round = 1; round <= ROUNDS; round++) {
        tcp_hub_drop(hub);
        wanted = round + 1;
        run_until(all_connected);
        for (size_t i = 0; i < LOOP_CLIENTS; i++) {
            assert_int_equal(iothub_send_telemetry(clients[i], &t, NULL), IOTHUB_OK);
        }
        wanted = round;
        run_until(all_acknowledged);
    }
    end();
}

int loop_cases(const loop_kind *kind)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_address_before_the_one_that_answers_is_no_stall),
        cmocka_unit_test(renewals_one_after_the_other_lose_nothing),
        cmocka_unit_test(lost_connections_are_made_again),
    };

    loop = kind;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
