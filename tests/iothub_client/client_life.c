#include "client_life.h"

#include <stdio.h>
#include <string.h>

#include "iothub/message.h"
#include "store_fixture.h"
#include "token_fixture.h"

/* The provider's token, and one of the certificates, outlive every test that does not set the
 * clock. */
enum { LONG_S = 100000000, SHORT_S = 3600 };

static uint32_t roll(client_life *l, uint32_t sides)
{
    return l->roll(l, sides);
}

static void note(client_life *l, iothub_result r, iothub_op op)
{
    if (r != IOTHUB_OK) {
        return;
    }
    assert_false(l->closing);
    assert_in_range(op, 1, CLIENT_LIFE_OPS - 1);
    assert_int_equal(l->taken[op]++, 0);
    l->accepted++;
}

static void request(client_life *l)
{
    iothub_client *c = l->f.client;
    const char body[300] = "x";
    iothub_op op = 0;
    iothub_result r = IOTHUB_ERR_ARG;

    switch (roll(l, 6)) {
    case 0:
    case 1:
    case 2: {
        const iothub_telemetry t = { .body = body,
                                     .body_len = roll(l, sizeof body),
                                     .at_most_once = roll(l, 4) == 0,
                                     .ttl_ms = roll(l, 4) == 0 ? roll(l, 5000) : 0 };
        r = iothub_send_telemetry(c, &t, &op);
        break;
    }
    case 3: r = iothub_twin_get(c, NULL, &op); break;
    case 4: r = iothub_twin_report(c, "{\"a\":1}", 7, NULL, &op); break;
    default: r = iothub_method_respond(c, &l->tokens[roll(l, 8)], 200, "{}", 2, NULL, &op); break;
    }
    note(l, r, op);
}

static void drive(client_life *l)
{
    iothub_client *c = l->f.client;

    switch (roll(l, 5)) {
    case 0: (void)iothub_start(c); break;
    case 1:
        if (roll(l, 4) == 0) {
            (void)iothub_stop(c, roll(l, 2) * roll(l, 10000));
        }
        break;
    case 2: (void)iothub_reconnect_now(c); break;
    case 3: (void)iothub_message_accept(c, l->deliveries[roll(l, 8)]); break;
    default:
        assert_int_equal(iothub_process(c), c->context.processing || c->context.logging
                                                ? IOTHUB_ERR_STATE
                                                : IOTHUB_OK);
    }
}

/* --- what changes while the client lives ------------------------------------------------------ */

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user);
static void on_desired(iothub_client *c, const iothub_desired *d, void *user);
static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call,
                                       void *user);

/* Answers a request for a token immediately, later or never. */
static void on_token_wanted(iothub_client *c, void *user)
{
    client_life *l = user;

    fixture_check_unlocked(&l->f);
    switch (roll(l, 4)) {
    case 0: (void)iothub_token_failed(c, "no token today"); break;
    case 1: (void)iothub_provide_token(c, l->token); break;
    default: break;
    }
}

static void make_credentials(client_life *l)
{
    const iothub_credential key = iothub_key_credential(KEY, NULL);

    memcpy(l->token, device_token(LONG_S), sizeof l->token);
    /* Not more than the tokens that the client makes with its key. */
    l->provider = (iothub_token_provider){ .request = on_token_wanted,
                                           .user = l,
                                           .memory = l->token_memory,
                                           .memory_size = strlen(l->token) + 1 };
    for (size_t i = 0; i < 2; i++) {
        const int64_t until_s = NOW + (i == 0 ? LONG_S : SHORT_S);
        l->identities[i].info = (plat_identity_info){ .key = PLAT_KEY_EC_P256,
                                                      .certificates = 1,
                                                      .not_before_s = NOW - SHORT_S,
                                                      .not_after_s = until_s,
                                                      .chain_until_s = until_s,
                                                      .common_name = "device1" };
    }
    l->lists[0][0] = l->lists[1][1] = key;
    l->lists[0][1] = l->lists[3][0] = iothub_x509_credential(&l->identities[0]);
    l->lists[1][0] = iothub_provider_credential(&l->provider);
    l->lists[2][0] = iothub_x509_credential(&l->identities[1]);
    l->lists[2][1] = iothub_token_credential(l->token);
    l->lists[3][1] = iothub_provider_credential(&l->provider);
}

/* Gives the client other credentials, answers its request for a token, or sets or removes a
 * callback. */
static void change(client_life *l)
{
    iothub_client *c = l->f.client;
    const bool wanted = roll(l, 2) == 0;

    switch (roll(l, 5)) {
    case 0:
        if (iothub_set_credentials(c, l->lists[roll(l, CLIENT_LIFE_LISTS)],
                                   wanted ? CLIENT_LIFE_LIST_LEN : 1) == IOTHUB_OK) {
            l->replaced++;
        }
        break;
    case 1:
        (void)(wanted ? iothub_provide_token(c, l->token) : iothub_token_failed(c, NULL));
        break;
    case 2: assert_int_equal(iothub_set_c2d_callback(c, wanted ? on_c2d : NULL), IOTHUB_OK); break;
    case 3:
        assert_int_equal(iothub_set_desired_callback(c, wanted ? on_desired : NULL), IOTHUB_OK);
        break;
    default:
        assert_int_equal(iothub_set_method_callback(c, wanted ? on_method : NULL), IOTHUB_OK);
        break;
    }
}

/* --- callbacks ---------------------------------------------------------------------------------
 */

/* Called inside a callback: it sometimes makes a request, drives or changes the client. */
static void meddle(client_life *l)
{
    fixture_check_unlocked(&l->f);
    if (roll(l, 8) == 0) {
        request(l);
    }
    switch (roll(l, 8)) {
    case 0: drive(l); break;
    case 1: change(l); break;
    default: break;
    }
}

static void on_status(iothub_client *c, const iothub_status *st, void *user)
{
    client_life *l = user;
    assert_int_equal(st->state, iothub_get_state(c));
    assert_true(st->state != IOTHUB_WAITING || (st->reason != IOTHUB_OK && st->retry_in_ms > 0));
    meddle(l);
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    client_life *l = user;
    (void)c;
    assert_in_range(d->op, 1, CLIENT_LIFE_OPS - 1);
    assert_int_equal(l->taken[d->op], 1);
    assert_int_equal(l->ended[d->op]++, 0);
    meddle(l);
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    assert_true(d->json.len > 0);
    meddle(user);
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    client_life *l = user;
    (void)c;
    l->deliveries[roll(l, 8)] = iothub_message_delivery(m);
    meddle(l);
    return roll(l, 2) == 0 ? IOTHUB_ACCEPT : IOTHUB_DEFER;
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    client_life *l = user;
    (void)c;
    l->tokens[roll(l, 8)] = call->token;
    meddle(l);
    return roll(l, 4) == 0 ? IOTHUB_METHOD_UNKNOWN : IOTHUB_METHOD_TAKEN;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)module;
    (void)text;
    meddle(user);
}

static void options(iothub_options *o)
{
    o->callbacks = (iothub_callbacks){
        .status = on_status,
        .done = on_done,
        .c2d = on_c2d,
        .desired = on_desired,
        .method = on_method,
        .log = on_log,
    };
    o->tx_size = 4096;
    o->request_size = 512;
    o->sas_lifetime_s = 600;
}

static void stored_options(iothub_options *o)
{
    options(o);
    o->store = &fixture_store.base;
    o->window = 4;
    o->queue_max_count = 30;
    o->when_full = IOTHUB_DROP_OLDEST;
}

/* Sends a valid topic followed by random text. */
static void hub_lies(client_life *l, scripted_stream *stream)
{
    static const char *const topics[] = {
        "devices/device1/messages/devicebound/",
        "$iothub/methods/POST/",
        "$iothub/twin/PATCH/properties/desired/?$version=",
        "$iothub/twin/res/",
        "$iothub/twin/res/200/?$rid=",
    };
    char topic[128];
    uint8_t payload[64];
    size_t len = roll(l, 2) ? roll(l, sizeof payload) : 0;

    size_t at = (size_t)snprintf(topic, sizeof topic, "%s", topics[roll(l, 5)]);
    for (uint32_t n = roll(l, 24); n > 0; n--) {
        topic[at++] = (char)roll(l, 256);
    }
    topic[at] = '\0';
    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)roll(l, 256);
    }
    fake_hub_send(stream, topic, payload, len, (uint16_t)roll(l, 3));
}

static void hub_breaks_the_rules(client_life *l, scripted_stream *stream)
{
    uint8_t bytes[32];
    size_t len = 1 + roll(l, sizeof bytes);

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)roll(l, 256);
    }
    scripted_feed(stream, bytes, len);
}

static void hub_acts(client_life *l)
{
    scripted_stream *stream = fixture_stream(&l->f);
    uint16_t id = (uint16_t)(1 + roll(l, 500));

    if (stream == NULL || stream->state != SCRIPTED_READY ||
        iothub_get_state(l->f.client) < IOTHUB_SUBSCRIBING) {
        return;
    }
    switch (roll(l, l->hostile ? 6 : 3)) {
    case 0:
        fake_hub_send(stream, "devices/device1/messages/devicebound/a=b", "c2d", 3,
                      roll(l, 2) ? id : 0);
        break;
    case 1: fake_hub_send(stream, "$iothub/methods/POST/m/?$rid=5", "{}", 2, 0); break;
    case 2:
        fake_hub_send(stream, "$iothub/twin/PATCH/properties/desired/?$version=2",
                      "{\"$version\":2}", 14, 0);
        break;
    case 3: hub_breaks_the_rules(l, stream); break;
    default: hub_lies(l, stream); break;
    }
}

static void trouble(client_life *l)
{
    static const int twin[] = { 200, 200, 200, 0, 429, 500, 599, 400 };
    static const int64_t clocks[] = { 0, 1700000000, 1700003600, 1800000000, 4294967296 };
    fake_hub *h = &l->f.hub;
    /* A client uses at most two streams. */
    scripted_stream *stream = &l->f.platform.streams[roll(l, 2)];

    h->mute_publish = roll(l, 4) == 0;
    h->mute_connect = roll(l, 8) == 0;
    h->mute_subscribe = roll(l, 8) == 0;
    h->return_code = roll(l, 6) == 0 ? (uint8_t)(1 + roll(l, 5)) : 0;
    h->session_present = roll(l, 2) == 0;
    h->twin_status = twin[roll(l, 8)];
    stream->send_max = roll(l, 4) == 0 ? 1 + roll(l, 30) : 0;
    stream->recv_max = roll(l, 4) == 0 ? 1 + roll(l, 5) : 0;
    stream->send_room = roll(l, 4) == 0 ? roll(l, 300) : SIZE_MAX;
    stream->stage_calls = roll(l, 3);
    stream->stall_at =
        roll(l, 8) == 0 ? (plat_stage)(PLAT_STAGE_RESOLVE + (int)roll(l, 3)) : PLAT_STAGE_OPEN;
    if (roll(l, 4) == 0) {
        fake_clock_set_wall(&l->f.platform.clock, clocks[roll(l, 5)]);
        /* Nothing wakes a client when the clock is set; it looks at the clock in each turn. */
        assert_int_equal(iothub_process(l->f.client), IOTHUB_OK);
    }
    if (roll(l, 4) == 0) {
        scripted_fail(stream, SCRIPTED_ANY, 1 + roll(l, 10), PLAT_ERR_IO);
    }
    if (l->stored) {
        fixture_store.max_count = roll(l, 4) == 0 ? 1 + roll(l, 20) : 0;
        fake_store_fail(&fixture_store, roll(l, 2) * roll(l, 50), roll(l, 20), PLAT_ERR_STORE);
        (void)iothub_purge(l->f.client, NULL);
    }
}

/* The state of a client as far as it can be observed from outside. */
typedef struct outside {
    iothub_state state;
    iothub_stats stats;
    unsigned statuses;
    unsigned ended;
    uint64_t sent[2];
    unsigned opened[2];
    unsigned closed[2];
} outside;

static unsigned sum(const uint8_t counts[CLIENT_LIFE_OPS])
{
    unsigned n = 0;
    for (size_t i = 0; i < CLIENT_LIFE_OPS; i++) {
        n += counts[i];
    }
    return n;
}

static void look(const client_life *l, outside *o)
{
    memset(o, 0, sizeof *o); /* clears the padding, because it is compared, too */
    o->state = iothub_get_state(l->f.client);
    iothub_get_stats(l->f.client, &o->stats);
    o->stats.recv_calls = o->stats.send_calls = 0; /* attempts that transfer nothing are allowed */
    o->statuses = l->f.status_count;
    o->ended = sum(l->ended);
    for (size_t i = 0; i < 2; i++) {
        const scripted_stream *s = &l->f.platform.streams[i];
        o->sent[i] = s->tx_total;
        o->opened[i] = s->calls[SCRIPTED_OPEN];
        o->closed[i] = s->calls[SCRIPTED_CLOSE];
    }
}

/* Returns whether an event loop that waits for what iothub_poll_info returns would sleep now. */
static bool sleeps(const client_life *l)
{
    iothub_poll p;
    bool ready = false;

    iothub_poll_info(l->f.client, &p);
    for (size_t i = 0; i < 2; i++) {
        const scripted_stream *s = &l->f.platform.streams[i];
        ready = ready || s->fail_in > 0 || scripted_is_ready(s, &p.fds[0]) ||
                scripted_is_ready(s, &p.fds[1]);
    }
    return p.timeout_ms != 0 && !ready && fixture_store.fail_at == 0;
}

/* If a client wants to sleep, it must have nothing to do: a call of iothub_process without any
 * event changes nothing. */
static void check_sleep(client_life *l)
{
    outside before;
    outside after;

    if (!sleeps(l)) {
        return;
    }
    look(l, &before);
    assert_int_equal(iothub_process(l->f.client), IOTHUB_OK);
    look(l, &after);
    if (memcmp(&before, &after, sizeof before) != 0) {
        fail_msg("a client that wanted to sleep had work: %s, then %s",
                 iothub_state_str(before.state), iothub_state_str(after.state));
    }
}

/* Sleeps as long as the client asks. If it wakes many times without any time passing, it is in a
 * busy loop and the test fails. */
static void sleep_some(client_life *l)
{
    uint64_t left = roll(l, 4) == 0 ? roll(l, 700000) : roll(l, 2000);
    unsigned idle = 0;

    while (left > 0) {
        iothub_poll p;
        iothub_poll_info(l->f.client, &p);
        uint64_t nap =
            p.timeout_ms < 0 || (uint64_t)p.timeout_ms > left ? left : (uint64_t)p.timeout_ms;
        idle = nap == 0 ? idle + 1 : 0;
        assert_true(idle < 5000);
        left -= nap;
        fake_clock_advance(&l->f.platform.clock, nap);
        assert_int_equal(iothub_process(l->f.client), IOTHUB_OK);
    }
}

void client_life_step(client_life *l)
{
    switch (roll(l, 6)) {
    case 0:
    case 1: request(l); break;
    case 2: drive(l); break;
    case 3: hub_acts(l); break;
    case 4:
        switch (roll(l, 3)) {
        case 0: trouble(l); break;
        case 1: change(l); break;
        default: break;
        }
        break;
    default: sleep_some(l);
    }
    store_check_sum(&l->f);
    check_sleep(l);
    assert_int_equal(iothub_process(l->f.client), IOTHUB_OK);
    store_check_sum(&l->f);
    check_sleep(l);
}

static void calm(client_life *l)
{
    fake_clock_set_wall(&l->f.platform.clock, 1700000000);
    l->f.hub.mute_publish = l->f.hub.mute_connect = l->f.hub.mute_subscribe = false;
    l->f.hub.return_code = 0;
    l->f.hub.twin_status = 200;
    for (size_t i = 0; i < 2; i++) {
        scripted_stream *stream = &l->f.platform.streams[i];
        stream->send_max = stream->recv_max = 0;
        stream->send_room = SIZE_MAX;
        stream->stall_at = PLAT_STAGE_OPEN;
        scripted_fail(stream, SCRIPTED_ANY, 0, PLAT_OK);
        fake_store_fail(&fixture_store, 0, 0, PLAT_OK);
    }
}

/* Sleeps as long as the client asks, then calls iothub_process. */
static void nap(client_life *l)
{
    iothub_poll p;

    iothub_poll_info(l->f.client, &p);
    fake_clock_advance(&l->f.platform.clock, p.timeout_ms > 0 ? (uint64_t)p.timeout_ms : 0);
    assert_int_equal(iothub_process(l->f.client), IOTHUB_OK);
    (void)iothub_provide_token(l->f.client, l->token); /* if it is requested */
}

static unsigned open_requests(const client_life *l)
{
    unsigned n = 0;
    for (size_t i = 0; i < CLIENT_LIFE_OPS; i++) {
        assert_true(l->ended[i] <= l->taken[i]);
        n += (unsigned)(l->taken[i] - l->ended[i]);
    }
    return n;
}

void client_life_begin(client_life *l)
{
    fake_store_init(&fixture_store);
    make_credentials(l);
    fixture_init(&l->f, l->stored ? stored_options : options);
    fixture_lock(&l->f);
}

void client_life_end(client_life *l)
{
    iothub_client *c = l->f.client;

    calm(l);
    (void)iothub_stop(c, 0); /* a stop must end everything in any state */
    for (int n = 0; n < 20000 && c->session.wish.kind != IOTHUB_WISH_NONE; n++) {
        nap(l);
    }
    assert_int_equal(c->session.wish.kind, IOTHUB_WISH_NONE);

    /* Without further faults the client connects again, whatever has happened before. */
    for (int n = 0; n < 100000 && iothub_get_state(c) != IOTHUB_CONNECTED; n++) {
        (void)iothub_start(c);
        nap(l);
    }
    if (iothub_get_state(c) != IOTHUB_CONNECTED) {
        fail_msg("not connected again: %s", iothub_state_str(iothub_get_state(c)));
    }

    l->closing = true; /* from now on requests are refused, and iothub_deinit ends the open ones */
    iothub_deinit(c);
    assert_int_equal(open_requests(l), 0);
    fixture_free(&l->f);
    fake_store_free(&fixture_store);
}
