#include <stdio.h>

#include "websocket/ws_stream.h"
#include "ws_stream_rig.h"

/* Tests the stream of a WebSocket that is open, and how it is made. */

static unsigned allocations_left = UINT32_MAX;

static bool out_of_memory(void)
{
    if (allocations_left == 0) {
        return true;
    }
    allocations_left -= allocations_left == UINT32_MAX ? 0 : 1;
    return false;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): these are the linker's names */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

void *__wrap_malloc(size_t size)
{
    return out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return out_of_memory() ? NULL : __real_calloc(count, size);
}

static void it_opens_and_carries_bytes_both_ways_again_and_again(void **state)
{
    (void)state;
    stream_rig r;
    begin(&r);
    for (unsigned times = 0; times < 3; times++) {
        uint8_t buf[16];
        size_t n;
        open_whole(&r);
        assert_non_null(strstr(r.request, "GET /mqtt HTTP/1.1\r\nHost: hub.example:8443\r\n"));
        assert_int_equal(r.s->ops->send(r.s, (const uint8_t *)"hello", 5, &n), PLAT_OK);
        assert_int_equal(n, 5);
        expect_frame(&r, OP_BINARY, "hello", 5);
        feed_frame(&r, FIN | OP_BINARY, "world", 5);
        assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_OK);
        assert_int_equal(n, 5);
        assert_memory_equal(buf, "world", 5);
        assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
        assert_string_equal(r.s->ops->detail(r.s), "");
        assert_int_equal(r.s->ops->open(r.s, "hub.example", 1, 0), PLAT_ERR_STATE);
        r.s->ops->close(r.s);
        expect_frame(&r, OP_CLOSE, "\x03\xe8", 2);
        assert_int_equal(r.lower.state, SCRIPTED_CLOSED);
        assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_ERR_STATE);
        assert_int_equal(r.s->ops->send(r.s, buf, 1, &n), PLAT_ERR_STATE);
    }
    end(&r);
}

static void it_is_ready_while_content_waits_that_the_socket_does_not_report(void **state)
{
    (void)state;
    stream_rig r;
    uint8_t buf[4];
    size_t n;
    begin(&r);
    open_whole(&r);
    assert_false(poll_it(&r, false).ready_now);
    feed_frame(&r, FIN | OP_BINARY, "123456", 6);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_OK);
    assert_true(poll_it(&r, false).ready_now);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 2);
    assert_false(poll_it(&r, false).ready_now);
    end(&r);
}

static void a_pong_is_sent_by_the_read_that_finds_the_ping(void **state)
{
    (void)state;
    stream_rig r;
    uint8_t buf[4];
    size_t n;
    begin(&r);
    open_whole(&r);
    feed_frame(&r, FIN | OP_PING, "abc", 3);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
    expect_frame(&r, OP_PONG, "abc", 3);
    end(&r);
}

static void a_pong_that_is_blocked_waits_for_the_socket_and_a_poll_sends_it(void **state)
{
    (void)state;
    stream_rig r;
    uint8_t buf[4];
    size_t n;
    begin(&r);
    open_whole(&r);
    r.lower.send_room = 3;
    feed_frame(&r, FIN | OP_PING, "abc", 3);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
    assert_true(poll_it(&r, false).want_write);
    r.lower.send_room = SIZE_MAX;
    assert_false(poll_it(&r, false).want_write);
    expect_frame(&r, OP_PONG, "abc", 3);
    end(&r);
}

static void each_close_frame_is_answered_and_its_code_explained(void **state)
{
    (void)state;
    static const struct {
        unsigned code; /* 1005: none */
        const char *text;
    } cases[] = {
        { 1000, "1000 (normal closure)" },
        { 1001, "1001 (going away)" },
        { 1002, "1002 (protocol error)" },
        { 1003, "1003 (unsupported data)" },
        { 1005, "1005 (without a status code)" },
        { 1007, "1007 (invalid data)" },
        { 1008, "1008 (policy violation)" },
        { 1009, "1009 (message too big)" },
        { 1010, "1010 (an extension is required)" },
        { 1011, "1011 (internal error)" },
        { 1012, "1012 (service restart)" },
        { 1013, "1013 (try again later)" },
        { 1014, "1014 (bad gateway)" },
        { 3000, "3000 ()" },
        { 4999, "4999 ()" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stream_rig r;
        ws_bytes b = { 0 };
        uint8_t buf[4];
        size_t n;
        begin(&r);
        open_whole(&r);
        if (cases[i].code == 1005) {
            ws_put_frame(&b, FIN | OP_CLOSE, "", 0);
        } else {
            ws_put_close(&b, cases[i].code, "Secret reason");
        }
        scripted_feed(&r.lower, b.ptr, b.len);
        free(b.ptr);
        assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_ERR_IO);
        const uint8_t code[] = { (uint8_t)(cases[i].code >> 8), (uint8_t)cases[i].code };
        expect_frame(&r, OP_CLOSE, code, cases[i].code == 1005 ? 0 : 2);
        char wanted[128];
        (void)snprintf(wanted, sizeof wanted,
                       "hub.example: the server closed the WebSocket with status code %s",
                       cases[i].text);
        assert_string_equal(r.s->ops->detail(r.s), wanted);
        assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_ERR_IO);
        assert_int_equal(r.s->ops->send(r.s, buf, 1, &n), PLAT_ERR_IO);
        r.s->ops->close(r.s); /* this sends no second close frame */
        (void)scripted_sent(&r.lower, &n);
        assert_int_equal(n, 0);
        end(&r);
    }
}

static void a_violation_is_answered_with_its_code_and_named(void **state)
{
    (void)state;
    stream_rig r;
    uint8_t buf[4];
    size_t n;
    begin(&r);
    open_whole(&r);
    feed_frame(&r, FIN | OP_TEXT, "hi", 2);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_ERR_WEBSOCKET);
    expect_frame(&r, OP_CLOSE, "\x03\xeb", 2);
    assert_string_equal(r.s->ops->detail(r.s),
                        "hub.example: the server sent a text message; MQTT needs binary ones");
    plat_stage stage;
    assert_int_equal(progress(&r, &stage), PLAT_ERR_WEBSOCKET);
    assert_int_equal(stage, PLAT_STAGE_OPEN);
    end(&r);
}

static void an_open_connection_that_breaks_has_the_text_of_the_stream_below(void **state)
{
    (void)state;
    static const plat_result results[] = { PLAT_ERR_IO, PLAT_ERR_TLS };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        for (unsigned sends = 0; sends <= 1; sends++) {
            stream_rig r;
            uint8_t buf[4] = { 0 };
            size_t n;
            begin(&r);
            open_whole(&r);
            scripted_break(&r.lower, results[i]);
            assert_int_equal(sends ? r.s->ops->send(r.s, buf, 1, &n)
                                   : r.s->ops->recv(r.s, buf, sizeof buf, &n),
                             results[i]);
            assert_string_equal(r.s->ops->detail(r.s), "scripted failure");
            end(&r);
        }
    }
    stream_rig r;
    uint8_t buf[4];
    size_t n;
    begin(&r);
    open_whole(&r);
    r.lower.recv_then = PLAT_EOF;
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_EOF);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_EOF);
    end(&r);
}

static void flow_and_resumption_are_those_of_the_stream_below(void **state)
{
    (void)state;
    stream_rig r;
    plat_flow flow;
    begin(&r);
    r.s->ops->flow(r.s, &flow);
    assert_int_equal(flow.received + flow.delivered + flow.pending, 0);
    assert_false(r.s->ops->resumed(r.s));
    open_whole(&r);
    r.lower.hidden = 7;
    r.s->ops->flow(r.s, &flow);
    assert_true(flow.received == r.lower.rx_total + 7);
    assert_true(flow.delivered == r.lower.tx_total);
    r.lower.resumed = true;
    assert_true(r.s->ops->resumed(r.s));
    end(&r);
}

static void low_water_is_passed_on(void **state)
{
    (void)state;
    stream_rig r;
    plat_poll p;
    begin(&r);
    open_whole(&r);
    r.s->ops->poll(r.s, true, 77, &p);
    assert_int_equal(r.lower.last_least, 77);
    assert_true(p.want_write && p.want_read);
    end(&r);
}

static void each_fault_of_the_configuration_is_named(void **state)
{
    (void)state;
    static char endless[300];
    memset(endless, 'x', sizeof endless - 1);
    static const struct {
        plat_websocket_config config;
        const char *named;
    } cases[] = {
        { { .path = NULL, .subprotocol = "mqtt" }, "path" },
        { { .path = "", .subprotocol = "mqtt" }, "path" },
        { { .path = "mqtt", .subprotocol = "mqtt" }, "path" },
        { { .path = "/a\r\nb", .subprotocol = "mqtt" }, "path" },
        { { .path = "/mqtt", .subprotocol = NULL }, "subprotocol" },
        { { .path = "/mqtt", .subprotocol = "" }, "subprotocol" },
        { { .path = "/mqtt", .subprotocol = "mqtt, amqp" }, "subprotocol" },
        { { .path = "/mqtt", .subprotocol = endless }, "subprotocol" },
        { { .path = "/mqtt", .subprotocol = "mqtt", .query_without_identity = "? " }, "query" },
        { { .path = "/mqtt", .subprotocol = "mqtt", .query_without_identity = endless }, "query" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stream_rig r;
        assert_int_equal(make(&r, &cases[i].config), PLAT_ERR_ARG);
        assert_non_null(strstr(r.s->ops->detail(r.s), cases[i].named));
        end(&r);
    }
    stream_rig r = { 0 };
    plat_crypto without = *plat_posix()->crypto;
    without.sha1 = NULL;
    scripted_init(&r.lower);
    assert_int_equal(plat_wslay()->stream(plat_wslay(), &without, &r.lower.base, &mqtt, &r.s),
                     PLAT_ERR_ARG);
    assert_non_null(strstr(r.s->ops->detail(r.s), "SHA-1"));
    end(&r);
}

/* Fails each allocation in turn. */
static void without_memory_each_step_fails_and_the_next_attempt_succeeds(void **state)
{
    (void)state;
    stream_rig r = { 0 };
    scripted_init(&r.lower);
    allocations_left = 0;
    plat_result result =
        plat_wslay()->stream(plat_wslay(), plat_posix()->crypto, &r.lower.base, &mqtt, &r.s);
    allocations_left = UINT32_MAX;
    assert_int_equal(result, PLAT_ERR_MEMORY);
    assert_ptr_equal(r.s, &r.lower.base);
    scripted_free(&r.lower);
    begin(&r);
    allocations_left = 0;
    result = r.s->ops->open(r.s, "hub.example", 443, 0);
    allocations_left = UINT32_MAX;
    assert_int_equal(result, PLAT_ERR_MEMORY);
    r.s->ops->close(r.s);
    open_whole(&r);
    end(&r);
}

#ifndef NDEBUG
static void a_broken_member_is_noticed(void **state)
{
    (void)state;
    stream_rig r;
    begin(&r);
    open_whole(&r);
    plat_ws_stream *s = (plat_ws_stream *)(void *)r.s;
    assert_true(plat_ws_stream_valid(s));
    const plat_ws_stream good = *s;
    s->state = PLAT_WS_CLOSED;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->state = PLAT_WS_UPGRADE;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->state = PLAT_WS_FAILED;
    s->failure = PLAT_OK;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->input.control_len = PLAT_WS_CONTROL_MAX + 1;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->input.left_len = 1;
    s->input.left = NULL;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->input.fault = "no failure";
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->output.kept_end = 1;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    s->output.owed = PLAT_WS_CONTENT_MAX + 1;
    assert_false(plat_ws_stream_valid(s));
    *s = good;
    end(&r);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_and_carries_bytes_both_ways_again_and_again),
        cmocka_unit_test(it_is_ready_while_content_waits_that_the_socket_does_not_report),
        cmocka_unit_test(a_pong_is_sent_by_the_read_that_finds_the_ping),
        cmocka_unit_test(a_pong_that_is_blocked_waits_for_the_socket_and_a_poll_sends_it),
        cmocka_unit_test(each_close_frame_is_answered_and_its_code_explained),
        cmocka_unit_test(a_violation_is_answered_with_its_code_and_named),
        cmocka_unit_test(an_open_connection_that_breaks_has_the_text_of_the_stream_below),
        cmocka_unit_test(flow_and_resumption_are_those_of_the_stream_below),
        cmocka_unit_test(low_water_is_passed_on),
        cmocka_unit_test(each_fault_of_the_configuration_is_named),
        cmocka_unit_test(without_memory_each_step_fails_and_the_next_attempt_succeeds),
#ifndef NDEBUG
        cmocka_unit_test(a_broken_member_is_noticed),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
