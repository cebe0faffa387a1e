/* Tests clients of the TLS front that close at any byte, send nothing, or speak another
 * protocol. */

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_fixture.h"

#define LONG_MS  600000
#define SHORT_MS 300

static front_fixture f;

static int start_patient(void **state)
{
    (void)state;
    front_fixture_start(&f, LONG_MS, LONG_MS);
    return 0;
}

static int start_hasty(void **state)
{
    (void)state;
    front_fixture_start(&f, SHORT_MS, SHORT_MS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    front_fixture_stop(&f);
    return 0;
}

static void a_client_may_close_at_each_byte_of_its_connect(void **state)
{
    hub_text packet = connect_of_device("secret");

    (void)state;
    for (size_t len = 0; len < packet.len; len++) {
        tls_client c;
        tls_client_open(&c, &f, TLS_1_3, NULL);
        if (len > 0) {
            tls_client_send(&c, packet.p, len);
        }
        tls_client_close(&c);
    }
    hub_text_free(&packet);
    front_fixture_wait_quiet(&f);
    struct pollfd nobody = { .fd = f.broker, .events = POLLIN };
    assert_int_equal(poll(&nobody, 1, 0), 0);
}

/* The socket of a handshake of which only the first bytes are sent. */
typedef struct cut_line {
    int fd;
    size_t left;
} cut_line;

static ssize_t push_cut(gnutls_transport_ptr_t user, const void *data, size_t len)
{
    cut_line *line = user;
    size_t n = len < line->left ? len : line->left;

    if (n > 0 && send(line->fd, data, n, MSG_NOSIGNAL) < 0) {
        return -1;
    }
    line->left -= n;
    if (line->left == 0) {
        (void)shutdown(line->fd, SHUT_WR);
    }
    return (ssize_t)len;
}

static ssize_t pull_cut(gnutls_transport_ptr_t user, void *buffer, size_t len)
{
    const cut_line *line = user;
    return recv(line->fd, buffer, len, 0);
}

static void a_client_may_close_at_each_byte_of_its_handshake(void **state)
{
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t len = 1; len < 600; len += 3) {
            tls_client c;
            tls_client_init(&c, &f, versions[v], NULL);
            cut_line line = { c.fd, len };
            gnutls_transport_set_ptr(c.session, &line);
            gnutls_transport_set_push_function(c.session, push_cut);
            gnutls_transport_set_pull_function(c.session, pull_cut);
            (void)gnutls_handshake(c.session);
            gnutls_deinit(c.session);
            (void)close(c.fd);
        }
    }
}

static void what_is_no_tls_is_closed_without_an_answer(void **state)
{
    static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n", "\x10\x10", "\x15\x03\x03",
                                         "\x17\x03\x03", "x" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int fd = tcp_connect(&f);
        write_all(fd, texts[i], strlen(texts[i]));
        assert_true(ends(fd));
        (void)close(fd);
    }
}

static void broken_tls_is_closed(void **state)
{
    static const char *const texts[] = { "\x16\x03\x01\xFF\xFF", "\x16GET / HTTP/1.1\r\n\r\n" };
    char drop[4096];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int fd = tcp_connect(&f);
        write_all(fd, texts[i], strlen(texts[i]));
        (void)shutdown(fd, SHUT_WR);
        while (recv(fd, drop, sizeof drop, 0) > 0) {
        }
        (void)close(fd);
    }
}

static void what_is_no_connect_is_closed(void **state)
{
    static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n", "\xC0", "\x10\xFF\xFF\xFF\x7F",
                                         "\x10\xFF\xFF\xFF\xFF\x01", "\x30\x05\x01" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tls_client c;
        tls_client_open(&c, &f, TLS_1_3, NULL);
        tls_client_send(&c, texts[i], strlen(texts[i]));
        assert_true(tls_client_ends(&c));
        tls_client_close(&c);
    }
}

static void a_renegotiation_is_refused(void **state)
{
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_2);
    assert_true(gnutls_handshake(c.session) < 0);
    assert_true(ends(broker));
    (void)close(broker);
    gnutls_deinit(c.session);
    (void)close(c.fd);
}

static void a_silent_client_is_closed_in_time(void **state)
{
    tls_client c;

    (void)state;
    int fd = tcp_connect(&f);
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, "\x10", 1);
    assert_true(ends(fd));
    assert_true(tls_client_ends(&c));
    (void)close(fd);
    tls_client_close(&c);
}

static void a_client_that_sends_one_byte_at_a_time_is_closed_in_time(void **state)
{
    hub_text packet = connect_of_device("secret");
    tls_client c;
    size_t at = 0;

    (void)state;
    packet.p[1] = 127; /* the packet is longer than what is sent, so it is never complete */
    tls_client_open(&c, &f, TLS_1_3, NULL);
    while (at < 120 &&
           gnutls_record_send(c.session, packet.p + (at < packet.len ? at : 20), 1) == 1) {
        at++;
        /* Until the front closes, or the slow client sends its next byte. */
        (void)wait_for(c.fd, POLLIN, 10);
    }
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
    hub_text_free(&packet);
}

static void a_login_that_the_broker_does_not_answer_is_closed_in_time(void **state)
{
    hub_text packet = connect_of_device("secret");
    tls_client c;

    (void)state;
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, packet.p, packet.len);
    assert_true(tls_client_ends(&c));
    int broker = front_fixture_accept(&f);
    (void)close(broker);
    tls_client_close(&c);
    hub_text_free(&packet);
}

static void a_client_that_does_not_close_is_closed_in_time(void **state)
{
    tls_client c;
    uint8_t drop[100];

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    (void)close(broker);
    assert_true(tls_client_ends(&c));
    /* The front has closed its side; the TCP connection of this side is still open. */
    int left = f.descriptors;
    f.descriptors++;
    front_fixture_wait_quiet(&f);
    f.descriptors = left;
    (void)recv(c.fd, drop, sizeof drop, MSG_DONTWAIT);
    tls_client_close(&c);
}

#define PATIENT(test) cmocka_unit_test_setup_teardown(test, start_patient, stop)
#define HASTY(test)   cmocka_unit_test_setup_teardown(test, start_hasty, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT(a_client_may_close_at_each_byte_of_its_connect),
        PATIENT(a_client_may_close_at_each_byte_of_its_handshake),
        PATIENT(what_is_no_tls_is_closed_without_an_answer),
        PATIENT(broken_tls_is_closed),
        PATIENT(what_is_no_connect_is_closed),
        PATIENT(a_renegotiation_is_refused),
        HASTY(a_silent_client_is_closed_in_time),
        HASTY(a_client_that_sends_one_byte_at_a_time_is_closed_in_time),
        HASTY(a_login_that_the_broker_does_not_answer_is_closed_in_time),
        HASTY(a_client_that_does_not_close_is_closed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
