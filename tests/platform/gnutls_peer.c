#include "gnutls_peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static ssize_t pull(gnutls_transport_ptr_t user, void *buf, size_t cap)
{
    gnutls_peer *p = user;
    size_t len;
    const uint8_t *sent = scripted_sent(&wire, &len);
    size_t n = len < cap ? len : cap;
    if (n == 0) {
        gnutls_transport_set_errno(p->session, EAGAIN);
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

static void load_own_certificate(gnutls_peer *p)
{
    byte der[2048];
    const pki_cert *own = p->config.rsa ? &good_rsa : &good;
    const pki_key key = p->config.rsa ? PKI_RSA : PKI_LEAF;
    gnutls_datum_t cert = { (unsigned char *)(uintptr_t)own->der, (unsigned)own->len };
    gnutls_datum_t private_key = { der, (unsigned)pki_key_der(key, der, sizeof der) };
    assert_int_equal(gnutls_certificate_set_x509_key_mem(p->credentials, &cert, &private_key,
                                                         GNUTLS_X509_FMT_DER),
                     0);
}

static void load_roots(gnutls_peer *p)
{
    if (p->config.root != NULL) {
        gnutls_datum_t cert = { (unsigned char *)(uintptr_t)p->config.root->der,
                                (unsigned)p->config.root->len };
        assert_int_equal(
            gnutls_certificate_set_x509_trust_mem(p->credentials, &cert, GNUTLS_X509_FMT_DER), 1);
    }
}

/* Acts like other servers: 0 accepts the certificate; otherwise the handshake ends with an
 * alert. */
static int verify(gnutls_session_t session)
{
    gnutls_peer *p = gnutls_session_get_ptr(session);
    unsigned status = 0;
    (void)gnutls_certificate_get_peers(session, &p->presented);
    if (p->config.alert != 0) {
        gnutls_alert_send(session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)p->config.alert);
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    if (p->config.root == NULL || p->presented == 0) {
        return 0;
    }
    int rc = gnutls_certificate_verify_peers2(session, &status);
    if (rc == 0 && status == 0) {
        return 0;
    }
    gnutls_alert_send(session, GNUTLS_AL_FATAL,
                      (status & GNUTLS_CERT_EXPIRED) != 0 ? GNUTLS_A_CERTIFICATE_EXPIRED
                                                          : GNUTLS_A_UNKNOWN_CA);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static void set_priorities(gnutls_peer *p)
{
    char text[256];
    const char *versions =
        p->config.versions != NULL ? p->config.versions : "+VERS-TLS1.2:+VERS-TLS1.3";
    snprintf(text, sizeof text, "NORMAL:-VERS-ALL:%s%s%s", versions,
             p->config.signatures != NULL ? ":" : "",
             p->config.signatures != NULL ? p->config.signatures : "");
    assert_int_equal(gnutls_priority_set_direct(p->session, text, NULL), 0);
}

static void start(gnutls_peer *p, const gnutls_peer_config *config)
{
    const gnutls_datum_t key = p->tickets;
    *p = (gnutls_peer){ .config = *config, .tickets = key };
    assert_int_equal(gnutls_certificate_allocate_credentials(&p->credentials), 0);
    load_own_certificate(p);
    load_roots(p);
    gnutls_certificate_set_verify_function(p->credentials, verify);
    assert_int_equal(gnutls_init(&p->session, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
    set_priorities(p);
    assert_int_equal(gnutls_credentials_set(p->session, GNUTLS_CRD_CERTIFICATE, p->credentials), 0);
    gnutls_certificate_server_set_request(p->session, p->config.demand ? GNUTLS_CERT_REQUIRE
                                                                       : GNUTLS_CERT_REQUEST);
    if (p->tickets.data != NULL) {
        assert_int_equal(gnutls_session_ticket_enable_server(p->session, &p->tickets), 0);
    }
    gnutls_session_set_ptr(p->session, p);
    gnutls_transport_set_ptr(p->session, p);
    gnutls_transport_set_pull_function(p->session, pull);
    gnutls_transport_set_push_function(p->session, push);
    gnutls_handshake_set_timeout(p->session, GNUTLS_INDEFINITE_TIMEOUT);
}

/* Continues the handshake and sends an alert after a failure, because GnuTLS sends none by
 * itself. */
static void step(gnutls_peer *p)
{
    int rc = gnutls_handshake(p->session);
    p->done = rc == 0;
    if (rc != 0 && gnutls_error_is_fatal(rc) != 0) {
        p->failure = rc;
        if (rc == GNUTLS_E_NO_CERTIFICATE_FOUND) { /* TLS 1.2; OpenSSL sends the same */
            (void)gnutls_alert_send(p->session, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
        } else if (rc != GNUTLS_E_CERTIFICATE_ERROR) {
            (void)gnutls_alert_send_appropriate(p->session, rc);
        }
    }
}

static plat_result read_one(void)
{
    uint8_t byte;
    size_t n;
    return s->ops->recv(s, &byte, 1, &n);
}

plat_result gnutls_peer_connect(gnutls_peer *p, const gnutls_peer_config *config)
{
    plat_stage stage;
    plat_result r = PLAT_WOULD_BLOCK;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    start(p, config);
    for (int i = 0; i < 30 && (r == PLAT_WOULD_BLOCK || !p->done); i++) {
        r = r == PLAT_WOULD_BLOCK ? s->ops->progress(s, 0, &stage) : r;
        if (!p->done && p->failure == 0) {
            step(p);
        } else if (r == PLAT_OK) {
            /* With TLS 1.3 a refusal arrives after the client has finished. */
            r = read_one();
            return r == PLAT_WOULD_BLOCK ? PLAT_OK : r;
        }
    }
    return r;
}

void gnutls_peer_echo(gnutls_peer *p)
{
    char back[16];
    uint8_t buf[16];
    size_t n;
    assert_int_equal(gnutls_record_send(p->session, "ping", 4), 4);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "ping", 4);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"pong", 4, &n), PLAT_OK);
    assert_int_equal(gnutls_record_recv(p->session, back, sizeof back), 4);
    assert_memory_equal(back, "pong", 4);
}

void gnutls_peer_disconnect(gnutls_peer *p)
{
    s->ops->close(s);
    gnutls_deinit(p->session);
    gnutls_certificate_free_credentials(p->credentials);
}

void gnutls_peer_keep_tickets(gnutls_peer *p)
{
    assert_int_equal(gnutls_session_ticket_key_generate(&p->tickets), 0);
}

void gnutls_peer_free(gnutls_peer *p)
{
    gnutls_free(p->tickets.data);
    p->tickets = (gnutls_datum_t){ NULL, 0 };
}
