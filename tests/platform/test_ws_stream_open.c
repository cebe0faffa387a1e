#include <stdio.h>

#include "ws_stream_rig.h"

/* Tests how the stream of a WebSocket opens. */

static void every_step_of_opening_may_block_at_every_byte(void **state)
{
    (void)state;
    for (size_t step = 1; step < 300; step += step < 10 ? 1 : 37) {
        stream_rig r;
        plat_stage stage;
        begin(&r);
        assert_int_equal(r.s->ops->open(r.s, "hub.example", 443, 0), PLAT_OK);
        plat_result result = PLAT_WOULD_BLOCK;
        for (r.lower.send_room = 0; r.lower.calls[SCRIPTED_RECV] == 0;) {
            r.lower.send_room += step;
            result = progress(&r, &stage);
            assert_int_equal(result, PLAT_WOULD_BLOCK);
            assert_int_equal(stage, PLAT_STAGE_UPGRADE);
            assert_int_equal(poll_it(&r, false).want_write, r.lower.calls[SCRIPTED_RECV] == 0);
        }
        r.request = ws_take_sent(&r.lower);
        r.lower.send_room = SIZE_MAX;
        char *answer = ws_good_answer(r.request);
        const size_t len = strlen(answer);
        for (size_t at = 0; at < len; at += step) {
            assert_int_equal(result, PLAT_WOULD_BLOCK);
            scripted_feed(&r.lower, answer + at, step < len - at ? step : len - at);
            result = progress(&r, &stage);
        }
        assert_int_equal(result, PLAT_OK);
        assert_int_equal(stage, PLAT_STAGE_OPEN);
        free(answer);
        end(&r);
    }
}

static void stages_and_failures_below_are_passed_on_with_their_text(void **state)
{
    (void)state;
    for (plat_stage at = PLAT_STAGE_RESOLVE; at < PLAT_STAGE_UPGRADE; at++) {
        stream_rig r;
        plat_stage stage;
        begin(&r);
        r.lower.stall_at = at;
        assert_int_equal(r.s->ops->open(r.s, "hub.example", 443, 0), PLAT_OK);
        assert_int_equal(progress(&r, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, at);
        scripted_fail(&r.lower, SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(progress(&r, &stage), PLAT_ERR_CONNECT);
            assert_int_equal(stage, at);
            assert_string_equal(r.s->ops->detail(r.s), "scripted failure");
        }
        r.s->ops->close(r.s);
        assert_string_equal(r.s->ops->detail(r.s), "");
        r.lower.stall_at = PLAT_STAGE_OPEN;
        open_whole(&r);
        end(&r);
    }
}

static void a_failure_to_open_the_stream_below_is_passed_on(void **state)
{
    (void)state;
    stream_rig r;
    begin(&r);
    scripted_fail(&r.lower, SCRIPTED_OPEN, 1, PLAT_ERR_MEMORY);
    assert_int_equal(r.s->ops->open(r.s, "hub.example", 443, 0), PLAT_ERR_MEMORY);
    assert_string_equal(r.s->ops->detail(r.s), "scripted failure");
    r.s->ops->close(r.s);
    assert_int_equal(r.s->ops->open(r.s, "not a host", 443, 0), PLAT_ERR_ARG);
    r.s->ops->close(r.s);
    open_whole(&r);
    end(&r);
}

static void a_connection_that_breaks_during_the_upgrade_is_explained(void **state)
{
    (void)state;
    static const struct {
        plat_result below, result;
        const char *text;
    } cases[] = {
        { PLAT_EOF, PLAT_ERR_WEBSOCKET,
          "hub.example: the server closes the connection instead of answering the WebSocket "
          "upgrade" },
        { PLAT_ERR_IO, PLAT_ERR_IO, "scripted failure" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stream_rig r;
        plat_stage stage;
        begin(&r);
        ask(&r);
        scripted_break(&r.lower, cases[i].below);
        assert_int_equal(progress(&r, &stage), cases[i].result);
        assert_int_equal(stage, PLAT_STAGE_UPGRADE);
        assert_string_equal(r.s->ops->detail(r.s), cases[i].text);
        end(&r);
    }
    stream_rig r;
    plat_stage stage;
    begin(&r);
    assert_int_equal(r.s->ops->open(r.s, "hub.example", 443, 0), PLAT_OK);
    scripted_fail(&r.lower, SCRIPTED_SEND, 1, PLAT_ERR_IO);
    assert_int_equal(progress(&r, &stage), PLAT_ERR_IO);
    end(&r);
}

static void a_refusal_names_host_and_status_and_nothing_that_the_server_says(void **state)
{
    (void)state;
    static const struct {
        int status;
        plat_result result;
        const char *text;
    } cases[] = {
        { 302, PLAT_ERR_WEBSOCKET, "HTTP status 302 (redirects are not followed)" },
        { 401, PLAT_ERR_WEBSOCKET, "HTTP status 401 (a log-in is required)" },
        { 407, PLAT_ERR_WEBSOCKET, "HTTP status 407 (a proxy requires a log-in)" },
        { 404, PLAT_ERR_WEBSOCKET, "HTTP status 404 (unknown path)" },
        { 503, PLAT_ERR_UNAVAILABLE, "HTTP status 503 (unavailable)" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stream_rig r;
        plat_stage stage;
        char answer[256];
        begin(&r);
        ask(&r);
        (void)snprintf(answer, sizeof answer,
                       "HTTP/1.1 %d Secret\r\nLocation: https://u:Secret@x/\r\n\r\nSecret",
                       cases[i].status);
        ws_feed_text(&r.lower, answer);
        assert_int_equal(progress(&r, &stage), cases[i].result);
        assert_int_equal(progress(&r, &stage), cases[i].result);
        assert_int_equal(stage, PLAT_STAGE_UPGRADE);
        const char *detail = r.s->ops->detail(r.s);
        char wanted[256];
        (void)snprintf(wanted, sizeof wanted, "hub.example: the server refuses the WebSocket: %s",
                       cases[i].text);
        assert_string_equal(detail, wanted);
        assert_true(strlen(detail) < 156); /* so that it fits into an iothub_error */
        end(&r);
    }
}

static void frames_that_come_with_the_answer_are_not_lost_and_no_sleep_hides_them(void **state)
{
    (void)state;
    stream_rig r;
    plat_stage stage;
    uint8_t buf[16];
    size_t n;
    begin(&r);
    ask(&r);
    char *answer = ws_good_answer(r.request);
    ws_feed_text(&r.lower, answer);
    free(answer);
    feed_frame(&r, FIN | OP_BINARY, "early", 5);
    assert_int_equal(progress(&r, &stage), PLAT_OK);
    assert_int_equal(scripted_unread(&r.lower), 0);
    assert_true(poll_it(&r, false).ready_now);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_OK);
    assert_memory_equal(buf, "early", 5);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
    assert_false(poll_it(&r, false).ready_now);
    end(&r);
}

static void the_query_is_sent_only_while_there_is_no_client_certificate(void **state)
{
    (void)state;
    plat_websocket_config config = mqtt;
    config.query_without_identity = "?iothub-no-client-cert=true";
    for (unsigned made_with = 0; made_with <= 1; made_with++) {
        stream_rig r;
        plat_identity *const identity = (plat_identity *)(void *)&r;
        config.has_identity = made_with == 1;
        assert_int_equal(make(&r, &config), PLAT_OK);
        open_whole(&r);
        assert_int_equal(strstr(r.request, "/mqtt?iothub-no-client-cert=true HTTP") != NULL,
                         made_with == 0);
        assert_int_equal(r.s->ops->set_identity(r.s, NULL), PLAT_ERR_STATE);
        for (unsigned has = 0; has <= 1; has++) {
            r.s->ops->close(r.s);
            assert_int_equal(r.s->ops->set_identity(r.s, has ? identity : NULL), PLAT_OK);
            assert_ptr_equal(r.lower.identity, has ? identity : NULL);
            open_whole(&r);
            assert_int_equal(strstr(r.request, "?iothub-no-client-cert=true") != NULL, has == 0);
            assert_int_equal(strstr(r.request, "GET /mqtt HTTP/1.1") != NULL, has == 1);
        }
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_of_opening_may_block_at_every_byte),
        cmocka_unit_test(stages_and_failures_below_are_passed_on_with_their_text),
        cmocka_unit_test(a_failure_to_open_the_stream_below_is_passed_on),
        cmocka_unit_test(a_connection_that_breaks_during_the_upgrade_is_explained),
        cmocka_unit_test(a_refusal_names_host_and_status_and_nothing_that_the_server_says),
        cmocka_unit_test(frames_that_come_with_the_answer_are_not_lost_and_no_sleep_hides_them),
        cmocka_unit_test(the_query_is_sent_only_while_there_is_no_client_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
