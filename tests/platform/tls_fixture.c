#include "tls_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

pki_cert root, rsa_root, intermediate, good, good_rsa;
const char *ca_file;

scripted_stream wire;
plat_tls_stream tls;
plat_stream *const s = &tls.base;
tls_peer peer;
tls_tickets *tickets;

/* --- certificates --- */

const pki_spec good_spec = {
    .name = "device gateway",
    .key = PKI_LEAF,
    .issuer = &root,
    .issuer_key = PKI_ROOT,
    .dns = HOST,
    .ip = "192.0.2.1",
    .key_usage = "digitalSignature",
    .extended_key_usage = "serverAuth",
    .from_days = -1,
    .to_days = 30,
};

const pki_spec ca_spec = {
    .name = "Test Intermediate",
    .key = PKI_INTERMEDIATE,
    .issuer = &root,
    .issuer_key = PKI_ROOT,
    .ca = true,
    .path_len = NO_LENGTH,
    .key_usage = "keyCertSign,cRLSign",
    .from_days = -1,
    .to_days = 30,
};

pki_spec root_spec(const char *name, pki_key key)
{
    pki_spec spec = ca_spec;
    spec.name = name;
    spec.key = key;
    spec.issuer = NULL;
    return spec;
}

int make_everything(void **state)
{
    (void)state;
    (void)wolfSSL_Init();
    pki_make_keys();
    pki_spec spec = root_spec("Test Root", PKI_ROOT);
    pki_make(&root, &spec);
    spec = root_spec("Test RSA Root", PKI_RSA);
    pki_make(&rsa_root, &spec);
    pki_make(&intermediate, &ca_spec);
    pki_make(&good, &good_spec);
    spec = good_spec;
    spec.key = PKI_RSA;
    pki_make(&good_rsa, &spec);
    ca_file = pki_write_pem("roots.pem", (const pki_cert *const[]){ &root, &rsa_root }, 2);
    return 0;
}

int remove_everything(void **state)
{
    (void)state;
    pki_remove_files();
    pki_free_keys();
    return 0;
}

plat_result tls_init(plat_tls_stream *stream, plat_stream *lower, const char *file)
{
    const plat_stream_config config = { .ca_file = file };
    return plat_tls_init(stream, lower, &config);
}

int make_stream(void **state)
{
    (void)state;
    scripted_init(&wire);
    tickets = NULL;
    assert_int_equal(tls_init(&tls, &wire.base, ca_file), PLAT_OK);
    return 0;
}

int free_stream(void **state)
{
    (void)state;
    s->ops->deinit(s);
    scripted_free(&wire);
    return 0;
}

void restart_stream(void)
{
    s->ops->deinit(s);
    assert_int_equal(tls_init(&tls, &wire.base, ca_file), PLAT_OK);
}

/* --- driving both ends --- */

const tls_peer_config good_config = { .chain = { &good }, .chain_len = 1, .key = PKI_LEAF };

plat_result shake_hands(plat_stage *stage)
{
    for (size_t before = SIZE_MAX, moved = 0; moved != before;) {
        before = moved;
        plat_result r = s->ops->progress(s, 0, stage);
        if (r != PLAT_WOULD_BLOCK) {
            return r;
        }
        tls_peer_step(&peer);
        moved = peer.fed + peer.taken - scripted_unread(&wire);
    }
    return PLAT_WOULD_BLOCK;
}

plat_result connect_to(const char *host, const tls_peer_config *config)
{
    plat_stage stage;
    assert_int_equal(s->ops->open(s, host, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, config, tickets);
    plat_result r = shake_hands(&stage);
    assert_int_equal(stage, r == PLAT_OK ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS);
    return r;
}

void disconnect(void)
{
    s->ops->close(s);
    tls_peer_stop(&peer);
}

void expect_refusal(const char *what, const char *host, const tls_peer_config *config,
                    plat_result wanted)
{
    uint8_t byte = 'x';
    size_t n;
    plat_result r = connect_to(host, config);
    if (r != wanted) {
        fail_msg("%s: %s (%s), not %s", what, plat_result_str(r), s->ops->detail(s),
                 plat_result_str(wanted));
    }
    assert_string_not_equal(s->ops->detail(s), "");
    assert_null(strchr(s->ops->detail(s), '\n'));
    assert_int_equal(s->ops->send(s, &byte, 1, &n), wanted);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), wanted);
    tls_peer_step(&peer);
    assert_int_equal(peer.got_len, 0);
    disconnect();
}

void expect_echo(const char *what)
{
    uint8_t buf[16];
    size_t n;
    assert_int_equal(s->ops->send(s, (const uint8_t *)"ping", 4, &n), PLAT_OK);
    assert_int_equal(n, 4);
    tls_peer_step(&peer);
    if (peer.got_len < 4 || memcmp(peer.got + peer.got_len - 4, "ping", 4) != 0) {
        fail_msg("%s: the server did not get the bytes", what);
    }
    tls_peer_send(&peer, "pong", 4);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "pong", 4);
}

void expect_success(const char *what, const char *host, const tls_peer_config *config)
{
    plat_result r = connect_to(host, config);
    if (r != PLAT_OK) {
        fail_msg("%s: %s (%s)", what, plat_result_str(r), s->ops->detail(s));
    }
    assert_string_equal(s->ops->detail(s), "");
    expect_echo(what);
    disconnect();
}
