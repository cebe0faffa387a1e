#include "fake_platform.h"

#include <stdio.h>
#include <stdlib.h>

static void refuse(const char *what)
{
    fprintf(stderr, "fake_platform: %s\n", what);
    abort();
}

static plat_result make_stream(const plat_net *self, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    /* The cast removes const, which is safe because the tests own the object. */
    fake_net *net = (fake_net *)(uintptr_t)self;
    if (net->stream_result != PLAT_OK) {
        *out = net->names_fault ? &net->streams[FAKE_STREAMS - 1].base : *out;
        return net->stream_result;
    }
    if (net->made == FAKE_STREAMS) {
        refuse("more streams than FAKE_STREAMS");
    }
    net->configs[net->made] = *config;
    if (config->websocket != NULL) {
        net->websockets[net->made] = *config->websocket;
        net->configs[net->made].websocket = &net->websockets[net->made];
    }
    if (config->second_way != NULL) {
        net->second_ways[net->made] = *config->second_way;
        net->configs[net->made].second_way = &net->second_ways[net->made];
    }
    if (config->tunnel != NULL) {
        net->tunnels[net->made] = *config->tunnel;
        net->configs[net->made].tunnel = &net->tunnels[net->made];
    }
    net->memories[net->made] = memory;
    *out = &net->streams[net->made].base;
    net->made++;
    return PLAT_OK;
}

static bool is_ready(const fake_net *net, const plat_poll *polls, size_t count)
{
    for (size_t p = 0; p < count; p++) {
        if (polls[p].ready_now) {
            return true;
        }
        for (size_t i = 0; i < net->made; i++) {
            if (net->streams[i].state == SCRIPTED_READY &&
                scripted_is_ready(&net->streams[i], &polls[p])) {
                return true;
            }
        }
    }
    return false;
}

/* No other code can act during this sleep, so it only moves the clock to the time of waking. */
static void wait_for(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    fake_net *net = (fake_net *)(uintptr_t)self;
    net->waits++;
    net->last_timeout_ms = timeout_ms;
    if (is_ready(net, polls, count)) {
        return;
    }
    uint64_t now = net->clock->monotonic_ms;
    uint64_t left = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms;
    for (size_t i = 0; i < count; i++) {
        if (polls[i].wake_at_ms != 0) {
            uint64_t wake = polls[i].wake_at_ms > now ? polls[i].wake_at_ms - now : 0;
            left = wake < left ? wake : left;
        }
    }
    if (left == UINT64_MAX) {
        refuse("wait without a limit, and nothing can ever end it");
    }
    fake_clock_advance(net->clock, left);
}

static plat_result next_random(const plat_crypto *self, void *out, size_t len)
{
    fake_crypto *crypto = (fake_crypto *)(uintptr_t)self;
    uint8_t *bytes = out;

    for (size_t i = 0; i < len; i++) {
        crypto->seed = crypto->seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(crypto->seed >> 24);
    }
    return PLAT_OK;
}

static void describe(const plat_identity *identity, plat_identity_info *out)
{
    *out = identity->info;
}

void fake_platform_init(fake_platform *f)
{
    f->crypto = (fake_crypto){ .base = *plat_posix()->crypto, .seed = 1 };
    f->crypto.base.random = next_random;
    fake_clock_init(&f->clock, 1000, 1700000000);
    f->net = (fake_net){
        .base = { .stream = make_stream, .wait = wait_for },
        .clock = &f->clock,
        .streams = f->streams,
    };
    f->identities = (plat_identities){ .describe = describe };
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        scripted_init(&f->streams[i]);
    }
    f->platform = (plat_platform){
        .clock = &f->clock.base,
        .crypto = &f->crypto.base,
        .net = &f->net.base,
        .identities = &f->identities,
    };
}

void fake_platform_free(fake_platform *f)
{
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        scripted_free(&f->streams[i]);
    }
}

scripted_stream *fake_platform_stream(fake_platform *f)
{
    scripted_stream *newest = NULL;
    for (size_t i = 0; i < f->net.made; i++) {
        scripted_stream *s = &f->streams[i];
        if (s->state != SCRIPTED_CLOSED &&
            (newest == NULL || s->opened_at_ms >= newest->opened_at_ms)) {
            newest = s;
        }
    }
    return newest;
}
