#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_stream.h"
#include "websocket/race.h"

enum { FIRST_PORT = 8883, SECOND_PORT = 443, DELAY_MS = 400, START_MS = 1000 };

/* The two ways, and the stream that chooses one. */
typedef struct race_rig {
    plat_net net; /* makes the second way */
    scripted_stream ways[2];
    plat_stream *stream;
    plat_stage stage;
} race_rig;

static plat_result make_second(const plat_net *self, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    race_rig *r = (race_rig *)(uintptr_t)self; /* the test owns the object */

    (void)memory;
    (void)config;
    *out = &r->ways[1].base;
    return PLAT_OK;
}

static void begin(race_rig *r)
{
    const plat_second_way way = { .port = SECOND_PORT,
                                  .first_port = FIRST_PORT,
                                  .delay_ms = DELAY_MS };
    const plat_stream_config second = { .kind = PLAT_STREAM_TLS };

    memset(r, 0, sizeof *r);
    r->net.stream = make_second;
    scripted_init(&r->ways[0]);
    scripted_init(&r->ways[1]);
    assert_int_equal(plat_race_stream(NULL, &r->net, &r->ways[0].base, &second, &way, &r->stream),
                     PLAT_OK);
}

static void end(race_rig *r)
{
    r->stream->ops->deinit(r->stream); /* ends both ways */
    scripted_free(&r->ways[0]);
    scripted_free(&r->ways[1]);
}

static void open_at(race_rig *r, uint16_t port)
{
    assert_int_equal(r->stream->ops->open(r->stream, "hub", port, START_MS), PLAT_OK);
}

static plat_result progress(race_rig *r, uint64_t after_ms)
{
    return r->stream->ops->progress(r->stream, START_MS + after_ms, &r->stage);
}

static plat_poll poll_of(race_rig *r)
{
    plat_poll p;

    r->stream->ops->poll(r->stream, false, 1, &p);
    return p;
}

static uint16_t port_of(const race_rig *r)
{
    return r->stream->ops->port(r->stream);
}

/* Checks that bytes go to the winner, and that the other way is closed. */
static void assert_won(race_rig *r, int winner)
{
    size_t sent;

    assert_int_equal(r->stage, PLAT_STAGE_OPEN);
    assert_int_equal(port_of(r), winner == 0 ? FIRST_PORT : SECOND_PORT);
    assert_int_equal(r->ways[winner].state, SCRIPTED_READY);
    assert_int_equal(r->ways[1 - winner].state, SCRIPTED_CLOSED);
    assert_int_equal(r->stream->ops->send(r->stream, (const uint8_t *)"abc", 3, &sent), PLAT_OK);
    assert_int_equal(r->ways[winner].tx_total, 3);
    assert_int_equal(r->ways[1 - winner].tx_total, 0);
}

static void a_first_way_that_is_quick_has_no_rival(void **state)
{
    (void)state;
    race_rig r;
    begin(&r);
    open_at(&r, FIRST_PORT);
    assert_int_equal(r.ways[0].port, FIRST_PORT);
    assert_int_equal(port_of(&r), 0);
    assert_int_equal(progress(&r, 1), PLAT_OK);
    assert_won(&r, 0);
    assert_int_equal(r.ways[1].calls[SCRIPTED_OPEN], 0);
    end(&r);
}

static void the_second_way_starts_after_the_head_start(void **state)
{
    (void)state;
    race_rig r;
    begin(&r);
    r.ways[0].stall_at = PLAT_STAGE_CONNECT;
    open_at(&r, FIRST_PORT);
    assert_int_equal(poll_of(&r).wake_at_ms, START_MS + DELAY_MS);
    assert_int_equal(progress(&r, DELAY_MS - 1), PLAT_WOULD_BLOCK);
    assert_int_equal(r.ways[1].calls[SCRIPTED_OPEN], 0);
    assert_int_equal(progress(&r, DELAY_MS), PLAT_OK);
    assert_int_equal(r.ways[1].port, SECOND_PORT);
    assert_won(&r, 1);
    end(&r);
}

static void a_failure_of_the_first_starts_the_second_at_once(void **state)
{
    (void)state;
    static const scripted_call calls[] = { SCRIPTED_OPEN, SCRIPTED_PROGRESS };
    for (int i = 0; i < 2; i++) {
        race_rig r;
        begin(&r);
        scripted_fail(&r.ways[0], calls[i], 1, PLAT_ERR_CONNECT);
        open_at(&r, FIRST_PORT);
        assert_int_equal(progress(&r, 0), PLAT_OK);
        assert_won(&r, 1);
        end(&r);
    }
}

static void if_both_fail_the_first_failure_counts_and_both_are_named(void **state)
{
    (void)state;
    race_rig r;
    begin(&r);
    scripted_fail(&r.ways[0], SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
    scripted_fail(&r.ways[1], SCRIPTED_PROGRESS, 1, PLAT_ERR_TLS);
    r.ways[0].failure_detail = "refused";
    r.ways[1].failure_detail = "no TLS";
    open_at(&r, FIRST_PORT);
    assert_int_equal(progress(&r, 0), PLAT_ERR_CONNECT);
    assert_int_equal(progress(&r, 0), PLAT_ERR_CONNECT);
    assert_string_equal(r.stream->ops->detail(r.stream), "refused; then no TLS");
    assert_int_equal(poll_of(&r).fd, -1);
    r.stream->ops->close(r.stream);
    open_at(&r, FIRST_PORT); /* a closed stream can be opened again */
    assert_int_equal(progress(&r, 0), PLAT_OK);
    assert_won(&r, 0);
    end(&r);
}

static void the_port_chooses_which_way_begins(void **state)
{
    (void)state;
    race_rig r;
    begin(&r);
    open_at(&r, SECOND_PORT);
    assert_int_equal(r.ways[0].calls[SCRIPTED_OPEN], 0);
    assert_int_equal(progress(&r, 1), PLAT_OK);
    assert_won(&r, 1);
    r.stream->ops->close(r.stream);
    r.ways[1].stall_at = PLAT_STAGE_TLS;
    open_at(&r, SECOND_PORT);
    assert_int_equal(progress(&r, DELAY_MS), PLAT_OK);
    assert_won(&r, 0);
    end(&r);
}

/* However many steps each way needs, one wins, and the other one is closed. */
static void one_way_wins_in_each_order_of_events(void **state)
{
    (void)state;
    for (unsigned a = 1; a <= 6; a++) {
        for (unsigned b = 1; b <= 6; b++) {
            for (uint64_t step_ms = 50; step_ms <= DELAY_MS; step_ms += 50) {
                race_rig r;
                begin(&r);
                r.ways[0].stage_calls = a;
                r.ways[1].stage_calls = b;
                open_at(&r, FIRST_PORT);
                uint64_t now = 0;
                while (progress(&r, now) == PLAT_WOULD_BLOCK) {
                    (void)poll_of(&r);
                    now += step_ms;
                }
                assert_won(&r, port_of(&r) == FIRST_PORT ? 0 : 1);
                end(&r);
            }
        }
    }
}

static void it_can_be_closed_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t moment = 0; moment < 6; moment++) {
        race_rig r;
        begin(&r);
        r.ways[0].stage_calls = 2;
        r.ways[1].stage_calls = 2;
        open_at(&r, FIRST_PORT);
        for (uint64_t i = 0; i < moment; i++) {
            (void)progress(&r, i * DELAY_MS);
            (void)poll_of(&r);
        }
        r.stream->ops->close(r.stream);
        assert_int_equal(r.ways[0].state, SCRIPTED_CLOSED);
        assert_int_equal(r.ways[1].state, SCRIPTED_CLOSED);
        assert_int_equal(port_of(&r), 0);
        end(&r);
    }
}

static void both_ways_get_the_identity(void **state)
{
    (void)state;
    race_rig r;
    plat_identity *identity = (plat_identity *)(uintptr_t)&r; /* it is only compared */
    begin(&r);
    assert_int_equal(r.stream->ops->set_identity(r.stream, identity), PLAT_OK);
    assert_ptr_equal(r.ways[0].identity, identity);
    assert_ptr_equal(r.ways[1].identity, identity);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_way_that_is_quick_has_no_rival),
        cmocka_unit_test(the_second_way_starts_after_the_head_start),
        cmocka_unit_test(a_failure_of_the_first_starts_the_second_at_once),
        cmocka_unit_test(if_both_fail_the_first_failure_counts_and_both_are_named),
        cmocka_unit_test(the_port_chooses_which_way_begins),
        cmocka_unit_test(one_way_wins_in_each_order_of_events),
        cmocka_unit_test(it_can_be_closed_at_any_moment),
        cmocka_unit_test(both_ways_get_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
