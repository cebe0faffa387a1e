/* Tests each cipher suite with records of many sizes in both directions. If the build has a
 * library for AES-GCM, the records use it, and a second program with the same tests does not. In
 * both, the server uses only wolfCrypt. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "posix/processor.h"
#include "tls_fixture.h"
#include "wolfssl/tls/tls_context.h"

#if defined(PLAT_WITH_AES_GCM) || defined(WOLFSSL_AESNI) || defined(WOLFSSL_ARMASM)
#define BUILD_IS_FAST_AT_AES true
#else
#define BUILD_IS_FAST_AT_AES false
#endif

enum { RECORD = 16384 };

static const struct {
    const char *name;
    bool tls12, rsa;
} suites[] = {
    { "TLS13-AES128-GCM-SHA256", false, false },
    { "TLS13-AES256-GCM-SHA384", false, true },
    { "TLS13-CHACHA20-POLY1305-SHA256", false, false },
    { "ECDHE-ECDSA-AES128-GCM-SHA256", true, false },
    { "ECDHE-ECDSA-AES256-GCM-SHA384", true, false },
    { "ECDHE-RSA-AES128-GCM-SHA256", true, true },
    { "ECDHE-RSA-AES256-GCM-SHA384", true, true },
    { "ECDHE-ECDSA-CHACHA20-POLY1305", true, false },
    { "ECDHE-RSA-CHACHA20-POLY1305", true, true },
};
#define SUITES (sizeof suites / sizeof suites[0])

static const size_t sizes[] = { 1,    2,    15,   16,   17,   31,         32,    33,   127,
                                128,  255,  256,  257,  1023, 1024,       1025,  4095, 4096,
                                4097, 8191, 8192, 8193, 9999, RECORD - 1, RECORD };
#define SIZES (sizeof sizes / sizeof sizes[0])

static uint8_t text[2 * RECORD];
static uint8_t buf[2 * RECORD];

static void fill_text(void)
{
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * 31 + i / 251);
    }
}

/* --- connections --- */

static tls_peer_config server(size_t suite)
{
    tls_peer_config c = good_config;
    c.suites = suites[suite].name;
    c.chain[0] = suites[suite].rsa ? &good_rsa : &good;
    c.key = suites[suite].rsa ? PKI_RSA : PKI_LEAF;
    c.max_version = suites[suite].tls12 ? TLS1_2_VERSION : 0;
    return c;
}

static void connect_with(size_t suite)
{
    const tls_peer_config c = server(suite);
    plat_result r = connect_to(HOST, &c);
    if (r != PLAT_OK) {
        fail_msg("%s: %s", c.suites, s->ops->detail(s));
    }
    assert_string_equal(wolfSSL_get_cipher_name(tls.ssl), c.suites);
}

static void send_up(size_t len)
{
    peer.got_len = 0;
    for (size_t at = 0, n = 0; at < len; at += n) {
        assert_int_equal(s->ops->send(s, text + at, len - at, &n), PLAT_OK);
        tls_peer_step(&peer);
    }
    assert_int_equal(peer.got_len, len);
    assert_memory_equal(peer.got, text, len);
}

static void send_down(size_t len)
{
    peer.held_len = 0;
    for (size_t at = 0; at < len;) {
        /* Each record contains as many bytes as fit. */
        const size_t n = len - at < RECORD / 2 ? len - at : RECORD / 2;
        size_t got = 0;
        tls_peer_send(&peer, text + at, n);
        for (size_t more = 0; got < n; got += more) {
            assert_int_equal(s->ops->recv(s, buf + got, sizeof buf - got, &more), PLAT_OK);
        }
        assert_int_equal(got, n);
        assert_memory_equal(buf, text + at, n);
        at += n;
    }
}

static void both_ways(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        send_up(sizes[i]);
        send_down(sizes[i]);
    }
}

/* --- tests --- */

static void records_of_any_size_pass_both_ways_with_each_suite(void **state)
{
    (void)state;
    for (size_t suite = 0; suite < SUITES; suite++) {
        restart_stream();
        connect_with(suite);
        both_ways();
        disconnect();
    }
}

static void each_suite_works_when_a_session_is_resumed(void **state)
{
    (void)state;
    static tls_tickets shared_tickets = { .spoil_at = SIZE_MAX };
    tickets = &shared_tickets;
    for (size_t suite = 0; suite < SUITES; suite++) {
        restart_stream();
        for (int i = 0; i < 3; i++) {
            connect_with(suite);
            assert_int_equal(s->ops->resumed(s), i > 0);
            send_up(1000);
            send_down(1000);
            disconnect();
        }
    }
}

/* Key updates are described in RFC 8446 section 4.6.3. */
static void keys_may_be_updated_by_either_side_at_any_time(void **state)
{
    (void)state;
    size_t n;
    for (size_t suite = 0; suite < SUITES && !suites[suite].tls12; suite++) {
        restart_stream();
        connect_with(suite);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(wolfSSL_update_keys(peer.ssl), WOLFSSL_SUCCESS);
            assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
            send_up(300);
            send_down(5000);
            assert_int_equal(wolfSSL_update_keys(tls.ssl), WOLFSSL_SUCCESS);
            tls_peer_step(&peer);
            send_up(5000);
            send_down(300);
        }
        disconnect();
    }
}

/* Changes every byte of one record in turn, including the header and the tag. */
static void a_record_that_changed_on_its_way_ends_the_connection(void **state)
{
    (void)state;
    enum { SMALL = 20 };
    for (size_t suite = 0; suite < SUITES; suite++) {
        size_t len = SIZE_MAX;
        for (size_t at = 0; at < len; at += 7) {
            size_t n;
            restart_stream();
            connect_with(suite);
            peer.corrupt_at = peer.fed + at;
            len = peer.fed;
            tls_peer_send(&peer, text, SMALL);
            len = peer.fed - len;
            plat_result r = s->ops->recv(s, buf, sizeof buf, &n);
            assert_int_equal(n, 0);
            /* A larger length makes the receiver wait for more bytes. */
            if (r != PLAT_WOULD_BLOCK) {
                assert_int_equal(r, PLAT_ERR_TLS);
            }
            disconnect();
        }
    }
}

/* --- what is offered --- */

/* Returns the cipher suites of the ClientHello on the wire (RFC 8446 section 4.1.2). */
static size_t offered_suites(const uint8_t **out)
{
    size_t len;
    const uint8_t *hello = scripted_sent(&wire, &len);
    /* Skips the headers of record and handshake, the version and the random bytes. */
    size_t at = 5 + 4 + 2 + 32;
    assert_true(len > at);
    at += 1u + hello[at]; /* session id */
    assert_true(len > at + 2);
    size_t count = (size_t)((hello[at] << 8 | hello[at + 1]) / 2);
    *out = hello + at + 2;
    assert_true(len > at + 2 + 2 * count);
    return count;
}

static bool is_chacha20(const uint8_t *id)
{
    return (id[0] == 0x13 && id[1] == 0x03) || (id[0] == 0xcc);
}

/* Suites of TLS 1.3 come before those of TLS 1.2. */
static void what_this_processor_is_fast_at_is_offered_first(void **state)
{
    (void)state;
    const bool aes_first = BUILD_IS_FAST_AT_AES && plat_processor_has_aes();
    const uint8_t *ids;
    plat_stage stage;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
    /* One more may be the signalling value for renegotiation. */
    assert_in_range(offered_suites(&ids), SUITES, SUITES + 1);
    assert_int_equal(ids[0], 0x13);
    assert_int_equal(is_chacha20(ids), !aes_first);
    assert_int_equal(ids[2 * 3] == 0x13, false);
    assert_int_equal(is_chacha20(ids + 2 * 3), !aes_first);
    s->ops->close(s);
}

static int make_all(void **state)
{
    fill_text();
    return make_everything(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(records_of_any_size_pass_both_ways_with_each_suite),
        WITH_STREAM(each_suite_works_when_a_session_is_resumed),
        WITH_STREAM(keys_may_be_updated_by_either_side_at_any_time),
        WITH_STREAM(a_record_that_changed_on_its_way_ends_the_connection),
        WITH_STREAM(what_this_processor_is_fast_at_is_offered_first),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
