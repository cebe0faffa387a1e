#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tls_fixture.h"
#include "wolfssl/tls/sessions.h"
#include "wolfssl/tls/tls_context.h"

#define HOUR_S (60 * 60)

/* Servers that share these tickets act as one service: the second server resumes sessions of the
 * first. */
static tls_tickets shared_tickets;

static long clock_offset_s;

/* Replaces wolfSSL's clock, which determines the age of a session. */
static time_t shifted_time(time_t *out)
{
    time_t now = time(NULL) + clock_offset_s;
    if (out != NULL) {
        *out = now;
    }
    return now;
}

/* The linker (--wrap) lets the test replace the clock of the stream. */
int64_t __real_plat_trust_now_s(void);
int64_t __wrap_plat_trust_now_s(void);

int64_t __wrap_plat_trust_now_s(void)
{
    return __real_plat_trust_now_s() + clock_offset_s;
}

static int share_tickets(void **state)
{
    clock_offset_s = 0;
    assert_int_equal(wc_SetTimeCb(shifted_time), 0);
    shared_tickets = (tls_tickets){ .spoil_at = SIZE_MAX };
    make_stream(state);
    tickets = &shared_tickets;
    return 0;
}

static int unshare_tickets(void **state)
{
    (void)wc_SetTimeCb(NULL);
    clock_offset_s = 0;
    return free_stream(state);
}

/* --- one connection --- */

static tls_peer_config limited_to(int version)
{
    tls_peer_config c = good_config;
    c.max_version = version;
    return c;
}

/* A connection from open to close with bytes in both directions. Returns true if both ends
 * report a resumed session. */
static bool visit(const char *host, const tls_peer_config *config)
{
    plat_result r = connect_to(host, config);
    if (r != PLAT_OK) {
        fail_msg("%s: %s (%s)", host, plat_result_str(r), s->ops->detail(s));
    }
    expect_echo(host);
    bool resumed = s->ops->resumed(s);
    assert_int_equal(resumed, wolfSSL_session_reused(peer.ssl) != 0);
    disconnect();
    assert_false(s->ops->resumed(s));
    return resumed;
}

static void expect_full(const char *host, const tls_peer_config *config)
{
    assert_false(visit(host, config));
}

static void expect_resumption(const char *host, const tls_peer_config *config)
{
    assert_true(visit(host, config));
}

static const struct {
    const char *what;
    int version;
} ways[] = {
    { "TLS 1.3, tickets", 0 },
    { "TLS 1.2, session ids", TLS1_2_VERSION },
};
#define WAYS (sizeof ways / sizeof ways[0])

/* Each way of making a session, with a stream that has no session yet. */
static tls_peer_config start_way(size_t i)
{
    restart_stream();
    clock_offset_s = 0;
    shared_tickets = (tls_tickets){ .spoil_at = SIZE_MAX };
    return limited_to(ways[i].version);
}

/* --- what may be resumed --- */

static void every_later_connection_resumes_whatever_the_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        expect_full(HOST, &c);
        for (int n = 0; n < 5; n++) {
            expect_resumption(HOST, &c);
        }
    }
}

static void a_session_holds_no_certificate(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        tls_peer_config c = start_way(i);
        const plat_session_key key = { .host = HOST, .port = 8883 };
        plat_trust trust;
        c.chain[1] = &root;
        c.chain_len = 2;
        expect_full(HOST, &c);

        WOLFSSL_SESSION *session =
            plat_sessions_take(&tls.profile->context->sessions, &key, &trust);

        assert_non_null(session);
        assert_in_range(wolfSSL_i2d_SSL_SESSION(session, NULL), 1, 480); /* 5.9: 456 */
        wolfSSL_SESSION_free(session);
    }
}

static void a_stream_resumes_what_another_one_still_uses(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        scripted_stream other_wire;
        plat_tls_stream other;
        static tls_peer other_peer;
        plat_stage stage;
        scripted_init(&other_wire);
        assert_int_equal(tls_init(&other, &other_wire.base, ca_file), PLAT_OK);
        assert_int_equal(connect_to(HOST, &c), PLAT_OK);
        expect_echo("old");

        assert_int_equal(other.base.ops->open(&other.base, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&other_peer, &other_wire, &c, tickets);
        while (other.base.ops->progress(&other.base, 0, &stage) == PLAT_WOULD_BLOCK) {
            tls_peer_step(&other_peer);
        }
        assert_int_equal(stage, PLAT_STAGE_OPEN);

        assert_true(other.base.ops->resumed(&other.base));
        assert_false(s->ops->resumed(s));
        expect_echo("old, still");
        other.base.ops->deinit(&other.base);
        tls_peer_stop(&other_peer);
        scripted_free(&other_wire);
        expect_echo("old, after the other one");
        disconnect();
    }
}

static void a_tls13_ticket_is_shown_once(void **state)
{
    (void)state;
    expect_full(HOST, &good_config);
    shared_tickets.no_new = true;
    expect_resumption(HOST, &good_config);
    shared_tickets.offered = 0;
    expect_full(HOST, &good_config);
    assert_int_equal(shared_tickets.offered, 0);
}

static void sessions_are_for_the_same_host_and_port(void **state)
{
    (void)state;
    pki_cert leaf;
    pki_spec spec = good_spec;
    spec.dns = "*.hub.example";
    pki_make(&leaf, &spec);
    for (size_t i = 0; i < WAYS; i++) {
        tls_peer_config c = start_way(i);
        c.chain[0] = &leaf;
        plat_stage stage;
        expect_full("a.hub.example", &c);

        expect_full("b.hub.example", &c);
        assert_int_equal(shared_tickets.offered, 0);
        assert_int_equal(s->ops->open(s, "a.hub.example", 8884, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &c, tickets);
        assert_int_equal(shake_hands(&stage), PLAT_OK);
        assert_false(s->ops->resumed(s));
        disconnect();

        expect_resumption("a.hub.example", &c);
        expect_resumption("b.hub.example", &c);
    }
}

static void sessions_are_for_the_same_roots(void **state)
{
    (void)state;
    const char *others =
        pki_write_pem("other_roots.pem", (const pki_cert *const[]){ &rsa_root }, 1);
    scripted_stream other_wire;
    plat_tls_stream keeper;
    scripted_init(&other_wire);
    assert_int_equal(tls_init(&keeper, &other_wire.base, ca_file), PLAT_OK);
    expect_full(HOST, &good_config);

    s->ops->deinit(s);
    assert_int_equal(tls_init(&tls, &wire.base, others), PLAT_OK);
    expect_refusal("other roots", HOST, &good_config, PLAT_ERR_CERT_UNTRUSTED);
    assert_int_equal(shared_tickets.offered, 0);

    restart_stream(); /* until here, keeper kept the first roots in memory */
    expect_resumption(HOST, &good_config);
    keeper.base.ops->deinit(&keeper.base);
    scripted_free(&other_wire);
}

/* hN.hub.example */
static const char *numbered_host(int number)
{
    static char host[32];
    snprintf(host, sizeof host, "h%d.hub.example", number);
    return host;
}

static tls_peer_config any_host(pki_cert *leaf)
{
    pki_spec spec = good_spec;
    spec.dns = "*.hub.example";
    pki_make(leaf, &spec);
    return (tls_peer_config){ .chain = { leaf }, .chain_len = 1, .key = PKI_LEAF };
}

/* Makes one connection more than the cache holds; then the first session is gone and all others
 * are there. */
static void expect_to_keep(int kept, int first_host, const tls_peer_config *c)
{
    for (int i = 0; i <= kept; i++) {
        expect_full(numbered_host(first_host + i), c);
    }
    for (int i = kept; i > 0; i--) {
        expect_resumption(numbered_host(first_host + i), c);
    }
    expect_full(numbered_host(first_host), c);
}

static void the_oldest_session_makes_room(void **state)
{
    (void)state;
    pki_cert leaf;
    const tls_peer_config c = any_host(&leaf);
    expect_to_keep(PLAT_SESSIONS_MIN, 0, &c);
}

static void many_streams_keep_more_sessions_as_long_as_they_live(void **state)
{
    (void)state;
    enum { MORE = PLAT_SESSIONS_MIN + 2, STREAMS = MORE * PLAT_SESSION_STREAMS };
    static plat_tls_stream others[STREAMS - 1];
    pki_cert leaf;
    const tls_peer_config c = any_host(&leaf);
    for (int i = 0; i < STREAMS - 1; i++) {
        assert_int_equal(tls_init(&others[i], &wire.base, ca_file), PLAT_OK);
    }
    expect_to_keep(MORE, 0, &c);
    for (int i = 0; i < STREAMS - 1; i++) {
        plat_tls_profile_release(others[i].profile);
    }
    expect_to_keep(PLAT_SESSIONS_MIN, MORE + 1, &c);
}

/* --- until when --- */

static void a_day_after_the_certificates_were_seen_they_are_asked_for_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        shared_tickets.life_s = 7 * 24 * HOUR_S;
        expect_full(HOST, &c);
        /* Resuming does not restart the lifetime of a day. */
        for (long hour = 1; hour < 24; hour += 11) {
            clock_offset_s = hour * HOUR_S;
            expect_resumption(HOST, &c);
        }
        clock_offset_s = 24 * HOUR_S + 1;
        expect_full(HOST, &c);
        expect_resumption(HOST, &c);
    }
}

static void a_session_ends_with_the_first_certificate_of_its_chain(void **state)
{
    (void)state;
    for (int expiring = 0; expiring < 3; expiring++) {
        pki_cert ca, inner, leaf;
        pki_spec spec = root_spec("Short Root", PKI_ROOT);
        spec.to_days = expiring == 0 ? 1 : 30;
        pki_make(&ca, &spec);
        spec = ca_spec;
        spec.issuer = &ca;
        spec.to_days = expiring == 1 ? 1 : 30;
        pki_make(&inner, &spec);
        spec = good_spec;
        spec.issuer = &inner;
        spec.issuer_key = PKI_INTERMEDIATE;
        spec.to_days = expiring == 2 ? 1 : 30;
        pki_make(&leaf, &spec);
        char name[] = "short0.pem";
        name[5] = (char)('0' + expiring);
        const char *file = pki_write_pem(name, (const pki_cert *const[]){ &ca }, 1);
        s->ops->deinit(s);
        assert_int_equal(tls_init(&tls, &wire.base, file), PLAT_OK);
        const tls_peer_config c = { .chain = { &leaf, &inner }, .chain_len = 2, .key = PKI_LEAF };

        clock_offset_s = 12 * HOUR_S;
        expect_full(HOST, &c);
        clock_offset_s = 24 * HOUR_S - 60;
        expect_resumption(HOST, &c);
        clock_offset_s = 24 * HOUR_S + 60;
        shared_tickets.offered = 0;
        assert_int_equal(connect_to(HOST, &c), PLAT_ERR_CERT_DATE);
        assert_int_equal(shared_tickets.offered, 0);
        disconnect();
    }
}

static void a_ticket_is_used_no_longer_than_its_server_wishes(void **state)
{
    (void)state;
    shared_tickets.life_s = HOUR_S;
    expect_full(HOST, &good_config);
    clock_offset_s = HOUR_S + 60;
    expect_full(HOST, &good_config);
    assert_int_equal(shared_tickets.offered, 0);
    clock_offset_s += HOUR_S - 60;
    expect_resumption(HOST, &good_config);
}

static void a_clock_that_was_set_back_ends_the_trust(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        expect_full(HOST, &c);
        clock_offset_s = -60;
        expect_full(HOST, &c);
        expect_resumption(HOST, &c);
    }
}

/* --- servers that do not play along --- */

static void a_server_that_declines_is_judged_like_any_other(void **state)
{
    (void)state;
    pki_cert other, expired;
    pki_spec spec = good_spec;
    spec.dns = "other.example";
    pki_make(&other, &spec);
    spec = good_spec;
    spec.from_days = -3;
    spec.to_days = -2;
    pki_make(&expired, &spec);
    for (size_t i = 0; i < WAYS; i++) {
        tls_peer_config c = start_way(i);
        expect_full(HOST, &c);
        shared_tickets.decline = true;
        expect_full(HOST, &c);
        assert_true(i != 0 || shared_tickets.offered > 0);
        shared_tickets.offered = 0;

        c.chain[0] = &other;
        expect_refusal("other host", HOST, &c, PLAT_ERR_CERT_HOST);
        assert_true(i != 0 || shared_tickets.offered > 0);
        c.chain[0] = &good;
        expect_full(HOST, &c);
        c.chain[0] = &expired;
        expect_refusal("expired", HOST, &c, PLAT_ERR_CERT_DATE);
        c.chain[0] = &good;
        shared_tickets.decline = false;
        shared_tickets.offered = 0;
        expect_full(HOST, &c); /* full handshake, since the refusal has removed the session */
        assert_int_equal(shared_tickets.offered, 0);
        expect_resumption(HOST, &c);
    }
}

static void a_server_with_other_keys_is_reached_with_a_full_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        for (int n = 0; n < 3; n++) {
            tickets = NULL;
            expect_full(HOST, &c);
        }
        tickets = &shared_tickets;
        expect_full(HOST, &c);
    }
}

/* A server can put any content into a ticket, but it must know the secret of the session. */
static void a_ticket_that_holds_something_else_never_ends_in_a_false_connection(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (size_t at = 0; at < 160; at += 3) {
        shared_tickets.spoil_at = SIZE_MAX;
        (void)visit(HOST, &good_config);
        shared_tickets.spoil_at = at;
        if (connect_to(HOST, &good_config) == PLAT_OK) {
            expect_echo("spoiled where it does not matter");
        } else {
            refused++;
        }
        disconnect();
    }
    /* The secret has 32 bytes, and every third byte of the ticket was changed. */
    assert_true(refused >= 10);
}

static void a_resumption_without_a_key_exchange_is_refused_and_not_tried_again(void **state)
{
    (void)state;
    expect_full(HOST, &good_config);
    shared_tickets.without_exchange = true;
    expect_refusal("psk_ke", HOST, &good_config, PLAT_ERR_TLS);
    assert_true(shared_tickets.offered > 0);
    expect_full(HOST, &good_config);
}

static void a_server_that_changed_its_suites_is_reached_in_the_first_attempt(void **state)
{
    (void)state;
    static const char *const suites[WAYS][2] = {
        { "TLS13-CHACHA20-POLY1305-SHA256", "TLS13-AES256-GCM-SHA384" },
        { "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384" },
    };
    for (size_t i = 0; i < WAYS; i++) {
        for (int first = 0; first < 2; first++) {
            tls_peer_config c = start_way(i);
            c.suites = suites[i][first];
            expect_full(HOST, &c);
            c.suites = suites[i][1 - first];
            (void)visit(HOST, &c); /* the server decides whether the session is resumed */
            expect_resumption(HOST, &c);
        }
    }
}

static void a_server_of_another_version_is_reached_at_the_second_attempt(void **state)
{
    (void)state;
    static const int versions[2] = { TLS1_2_VERSION, 0 };
    for (int i = 0; i < 2; i++) {
        restart_stream();
        tls_peer_config before = limited_to(versions[i]);
        tls_peer_config after = limited_to(versions[1 - i]);
        after.min_version = i == 0 ? WOLFSSL_TLSV1_3 : 0;
        expect_full(HOST, &before);
        expect_refusal("changed", HOST, &after, PLAT_ERR_TLS);
        expect_full(HOST, &after);
        expect_resumption(HOST, &after);
    }
}

/* --- a bad session never keeps us offline --- */

static void a_handshake_that_is_given_up_is_not_tried_that_way_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        plat_stage stage;
        expect_full(HOST, &c);
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &c, tickets);
        peer.budget = 10;
        assert_int_equal(shake_hands(&stage), PLAT_WOULD_BLOCK);
        disconnect();
        expect_full(HOST, &c);
        expect_resumption(HOST, &c);
    }
}

static void a_resumed_connection_has_to_bring_a_byte_to_be_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        uint8_t byte;
        size_t n;
        expect_full(HOST, &c);
        assert_int_equal(connect_to(HOST, &c), PLAT_OK);
        assert_true(s->ops->resumed(s));
        tls_peer_step(&peer);
        wire.recv_then = PLAT_EOF;
        assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_IO);
        wire.recv_then = PLAT_WOULD_BLOCK;
        disconnect();
        expect_full(HOST, &c);

        assert_int_equal(connect_to(HOST, &c), PLAT_OK);
        expect_echo("before the end");
        wire.recv_then = PLAT_EOF;
        assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_IO);
        wire.recv_then = PLAT_WOULD_BLOCK;
        disconnect();
        expect_resumption(HOST, &c);
    }
}

static void a_changed_byte_in_a_resumed_handshake_never_ends_in_a_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        const tls_peer_config c = start_way(i);
        expect_full(HOST, &c);
        for (size_t at = 0;; at += 7) {
            plat_stage stage = PLAT_STAGE_RESOLVE;
            assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
            tls_peer_start(&peer, &wire, &c, tickets);
            peer.corrupt_at = at;
            plat_result r = shake_hands(&stage);
            bool done = at >= peer.fed;
            if (!done && r == PLAT_OK && peer.done) {
                fail_msg("%s: connected with byte %zu changed", ways[i].what, at);
            }
            disconnect();
            if (done) {
                break;
            }
            (void)visit(HOST, &c); /* makes a session for the next round */
        }
    }
}

#define WITH_TICKETS(test) cmocka_unit_test_setup_teardown(test, share_tickets, unshare_tickets)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TICKETS(every_later_connection_resumes_whatever_the_version),
        WITH_TICKETS(a_session_holds_no_certificate),
        WITH_TICKETS(a_stream_resumes_what_another_one_still_uses),
        WITH_TICKETS(a_tls13_ticket_is_shown_once),
        WITH_TICKETS(sessions_are_for_the_same_host_and_port),
        WITH_TICKETS(sessions_are_for_the_same_roots),
        WITH_TICKETS(the_oldest_session_makes_room),
        WITH_TICKETS(many_streams_keep_more_sessions_as_long_as_they_live),
        WITH_TICKETS(a_day_after_the_certificates_were_seen_they_are_asked_for_again),
        WITH_TICKETS(a_session_ends_with_the_first_certificate_of_its_chain),
        WITH_TICKETS(a_ticket_is_used_no_longer_than_its_server_wishes),
        WITH_TICKETS(a_clock_that_was_set_back_ends_the_trust),
        WITH_TICKETS(a_server_that_declines_is_judged_like_any_other),
        WITH_TICKETS(a_server_with_other_keys_is_reached_with_a_full_handshake),
        WITH_TICKETS(a_ticket_that_holds_something_else_never_ends_in_a_false_connection),
        WITH_TICKETS(a_resumption_without_a_key_exchange_is_refused_and_not_tried_again),
        WITH_TICKETS(a_server_that_changed_its_suites_is_reached_in_the_first_attempt),
        WITH_TICKETS(a_server_of_another_version_is_reached_at_the_second_attempt),
        WITH_TICKETS(a_handshake_that_is_given_up_is_not_tried_that_way_again),
        WITH_TICKETS(a_resumed_connection_has_to_bring_a_byte_to_be_believed),
        WITH_TICKETS(a_changed_byte_in_a_resumed_handshake_never_ends_in_a_connection),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
