#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/message.h"

/*
 * A client under everything at once: requests, callbacks that make requests, starts and stops,
 * a stream that fails and stalls, a hub that refuses and falls silent.  By seed, so that each
 * history can be repeated.
 */

enum { OPS = 20000 };

typedef struct soak {
    client_fixture f; /* first: callbacks get this pointer */
    uint32_t seed;
    bool closing;
    unsigned accepted;
    uint8_t taken[OPS], ended[OPS];
    iothub_method_token tokens[8];
    uint32_t deliveries[8];
} soak;

static uint32_t roll(soak *s, uint32_t sides)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % sides;
}

static void note(soak *s, iothub_result r, iothub_op op)
{
    if (r != IOTHUB_OK) {
        return;
    }
    assert_false(s->closing);
    assert_in_range(op, 1, OPS - 1);
    assert_int_equal(s->taken[op]++, 0);
    s->accepted++;
}

static void request(soak *s)
{
    iothub_client *c = s->f.client;
    const char body[300] = "x";
    iothub_op op = 0;
    iothub_result r = IOTHUB_ERR_ARG;

    switch (roll(s, 6)) {
    case 0:
    case 1:
    case 2: {
        const iothub_telemetry t = { .body = body,
                                     .body_len = roll(s, sizeof body),
                                     .at_most_once = roll(s, 4) == 0,
                                     .ttl_ms = roll(s, 4) == 0 ? roll(s, 5000) : 0 };
        r = iothub_send_telemetry(c, &t, &op);
        break;
    }
    case 3: r = iothub_twin_get(c, NULL, &op); break;
    case 4: r = iothub_twin_report(c, "{\"a\":1}", 7, NULL, &op); break;
    default: r = iothub_method_respond(c, &s->tokens[roll(s, 8)], 200, "{}", 2, NULL, &op); break;
    }
    note(s, r, op);
}

static void drive(soak *s)
{
    iothub_client *c = s->f.client;

    switch (roll(s, 5)) {
    case 0: (void)iothub_start(c); break;
    case 1:
        if (roll(s, 4) == 0) {
            (void)iothub_stop(c, roll(s, 2) * roll(s, 10000));
        }
        break;
    case 2: (void)iothub_reconnect_now(c); break;
    case 3: (void)iothub_message_accept(c, s->deliveries[roll(s, 8)]); break;
    default:
        assert_int_equal(iothub_process(c), s->f.client->processing ? IOTHUB_ERR_STATE : IOTHUB_OK);
    }
}

/* Inside a callback: sometimes a request or a wish. */
static void meddle(soak *s)
{
    if (roll(s, 8) == 0) {
        request(s);
    }
    if (roll(s, 8) == 0) {
        drive(s);
    }
}

static void on_status(iothub_client *c, const iothub_status *st, void *user)
{
    soak *s = user;
    assert_int_equal(st->state, iothub_get_state(c));
    assert_true(st->state != IOTHUB_WAITING || (st->reason != IOTHUB_OK && st->retry_in_ms > 0));
    meddle(s);
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    soak *s = user;
    (void)c;
    assert_in_range(d->op, 1, OPS - 1);
    assert_int_equal(s->taken[d->op], 1);
    assert_int_equal(s->ended[d->op]++, 0);
    meddle(s);
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    assert_true(d->json.len > 0);
    meddle(user);
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    soak *s = user;
    (void)c;
    s->deliveries[roll(s, 8)] = iothub_message_delivery(m);
    meddle(s);
    return roll(s, 2) == 0 ? IOTHUB_ACCEPT : IOTHUB_DEFER;
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    soak *s = user;
    (void)c;
    s->tokens[roll(s, 8)] = call->token;
    meddle(s);
    return roll(s, 4) == 0 ? IOTHUB_METHOD_UNKNOWN : IOTHUB_METHOD_TAKEN;
}

static void options(iothub_options *o)
{
    o->callbacks = (iothub_callbacks){
        .status = on_status,
        .done = on_done,
        .c2d = on_c2d,
        .desired = on_desired,
        .method = on_method,
    };
    o->tx_size = 4096;
    o->request_size = 512;
    o->sas_lifetime_s = 600;
}

static void hub_acts(soak *s)
{
    scripted_stream *stream = fixture_stream(&s->f);
    uint16_t id = (uint16_t)(1 + roll(s, 500));

    if (stream == NULL || stream->state != SCRIPTED_READY ||
        iothub_get_state(s->f.client) < IOTHUB_SUBSCRIBING) {
        return;
    }
    switch (roll(s, 3)) {
    case 0:
        fake_hub_send(stream, "devices/device1/messages/devicebound/a=b", "c2d", 3,
                      roll(s, 2) ? id : 0);
        break;
    case 1: fake_hub_send(stream, "$iothub/methods/POST/m/?$rid=5", "{}", 2, 0); break;
    default:
        fake_hub_send(stream, "$iothub/twin/PATCH/properties/desired/?$version=2",
                      "{\"$version\":2}", 14, 0);
    }
}

static void trouble(soak *s)
{
    static const int twin[] = { 200, 200, 0, 429 };
    fake_hub *h = &s->f.hub;
    scripted_stream *stream = &s->f.platform.streams[0];

    h->mute_publish = roll(s, 4) == 0;
    h->mute_connect = roll(s, 8) == 0;
    h->mute_subscribe = roll(s, 8) == 0;
    h->return_code = roll(s, 6) == 0 ? (uint8_t)(1 + roll(s, 5)) : 0;
    h->session_present = roll(s, 2) == 0;
    h->twin_status = twin[roll(s, 4)];
    stream->send_max = roll(s, 4) == 0 ? 1 + roll(s, 30) : 0;
    stream->recv_max = roll(s, 4) == 0 ? 1 + roll(s, 5) : 0;
    stream->send_room = roll(s, 4) == 0 ? roll(s, 300) : SIZE_MAX;
    stream->stage_calls = roll(s, 3);
    stream->stall_at =
        roll(s, 8) == 0 ? (plat_stage)(PLAT_STAGE_RESOLVE + (int)roll(s, 3)) : PLAT_STAGE_OPEN;
    if (roll(s, 4) == 0) {
        scripted_fail(stream, SCRIPTED_ANY, 1 + roll(s, 10), PLAT_ERR_IO);
    }
}

/* Sleep as the client asks.  Many wake-ups without any time passing would be a busy loop. */
static void sleep_some(soak *s)
{
    uint64_t left = roll(s, 4) == 0 ? roll(s, 700000) : roll(s, 2000);
    unsigned idle = 0;

    while (left > 0) {
        iothub_poll p;
        iothub_poll_info(s->f.client, &p);
        uint64_t nap =
            p.timeout_ms < 0 || (uint64_t)p.timeout_ms > left ? left : (uint64_t)p.timeout_ms;
        idle = nap == 0 ? idle + 1 : 0;
        assert_true(idle < 5000);
        left -= nap;
        fake_clock_advance(&s->f.platform.clock, nap);
        assert_int_equal(iothub_process(s->f.client), IOTHUB_OK);
    }
}

static void step(soak *s)
{
    switch (roll(s, 6)) {
    case 0:
    case 1: request(s); break;
    case 2: drive(s); break;
    case 3: hub_acts(s); break;
    case 4:
        if (roll(s, 3) == 0) {
            trouble(s);
        }
        break;
    default: sleep_some(s);
    }
    assert_int_equal(iothub_process(s->f.client), IOTHUB_OK);
}

static void calm(soak *s)
{
    scripted_stream *stream = &s->f.platform.streams[0];

    s->f.hub.mute_publish = s->f.hub.mute_connect = s->f.hub.mute_subscribe = false;
    s->f.hub.return_code = 0;
    s->f.hub.twin_status = 200;
    stream->send_max = stream->recv_max = 0;
    stream->send_room = SIZE_MAX;
    stream->stall_at = PLAT_STAGE_OPEN;
    scripted_fail(stream, SCRIPTED_ANY, 0, PLAT_OK);
}

static unsigned open_requests(const soak *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < OPS; i++) {
        assert_true(s->ended[i] <= s->taken[i]);
        n += (unsigned)(s->taken[i] - s->ended[i]);
    }
    return n;
}

static void each_request_ends_once_whatever_happens(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        soak *s = calloc(1, sizeof *s);
        fixture_init(&s->f, options);
        s->seed = seed;
        for (int n = 0; n < 3000; n++) {
            step(s);
        }

        calm(s);
        (void)iothub_stop(s->f.client, 0); /* from any state, all of it ends */
        for (int n = 0; n < 20000 && s->f.client->wish.stop; n++) {
            iothub_poll p;
            iothub_poll_info(s->f.client, &p);
            fake_clock_advance(&s->f.platform.clock, p.timeout_ms > 0 ? (uint64_t)p.timeout_ms : 0);
            assert_int_equal(iothub_process(s->f.client), IOTHUB_OK);
        }
        assert_false(s->f.client->wish.stop);

        /* With the trouble over it connects again, whatever its history. */
        for (int n = 0; n < 100000 && iothub_get_state(s->f.client) != IOTHUB_CONNECTED; n++) {
            iothub_poll p;
            (void)iothub_start(s->f.client);
            iothub_poll_info(s->f.client, &p);
            fake_clock_advance(&s->f.platform.clock, p.timeout_ms > 0 ? (uint64_t)p.timeout_ms : 0);
            assert_int_equal(iothub_process(s->f.client), IOTHUB_OK);
        }
        if (iothub_get_state(s->f.client) != IOTHUB_CONNECTED) {
            fail_msg("seed %u: %s", (unsigned)seed, iothub_state_str(s->f.client->session.state));
        }

        s->closing = true; /* deinit takes no more, and ends the rest */
        iothub_deinit(s->f.client);
        assert_int_equal(open_requests(s), 0);
        assert_true(s->accepted > 100);
        fixture_free(&s->f);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_ends_once_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
