#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"

/* --- counting the heap: the linker leads every call of this program through here ---------- */

/* Volatile, because the compiler assumes that malloc does not read it. */
static volatile bool counting;
static unsigned allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    allocations += counting;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations += counting;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    allocations += counting;
    return __real_realloc(p, n);
}

/* --- a long run over a bad line --------------------------------------------------------------- */

enum { RUN = 10000 };

typedef struct run {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    uint32_t seed;
    unsigned sent, ended_count;
    uint8_t ended[RUN + 1], reached[RUN + 1];
    unsigned seen;     /* number of publishes that were checked */
    unsigned on, last; /* number of the connection, and of the last message received on it */
} run;

static uint32_t next_random(run *r)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return r->seed >> 8;
}

static void run_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    run *r = user;
    assert_in_range(d->op, 1, RUN);
    assert_int_equal(d->result, IOTHUB_OK);
    assert_int_equal(r->ended[d->op]++, 0);
    assert_int_equal(r->reached[d->op], 1);
    r->ended_count++;
}

static void run_look(run *r)
{
    for (; r->seen < r->f.hub.publishes; r->seen++) {
        unsigned n = (unsigned)strtoul(fake_hub_at(&r->f.hub, r->seen)->payload, NULL, 10);
        assert_in_range(n, 1, RUN);
        if (r->on != r->f.hub.connects) {
            r->on = r->f.hub.connects;
            r->last = 0;
        }
        assert_true(n > r->last); /* the order is kept on each connection */
        r->last = n;
        r->reached[n] = 1;
    }
}

/* Runs the hub; its own allocations are not counted. */
static void run_serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    run *r = user;
    bool was = counting;

    counting = false;
    if (call == SCRIPTED_SEND && result == PLAT_OK) {
        (void)fake_hub_serve(&r->f.hub, s);
        run_look(r);
    }
    counting = was;
}

static void run_options(iothub_options *o)
{
    fixture_quiet(o);
    o->callbacks.done = run_done;
    o->callbacks.log = NULL;
    o->tx_size = 8192;
}

static void run_send(run *r)
{
    char body[16];
    unsigned burst = next_random(r) % 40;

    while (burst-- > 0 && r->sent < RUN) {
        iothub_op op;
        snprintf(body, sizeof body, "%u", r->sent + 1);
        const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
        if (iothub_send_telemetry(r->f.client, &t, &op) != IOTHUB_OK) {
            assert_int_equal(iothub_last_error(r->f.client)->code, IOTHUB_ERR_NO_SPACE);
            return;
        }
        assert_int_equal(op, ++r->sent);
    }
}

/* Changes the speed of the link, or breaks it. */
static void run_disturb(run *r)
{
    scripted_stream *s = &r->f.platform.streams[0];

    s->send_max = next_random(r) % 3 == 0 ? 1 + next_random(r) % 50 : 0;
    s->recv_max = next_random(r) % 3 == 0 ? 1 + next_random(r) % 5 : 0;
    s->send_room = next_random(r) % 3 == 0 ? next_random(r) % 500 : SIZE_MAX;
    r->f.hub.session_present = next_random(r) % 2 == 0;
    if (next_random(r) % 10 == 0) {
        scripted_fail(s, SCRIPTED_ANY, 1 + next_random(r) % 20, PLAT_ERR_IO);
    }
}

static void start_run(run *r, uint32_t seed)
{
    memset(r, 0, sizeof *r);
    fixture_init(&r->f, run_options);
    r->seed = seed;
    r->f.platform.streams[0].after = run_serve;
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
}

static void ten_thousand_messages_survive_a_line_that_breaks_at_random(void **state)
{
    (void)state;
    run *r = calloc(1, sizeof *r);

    for (uint32_t seed = 1; seed <= 4; seed++) {
        iothub_stats stats;
        start_run(r, seed);
        for (unsigned round = 0; r->ended_count < RUN; round++) {
            assert_true(round < 200000);
            run_send(r);
            run_disturb(r);
            assert_int_equal(iothub_process(r->f.client), IOTHUB_OK);
            if (iothub_get_state(r->f.client) == IOTHUB_WAITING) {
                fixture_sleep(&r->f, 60000);
            }
        }
        for (unsigned n = 1; n <= RUN; n++) {
            assert_int_equal(r->ended[n], 1);
        }
        iothub_get_stats(r->f.client, &stats);
        assert_true(stats.losses > 50);
        assert_int_equal(stats.telemetry_acknowledged, RUN);
        fixture_free(&r->f);
    }
    free(r);
}

static void between_first_and_last_message_nothing_is_allocated(void **state)
{
    (void)state;
    run *r = calloc(1, sizeof *r);
    start_run(r, 7);
    fixture_run(&r->f);

    allocations = 0;
    counting = true;
    while (r->ended_count < RUN) {
        run_send(r);
        (void)iothub_process(r->f.client);
        iothub_poll p;
        iothub_poll_info(r->f.client, &p);
        if (r->sent == RUN / 2) { /* breaks the connection once, in the middle */
            scripted_fail(&r->f.platform.streams[0], SCRIPTED_SEND, 1, PLAT_ERR_IO);
        }
        fake_clock_advance(&r->f.platform.clock, 100);
    }
    counting = false;

    assert_int_equal(allocations, 0);
    counting = true; /* proves that the counter works */
    void *volatile p = malloc(1);
    counting = false;
    free(p);
    assert_int_equal(allocations, 1);
    fixture_free(&r->f);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_messages_survive_a_line_that_breaks_at_random),
        cmocka_unit_test(between_first_and_last_message_nothing_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
