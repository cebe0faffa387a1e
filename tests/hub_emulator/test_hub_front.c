/* Tests the TLS front with real sockets: clients of TLS 1.2 and 1.3, and a fake broker. */

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front/connect_packet.h"
#include "front/envelope.h"
#include "front_fixture.h"
#include "hub/note.h"
#include "registry/client_chain.h"

#define LONG_MS 600000
#define CONNACK "\x20\x02\x00\x00"

static front_fixture f;

static int start_patient(void **state)
{
    (void)state;
    front_fixture_start(&f, LONG_MS, LONG_MS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    front_fixture_stop(&f);
    return 0;
}

/* --- login ------------------------------------------------------------- */

static void a_login_arrives_with_an_envelope(void **state)
{
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *own = i < 2 ? "secret" : NULL;
        hub_text packet = connect_of_device(own);
        hub_envelope e;
        tls_client c;
        tls_client_open(&c, &f, versions[i % 2], NULL);
        tls_client_send(&c, packet.p, packet.len);
        int broker = front_fixture_accept(&f);
        char *password = front_fixture_read_connect(broker, &e, i + 1);
        assert_memory_equal(e.peer, "127.0.0.1:", 10);
        assert_int_equal(e.chain_len, 0);
        assert_int_equal(e.password != NULL, own != NULL);
        assert_true(own == NULL || strcmp(e.password, own) == 0);
        free(password);
        hub_text_free(&packet);
        front_fixture_close_pair(&c, broker);
    }
}

static void what_comes_behind_a_connect_follows_it(void **state)
{
    hub_text packet = connect_of_device("secret");
    hub_envelope e;
    tls_client c;
    char more[4];

    (void)state;
    hub_text_str(&packet, "more");
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, packet.p, packet.len);
    int broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    read_all(broker, more, 4);
    assert_memory_equal(more, "more", 4);
    hub_text_free(&packet);
    front_fixture_close_pair(&c, broker);
}

static void a_connect_may_come_byte_by_byte(void **state)
{
    hub_text packet = connect_of_device("secret");
    hub_envelope e;
    tls_client c;

    (void)state;
    tls_client_open(&c, &f, TLS_1_2, NULL);
    for (size_t i = 0; i < packet.len; i++) {
        tls_client_send(&c, packet.p + i, 1);
    }
    int broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    hub_text_free(&packet);
    front_fixture_close_pair(&c, broker);
}

static void a_connect_of_another_version_arrives_as_it_is(void **state)
{
    static const char packet[] = "\x10\x0D\0\4MQTT\5\2\0\0\0\0\1x";
    char got[sizeof packet - 1];
    tls_client c;

    (void)state;
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, packet, sizeof packet - 1);
    int broker = front_fixture_accept(&f);
    read_all(broker, got, sizeof got);
    assert_memory_equal(got, packet, sizeof got);
    front_fixture_close_pair(&c, broker);
}

static void a_refusal_has_the_code_of_the_hub(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 6; code++) {
        hub_text packet = connect_of_device("secret");
        hub_envelope e;
        tls_client c;
        uint8_t answer[4];
        tls_client_open(&c, &f, TLS_1_3, NULL);
        tls_client_send(&c, packet.p, packet.len);
        int broker = front_fixture_accept(&f);
        free(front_fixture_read_connect(broker, &e, 0));
        const hub_note r = { .number = e.number, .kind = HUB_NOTE_REFUSED, .value = code };
        const hub_note other = { .number = e.number + 1, .kind = HUB_NOTE_REFUSED, .value = 1 };
        write_all(f.notes, &r, sizeof r);
        write_all(f.notes, &other, sizeof other);
        write_all(broker, "\x20\x02\x00\x05", 4);
        (void)close(broker);
        tls_client_receive(&c, answer, 4);
        assert_int_equal(answer[3], code >= 1 && code <= 5 ? code : 5);
        assert_true(tls_client_ends(&c));
        tls_client_close(&c);
        hub_text_free(&packet);
    }
}

static void a_client_waits_for_a_broker_that_starts_later(void **state)
{
    hub_text packet = connect_of_device("secret");
    char *path = hub_format("%s/broker", f.dir);
    hub_envelope e;
    tls_client c;

    (void)state;
    (void)close(f.broker);
    assert_int_equal(unlink(path), 0);
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, packet.p, packet.len);
    tls_client_send(&c, "more", 4);
    front_fixture_listen(&f);
    int broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    char more[4];
    read_all(broker, more, 4);
    assert_memory_equal(more, "more", 4);
    free(path);
    hub_text_free(&packet);
    front_fixture_close_pair(&c, broker);
}

/* The test makes more logins than the broker's queue can hold. */
static void many_logins_at_the_same_time_all_arrive(void **state)
{
    enum { COUNT = 100 };
    hub_text packet = connect_of_device("secret");
    static tls_client clients[COUNT];
    static int brokers[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        tls_client_open(&clients[i], &f, TLS_1_3, NULL);
        tls_client_send(&clients[i], packet.p, packet.len);
    }
    for (size_t i = 0; i < COUNT; i++) {
        hub_envelope e;
        brokers[i] = front_fixture_accept(&f);
        free(front_fixture_read_connect(brokers[i], &e, 0));
    }
    for (size_t i = 0; i < COUNT; i++) {
        tls_client_close(&clients[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(ends(brokers[i]));
        (void)close(brokers[i]);
    }
    hub_text_free(&packet);
}

/* --- client certificates ----------------------------------------------- */

static void read_names(const hub_envelope *e, const char *expected)
{
    hub_client_chain chain;
    hub_text names = { 0 };
    hub_fault fault;

    hub_text_str(&names, "");
    assert_int_equal(hub_client_chain_read(&chain, e->chain, e->chain_len, &fault), HUB_OK);
    for (size_t i = 0; i < chain.count; i++) {
        hub_text_printf(&names, "%s;", chain.items[i]->name);
    }
    assert_string_equal(names.p, expected);
    hub_client_chain_free(&chain);
    hub_text_free(&names);
}

/* Logs in once. data is the session to resume, and becomes the session of this login. */
static void log_in_with(gnutls_certificate_credentials_t own, const char *priorities,
                        gnutls_datum_t *data, const char *expected)
{
    hub_text packet = connect_of_device(NULL);
    hub_envelope e;
    tls_client c;
    char answer[4];

    tls_client_init(&c, &f, priorities, own);
    if (data->data != NULL) {
        assert_true(gnutls_session_set_data(c.session, data->data, data->size) >= 0);
        gnutls_free(data->data);
    }
    tls_client_begin(&c);
    tls_client_send(&c, packet.p, packet.len);
    int broker = front_fixture_accept(&f);
    char *password = front_fixture_read_connect(broker, &e, 0);
    read_names(&e, expected);
    free(password);
    write_all(broker, CONNACK, 4);
    tls_client_receive(&c, answer, 4);
    assert_true(gnutls_session_get_data2(c.session, data) >= 0);
    hub_text_free(&packet);
    front_fixture_close_pair(&c, broker);
}

/* A chain of CAs, each signed by the one before it. The leaf is signed by the last one, and
 * comes first. */
typedef struct made_chain {
    made_certificate items[HUB_CHAIN_MAX + 2];
    gnutls_certificate_credentials_t credentials;
    size_t count;
} made_chain;

/* Makes a chain of which the client sends the first `sent` certificates. */
static void make_chain(made_chain *m, size_t count, size_t sent, bool rsa)
{
    const int64_t now_s = (int64_t)time(NULL);
    gnutls_x509_crt_t list[HUB_CHAIN_MAX + 2];

    m->count = count;
    for (size_t i = count; i-- > 0;) {
        char *name = hub_format("%zu", i);
        made_init(&m->items[i], &(made_plan){ name, i + 1 < count ? &m->items[i + 1] : NULL,
                                              now_s - 10, now_s + 1000, i > 0, -1, rsa && i == 0 });
        list[i] = m->items[i].crt;
        free(name);
    }
    assert_true(gnutls_certificate_allocate_credentials(&m->credentials) >= 0);
    assert_true(gnutls_certificate_set_x509_key(m->credentials, list, (int)sent, m->items[0].key) >=
                0);
}

static void free_chain(made_chain *m)
{
    gnutls_certificate_free_credentials(m->credentials);
    for (size_t i = 0; i < m->count; i++) {
        made_deinit(&m->items[i]);
    }
}

static void the_whole_chain_arrives_and_a_resumed_session_has_it_too(void **state)
{
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        made_chain m;
        gnutls_datum_t data = { 0 };
        make_chain(&m, 4, 3, i / 2 == 0);
        log_in_with(m.credentials, versions[i % 2], &data, "0;1;2;");
        log_in_with(m.credentials, versions[i % 2], &data, "0;1;2;");
        gnutls_free(data.data);
        data = (gnutls_datum_t){ 0 };
        log_in_with(NULL, versions[i % 2], &data, "");
        log_in_with(NULL, versions[i % 2], &data, "");
        gnutls_free(data.data);
        free_chain(&m);
    }
}

static void a_chain_that_is_too_long_is_refused(void **state)
{
    made_chain m;
    tls_client c;

    (void)state;
    make_chain(&m, HUB_CHAIN_MAX + 2, HUB_CHAIN_MAX + 1, false);
    tls_client_init(&c, &f, TLS_1_2, m.credentials);
    (void)gnutls_handshake(c.session);
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
    free_chain(&m);
}

/* --- bytes in both directions ------------------------------------------ */

static void bytes_pass_in_both_directions_whatever_their_number(void **state)
{
    static const size_t sizes[] = { 1, 2, 4095, 16383, 16384, 16385, 40000, 70000 };
    static uint8_t out[70000];
    static uint8_t in[70000];
    static const char *const versions[] = { TLS_1_2, TLS_1_3 };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        tls_client c;
        int broker = front_fixture_open_pair(&f, &c, versions[v]);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t k = 0; k < sizes[i]; k++) {
                out[k] = front_pattern(k + i);
            }
            tls_client_send(&c, out, sizes[i]);
            read_all(broker, in, sizes[i]);
            assert_memory_equal(in, out, sizes[i]);
            write_all(broker, out, sizes[i]);
            tls_client_receive(&c, in, sizes[i]);
            assert_memory_equal(in, out, sizes[i]);
        }
        front_fixture_close_pair(&c, broker);
    }
}

static void a_client_that_does_not_read_stops_the_broker_and_loses_nothing(void **state)
{
    tls_client c;
    uint8_t byte;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    size_t total = front_fill(broker);
    assert_true(total < FRONT_FULL);
    for (size_t i = 0; i < total; i++) {
        tls_client_receive(&c, &byte, 1);
        assert_int_equal(byte, front_pattern(i));
    }
    front_fixture_close_pair(&c, broker);
}

/* What follows is the payload of a frame, which a mask of zeros does not change. */
static void begin_endless_frame(tls_client *c)
{
    static const uint8_t head[] = { 0x82, 0xFF, 0, 0, 0, 0, 0x7F, 0, 0, 0, 0, 0, 0, 0 };

    if (c->framed) {
        tls_client_send_raw(c, head, sizeof head);
    }
}

static void a_broker_that_does_not_read_stops_the_client_and_loses_nothing(void **state)
{
    const struct timeval soon = { .tv_usec = 1000 };
    const struct timeval late = { .tv_sec = 60 };
    tls_client c;
    uint8_t byte;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    begin_endless_frame(&c);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    size_t total = front_fill_tls(&c);
    assert_true(total < FRONT_FULL);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &late, sizeof late);
    for (size_t i = 0; i < total; i++) {
        read_all(broker, &byte, 1);
        assert_int_equal(byte, front_pattern(i));
    }
    /* Sends the rest of the record that was interrupted. */
    while (gnutls_record_send(c.session, NULL, 0) < 0) {
    }
    static uint8_t rest[16384];
    read_all(broker, rest, sizeof rest);
    front_fixture_close_pair(&c, broker);
}

/* --- what the hub learns ------------------------------------------------ */

static void check_note(uint32_t kind, uint32_t packet_id)
{
    hub_note n;

    assert_int_equal(recv(f.notes, &n, sizeof n, 0), sizeof n);
    assert_int_equal(n.number, 1);
    assert_int_equal(n.kind, kind);
    assert_int_equal(n.value, packet_id);
}

/* The hub receives the note before the bytes arrive. */
static void the_hub_learns_packet_ids_and_acknowledgements(void **state)
{
    static const char publish[] = "\x32\x07\0\3abc\1\2";
    static const char puback[] = "\x40\x02\1\2";
    char got[sizeof publish];
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    write_all(broker, publish, sizeof publish - 1);
    tls_client_receive(&c, got, sizeof publish - 1);
    check_note(HUB_NOTE_SENT, 258);
    tls_client_send(&c, puback, sizeof puback - 1);
    read_all(broker, got, sizeof puback - 1);
    check_note(HUB_NOTE_ACKNOWLEDGED, 258);
    front_fixture_close_pair(&c, broker);
    assert_true(recv(f.notes, got, sizeof got, MSG_DONTWAIT) < 0);
}

static void a_publish_below_sys_ends_the_connection(void **state)
{
    static const char bytes[] = "\xC0\0\x30\x08\0\6$SYS/x\xC0\0";
    hub_text packet = connect_of_device("secret");
    char got[16];
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_2);
    tls_client_send(&c, bytes, sizeof bytes - 1);
    read_all(broker, got, 10);
    assert_memory_equal(got, bytes, 10);
    assert_true(ends(broker));
    (void)close(broker);
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
    /* The packet is sent directly after the CONNECT. */
    hub_envelope e;
    hub_text_add(&packet, bytes, sizeof bytes - 1);
    tls_client_open(&c, &f, TLS_1_3, NULL);
    tls_client_send(&c, packet.p, packet.len);
    broker = front_fixture_accept(&f);
    free(front_fixture_read_connect(broker, &e, 0));
    read_all(broker, got, 10);
    assert_true(ends(broker));
    (void)close(broker);
    tls_client_close(&c);
    hub_text_free(&packet);
}

/* --- ends -------------------------------------------------------------- */

static void the_last_bytes_of_the_broker_arrive_before_the_end(void **state)
{
    tls_client c;
    char last[4];

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_2);
    /* These unread bytes must not make the front drop the last bytes of the broker. */
    tls_client_send(&c, "unread", 6);
    write_all(broker, "last", 4);
    (void)close(broker);
    tls_client_receive(&c, last, 4);
    assert_memory_equal(last, "last", 4);
    assert_true(tls_client_ends(&c));
    tls_client_close(&c);
}

static void the_last_bytes_of_a_client_arrive_before_the_end(void **state)
{
    tls_client c;
    char last[4];

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    tls_client_send(&c, "last", 4);
    tls_client_close(&c);
    read_all(broker, last, 4);
    assert_memory_equal(last, "last", 4);
    assert_true(ends(broker));
    (void)close(broker);
}

static void the_broker_may_answer_a_client_that_has_ended(void **state)
{
    tls_client c;
    char last[4];

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    assert_int_equal(gnutls_bye(c.session, GNUTLS_SHUT_WR), 0);
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    assert_true(ends(broker));
    write_all(broker, "last", 4);
    (void)close(broker);
    tls_client_receive(&c, last, 4);
    assert_memory_equal(last, "last", 4);
    tls_client_close(&c);
}

static void a_client_that_resets_is_closed(void **state)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    tls_client c;

    (void)state;
    int broker = front_fixture_open_pair(&f, &c, TLS_1_3);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    gnutls_deinit(c.session);
    (void)close(c.fd);
    assert_true(ends(broker));
    (void)close(broker);
}

#define PATIENT(test) cmocka_unit_test_setup_teardown(test, start_patient, stop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PATIENT(a_login_arrives_with_an_envelope),
        PATIENT(what_comes_behind_a_connect_follows_it),
        PATIENT(a_connect_may_come_byte_by_byte),
        PATIENT(a_connect_of_another_version_arrives_as_it_is),
        PATIENT(a_refusal_has_the_code_of_the_hub),
        PATIENT(a_client_waits_for_a_broker_that_starts_later),
        PATIENT(many_logins_at_the_same_time_all_arrive),
        PATIENT(the_whole_chain_arrives_and_a_resumed_session_has_it_too),
        PATIENT(a_chain_that_is_too_long_is_refused),
        PATIENT(bytes_pass_in_both_directions_whatever_their_number),
        PATIENT(a_client_that_does_not_read_stops_the_broker_and_loses_nothing),
        PATIENT(a_broker_that_does_not_read_stops_the_client_and_loses_nothing),
        PATIENT(the_hub_learns_packet_ids_and_acknowledgements),
        PATIENT(a_publish_below_sys_ends_the_connection),
        PATIENT(the_last_bytes_of_the_broker_arrive_before_the_end),
        PATIENT(the_last_bytes_of_a_client_arrive_before_the_end),
        PATIENT(the_broker_may_answer_a_client_that_has_ended),
        PATIENT(a_client_that_resets_is_closed),
    };
    front_fixture_choose(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
