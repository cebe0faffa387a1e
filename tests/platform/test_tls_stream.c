#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

/* --- a handshake that goes wrong half-way --- */

/* Returns the number of bytes that the server sends until the client is open. */
static size_t measure_flight(void)
{
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    size_t flight = peer.fed - scripted_unread(&wire);
    disconnect();
    return flight;
}

static void a_handshake_one_byte_at_a_time_never_blocks_and_succeeds(void **state)
{
    (void)state;
    plat_stage stage;
    wire.recv_max = 1;
    wire.send_max = 1;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, &good_config, tickets);
    size_t stalls = 0;
    plat_result r;

    for (size_t step = 0; step < 100000; step++) {
        peer.budget = 1; /* the server sends one more byte, then nothing */
        r = s->ops->progress(s, 0, &stage);
        if (r != PLAT_WOULD_BLOCK) {
            break;
        }
        assert_int_equal(stage, PLAT_STAGE_TLS);
        plat_poll p;
        s->ops->poll(s, false, 1, &p);
        assert_true(p.want_read);
        assert_false(p.ready_now);
        stalls++;
        tls_peer_step(&peer);
    }

    assert_int_equal(r, PLAT_OK);
    assert_true(stalls > 500);
    peer.budget = SIZE_MAX;
    tls_peer_step(&peer);
    wire.recv_max = 0;
    wire.send_max = 0;
    expect_echo("trickle");
    tls_peer_stop(&peer);
}

static void a_server_that_stops_anywhere_leaves_the_client_waiting_until_it_is_closed(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t budget = 0; budget < flight; budget += 61) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config, tickets);
        peer.budget = budget;

        assert_int_equal(shake_hands(&stage), PLAT_WOULD_BLOCK);

        assert_int_equal(stage, PLAT_STAGE_TLS);
        disconnect();
    }
}

static void a_server_that_leaves_anywhere_ends_the_handshake(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t budget = 0; budget < flight; budget += 61) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config, tickets);
        peer.budget = budget;
        wire.recv_then = PLAT_WOULD_BLOCK;
        assert_int_equal(shake_hands(&stage), PLAT_WOULD_BLOCK);
        wire.recv_then = PLAT_EOF;

        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_TLS);

        assert_int_equal(stage, PLAT_STAGE_TLS);
        assert_string_equal(s->ops->detail(s),
                            HOST ": the peer closed the connection without a close_notify of TLS");
        disconnect();
    }
}

static void a_changed_byte_anywhere_never_ends_in_a_connection(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t at = 0; at < flight; at += 23) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config, tickets);
        peer.corrupt_at = at;

        plat_result r = shake_hands(&stage);

        if (r == PLAT_OK && peer.done) {
            fail_msg("connected with byte %zu changed", at);
        }
        disconnect();
    }
}

static void plain_text_on_the_port_is_not_tls(void **state)
{
    (void)state;
    static const struct {
        const char *banner;
        const char *words; /* expected part of the failure detail */
    } cases[] = {
        { "220 mail.example ESMTP\r\n", "does not speak TLS" },
        { "HTTP/1.1 400 Bad\r\n\r\n", "HTTP server without TLS" },
        { "HTTP/1.0 200 OK\r\n\r\n<html>", "HTTP server without TLS" },
        { "<html>\r\n<body>", "HTTP server without TLS" },
        { "<!DOCTYPE HTML PUBLIC>\r\n", "HTTP server without TLS" },
        { "<xml>\r\n<body>", "does not speak TLS" },
        { "\x20\x02\x00\x05\x00", "" },
        { "SSH-2.0-OpenSSH_9.2\r\n", "does not speak TLS" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_stage stage;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        scripted_feed(&wire, cases[i].banner, strlen(cases[i].banner));
        scripted_feed(&wire, "more of it", 10);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_TLS);
        assert_int_equal(stage, PLAT_STAGE_TLS);
        assert_string_not_equal(s->ops->detail(s), "");
        assert_non_null(strstr(s->ops->detail(s), cases[i].words));
        s->ops->close(s);
    }
}

static void every_failure_below_comes_through_with_its_own_words(void **state)
{
    (void)state;
    unsigned nth = 1;
    for (;; nth++) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        scripted_fail(&wire, SCRIPTED_ANY, nth, PLAT_ERR_IO);
        plat_result r = s->ops->open(s, HOST, 8883, 0);
        tls_peer_start(&peer, &wire, &good_config, tickets);
        if (r == PLAT_OK) {
            r = shake_hands(&stage);
        }
        if (r == PLAT_OK) {
            break;
        }
        assert_int_equal(r, PLAT_ERR_IO);
        assert_string_equal(s->ops->detail(s), "scripted failure");
        disconnect();
        assert_string_equal(s->ops->detail(s), "");
    }
    assert_true(nth > 8);
    disconnect();
}

static void stages_below_are_passed_on(void **state)
{
    (void)state;
    for (plat_stage at = PLAT_STAGE_RESOLVE; at < PLAT_STAGE_TLS; at++) {
        plat_stage stage;
        wire.stall_at = at;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, at);
        scripted_fail(&wire, SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_CONNECT);
        assert_int_equal(stage, at);
        s->ops->close(s);
    }
}

/* --- bytes --- */

static uint8_t big[50000];

static void fill_big(void)
{
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 7u + (i >> 8));
    }
}

static void big_sends_go_out_as_records_and_arrive_whole_through_a_narrow_wire(void **state)
{
    (void)state;
    fill_big();
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    size_t sent = 0;
    unsigned blocked = 0;

    wire.send_room = 0;
    while (sent < sizeof big) {
        size_t n;
        /* The same bytes at another address, followed by more bytes than last time. */
        static uint8_t copy[sizeof big];
        memcpy(copy + blocked % 3, big + sent, sizeof big - sent - 3);
        size_t len = sizeof big - sent > 3 ? sizeof big - sent - 3 : sizeof big - sent;
        const uint8_t *from = sizeof big - sent > 3 ? copy + blocked % 3 : big + sent;
        plat_result r = s->ops->send(s, from, len, &n);
        if (r == PLAT_WOULD_BLOCK) {
            plat_poll p;
            s->ops->poll(s, false, 1, &p);
            assert_true(p.want_write); /* true even if the caller has nothing else to send */
            blocked++;
            wire.send_room = 1000;
            continue;
        }
        assert_int_equal(r, PLAT_OK);
        assert_true(n > 0 && n <= 16384);
        sent += n;
        tls_peer_step(&peer);
    }

    tls_peer_step(&peer);
    assert_true(blocked > 30);
    assert_int_equal(peer.got_len, sizeof big);
    assert_memory_equal(peer.got, big, sizeof big);
    disconnect();
}

static void the_flow_is_that_of_the_bytes_below(void **state)
{
    (void)state;
    uint8_t buf[2000];
    plat_flow before;
    plat_flow after;
    size_t n;
    s->ops->flow(s, &before);
    assert_int_equal(before.received, 0);
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    s->ops->flow(s, &before);
    assert_true(before.received > 500 && before.delivered > 200); /* the handshake */

    tls_peer_send(&peer, buf, 2000);
    s->ops->flow(s, &after); /* a record that recv has not returned yet */
    assert_true(after.received >= before.received + 2000);
    wire.peer_has = wire.tx_total + 900;
    assert_int_equal(s->ops->send(s, buf, 1000, &n), PLAT_OK);
    s->ops->flow(s, &after);
    assert_int_equal(after.delivered, before.delivered + 900);
    assert_true(after.pending >= 100);
    disconnect();
}

static size_t least_below(size_t least)
{
    plat_poll p;
    s->ops->poll(s, false, least, &p);
    return wire.last_least;
}

static void bytes_to_wait_for_grow_below_like_the_recent_records(void **state)
{
    (void)state;
    uint8_t buf[2000];
    size_t n;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    expect_echo("before"); /* also receives the session tickets */

    tls_peer_send(&peer, buf, 2000);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(least_below(100), 100);
    for (int i = 0; i < 10; i++) {
        tls_peer_send(&peer, "puba", 4); /* each record of TLS 1.3 adds 22 bytes */
    }
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 40);
    assert_int_equal(least_below(100), 650);
    assert_int_equal(least_below(1), 1);
    tls_peer_send(&peer, "x", 1);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(least_below(100), 800);
    disconnect();
}

static void one_recv_collects_many_records_and_the_rest_is_announced(void **state)
{
    (void)state;
    uint8_t buf[200];
    size_t n;
    plat_poll p;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    expect_echo("before"); /* also receives the session tickets */
    for (int i = 0; i < 10; i++) {
        tls_peer_send(&peer, "0123456789", 10);
    }

    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 100);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);

    fill_big();
    tls_peer_send(&peer, big, 1000);
    assert_int_equal(s->ops->recv(s, buf, 150, &n), PLAT_OK);
    assert_int_equal(n, 150);
    assert_int_equal(scripted_unread(&wire), 0);
    s->ops->poll(s, false, 1, &p);
    /* The bytes are buffered, so the descriptor will not become readable. */
    assert_true(p.ready_now);
    size_t total = n;
    while (s->ops->recv(s, buf, sizeof buf, &n) == PLAT_OK) {
        assert_memory_equal(buf, big + total, n);
        total += n;
    }
    assert_int_equal(total, 1000);
    s->ops->poll(s, false, 1, &p);
    assert_false(p.ready_now);
    disconnect();
}

static void many_records_are_read_in_one_go(void **state)
{
    (void)state;
    uint8_t buf[200];
    size_t n;
    plat_poll p;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    expect_echo("before");

    for (unsigned records = 1; records <= 20; records++) {
        for (unsigned i = 0; i < records; i++) {
            tls_peer_send(&peer, "ack!", 4);
        }
        unsigned before = wire.calls[SCRIPTED_RECV];
        assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
        assert_int_equal(n, 4 * records);
        assert_int_equal(wire.calls[SCRIPTED_RECV] - before, 1);
    }

    for (unsigned i = 0; i < 3; i++) {
        tls_peer_send(&peer, "ack!", 4);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(s->ops->recv(s, buf, 4, &n), PLAT_OK);
        assert_int_equal(scripted_unread(&wire), 0);
        s->ops->poll(s, false, 1, &p);
        /* The rest is buffered, so the descriptor does not show it. */
        assert_int_equal(p.ready_now, i < 2);
    }
    disconnect();
}

static void an_announced_end_differs_from_a_cut_one(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    tls_peer_step(&peer);
    tls_peer_send(&peer, "x", 1);
    tls_peer_close_notify(&peer);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_OK);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_EOF);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_EOF);
    disconnect();

    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    wire.recv_then = PLAT_EOF;
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_IO);
    assert_string_equal(s->ops->detail(s),
                        HOST ": the peer closed the connection without a close_notify of TLS");
    wire.recv_then = PLAT_WOULD_BLOCK;
    disconnect();

    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    s->ops->close(s);
    tls_peer_step(&peer);
    tls_peer_step(&peer);
    assert_true(peer.failed); /* the server has received our close_notify */
    assert_true((wolfSSL_get_shutdown(peer.ssl) & WOLFSSL_RECEIVED_SHUTDOWN) != 0);
    tls_peer_stop(&peer);
}

static void hosts_that_cannot_be_hosts_are_refused_immediately(void **state)
{
    (void)state;
    static const char *const bad[] = { "", ".", "a b", "a\nb", "*.example" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(s->ops->open(s, bad[i], 1, 0), PLAT_ERR_ARG);
        assert_int_equal(wire.calls[SCRIPTED_OPEN], 0);
    }
}

/* --- invariants --- */

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    plat_tls_stream bad;
    assert_true(plat_tls_stream_valid(&tls)); /* closed */
    bad = tls;
    bad.state = PLAT_TLS_OPEN; /* wrong, because an open stream has a connection */
    assert_false(plat_tls_stream_valid(&bad));
    bad.state = PLAT_TLS_HANDSHAKE;
    assert_false(plat_tls_stream_valid(&bad));
    bad.state = PLAT_TLS_FAILED; /* wrong, because no failure is noted */
    assert_false(plat_tls_stream_valid(&bad));
    bad.failure = PLAT_ERR_TLS;
    assert_true(plat_tls_stream_valid(&bad));
    bad = tls;
    bad.state = PLAT_TLS_LOWER;
    assert_true(plat_tls_stream_valid(&bad));
    bad.profile = NULL;
    assert_false(plat_tls_stream_valid(&bad));
    bad = tls;
    bad.retry_len = 16385;
    assert_false(plat_tls_stream_valid(&bad));
    bad = tls;
    bad.transport.ahead_end = 1;
    assert_false(plat_tls_stream_valid(&bad));
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    assert_true(plat_tls_stream_valid(&tls)); /* open */
    bad = tls;
    bad.state = PLAT_TLS_CLOSED; /* wrong, because a closed stream has no connection */
    assert_false(plat_tls_stream_valid(&bad));
    bad = tls;
    bad.verify.verdict = PLAT_ERR_CERT;
    assert_false(plat_tls_stream_valid(&bad));
    disconnect();
}
#else
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(a_handshake_one_byte_at_a_time_never_blocks_and_succeeds),
        WITH_STREAM(a_server_that_stops_anywhere_leaves_the_client_waiting_until_it_is_closed),
        WITH_STREAM(a_server_that_leaves_anywhere_ends_the_handshake),
        WITH_STREAM(a_changed_byte_anywhere_never_ends_in_a_connection),
        WITH_STREAM(plain_text_on_the_port_is_not_tls),
        WITH_STREAM(every_failure_below_comes_through_with_its_own_words),
        WITH_STREAM(stages_below_are_passed_on),
        WITH_STREAM(big_sends_go_out_as_records_and_arrive_whole_through_a_narrow_wire),
        WITH_STREAM(the_flow_is_that_of_the_bytes_below),
        WITH_STREAM(bytes_to_wait_for_grow_below_like_the_recent_records),
        WITH_STREAM(one_recv_collects_many_records_and_the_rest_is_announced),
        WITH_STREAM(many_records_are_read_in_one_go),
        WITH_STREAM(an_announced_end_differs_from_a_cut_one),
        WITH_STREAM(hosts_that_cannot_be_hosts_are_refused_immediately),
        WITH_STREAM(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
