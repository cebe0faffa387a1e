#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <gnutls/gnutls.h>

#include "tls_fixture.h"

/* The server uses GnuTLS, because Debian's wolfSSL cannot request a renegotiation. */

static gnutls_certificate_credentials_t credentials;
static gnutls_session_t server;

static ssize_t pull(gnutls_transport_ptr_t user, void *buf, size_t cap)
{
    (void)user;
    size_t len;
    const uint8_t *sent = scripted_sent(&wire, &len);
    size_t n = len < cap ? len : cap;
    if (n == 0) {
        gnutls_transport_set_errno(server, EAGAIN);
        return -1;
    }
    memcpy(buf, sent, n);
    scripted_drain(&wire, n);
    return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t user, const void *bytes, size_t len)
{
    (void)user;
    scripted_feed(&wire, bytes, len);
    return (ssize_t)len;
}

static void start_server(void)
{
    byte key[512];
    gnutls_datum_t cert = { good.der, (unsigned)good.len };
    gnutls_datum_t private_key = { key, (unsigned)pki_key_der(PKI_LEAF, key, sizeof key) };
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(
        gnutls_certificate_set_x509_key_mem(credentials, &cert, &private_key, GNUTLS_X509_FMT_DER),
        0);
    assert_int_equal(gnutls_init(&server, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_priority_set_direct(server, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL), 0);
    assert_int_equal(gnutls_credentials_set(server, GNUTLS_CRD_CERTIFICATE, credentials), 0);
    gnutls_transport_set_pull_function(server, pull);
    gnutls_transport_set_push_function(server, push);
    gnutls_handshake_set_timeout(server, GNUTLS_INDEFINITE_TIMEOUT);
}

static void stop_server(void)
{
    gnutls_deinit(server);
    gnutls_certificate_free_credentials(credentials);
}

static void connect_both(void)
{
    plat_stage stage;
    plat_result r = PLAT_WOULD_BLOCK;
    int rc = GNUTLS_E_AGAIN;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    for (int i = 0; i < 20 && (r != PLAT_OK || rc != 0); i++) {
        r = r != PLAT_OK ? s->ops->progress(s, 0, &stage) : r;
        rc = rc != 0 ? gnutls_handshake(server) : rc;
    }
    assert_int_equal(r, PLAT_OK);
    assert_int_equal(rc, 0);
}

static plat_result receive(void)
{
    uint8_t buf[16];
    size_t n;
    return s->ops->recv(s, buf, sizeof buf, &n);
}

static void ask_for_renegotiation(void)
{
    assert_int_equal(gnutls_rehandshake(server), 0);
    assert_int_equal(receive(), PLAT_WOULD_BLOCK); /* declines the renegotiation and continues */
}

static void a_server_that_only_asks_for_renegotiation_keeps_its_connection(void **state)
{
    (void)state;
    uint8_t buf[16];
    size_t n;
    start_server();
    connect_both();
    ask_for_renegotiation();
    assert_int_equal(gnutls_record_send(server, "after", 5), 5);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(buf, "after", 5);
    stop_server();
}

static void a_server_that_insists_on_renegotiation_is_named(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        start_server();
        connect_both();
        ask_for_renegotiation();
        if (closes != 0) {
            wire.recv_then = PLAT_EOF;
        } else {
            gnutls_alert_send(server, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
        }
        assert_int_equal(receive(), closes != 0 ? PLAT_ERR_IO : PLAT_ERR_TLS);
        assert_non_null(strstr(s->ops->detail(s), "insists on renegotiation"));
        s->ops->close(s);
        wire.recv_then = PLAT_WOULD_BLOCK;
        stop_server();
    }
}

static void an_alert_on_an_open_connection_is_not_blamed_on_the_handshake(void **state)
{
    (void)state;
    start_server();
    connect_both();
    gnutls_alert_send(server, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
    assert_int_equal(receive(), PLAT_ERR_TLS);
    assert_non_null(strstr(s->ops->detail(s), "ended the connection"));
    stop_server();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(a_server_that_only_asks_for_renegotiation_keeps_its_connection),
        WITH_STREAM(a_server_that_insists_on_renegotiation_is_named),
        WITH_STREAM(an_alert_on_an_open_connection_is_not_blamed_on_the_handshake),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
