#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_dns.h"
#include "posix/clock.h"
#include "posix/tcp_race.h"
#include "posix/wait.h"
#include "tcp_fixture.h"

/* Tests the race with a clock of its own. Addresses without a listener refuse immediately; those
 * with a full queue do not answer. */

typedef struct rig {
    plat_lookup *lookup;
    plat_tcp_race race;
    plat_tcp_target target;
    uint64_t now;
} rig;

static void begin_with(rig *r, const char *const *addresses, size_t count, uint16_t port,
                       const char *good)
{
    plat_address first = { .any.sa_family = AF_UNSPEC };

    fake_dns_set(addresses, count);
    assert_int_equal(plat_lookup_start("hub.example", &r->lookup), PLAT_OK);
    while (!plat_lookup_is_done(r->lookup)) {
        const plat_poll p = { .fd = plat_lookup_fd(r->lookup), .want_read = true };
        plat_posix_wait(NULL, &p, 1, 1000);
    }
    if (good != NULL) {
        first.v4.sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, good, &first.v4.sin_addr), 1);
    }
    assert_int_equal(plat_tcp_race_begin(&r->race, r->lookup, &first), PLAT_OK);
    r->target = (plat_tcp_target){ .port = port };
    r->now = 1000;
}

static void begin(rig *r, const char *const *addresses, size_t count, uint16_t port)
{
    begin_with(r, addresses, count, port, NULL);
}

static void end(rig *r)
{
    plat_tcp_race_end(&r->race, r->lookup);
    close(r->race.set);
    const int fd = plat_lookup_release(r->lookup);
    if (fd >= 0) {
        close(fd);
    }
}

static plat_tcp_race_state turn(rig *r)
{
    return plat_tcp_race_turn(&r->race, r->lookup, &r->target, r->now);
}

/* Lets real time pass until a socket has an event, without moving the clock of the race. */
static plat_tcp_race_state turn_until_settled(rig *r)
{
    plat_tcp_race_state state = turn(r);

    while (state == PLAT_TCP_RACE_RUNS) {
        const plat_poll p = { .fd = r->race.set, .want_read = true };
        plat_posix_wait(NULL, &p, 1, 10000);
        state = turn(r);
    }
    return state;
}

static const char *winner(rig *r, char text[PLAT_ADDRESS_TEXT])
{
    return plat_address_text(plat_lookup_at(r->lookup, r->race.latest), text);
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

static void an_address_that_is_silent_for_250_ms_gets_company(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3", "127.0.0.1" };
    char text[PLAT_ADDRESS_TEXT];
    uint16_t port = 0;
    rig r;
    const int listener = tcp_listen("127.0.0.1", &port, 4);
    const black_hole a = black_hole_make("127.0.0.2", &port);
    const black_hole b = black_hole_make("127.0.0.3", &port);
    begin(&r, addresses, 3, port);

    for (unsigned tried = 1; tried <= 2; tried++) {
        assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
        assert_int_equal(r.race.pending, tried);
        assert_int_equal(r.race.next_at_ms, r.now + 250);
        r.now += 249;
        assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
        assert_int_equal(r.race.pending, tried);
        r.now++;
    }
    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
    assert_string_equal(winner(&r, text), "127.0.0.1");
    const int fd = plat_tcp_race_take(&r.race, r.lookup);
    assert_true(fd >= 0);
    assert_int_equal(r.race.pending, 0);
    assert_int_equal(r.race.next_at_ms, r.now + 250);
    close(fd);
    end(&r);
    black_hole_close(&a);
    black_hole_close(&b);
    close(listener);
}

static void all_addresses_are_patient_when_all_were_tried(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3" };
    uint16_t port = 0;
    rig r;
    const black_hole a = black_hole_make("127.0.0.2", &port);
    const black_hole b = black_hole_make("127.0.0.3", &port);
    begin(&r, addresses, 2, port);

    (void)turn(&r);
    r.now += 250;
    assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
    assert_int_equal(r.race.next_at_ms, 0); /* the stage of the stream has a limit */
    r.now += 1000000;
    assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
    assert_int_equal(r.race.pending, 2);
    end(&r);
    black_hole_close(&a);
    black_hole_close(&b);
}

static void a_refusal_is_followed_by_the_next_address_at_once(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1" };
    char text[PLAT_ADDRESS_TEXT];
    uint16_t port = 0;
    rig r;
    const int listener = tcp_listen("127.0.0.1", &port, 1);
    begin(&r, addresses, 4, port);

    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
    assert_int_equal(r.now, 1000);
    assert_string_equal(winner(&r, text), "127.0.0.1");
    close(plat_tcp_race_take(&r.race, r.lookup));
    end(&r);
    close(listener);
}

static void a_refusal_does_not_wait_for_an_address_that_is_silent(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3", "127.0.0.1" };
    char text[PLAT_ADDRESS_TEXT];
    uint16_t port = 0;
    rig r;
    const int listener = tcp_listen("127.0.0.1", &port, 1);
    const black_hole hole = black_hole_make("127.0.0.2", &port);
    begin(&r, addresses, 3, port);

    (void)turn(&r);
    r.now += 250;
    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
    assert_string_equal(winner(&r, text), "127.0.0.1");
    close(plat_tcp_race_take(&r.race, r.lookup));
    end(&r);
    black_hole_close(&hole);
    close(listener);
}

static void if_all_refuse_the_last_failure_is_reported(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3" };
    uint16_t port = 0;
    rig r;
    close(tcp_listen("127.0.0.1", &port, 1));
    begin(&r, addresses, 2, port);

    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_LOST);
    assert_int_equal(r.race.error, ECONNREFUSED);
    assert_int_equal(r.race.latest, 1);
    assert_int_equal(turn(&r), PLAT_TCP_RACE_LOST);
    end(&r);
}

/* The system repeats its request for the first address after a second. */
static void an_early_address_may_win_late(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3" };
    char text[PLAT_ADDRESS_TEXT];
    uint16_t port = 0;
    rig r;
    black_hole a = black_hole_make("127.0.0.2", &port);
    const black_hole b = black_hole_make("127.0.0.3", &port);
    begin(&r, addresses, 2, port);

    (void)turn(&r);
    r.now += 250;
    assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
    for (size_t i = 0; i < 2; i++) {
        close(accept(a.listener, NULL, NULL));
    }
    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
    assert_string_equal(winner(&r, text), "127.0.0.2");
    close(plat_tcp_race_take(&r.race, r.lookup));
    end(&r);
    black_hole_close(&a);
    black_hole_close(&b);
}

static void the_address_that_was_good_is_tried_first_and_then_all_others(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4" };
    static const char *const goods[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9" };
    static const uint8_t orders[][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 2, 0, 1 }, { 0, 1, 2 } };
    uint16_t port = 0;
    black_hole holes[3];

    for (size_t i = 0; i < 3; i++) {
        holes[i] = black_hole_make(addresses[i], &port);
    }
    for (size_t g = 0; g < 4; g++) {
        rig r;
        begin_with(&r, addresses, 3, port, goods[g]);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(*plat_lookup_socket(r.lookup, orders[g][i]), -1);
            assert_int_equal(turn(&r), PLAT_TCP_RACE_RUNS);
            assert_true(*plat_lookup_socket(r.lookup, orders[g][i]) >= 0);
            r.now += 250;
        }
        end(&r);
    }
    for (size_t i = 0; i < 3; i++) {
        black_hole_close(&holes[i]);
    }
}

static void the_peer_sees_the_address_that_a_socket_is_bound_to(void **state)
{
    (void)state;
    static const char *const addresses[] = { "::1", "127.0.0.1" };
    char text[INET_ADDRSTRLEN];
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    uint16_t port = 0;
    rig r;
    const int listener = tcp_listen("127.0.0.1", &port, 1);
    begin(&r, addresses, 2, port);
    r.target.bind = "127.0.0.9";

    assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
    const int fd = accept(listener, (struct sockaddr *)&peer, &len);
    assert_string_equal(inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text), "127.0.0.9");
    close(fd);
    close(plat_tcp_race_take(&r.race, r.lookup));
    end(&r);
    close(listener);
}

static void a_binding_that_is_impossible_loses_with_its_cause(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.1", "127.0.0.2" };
    static const struct {
        const char *bind;
        int error;
    } cases[] = {
        { "nope0", ENODEV },
        { "", ENODEV },
        { "a-name-longer-than-an-interface", ENODEV },
        { "::1", EAFNOSUPPORT },
        { "192.0.2.1", EADDRNOTAVAIL },
    };
    uint16_t port = 0;
    const int listener = tcp_listen("127.0.0.1", &port, 1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig r;
        begin(&r, addresses, 2, port);
        r.target.bind = cases[i].bind;
        assert_int_equal(turn(&r), PLAT_TCP_RACE_LOST);
        if (r.race.error != EPERM) { /* Linux before 5.7 */
            assert_int_equal(r.race.error, cases[i].error);
        }
        end(&r);
    }
    close(listener);
}

/* The order is that of each reconnect to a host that was connected over IPv4. */
static void an_address_that_the_binding_excludes_hides_no_refusal(void **state)
{
    (void)state;
    static const char *const orders[][2] = { { "127.0.0.1", "::1" }, { "::1", "127.0.0.1" } };
    uint16_t port = 0;
    close(tcp_listen("127.0.0.1", &port, 1));

    for (size_t i = 0; i < 2; i++) {
        char text[PLAT_ADDRESS_TEXT];
        rig r;
        begin(&r, orders[i], 2, port);
        r.target.bind = "127.0.0.9";
        assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_LOST);
        assert_int_equal(r.race.error, ECONNREFUSED);
        assert_string_equal(winner(&r, text), "127.0.0.1");
        end(&r);
    }
}

static void descriptors_stay_level(void **state)
{
    (void)state;
    static const char *const addresses[] = { "127.0.0.2", "127.0.0.3", "127.0.0.1" };
    uint16_t port = 0;
    const int listener = tcp_listen("127.0.0.1", &port, 16);
    const black_hole hole = black_hole_make("127.0.0.2", &port);
    const unsigned before = descriptors();

    for (unsigned i = 0; i < 1000; i++) {
        rig r;
        begin(&r, addresses, 3, port);
        (void)turn(&r);
        r.now += 250;
        if (i % 2 == 0) { /* the others are ended in the middle */
            assert_int_equal(turn_until_settled(&r), PLAT_TCP_RACE_WON);
            close(plat_tcp_race_take(&r.race, r.lookup));
            close(accept(listener, NULL, NULL));
        }
        end(&r);
    }
    assert_int_equal(descriptors(), before);
    black_hole_close(&hole);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_is_silent_for_250_ms_gets_company),
        cmocka_unit_test(all_addresses_are_patient_when_all_were_tried),
        cmocka_unit_test(a_refusal_is_followed_by_the_next_address_at_once),
        cmocka_unit_test(a_refusal_does_not_wait_for_an_address_that_is_silent),
        cmocka_unit_test(if_all_refuse_the_last_failure_is_reported),
        cmocka_unit_test(an_early_address_may_win_late),
        cmocka_unit_test(the_address_that_was_good_is_tried_first_and_then_all_others),
        cmocka_unit_test(the_peer_sees_the_address_that_a_socket_is_bound_to),
        cmocka_unit_test(a_binding_that_is_impossible_loses_with_its_cause),
        cmocka_unit_test(an_address_that_the_binding_excludes_hides_no_refusal),
        cmocka_unit_test(descriptors_stay_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
