#include "engine_fixture.h"

#include <stdio.h>

#define EVENTS "devices/device1/messages/events/"

/* Bytes before the topic of telemetry, into which the backlog writes a stamp. */
enum { STAMP_ROOM = 16 };

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    engine_fixture *f = user;

    assert_ptr_equal(c, f);
    assert_true(f->done_count < ENGINE_FIXTURE_LOG);
    f->dones[f->done_count++] = *d;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    engine_fixture *f = user;
    const size_t used = strlen(f->log);

    (void)level;
    int n = snprintf(f->log + used, sizeof f->log - used, "%s: %s\n", module, text);
    assert_true(n > 0 && (size_t)n < sizeof f->log - used);
}

static void init_engine(engine_fixture *f)
{
    mqc_memory m = {
        .rx = f->rx,
        .rx_len = sizeof f->rx,
        .control = f->control,
        .control_len = sizeof f->control,
        .inbound = f->inbound,
        .inbound_len = IOTHUB_UNACCEPTED_MAX,
        .lane_count = IOTHUB_LANES,
    };

    for (size_t i = 0; i < IOTHUB_LANES; i++) {
        m.lanes[i] = (mqc_lane_memory){
            .ring = f->rings[i],
            .ring_len = ENGINE_FIXTURE_RING,
            .entries = f->entries[i],
            .entries_len = ENGINE_FIXTURE_ENTRIES,
        };
    }
    assert_int_equal(mqc_init(&f->engine, &m), MQC_OK);
}

void engine_fixture_init(engine_fixture *f)
{
    iothub_context *c = &f->base.context;
    const size_t begin = STAMP_ROOM + strlen(EVENTS);

    memset(f, 0, sizeof *f);
    context_fixture_init(&f->base);
    fake_hub_init(&f->hub);
    init_engine(f);
    f->wire = &f->base.platform.streams[0];
    c->engine = &f->engine;
    c->handle = f;
    c->options.callbacks.done = on_done;
    c->options.callbacks.log = on_log;
    c->options.user = f;
    memcpy(f->scratch + STAMP_ROOM, EVENTS, strlen(EVENTS));
    context_set_scratch(c, f->scratch + begin, sizeof f->scratch - begin, strlen(EVENTS));
}

void engine_fixture_free(engine_fixture *f)
{
    context_fixture_free(&f->base);
}

mqc_time engine_fixture_now(const engine_fixture *f)
{
    return context_now(&f->base.context);
}

void engine_fixture_connect(engine_fixture *f)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("device1") };
    plat_stage stage;

    context_end_connection(&f->base.context); /* begins a new generation */
    assert_int_equal(f->wire->base.ops->open(&f->wire->base, "hub.example", 8883, 0), PLAT_OK);
    assert_int_equal(f->wire->base.ops->progress(&f->wire->base, 0, &stage), PLAT_OK);
    assert_int_equal(mqc_connect(&f->engine, &o, engine_fixture_now(f)), MQC_OK);
    context_set_state(&f->base.context, IOTHUB_CONNECTED);
    engine_fixture_run(f);
    assert_int_equal(mqc_get_state(&f->engine), MQC_CONNECTED);
}

void engine_fixture_cut(engine_fixture *f)
{
    f->wire->base.ops->close(&f->wire->base);
    mqc_reset(&f->engine);
    context_end_connection(&f->base.context);
    context_set_state(&f->base.context, IOTHUB_WAITING);
}

/* --- bytes and events ------------------------------------------------------------- */

static bool send_all(engine_fixture *f, mqc_time now)
{
    bool any = false;
    size_t len;
    size_t sent;
    const uint8_t *data;

    while (data = mqc_tx_data(&f->engine, &len), len > 0) {
        assert_int_equal(f->wire->base.ops->send(&f->wire->base, data, len, &sent), PLAT_OK);
        mqc_tx_consume(&f->engine, sent, now);
        any = true;
    }
    return any;
}

static void receive_all(engine_fixture *f, mqc_time now)
{
    size_t cap;
    size_t got;
    uint8_t *at = mqc_rx_space(&f->engine, &cap);

    if (cap > 0 && f->wire->base.ops->recv(&f->wire->base, at, cap, &got) == PLAT_OK) {
        assert_int_equal(mqc_rx_commit(&f->engine, got, now), MQC_OK);
    }
}

static bool take_events(engine_fixture *f)
{
    mqc_event event;
    bool any = false;

    while (mqc_next_event(&f->engine, &event)) {
        if (f->on_event != NULL) {
            f->on_event(f, &event);
        }
        any = true;
    }
    return any;
}

void engine_fixture_run(engine_fixture *f)
{
    const mqc_time now = engine_fixture_now(f);
    bool any = true;

    while (any) {
        assert_int_equal(mqc_tick(&f->engine, now), MQC_OK);
        any = send_all(f, now);
        any = fake_hub_serve(&f->hub, f->wire) || any;
        receive_all(f, now);
        any = take_events(f) || any;
    }
}
