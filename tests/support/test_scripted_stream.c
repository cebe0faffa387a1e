#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_stream.h"

static scripted_stream scripted;
static plat_stream *const s = &scripted.base;

static int make(void **state)
{
    (void)state;
    scripted_init(&scripted);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    scripted_free(&scripted);
    return 0;
}

static void open_at_once(void)
{
    plat_stage stage;
    assert_int_equal(s->ops->open(s, "host", 8883, 5), PLAT_OK);
    assert_int_equal(s->ops->progress(s, 5, &stage), PLAT_OK);
    assert_int_equal(stage, PLAT_STAGE_OPEN);
}

static plat_poll poll_now(bool want_send)
{
    plat_poll p;
    s->ops->poll(s, want_send, 1, &p);
    return p;
}

static void opens_at_the_first_progress_and_remembers_the_address(void **state)
{
    (void)state;

    open_at_once();

    assert_string_equal(scripted.host, "host");
    assert_int_equal(scripted.port, 8883);
    assert_int_equal(scripted.opened_at_ms, 5);
    assert_int_equal(scripted.calls[SCRIPTED_OPEN], 1);
    assert_int_equal(scripted.calls[SCRIPTED_PROGRESS], 1);
}

static void walks_through_the_stages_when_asked_to(void **state)
{
    (void)state;
    scripted.stage_calls = 2;
    plat_stage stage;
    static const plat_stage seen[] = { PLAT_STAGE_RESOLVE, PLAT_STAGE_RESOLVE, PLAT_STAGE_CONNECT,
                                       PLAT_STAGE_CONNECT, PLAT_STAGE_TLS,     PLAT_STAGE_TLS };

    assert_int_equal(s->ops->open(s, "host", 1, 0), PLAT_OK);
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, seen[i]);
    }
    assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_OK);
}

static void stalls_in_each_stage_until_released(void **state)
{
    (void)state;
    for (plat_stage at = PLAT_STAGE_RESOLVE; at < PLAT_STAGE_OPEN; at++) {
        plat_stage stage;
        scripted.stall_at = at;
        assert_int_equal(s->ops->open(s, "host", 1, 0), PLAT_OK);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
            assert_int_equal(stage, at);
        }
        assert_false(poll_now(false).ready_now);
        scripted.stall_at = PLAT_STAGE_OPEN;
        assert_true(poll_now(false).ready_now);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_OK);
        s->ops->close(s);
    }
}

static void says_what_the_script_says_of_its_session_once_it_is_open(void **state)
{
    (void)state;
    scripted.resumed = true;
    assert_false(s->ops->resumed(s));
    open_at_once();
    assert_true(s->ops->resumed(s));
    s->ops->close(s);
    assert_false(s->ops->resumed(s));
}

static void gives_what_was_fed_in_the_sizes_asked_for(void **state)
{
    (void)state;
    uint8_t buf[16];
    size_t got = 99;
    open_at_once();
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &got), PLAT_WOULD_BLOCK);
    assert_int_equal(got, 0);
    assert_false(poll_now(false).ready_now);

    scripted_feed(&scripted, "abc", 3);
    scripted_feed(&scripted, "def", 3);
    assert_true(poll_now(false).ready_now);
    scripted.recv_max = 1;
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 1);
    scripted.recv_max = 0;
    assert_int_equal(s->ops->recv(s, buf, 2, &got), PLAT_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(buf, "bc", 2);
    assert_int_equal(scripted_unread(&scripted), 3);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 3);

    scripted.recv_then = PLAT_EOF;
    assert_true(poll_now(false).ready_now);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &got), PLAT_EOF);
    assert_int_equal(s->ops->send(s, buf, 1, &got), PLAT_ERR_IO);
}

static void collects_what_is_sent_within_the_room_it_has(void **state)
{
    (void)state;
    size_t n = 0;
    open_at_once();
    scripted.send_max = 4;
    scripted.send_room = 5;

    assert_int_equal(s->ops->send(s, (const uint8_t *)"abcdef", 6, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"ef", 2, &n), PLAT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"f", 1, &n), PLAT_WOULD_BLOCK);
    assert_int_equal(n, 0);
    plat_poll p = poll_now(true);
    assert_true(p.want_write);
    assert_false(scripted_is_ready(&scripted, &p));
    scripted.send_room = SIZE_MAX;
    assert_true(scripted_is_ready(&scripted, &p));
    assert_int_equal(s->ops->send(s, (const uint8_t *)"fgh", 3, &n), PLAT_OK);

    assert_memory_equal(scripted_sent(&scripted, &n), "abcdefgh", 8);
    assert_int_equal(n, 8);
    assert_int_equal(scripted.last_send, 3);
    scripted_drain(&scripted, 7);
    assert_memory_equal(scripted_sent(&scripted, &n), "h", 1);
    assert_int_equal(n, 1);
}

static plat_result nth_call(unsigned nth)
{
    uint8_t byte = 'x';
    size_t n;
    plat_stage stage;
    switch (nth) {
    case 1: return s->ops->open(s, "host", 1, 0);
    case 2: return s->ops->progress(s, 0, &stage);
    case 3: return s->ops->send(s, &byte, 1, &n);
    default: return s->ops->recv(s, &byte, 1, &n);
    }
}

static void fails_at_the_call_that_the_script_names_and_stays_failed_until_closed(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 6; nth++) {
        scripted_fail(&scripted, SCRIPTED_ANY, nth, PLAT_ERR_IO);
        for (unsigned i = 1; i < nth; i++) {
            assert_int_equal(nth_call(i), i < 4 ? PLAT_OK : PLAT_WOULD_BLOCK);
        }

        assert_int_equal(nth_call(nth), PLAT_ERR_IO);

        assert_string_equal(s->ops->detail(s), "scripted failure");
        assert_int_equal(nth_call(2), PLAT_ERR_IO);
        s->ops->close(s);
        assert_string_equal(s->ops->detail(s), "");
    }
}

static void a_new_connection_forgets_the_bytes_of_the_old_one(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n;
    open_at_once();
    scripted_feed(&scripted, "old", 3);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"old", 3, &n), PLAT_OK);
    s->ops->close(s);
    (void)scripted_sent(&scripted, &n);
    assert_int_equal(n, 3); /* the bytes remain available to the test */

    open_at_once();

    (void)scripted_sent(&scripted, &n);
    assert_int_equal(n, 0);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_WOULD_BLOCK);
}

static void answer(scripted_stream *stream, scripted_call call, plat_result r, void *user)
{
    (void)user;
    if (call == SCRIPTED_SEND && r == PLAT_OK) {
        size_t n;
        const uint8_t *sent = scripted_sent(stream, &n);
        scripted_feed(stream, sent, n);
        scripted_drain(stream, n);
    }
}

static void a_hook_can_play_the_peer(void **state)
{
    (void)state;
    uint8_t buf[8];
    size_t n;
    scripted.after = answer;
    open_at_once();

    assert_int_equal(s->ops->send(s, (const uint8_t *)"echo", 4, &n), PLAT_OK);

    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "echo", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_at_the_first_progress_and_remembers_the_address, make,
                                        clean),
        cmocka_unit_test_setup_teardown(walks_through_the_stages_when_asked_to, make, clean),
        cmocka_unit_test_setup_teardown(stalls_in_each_stage_until_released, make, clean),
        cmocka_unit_test_setup_teardown(says_what_the_script_says_of_its_session_once_it_is_open,
                                        make, clean),
        cmocka_unit_test_setup_teardown(gives_what_was_fed_in_the_sizes_asked_for, make, clean),
        cmocka_unit_test_setup_teardown(collects_what_is_sent_within_the_room_it_has, make, clean),
        cmocka_unit_test_setup_teardown(
            fails_at_the_call_that_the_script_names_and_stays_failed_until_closed, make, clean),
        cmocka_unit_test_setup_teardown(a_new_connection_forgets_the_bytes_of_the_old_one, make,
                                        clean),
        cmocka_unit_test_setup_teardown(a_hook_can_play_the_peer, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
