/* Tests how a connection to the TLS front begins: requests for the HTTP server, upgrades that are
 * refused, and faults on request. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front/call.h"
#include "front_fixture.h"
#include "hub/note.h"
#include "registry/client_chain.h"

#define LONG_MS  600000
#define SHORT_MS 300
#define GET      "GET /devices/device1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define UPGRADE_START                                                              \
    "GET /$iothub/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                         \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "
#define UPGRADE UPGRADE_START "mqtt\r\n\r\n"

static front_fixture f;
static char chain_text[HUB_CALL_CHAIN_MAX];

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

static int shake_hands(tls_client *c)
{
    int code;

    do {
        code = gnutls_handshake(c->session);
    } while (code < 0 && gnutls_error_is_fatal(code) == 0);
    return code;
}

static void open_tls(tls_client *c, const char *priorities,
                     gnutls_certificate_credentials_t credentials)
{
    tls_client_init_to(c, &f, HUB_FRONT_HTTPS, priorities, credentials);
    assert_int_equal(shake_hands(c), 0);
}

static void order(hub_note_kind kind, uint32_t value, uint64_t count)
{
    const hub_note note = { .kind = kind, .value = value, .count = count };

    write_all(f.notes, &note, sizeof note);
}

/* Receives the end of the next connection for the HTTP server. */
static int take_call(size_t *len)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    int fd;

    while ((fd = hub_call_receive(f.calls, chain_text, len)) < 0) {
        (void)nanosleep(&pause, NULL);
    }
    return fd;
}

/* The descriptor does not block, so this waits. */
static void read_call(int fd, const char *expected)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    const size_t len = strlen(expected);
    char got[1024];
    size_t have = 0;

    while (have < len) {
        ssize_t n = recv(fd, got + have, len - have, MSG_DONTWAIT);
        assert_true(n != 0);
        have += n > 0 ? (size_t)n : 0;
        if (n < 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
    assert_memory_equal(got, expected, len);
}

static void wait_end(int fd)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    char byte;

    while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0) {
        (void)nanosleep(&pause, NULL);
    }
}

static void expect_text(tls_client *c, const char *text)
{
    char got[1024];

    tls_client_receive_raw(c, got, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

/* --- the HTTP server --------------------------------------------------- */

static void other_requests_go_to_the_http_server_as_they_are(void **state)
{
    static const char *const requests[] = {
        GET,
        "POST /$iothub/websocket HTTP/1.1\r\n\r\n",
        "GET /$iothub/websocket HTTP/1.1\r\nHost: localhost\r\n\r\n",
        UPGRADE_START "AMQPWSB10\r\n\r\n",
        "\r\n",
        "\x10\x0D nonsense",
    };
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        tls_client c;
        size_t len;
        open_tls(&c, versions[i % 2], NULL);
        tls_client_send_raw(&c, requests[i], strlen(requests[i]));
        int server = take_call(&len);
        assert_int_equal(len, 0);
        read_call(server, requests[i]);
        /* Bytes that arrive later are passed on as well. */
        tls_client_send_raw(&c, UPGRADE, strlen(UPGRADE));
        read_call(server, UPGRADE);
        write_all(server, "answer", 6);
        expect_text(&c, "answer");
        (void)close(server);
        assert_true(tls_client_ends(&c));
        tls_client_close(&c);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    tls_client c;
    size_t len;

    (void)state;
    open_tls(&c, TLS_1_3, NULL);
    for (size_t i = 0; i < strlen(GET); i++) {
        tls_client_send_raw(&c, &GET[i], 1);
    }
    int server = take_call(&len);
    read_call(server, GET);
    tls_client_close(&c);
    wait_end(server);
    (void)close(server);
}

static void the_certificate_of_the_client_arrives_with_its_connection(void **state)
{
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };
    const int64_t now_s = (int64_t)time(NULL);
    gnutls_certificate_credentials_t own;
    made_certificate made;
    hub_client_chain chain;
    hub_fault fault;

    (void)state;
    made_init(&made, &(made_plan){ "meter", NULL, now_s - 10, now_s + 1000, false, -1, false });
    assert_true(gnutls_certificate_allocate_credentials(&own) >= 0);
    assert_true(gnutls_certificate_set_x509_key(own, &made.crt, 1, made.key) >= 0);
    for (size_t i = 0; i < 2; i++) {
        tls_client c;
        size_t len;
        open_tls(&c, versions[i], own);
        tls_client_send_raw(&c, GET, strlen(GET));
        int server = take_call(&len);
        assert_int_equal(hub_client_chain_read(&chain, chain_text, len, &fault), HUB_OK);
        assert_int_equal(chain.count, 1);
        assert_string_equal(chain.items[0]->name, "meter");
        hub_client_chain_free(&chain);
        tls_client_close(&c);
        wait_end(server);
        (void)close(server);
    }
    gnutls_certificate_free_credentials(own);
    made_deinit(&made);
}

static void a_client_that_leaves_ends_the_connection_to_the_http_server(void **state)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        tls_client c;
        size_t len;
        open_tls(&c, TLS_1_3, NULL);
        tls_client_send_raw(&c, GET, strlen(GET));
        int server = take_call(&len);
        read_call(server, GET);
        if (i == 0) {
            tls_client_close(&c);
        } else {
            (void)setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            gnutls_deinit(c.session);
            (void)close(c.fd);
        }
        wait_end(server);
        (void)close(server);
    }
}

/* A client that does not read its answer stops the server, and the other way round. */
static void neither_side_is_read_while_the_other_does_not_read(void **state)
{
    const struct timeval soon = { .tv_usec = 1000 };
    tls_client c;
    size_t len;

    (void)state;
    open_tls(&c, TLS_1_3, NULL);
    tls_client_send_raw(&c, GET, strlen(GET));
    int server = take_call(&len);
    assert_true(front_fill(server) < FRONT_FULL);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    assert_true(front_fill_tls(&c) < FRONT_FULL);
    gnutls_deinit(c.session);
    (void)close(c.fd);
    (void)close(server);
}

static void a_client_without_a_request_is_closed_in_time(void **state)
{
    static const char *const beginnings[] = { "", "GET /$iothub/web", UPGRADE };

    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        char drop[512];
        tls_client c;
        open_tls(&c, TLS_1_2, NULL);
        if (i > 0) {
            tls_client_send_raw(&c, beginnings[i], strlen(beginnings[i]));
        }
        while (gnutls_record_recv(c.session, drop, sizeof drop) > 0) {
        }
        gnutls_deinit(c.session);
        (void)close(c.fd);
    }
}

/* --- upgrades ---------------------------------------------------------- */

static void a_wrong_upgrade_is_answered_and_closed(void **state)
{
    static const char wrong[] = UPGRADE_START "mqttv3.1\r\n\r\n";
    tls_client c;

    (void)state;
    open_tls(&c, TLS_1_3, NULL);
    tls_client_send_raw(&c, wrong, strlen(wrong));
    expect_text(&c, "HTTP/1.1 400 Bad Request\r\n");
    while (!tls_client_ends(&c)) {
    }
    tls_client_close(&c);
}

static void upgrades_are_refused_on_request(void **state)
{
    (void)state;
    order(HUB_NOTE_REFUSE_UPGRADES, 503, 2);
    for (int i = 0; i < 3; i++) {
        tls_client c;
        open_tls(&c, TLS_1_3, NULL);
        tls_client_send_raw(&c, UPGRADE, strlen(UPGRADE));
        expect_text(&c, i < 2 ? "HTTP/1.1 503 Service Unavailable\r\n" : "HTTP/1.1 101 ");
        tls_client_close(&c);
    }
}

static int64_t up_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void an_upgrade_is_delayed_on_request(void **state)
{
    enum { DELAY_MS = 150 };
    hub_text early = { 0 };
    tls_client c;

    (void)state;
    order(HUB_NOTE_DELAY_UPGRADES, DELAY_MS, 1);
    open_tls(&c, TLS_1_3, NULL);
    hub_text_str(&early, UPGRADE);
    add_frame(&early, 0x89, "ping", 4);
    const int64_t begun = up_ms();
    tls_client_send_raw(&c, early.p, early.len);
    expect_text(&c, "HTTP/1.1 101 ");
    assert_true(up_ms() - begun >= DELAY_MS);
    char byte;
    do { /* the ping that arrived with the request is answered as well */
        tls_client_receive_raw(&c, &byte, 1);
    } while ((uint8_t)byte != 0x8A);
    tls_client_close(&c);
    hub_text_free(&early);
}

static void a_client_may_leave_while_its_upgrade_is_delayed(void **state)
{
    tls_client c;

    (void)state;
    order(HUB_NOTE_DELAY_UPGRADES, 50, 1);
    open_tls(&c, TLS_1_3, NULL);
    tls_client_send_raw(&c, UPGRADE, strlen(UPGRADE));
    tls_client_close(&c);
}

/* --- TLS --------------------------------------------------------------- */

static void handshakes_are_refused_with_an_alert_on_request(void **state)
{
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };
    static const gnutls_alert_description_t alerts[] = { GNUTLS_A_HANDSHAKE_FAILURE,
                                                         GNUTLS_A_INTERNAL_ERROR,
                                                         GNUTLS_A_ACCESS_DENIED };

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        tls_client c;
        order(HUB_NOTE_REFUSE_TLS, alerts[i / 2], 1);
        tls_client_init_to(&c, &f, i % 2 == 0 ? HUB_FRONT_MQTTS : HUB_FRONT_HTTPS, versions[i % 2],
                           NULL);
        assert_int_equal(shake_hands(&c), GNUTLS_E_FATAL_ALERT_RECEIVED);
        assert_int_equal(gnutls_alert_get(c.session), alerts[i / 2]);
        gnutls_deinit(c.session);
        (void)close(c.fd);
        open_tls(&c, versions[i % 2], NULL); /* the next connection is accepted */
        tls_client_close(&c);
    }
}

#define PATIENT(test) cmocka_unit_test_setup_teardown(test, start_patient, stop)
#define HASTY(test)   cmocka_unit_test_setup_teardown(test, start_hasty, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT(other_requests_go_to_the_http_server_as_they_are),
        PATIENT(a_request_may_come_byte_by_byte),
        PATIENT(the_certificate_of_the_client_arrives_with_its_connection),
        PATIENT(a_client_that_leaves_ends_the_connection_to_the_http_server),
        PATIENT(neither_side_is_read_while_the_other_does_not_read),
        HASTY(a_client_without_a_request_is_closed_in_time),
        PATIENT(a_wrong_upgrade_is_answered_and_closed),
        PATIENT(upgrades_are_refused_on_request),
        PATIENT(an_upgrade_is_delayed_on_request),
        PATIENT(a_client_may_leave_while_its_upgrade_is_delayed),
        PATIENT(handshakes_are_refused_with_an_alert_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
