#include "conformance/conf_groups.h"

#define WAIT "plat_net.wait"

enum { LONG_MS = 3000, SHORT_MS = 100, SPINS = 100 };

static uint64_t time_of_wait(const struct conf_run *run, const plat_poll *polls, size_t count,
                             int timeout_ms)
{
    const plat_net *net = run->c->platform->net;
    const uint64_t begin = conf_run_now(run);

    net->wait(net, polls, count, timeout_ms);
    return conf_run_now(run) - begin;
}

/* It may return early, but not every time: a loop around it would use up the processor. */
static bool sleeps(const struct conf_run *run)
{
    const uint64_t begin = conf_run_now(run);

    for (int i = 0; i < SPINS; i++) {
        (void)time_of_wait(run, NULL, 0, SHORT_MS);
        if (conf_run_now(run) - begin >= SHORT_MS / 2) {
            return true;
        }
    }
    return false;
}

void conf_wait(struct conf_run *run)
{
    plat_poll p = { .fd = -1, .ready_now = true };

    conf_run_rule(run, time_of_wait(run, NULL, 0, 0) < CONF_BLOCKS_MS, WAIT,
                  "it returns immediately if timeout_ms is 0");
    conf_run_rule(run, time_of_wait(run, &p, 1, LONG_MS) < CONF_BLOCKS_MS, WAIT,
                  "it returns immediately if a poll has ready_now");
    p = (plat_poll){ .fd = -1, .wake_at_ms = conf_run_now(run) + SHORT_MS };
    conf_run_rule(run, time_of_wait(run, &p, 1, LONG_MS) < CONF_BLOCKS_MS, WAIT,
                  "it ends at the wake_at_ms of a poll");
    conf_run_rule(run, sleeps(run), WAIT, "it sleeps until the time is up");
}
