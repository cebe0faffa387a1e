#include "client_fixture.h"

/* A slow link between the hub and a stream that accepts everything immediately, as a kernel
 * does. */

enum { KEEP_ALIVE_S = 30, LARGE = 60000, RATE = 100 };

static char body[LARGE];

static void keep_alive(iothub_options *o)
{
    fixture_quiet(o);
    o->keep_alive_s = KEEP_ALIVE_S;
    o->tx_size = 2 * LARGE;
}

/* Sends telemetry that the stream has accepted and the hub has not received. */
static scripted_stream *begin(client_fixture *f)
{
    const iothub_telemetry m = {
        .body = body,
        .body_len = sizeof body,
    };
    fixture_init(f, keep_alive);
    fixture_connect(f);
    f->hub.mute_publish = true;
    f->hub.mute_ping = true;
    scripted_stream *s = fixture_stream(f);
    assert_int_equal(iothub_send_telemetry(f->client, &m, NULL), IOTHUB_OK);
    s->peer_has = s->tx_total;
    fixture_run(f);
    return s;
}

static void a_large_message_survives_a_slow_way_up(void **state)
{
    (void)state;
    client_fixture f;
    scripted_stream *s = begin(&f);

    for (s->peer_has += RATE; s->peer_has < s->tx_total; s->peer_has += RATE) {
        fixture_sleep(&f, 1000);
        assert_int_equal(f.hub.connects, 1);
    }
    f.hub.mute_ping = false;
    fake_hub_ack(&f.hub, s, 0);
    fixture_sleep(&f, 100);
    assert_int_equal(f.dones[0].result, IOTHUB_OK);
    fixture_free(&f);
}

static void a_hub_that_stops_taking_it_is_found_in_time(void **state)
{
    (void)state;
    for (unsigned after_s = 0; after_s < 500; after_s += 37) {
        client_fixture f;
        scripted_stream *s = begin(&f);
        for (unsigned i = 0; i < after_s; i++) {
            fixture_sleep(&f, 1000);
            s->peer_has += RATE;
        }
        assert_int_equal(f.hub.connects, 1);
        /* Time to detect the loss, and the first delay of the back-off. */
        fixture_sleep(&f, KEEP_ALIVE_S * 1500 + 2000);
        assert_int_equal(f.hub.connects, 2);
        fixture_free(&f);
    }
}

static void a_message_that_arrives_inside_a_large_record_is_waited_for(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, keep_alive);
    fixture_connect(&f);
    f.hub.mute_ping = true;

    for (unsigned i = 0; i < 160; i++) { /* 16 KB arrive that recv cannot return yet */
        fixture_stream(&f)->hidden += RATE;
        fixture_sleep(&f, 1000);
        assert_int_equal(f.hub.connects, 1);
    }
    /* PINGREQs are sent, because the hub expects signs of life, too. */
    assert_true(f.hub.pings >= 160 / KEEP_ALIVE_S);
    fixture_sleep(&f, KEEP_ALIVE_S * 1500 + 2000);
    assert_int_equal(f.hub.connects, 2);
    fixture_free(&f);
}

static void no_send_is_longer_than_what_a_slow_link_carries_in_time(void **state)
{
    (void)state;
    client_fixture f;
    scripted_stream *s = begin(&f);
    assert_true(s->calls[SCRIPTED_SEND] > LARGE / (KEEP_ALIVE_S * 75));
    fixture_free(&f);
}

static uint16_t wanted_s;

static void with_keep_alive(iothub_options *o)
{
    fixture_quiet(o);
    o->keep_alive_s = wanted_s;
}

/* The limit is 75 bytes for each second of the keep-alive time, and at least 1024. */
static void the_longest_send_depends_on_the_keep_alive(void **state)
{
    (void)state;
    static const uint16_t keep_alives_s[] = { 1, 13, 14, 20, 100 };

    for (size_t i = 0; i < sizeof keep_alives_s / sizeof keep_alives_s[0]; i++) {
        const iothub_telemetry t = { .body = body, .body_len = 12000 };
        const size_t most = keep_alives_s[i] > 13 ? keep_alives_s[i] * (size_t)75 : 1024;
        client_fixture f;
        wanted_s = keep_alives_s[i];
        fixture_init(&f, with_keep_alive);
        fixture_connect(&f);
        f.hub.mute_publish = true;
        scripted_stream *s = fixture_stream(&f);
        const unsigned calls = s->calls[SCRIPTED_SEND];
        const uint64_t sent = s->tx_total;
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);

        fixture_run(&f);

        assert_int_equal(s->calls[SCRIPTED_SEND] - calls, (s->tx_total - sent + most - 1) / most);
        fixture_free(&f);
    }
}

/* --- stages of connecting --------------------------------------------------------- */

static iothub_state state_after(client_fixture *f, unsigned seconds, size_t bytes_per_s)
{
    scripted_stream *s = &f->platform.streams[0];
    for (unsigned i = 0; i < seconds; i++) {
        s->hidden += bytes_per_s;
        fixture_sleep(f, 1000);
    }
    return iothub_get_state(f->client);
}

static void begin_handshake(client_fixture *f)
{
    fixture_init(f, NULL);
    f->platform.streams[0].stall_at = PLAT_STAGE_TLS;
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_SECURING);
}

static void a_handshake_goes_on_as_long_as_it_moves(void **state)
{
    (void)state;
    client_fixture f;
    begin_handshake(&f);
    assert_int_equal(state_after(&f, 60, RATE), IOTHUB_SECURING);
    f.platform.streams[0].stall_at = PLAT_STAGE_OPEN;
    assert_int_equal(state_after(&f, 20, 0), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.connects, 1);
    fixture_free(&f);
}

static void a_handshake_that_stops_or_trickles_ends_in_time(void **state)
{
    (void)state;
    static const size_t rates[] = { 0, 1, 20, 49 };

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        client_fixture f;
        begin_handshake(&f);
        assert_int_equal(state_after(&f, 14, rates[i]), IOTHUB_SECURING);
        (void)state_after(&f, 1, rates[i]);
        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TIMEOUT);
        fixture_free(&f);
    }
}

static void in_a_minute(iothub_options *o)
{
    fixture_quiet(o);
    o->tls_timeout_ms = 60000;
}

/* This number of bytes must arrive in each half of the time. */
static void fifty_bytes_a_second_are_enough_and_one_byte_less_is_not(void **state)
{
    (void)state;
    for (size_t bytes = 1498; bytes <= 1502; bytes++) {
        client_fixture f;
        fixture_init(&f, in_a_minute);
        scripted_stream *s = &f.platform.streams[0];
        s->stall_at = PLAT_STAGE_TLS;
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);
        fixture_sleep(&f, 30000);
        s->hidden += bytes;
        fixture_sleep(&f, 29999);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_SECURING);
        fixture_sleep(&f, 1);

        assert_int_equal(iothub_get_state(f.client),
                         bytes >= 1500 ? IOTHUB_SECURING : IOTHUB_WAITING);
        fixture_free(&f);
    }
}

static void a_handshake_that_makes_no_progress_ends(void **state)
{
    (void)state;
    client_fixture f;
    begin_handshake(&f);
    assert_int_equal(state_after(&f, 140, 10 * RATE), IOTHUB_SECURING);
    assert_int_equal(f.hub.connects + f.platform.streams[0].calls[SCRIPTED_CLOSE], 0);
    (void)state_after(&f, 20, 10 * RATE);
    assert_true(f.platform.streams[0].calls[SCRIPTED_CLOSE] > 0);
    fixture_free(&f);
}

/* Messages of the kept session may arrive before the SUBACK. */
static void a_suback_may_stand_behind_a_large_message(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.mute_subscribe = true;
    f.hub.mute_ping = true; /* the answer to a ping would arrive after the same message */
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(state_after(&f, 700, RATE), IOTHUB_SUBSCRIBING);
    assert_int_equal(f.hub.connects, 1);
    (void)state_after(&f, 60, 0);
    assert_true(f.platform.streams[0].calls[SCRIPTED_CLOSE] > 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_message_survives_a_slow_way_up),
        cmocka_unit_test(a_hub_that_stops_taking_it_is_found_in_time),
        cmocka_unit_test(a_message_that_arrives_inside_a_large_record_is_waited_for),
        cmocka_unit_test(no_send_is_longer_than_what_a_slow_link_carries_in_time),
        cmocka_unit_test(a_handshake_goes_on_as_long_as_it_moves),
        cmocka_unit_test(a_handshake_that_stops_or_trickles_ends_in_time),
        cmocka_unit_test(fifty_bytes_a_second_are_enough_and_one_byte_less_is_not),
        cmocka_unit_test(a_handshake_that_makes_no_progress_ends),
        cmocka_unit_test(a_suback_may_stand_behind_a_large_message),
        cmocka_unit_test(the_longest_send_depends_on_the_keep_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
