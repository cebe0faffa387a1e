#include "front/tls_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/crypto.h"

/* TLS 1.2 with the cipher suites of the page iot-hub-tls-support, and TLS 1.3. ECDHE-ECDSA works
 * only with an ECDSA certificate, which the real hub does not have. */
#define PRIORITIES                                                                     \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+ECDHE-ECDSA:+AES-128-GCM:+AES-256-GCM" \
    ":+CHACHA20-POLY1305:+AES-128-CBC:+AES-256-CBC:+AEAD:+SHA256:+SHA384"              \
    ":+SIGN-ALL:+GROUP-SECP256R1:+GROUP-X25519:+GROUP-SECP384R1:+GROUP-SECP521R1"      \
    ":+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"
#define HANDSHAKE_MAX    65536 /* largest handshake message in bytes; it may contain a chain */
#define HANDSHAKE_RECORD 22    /* content type, RFC 8446 section 5.1 */
#define OUT_KEPT         4096  /* bytes of memory that an idle line keeps */

/* --- what all lines share ---------------------------------------------- */

static int load(hub_tls_server *s, const char *certificate_file, const char *key_file)
{
    gnutls_datum_t ticket_key = { 0 };

    int code = gnutls_certificate_allocate_credentials(&s->credentials);
    if (code >= 0) {
        code = gnutls_certificate_set_x509_key_file(s->credentials, certificate_file, key_file,
                                                    GNUTLS_X509_FMT_PEM);
    }
    if (code >= 0) {
        code = gnutls_priority_init(&s->priorities, PRIORITIES, NULL);
    }
    if (code >= 0) {
        code = gnutls_session_ticket_key_generate(&ticket_key);
    }
    s->ticket_key = ticket_key.data;
    s->ticket_key_len = ticket_key.size;
    return code;
}

hub_result hub_tls_server_open(hub_tls_server *s, const char *certificate_file,
                               const char *key_file, hub_fault *fault)
{
    *s = (hub_tls_server){ 0 };
    int code = load(s, certificate_file, key_file);
    if (code < 0) {
        hub_tls_server_close(s);
        return hub_fail(fault, HUB_ERR_STATE, "%s: %s", certificate_file, gnutls_strerror(code));
    }
    return HUB_OK;
}

void hub_tls_server_close(hub_tls_server *s)
{
    if (s->credentials != NULL) {
        gnutls_certificate_free_credentials(s->credentials);
    }
    if (s->priorities != NULL) {
        gnutls_priority_deinit(s->priorities);
    }
    if (s->ticket_key != NULL) {
        gnutls_memset(s->ticket_key, 0, s->ticket_key_len);
        gnutls_free(s->ticket_key);
    }
    s->credentials = NULL;
    s->priorities = NULL;
    s->ticket_key = NULL;
}

/* --- bytes between GnuTLS and the socket ------------------------------- */

/* Reads from the socket, at most once in a turn. */
static ssize_t fill(hub_tls_line *line)
{
    hub_tls_server *s = line->server;

    if (s->drained) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n = recv(line->fd, s->bytes, sizeof s->bytes, MSG_DONTWAIT);
    if (n > 0) {
        s->at = 0;
        s->len = (size_t)n;
        s->drained = true;
    }
    return n;
}

static ssize_t pull(gnutls_transport_ptr_t user, void *buffer, size_t cap)
{
    hub_tls_line *line = user;
    hub_tls_server *s = line->server;

    if (s->at == s->len) {
        ssize_t n = fill(line);
        if (n <= 0) {
            gnutls_transport_set_errno(line->session, errno);
            return n;
        }
    }
    size_t n = s->len - s->at < cap ? s->len - s->at : cap;
    memcpy(buffer, s->bytes + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Collects records, which are sent together at the end of the turn. */
static ssize_t push(gnutls_transport_ptr_t user, const void *data, size_t len)
{
    hub_tls_line *line = user;

    hub_text_add(&line->out, data, len);
    return (ssize_t)len;
}

void hub_tls_line_flush(hub_tls_line *line)
{
    while (hub_tls_line_pending(line) > 0) {
        ssize_t n = send(line->fd, line->out.p + line->sent, line->out.len - line->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            line->broken = line->broken || (errno != EAGAIN && errno != EINTR);
            return;
        }
        line->sent += (size_t)n;
    }
    line->sent = 0;
    if (line->out.cap > OUT_KEPT) {
        hub_text_free(&line->out);
    } else {
        hub_text_cut(&line->out, 0);
    }
}

size_t hub_tls_line_pending(const hub_tls_line *line)
{
    return line->broken ? 0 : line->out.len - line->sent;
}

/* --- one line ---------------------------------------------------------- */

static void configure(hub_tls_line *line)
{
    const hub_tls_server *s = line->server;
    const gnutls_datum_t ticket_key = { s->ticket_key, s->ticket_key_len };
    gnutls_session_t session = line->session;

    (void)gnutls_priority_set(session, s->priorities);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, s->credentials);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_certificate_send_x509_rdn_sequence(session, 1); /* The request names no authorities. */
    gnutls_handshake_set_max_packet_length(session, HANDSHAKE_MAX);
    (void)gnutls_session_ticket_enable_server(session, &ticket_key);
    gnutls_transport_set_ptr(session, line);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_push_function(session, push);
}

bool hub_tls_line_open(hub_tls_line *line, hub_tls_server *server, int fd)
{
    *line = (hub_tls_line){ .server = server, .fd = fd };
    if (gnutls_init(&line->session, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0) {
        line->session = NULL;
        return false;
    }
    configure(line);
    return true;
}

void hub_tls_line_drop_session(hub_tls_line *line)
{
    if (line->session != NULL) {
        gnutls_deinit(line->session);
    }
    line->session = NULL;
    hub_text_free(&line->out);
    hub_text_free(&line->kept);
    line->sent = 0;
}

void hub_tls_line_close(hub_tls_line *line)
{
    hub_tls_line_drop_session(line);
    if (line->fd >= 0) {
        (void)close(line->fd);
    }
    line->fd = -1;
}

void hub_tls_line_begin(hub_tls_line *line)
{
    hub_tls_server *s = line->server;

    s->at = 0;
    s->len = line->kept.len;
    s->drained = false;
    if (s->len > 0) {
        memcpy(s->bytes, line->kept.p, s->len);
        hub_text_free(&line->kept);
    }
}

void hub_tls_line_end(hub_tls_line *line)
{
    hub_tls_server *s = line->server;

    if (s->at < s->len && line->session != NULL) {
        hub_text_add(&line->kept, s->bytes + s->at, s->len - s->at);
    }
    s->at = s->len;
    hub_tls_line_flush(line);
}

/* --- TLS --------------------------------------------------------------- */

static hub_tls_state failed(const char **why, int code)
{
    if (why != NULL) {
        *why = gnutls_strerror(code);
    }
    return HUB_TLS_FAILED;
}

static bool is_passing(int code)
{
    return code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* GnuTLS reads the byte later. */
hub_tls_state hub_tls_line_greet(hub_tls_line *line)
{
    const hub_tls_server *s = line->server;

    if (s->at == s->len) {
        ssize_t n = fill(line);
        if (n <= 0) {
            return n < 0 && errno == EAGAIN ? HUB_TLS_AGAIN : HUB_TLS_ENDED;
        }
    }
    return s->bytes[s->at] == HANDSHAKE_RECORD ? HUB_TLS_DONE : HUB_TLS_ENDED;
}

hub_tls_state hub_tls_line_handshake(hub_tls_line *line, const char **why)
{
    int code;

    do {
        code = gnutls_handshake(line->session);
    } while (is_passing(code));
    if (code == GNUTLS_E_SUCCESS) {
        return HUB_TLS_DONE;
    }
    if (code == GNUTLS_E_AGAIN) {
        return HUB_TLS_AGAIN;
    }
    (void)gnutls_alert_send_appropriate(line->session, code);
    return failed(why, code);
}

hub_tls_state hub_tls_line_read(hub_tls_line *line, void *buffer, size_t cap, size_t *len,
                                const char **why)
{
    ssize_t n;

    do {
        n = gnutls_record_recv(line->session, buffer, cap);
    } while (n < 0 && is_passing((int)n));
    if (n > 0) {
        *len = (size_t)n;
        return HUB_TLS_DONE;
    }
    if (n == GNUTLS_E_AGAIN) {
        return HUB_TLS_AGAIN;
    }
    if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION || n == GNUTLS_E_PULL_ERROR) {
        return HUB_TLS_ENDED;
    }
    (void)gnutls_alert_send_appropriate(line->session, (int)n);
    return failed(why, (int)n); /* also refuses a renegotiation */
}

void hub_tls_line_write(hub_tls_line *line, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0 && !line->broken) {
        ssize_t n = gnutls_record_send(line->session, at, len);
        if (n < 0 && !is_passing((int)n)) {
            line->broken = true;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

void hub_tls_line_alert(hub_tls_line *line, uint8_t alert)
{
    (void)gnutls_alert_send(line->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
}

void hub_tls_line_bye(hub_tls_line *line)
{
    if (line->session != NULL) {
        (void)gnutls_bye(line->session, GNUTLS_SHUT_WR);
    }
}

bool hub_tls_line_peer_chain(const hub_tls_line *line, size_t max_count, size_t max_len,
                             hub_text *out)
{
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(line->session, &count);
    const size_t start = out->len;

    if (list == NULL) {
        count = 0;
    }
    for (unsigned i = 0; i < count; i++) {
        char *text = hub_base64_encode(list[i].data, list[i].size);
        hub_text_str(out, i > 0 ? "," : "");
        hub_text_str(out, text);
        free(text);
    }
    return count <= max_count && out->len - start <= max_len;
}
