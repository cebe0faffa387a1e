#include "connection/channel.h"
#include "context/result_map.h"
#include "context_fixture.h"

typedef struct channel_rig {
    context_fixture base;
    iothub_channel ch;
    scripted_stream *stream; /* the stream that the channel has made */
    iothub_error error;
} channel_rig;

static void begin(channel_rig *r)
{
    memset(r, 0, sizeof *r);
    context_fixture_init(&r->base);
    channel_init(&r->ch, &r->base.context);
    r->stream = &r->base.platform.streams[0];
}

static void end(channel_rig *r)
{
    channel_deinit(&r->ch);
    context_fixture_free(&r->base);
}

static mqc_time now(const channel_rig *r)
{
    return context_now(&r->base.context);
}

static void open_it(channel_rig *r)
{
    assert_int_equal(channel_open(&r->ch, NULL, &r->error), IOTHUB_OK);
}

static void open_whole(channel_rig *r)
{
    open_it(r);
    assert_int_equal(channel_progress(&r->ch, now(r), &r->error), CHANNEL_READY);
}

static void it_opens_stage_by_stage(void **state)
{
    (void)state;
    static const struct {
        plat_stage stall_at;
        channel_state state;
        iothub_state as_state;
    } steps[] = {
        { PLAT_STAGE_RESOLVE, CHANNEL_RESOLVING, IOTHUB_RESOLVING },
        { PLAT_STAGE_CONNECT, CHANNEL_CONNECTING, IOTHUB_CONNECTING },
        { PLAT_STAGE_TLS, CHANNEL_SECURING, IOTHUB_SECURING },
        { PLAT_STAGE_UPGRADE, CHANNEL_UPGRADING, IOTHUB_SECURING },
    };
    channel_rig r;
    begin(&r);
    assert_false(channel_in_use(&r.ch));
    assert_int_equal(channel_as_state(&r.ch), IOTHUB_STOPPED);
    fake_clock_advance(&r.base.platform.clock, 77);
    open_it(&r);
    assert_int_equal(r.ch.began, now(&r));
    assert_string_equal(r.stream->host, "hub.example");
    assert_int_equal(r.stream->port, 8883);

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        r.stream->stall_at = steps[i].stall_at;
        assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
        assert_int_equal(r.ch.state, steps[i].state);
        assert_int_equal(channel_as_state(&r.ch), steps[i].as_state);
        assert_true(channel_is_opening(&r.ch) && channel_in_use(&r.ch));
    }
    r.stream->stall_at = PLAT_STAGE_OPEN;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_READY);
    assert_int_equal(channel_as_state(&r.ch), IOTHUB_LOGGING_IN);
    assert_false(channel_is_opening(&r.ch));
    assert_true(channel_in_use(&r.ch));
    end(&r);
}

/* The stream is made with the TLS settings of the options. */
static void its_stream_is_made_as_the_options_say(void **state)
{
    (void)state;
    static const char text[] = "a text in PEM form";
    static const iothub_tls cases[] = {
        { .ca_data = text },
        { .ca_data = text, .ca_len = 6, .roots = PLAT_ROOTS_SYSTEM },
        { .roots = PLAT_ROOTS_COMPILED_IN, .max_version = PLAT_TLS_1_2 },
        { .min_version = PLAT_TLS_1_3 },
        { 0 },
    };
    for (size_t i = 0; i <= sizeof cases / sizeof cases[0]; i++) {
        channel_rig r;
        begin(&r);
        const iothub_tls none = { 0 };
        const iothub_tls *tls = i < sizeof cases / sizeof cases[0] ? &cases[i] : NULL;
        r.base.context.options.ca_file = "roots.pem";
        r.base.context.options.tls = tls;
        open_it(&r);
        const plat_stream_config *made = &r.base.platform.net.configs[0];
        tls = tls != NULL ? tls : &none;
        assert_int_equal(made->kind, PLAT_STREAM_TLS);
        assert_string_equal(made->ca_file, "roots.pem");
        assert_ptr_equal(made->ca_data, tls->ca_data);
        assert_int_equal(made->ca_len, i == 0 ? sizeof text - 1 : tls->ca_len);
        assert_int_equal(made->roots, tls->roots);
        assert_int_equal(made->min_version, tls->min_version);
        assert_int_equal(made->max_version, tls->max_version);
        assert_null(made->identity);
        end(&r);
    }
}

/* A hub is asked not to request a certificate from a device that has none; the service of DPS,
 * which has no device id here, does not know that query. */
static void over_websocket_it_asks_for_the_path_of_the_hub_on_port_443(void **state)
{
    (void)state;
    static const plat_websockets websockets;
    for (unsigned is_hub = 0; is_hub <= 1; is_hub++) {
        channel_rig r;
        begin(&r);
        r.base.platform.platform.websockets = &websockets;
        r.base.context.options.transport = IOTHUB_MQTT_WS;
        r.base.context.identity.device_id = mqc_span_str(is_hub ? "device" : "");
        open_it(&r);
        assert_int_equal(r.stream->port, 443);
        const plat_stream_config *made = &r.base.platform.net.configs[0];
        assert_int_equal(made->kind, PLAT_STREAM_TLS);
        assert_non_null(made->websocket);
        assert_ptr_equal(made->websocket->websockets, &websockets);
        assert_string_equal(made->websocket->path, "/$iothub/websocket");
        assert_string_equal(made->websocket->subprotocol, "mqtt");
        if (is_hub) {
            assert_string_equal(made->websocket->query_without_identity,
                                "?iothub-no-client-cert=true");
        } else {
            assert_null(made->websocket->query_without_identity);
        }
        end(&r);
    }
}

static void a_chosen_port_is_used_over_every_transport(void **state)
{
    (void)state;
    static const plat_websockets websockets;
    static const iothub_transport transports[] = { IOTHUB_MQTT, IOTHUB_MQTT_WS };
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        channel_rig r;
        begin(&r);
        r.base.platform.platform.websockets = &websockets;
        r.base.context.options.transport = transports[i];
        r.base.context.options.port = 8443;
        open_it(&r);
        assert_int_equal(r.stream->port, 8443);
        end(&r);
    }
}

static void a_late_proxy_is_named(void **state)
{
    (void)state;
    static const plat_tunnels tunnels;
    for (unsigned has_proxy = 0; has_proxy <= 1; has_proxy++) {
        channel_rig r;
        begin(&r);
        r.base.platform.platform.tunnels = &tunnels;
        r.base.context.options.proxy = has_proxy ? "http://proxy:1" : NULL;
        r.stream->stall_at = PLAT_STAGE_CONNECT;
        open_it(&r);
        while (r.ch.state != CHANNEL_CONNECTING) {
            (void)channel_progress(&r.ch, now(&r), &r.error);
        }
        const char *text = channel_late_text(&r.ch, channel_as_state(&r.ch));
        assert_int_equal(strstr(text, "through the proxy") != NULL, has_proxy != 0);
        assert_non_null(strstr(text, "within connect_timeout_ms"));
        end(&r);
    }
}

static void auto_begins_with_the_way_that_is_preferred(void **state)
{
    (void)state;
    static const plat_websockets websockets;
    for (unsigned prefers = 0; prefers <= 1; prefers++) {
        channel_rig r;
        begin(&r);
        r.base.platform.platform.websockets = &websockets;
        r.base.context.options.transport = IOTHUB_AUTO;
        context_prefer_websocket(&r.base.context, prefers != 0);
        open_it(&r);
        const plat_stream_config *made = &r.base.platform.net.configs[0];
        assert_null(made->websocket);
        assert_non_null(made->second_way);
        assert_int_equal(made->second_way->port, 443);
        assert_int_equal(made->second_way->first_port, 8883);
        assert_int_equal(r.stream->port, prefers ? 443 : 8883);
        end(&r);
    }
}

static void with_a_proxy_the_stream_gets_a_tunnel_over_every_transport(void **state)
{
    (void)state;
    static const plat_websockets websockets;
    static const plat_tunnels tunnels;
    static const iothub_transport transports[] = { IOTHUB_MQTT, IOTHUB_MQTT_WS };
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        channel_rig r;
        begin(&r);
        r.base.platform.platform.websockets = &websockets;
        r.base.platform.platform.tunnels = &tunnels;
        r.base.context.options.transport = transports[i];
        r.base.context.options.proxy = "http://proxy:1";
        open_it(&r);
        const plat_stream_config *made = &r.base.platform.net.configs[0];
        assert_non_null(made->tunnel);
        assert_ptr_equal(made->tunnel->tunnels, &tunnels);
        assert_string_equal(made->tunnel->proxy, "http://proxy:1");
        end(&r);
    }
}

/* The upgrade begins a stage of its own, although the state of the connection stays the same. */
static void the_upgrade_has_the_deadline_of_tls_again_and_its_own_text(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_it(&r);
    const uint32_t budget_ms = r.base.context.options.tls_timeout_ms;
    r.stream->stall_at = PLAT_STAGE_TLS;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    assert_non_null(strstr(channel_late_text(&r.ch, channel_as_state(&r.ch)), "TLS handshake"));
    fake_clock_advance(&r.base.platform.clock, budget_ms - 1);
    r.stream->stall_at = PLAT_STAGE_UPGRADE;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    assert_non_null(strstr(channel_late_text(&r.ch, channel_as_state(&r.ch)), "WebSocket"));
    fake_clock_advance(&r.base.platform.clock, budget_ms / 2);
    assert_false(channel_is_late(&r.ch, now(&r)));
    fake_clock_advance(&r.base.platform.clock, budget_ms - budget_ms / 2);
    assert_true(channel_is_late(&r.ch, now(&r)));
    end(&r);
}

/* A stream that tries its next address starts again at an early stage. */
static void it_never_steps_back(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_it(&r);
    r.stream->stall_at = PLAT_STAGE_TLS;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    r.stream->stage = r.stream->stall_at = PLAT_STAGE_CONNECT;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    assert_int_equal(r.ch.state, CHANNEL_SECURING);
    end(&r);
}

static void its_stream_is_made_once_and_opened_again(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    for (unsigned times = 1; times <= 3; times++) {
        open_whole(&r);
        assert_int_equal(r.base.platform.net.made, 1);
        assert_int_equal(r.stream->calls[SCRIPTED_OPEN], times);
        channel_close(&r.ch);
        assert_int_equal(r.stream->state, SCRIPTED_CLOSED);
        assert_int_equal(r.ch.state, CHANNEL_CLOSED);
        assert_true(channel_deadline(&r.ch) == IOTHUB_NEVER);
    }
    end(&r);
}

static void a_stream_that_cannot_be_made_is_tried_again(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    r.base.platform.net.stream_result = PLAT_ERR_MEMORY;
    assert_int_equal(channel_open(&r.ch, NULL, &r.error), IOTHUB_ERR_MEMORY);
    assert_string_not_equal(r.error.text, "");
    assert_false(channel_in_use(&r.ch));
    r.base.platform.net.stream_result = PLAT_OK;
    open_whole(&r);
    end(&r);
}

static void a_failure_has_the_words_of_the_stream_or_of_its_code(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    scripted_fail(r.stream, SCRIPTED_OPEN, 1, PLAT_ERR_CONNECT);
    assert_int_equal(channel_open(&r.ch, NULL, &r.error), IOTHUB_ERR_CONNECT);
    assert_string_equal(r.error.text, "scripted failure");
    assert_false(channel_in_use(&r.ch));
    channel_close(&r.ch);

    open_it(&r);
    scripted_fail(r.stream, SCRIPTED_PROGRESS, 1, PLAT_ERR_CERT_HOST);
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_FAILED);
    assert_int_equal(r.error.code, IOTHUB_ERR_TLS_HOST);
    assert_string_equal(r.error.text, "scripted failure");
    channel_close(&r.ch);

    r.stream->failure_detail = "";
    assert_int_equal(channel_why(&r.ch, PLAT_ERR_IO, &r.error), iothub_from_plat(PLAT_ERR_IO));
    assert_string_equal(r.error.text, plat_result_str(PLAT_ERR_IO));
    (void)channel_why(&r.ch, PLAT_EOF, &r.error);
    assert_string_equal(r.error.text, "the hub closed the connection");
    end(&r);
}

static void each_stage_of_opening_has_its_budget(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_it(&r);
    const mqc_time began = now(&r);
    const mqc_time budget = channel_deadline(&r.ch) - began;
    r.stream->stall_at = PLAT_STAGE_RESOLVE;
    assert_in_range(budget, 1, 60000);

    fake_clock_advance(&r.base.platform.clock, budget - 1);
    assert_false(channel_is_late(&r.ch, now(&r)));
    fake_clock_advance(&r.base.platform.clock, 1);
    assert_true(channel_is_late(&r.ch, now(&r)));
    r.stream->stall_at = PLAT_STAGE_CONNECT;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    /* The channel is not late, because the next stage has begun. */
    assert_false(channel_is_late(&r.ch, now(&r)));
    r.stream->stall_at = PLAT_STAGE_OPEN;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_READY);
    assert_true(channel_deadline(&r.ch) == IOTHUB_NEVER);
    end(&r);
}

static void a_handshake_goes_on_while_bytes_move_but_not_forever(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_it(&r);
    r.stream->stall_at = PLAT_STAGE_TLS;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    const mqc_time half = channel_deadline(&r.ch) - now(&r);
    unsigned halves = 0;

    do {
        fake_clock_advance(&r.base.platform.clock, half);
        r.stream->hidden += 100000;
        halves++;
        assert_true(halves < 100);
    } while (!channel_is_late(&r.ch, now(&r)));
    assert_in_range(halves, 19, 21); /* about 20 halves, which is ten times the budget */
    channel_close(&r.ch);

    open_it(&r);
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    fake_clock_advance(&r.base.platform.clock, half);
    assert_false(channel_is_late(&r.ch, now(&r))); /* the second half of the budget has begun */
    fake_clock_advance(&r.base.platform.clock, half);
    assert_true(channel_is_late(&r.ch, now(&r))); /* no byte has moved in either half */
    end(&r);
}

static void the_connection_over_it_goes_on_with_an_attempt_of_its_own(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_it(&r);
    r.stream->stall_at = PLAT_STAGE_TLS;
    assert_int_equal(channel_progress(&r.ch, now(&r), &r.error), CHANNEL_WAITS);
    const mqc_time before = channel_deadline(&r.ch);
    fake_clock_advance(&r.base.platform.clock, 5000);

    channel_adopt(&r.ch, now(&r));

    assert_int_equal(r.ch.state, CHANNEL_SECURING);
    assert_int_equal(r.ch.began, now(&r));
    assert_int_equal(channel_deadline(&r.ch), before + 5000);
    channel_set_deadline(&r.ch, 99);
    assert_int_equal(channel_deadline(&r.ch), 99);
    channel_begin_stage(&r.ch, IOTHUB_LOGGING_IN, now(&r));
    assert_true(channel_deadline(&r.ch) > now(&r));
    end(&r);
}

static void bytes_move_and_a_full_stream_is_remembered(void **state)
{
    (void)state;
    channel_rig r;
    uint8_t bytes[8];
    size_t n;
    plat_flow flow;
    begin(&r);
    assert_false(channel_flow(&r.ch, &flow)); /* the channel has no stream yet */
    open_whole(&r);
    scripted_feed(r.stream, "abc", 3);

    assert_int_equal(channel_recv(&r.ch, bytes, sizeof bytes, &n), PLAT_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(channel_recv(&r.ch, bytes, sizeof bytes, &n), PLAT_WOULD_BLOCK);
    r.stream->send_room = 2;
    assert_int_equal(channel_send(&r.ch, "xyz", 3, &n), PLAT_OK);
    assert_int_equal(n, 2);
    assert_false(r.ch.want_write);
    assert_int_equal(channel_send(&r.ch, "z", 1, &n), PLAT_WOULD_BLOCK);
    assert_true(r.ch.want_write);
    r.stream->send_room = 10;
    assert_int_equal(channel_send(&r.ch, "z", 1, &n), PLAT_OK);
    assert_false(r.ch.want_write);
    assert_true(channel_flow(&r.ch, &flow));
    assert_int_equal(flow.received, 3);
    end(&r);
}

static void an_idle_channel_is_watched(void **state)
{
    (void)state;
    channel_rig r;
    begin(&r);
    open_whole(&r);
    assert_int_equal(channel_watch(&r.ch, &r.error), CHANNEL_WAITS);
    scripted_feed(r.stream, "x", 1);
    assert_int_equal(channel_watch(&r.ch, &r.error), CHANNEL_FAILED);
    assert_int_equal(r.error.code, IOTHUB_ERR_PROTOCOL);
    assert_non_null(strstr(r.error.text, "before CONNECT"));
    channel_close(&r.ch);

    open_whole(&r);
    r.stream->recv_then = PLAT_EOF;
    assert_int_equal(channel_watch(&r.ch, &r.error), CHANNEL_FAILED);
    assert_string_equal(r.error.text, "the hub closed the connection");
    end(&r);
}

static void what_to_wait_for_is_that_of_the_stream(void **state)
{
    (void)state;
    channel_rig r;
    plat_poll p = { .fd = 77 };
    begin(&r);
    channel_poll(&r.ch, true, 5, &p);
    assert_int_equal(p.fd, 77); /* unchanged, because the channel has no stream yet */
    open_whole(&r);
    r.stream->fd = 9;
    channel_poll(&r.ch, true, 5, &p);
    assert_int_equal(p.fd, 9);
    assert_true(p.want_write && p.want_read);
    assert_int_equal(r.stream->last_least, 5);
    /* Poll works for a closed channel, too, so that an event loop learns of the close. */
    channel_close(&r.ch);
    channel_poll(&r.ch, false, 1, &p);
    assert_int_equal(p.fd, -1);
    end(&r);
}

static void each_opening_presents_the_certificate_that_it_is_given(void **state)
{
    (void)state;
    plat_identity certificates[2] = { { .info = { .certificates = 1 } } };
    plat_identity *const order[] = { NULL, &certificates[0], &certificates[1], NULL };
    channel_rig r;
    begin(&r);

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_int_equal(channel_open(&r.ch, order[i], &r.error), IOTHUB_OK);
        assert_ptr_equal(r.stream->identity, order[i]);
        channel_close(&r.ch);
    }
    assert_int_equal(r.base.platform.net.made, 1);
    end(&r);
}

static void a_stream_that_cannot_present_one_is_opened_without_only(void **state)
{
    (void)state;
    plat_identity certificate = { .info = { .certificates = 1 } };
    plat_stream_ops plain;
    channel_rig r;
    begin(&r);
    open_it(&r);
    channel_close(&r.ch);
    plain = *r.stream->base.ops;
    plain.set_identity = NULL;
    r.stream->base.ops = &plain;

    assert_int_equal(channel_open(&r.ch, &certificate, &r.error), IOTHUB_ERR_STATE);
    assert_int_equal(r.ch.state, CHANNEL_CLOSED);
    open_it(&r);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_stage_by_stage),
        cmocka_unit_test(its_stream_is_made_as_the_options_say),
        cmocka_unit_test(over_websocket_it_asks_for_the_path_of_the_hub_on_port_443),
        cmocka_unit_test(a_chosen_port_is_used_over_every_transport),
        cmocka_unit_test(a_late_proxy_is_named),
        cmocka_unit_test(auto_begins_with_the_way_that_is_preferred),
        cmocka_unit_test(with_a_proxy_the_stream_gets_a_tunnel_over_every_transport),
        cmocka_unit_test(the_upgrade_has_the_deadline_of_tls_again_and_its_own_text),
        cmocka_unit_test(it_never_steps_back),
        cmocka_unit_test(its_stream_is_made_once_and_opened_again),
        cmocka_unit_test(each_opening_presents_the_certificate_that_it_is_given),
        cmocka_unit_test(a_stream_that_cannot_present_one_is_opened_without_only),
        cmocka_unit_test(a_stream_that_cannot_be_made_is_tried_again),
        cmocka_unit_test(a_failure_has_the_words_of_the_stream_or_of_its_code),
        cmocka_unit_test(each_stage_of_opening_has_its_budget),
        cmocka_unit_test(a_handshake_goes_on_while_bytes_move_but_not_forever),
        cmocka_unit_test(the_connection_over_it_goes_on_with_an_attempt_of_its_own),
        cmocka_unit_test(bytes_move_and_a_full_stream_is_remembered),
        cmocka_unit_test(an_idle_channel_is_watched),
        cmocka_unit_test(what_to_wait_for_is_that_of_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
