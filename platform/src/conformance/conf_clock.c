#include "conformance/conf_groups.h"

#define MONOTONIC "plat_clock.monotonic_ms"
#define WALL      "plat_clock.wall_s"

enum {
    SAMPLES = 2000,
    WAIT_MS = 20,
    WAITS = 200,      /* most waits until the time of day is one second later ... */
    SPINS = 50000000, /* ... and most calls of a wait that does not sleep */
    PATIENCE_MS = 4000,
    SECOND_LEAST = 900, /* milliseconds that a second may take by another clock */
    SECOND_MOST = 1500,
    COMPARED_WAITS = 15,
    WAITS_LEAST = 50, /* milliseconds that these waits may take */
    WAITS_MOST = 10000
};

static const int64_t year_2100 = INT64_C(4102444800);

static void wait_a_moment(const struct conf_run *run)
{
    const plat_net *net = run->c->platform->net;

    net->wait(net, NULL, 0, WAIT_MS);
}

static bool never_goes_back(const struct conf_run *run)
{
    uint64_t last = conf_run_now(run);

    for (int i = 0; i < SAMPLES; i++) {
        const uint64_t now = conf_run_now(run);
        if (now < last) {
            return false;
        }
        last = now;
    }
    for (int i = 0; i < 10; i++) {
        wait_a_moment(run);
        const uint64_t now = conf_run_now(run);
        if (now < last) {
            return false;
        }
        last = now;
    }
    return true;
}

/* Waits until the time of day changes. Returns the monotonic time then; 0: it does not change. */
static uint64_t next_second(const struct conf_run *run)
{
    const plat_clock *clock = run->c->platform->clock;
    const int64_t before = clock->wall_s(clock);

    const uint64_t begin = conf_run_now(run);

    for (int i = 0; i < WAITS || (i < SPINS && conf_run_now(run) - begin < PATIENCE_MS); i++) {
        if (clock->wall_s(clock) != before) {
            return conf_run_now(run);
        }
        wait_a_moment(run);
    }
    return 0;
}

/* Compares the two clocks with each other. */
static bool check_unit_by_wall_clock(struct conf_run *run)
{
    const plat_clock *clock = run->c->platform->clock;
    const int64_t before = clock->wall_s(clock);
    const uint64_t first = next_second(run);
    const uint64_t second = first != 0 ? next_second(run) : 0;
    const uint64_t passed = second - first;

    conf_run_rule(run, before > 0 && before < year_2100, WALL, "it counts seconds since 1970");
    if (!conf_run_rule(run, second != 0, WALL, "it goes on")) {
        return false;
    }
    return conf_run_rule(run, passed >= SECOND_LEAST && passed <= SECOND_MOST, MONOTONIC,
                         "it counts milliseconds: a second of wall_s has 1,000");
}

/* Without a time of day, plat_net.wait is all there is to compare with. A wait may return early, so
 * the limits are wide. */
static bool check_unit_by_wait(struct conf_run *run)
{
    const uint64_t begin = conf_run_now(run);

    for (int i = 0; i < COMPARED_WAITS; i++) {
        wait_a_moment(run);
    }
    const uint64_t passed = conf_run_now(run) - begin;
    return conf_run_rule(run, passed >= WAITS_LEAST && passed <= WAITS_MOST, MONOTONIC,
                         "it counts milliseconds: fifteen waits of 20 have 300");
}

bool conf_clock(struct conf_run *run)
{
    const plat_clock *clock = run->c->platform->clock;
    const bool forward = conf_run_rule(run, never_goes_back(run), MONOTONIC, "it never goes back");

    if (clock->wall_s(clock) == 0) {
        return check_unit_by_wait(run) && forward;
    }
    return check_unit_by_wall_clock(run) && forward;
}
