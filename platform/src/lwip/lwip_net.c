#include "platform/lwip_net.h"

#include <stddef.h>

#include "lwip/lwip_drive.h"
#include "lwip/lwip_stream.h"

/* The longest single sleep, so that a lost interrupt costs little. */
#define SLEEP_MAX_MS 1000

_Static_assert(sizeof(lwip_stream) <= sizeof(plat_stream_storage), "PLAT_STREAM_SIZE is too small");

static plat_lwip_net *from_net(const plat_net *self)
{
    return (plat_lwip_net *)((uintptr_t)self - offsetof(plat_lwip_net, net));
}

static plat_result make_stream(const plat_net *self, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    *out = lwip_stream_init((lwip_stream *)(void *)memory, from_net(self));
    if (config->kind != PLAT_STREAM_TCP || config->websocket != NULL || config->tunnel != NULL ||
        config->second_way != NULL || config->bind != NULL) {
        return PLAT_ERR_ARG;
    }
    return PLAT_OK;
}

/* Returns when a sleep must end; false: one of the streams is ready. */
static bool sleep_end(const plat_poll *polls, size_t count, uint64_t *end)
{
    for (size_t i = 0; i < count; i++) {
        if (polls[i].ready_now) {
            return false;
        }
        if (polls[i].wake_at_ms != 0 && polls[i].wake_at_ms < *end) {
            *end = polls[i].wake_at_ms;
        }
    }
    return true;
}

static void wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    plat_lwip_net *n = from_net(self);
    const unsigned before = n->changes;
    uint64_t now = n->clock->monotonic_ms(n->clock);
    uint64_t end = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms;

    if (!sleep_end(polls, count, &end)) {
        return;
    }
    for (;;) {
        lwip_drive(n);
        now = n->clock->monotonic_ms(n->clock);
        if (n->changes != before || now >= end) {
            return;
        }
        const uint64_t left = end - now;
        n->sleep(n->user, left < SLEEP_MAX_MS ? (uint32_t)left : SLEEP_MAX_MS);
    }
}

void plat_lwip_net_init(plat_lwip_net *n)
{
    n->net = (plat_net){ .stream = make_stream, .wait = wait };
    n->changes = 0;
}
