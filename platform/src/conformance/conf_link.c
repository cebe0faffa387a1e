#include "conformance/conf_link.h"

#include <string.h>

enum { SLEEP_MS = 200, ORDER = 32 };

static void took(struct conf_link *l, uint64_t begin)
{
    const uint64_t ms = conf_run_now(l->run) - begin;

    l->slowest_ms = ms > l->slowest_ms ? ms : l->slowest_ms;
}

plat_result conf_link_init(struct conf_link *l, struct conf_run *run)
{
    static const plat_stream_config tcp = { .kind = PLAT_STREAM_TCP };
    const plat_net *net = run->c->platform->net;
    const plat_stream_config *config = run->c->peer->config;

    *l = (struct conf_link){ .run = run };
    return net->stream(net, &l->storage, config != NULL ? config : &tcp, &l->stream);
}

void conf_link_deinit(struct conf_link *l)
{
    if (l->stream != NULL) {
        l->stream->ops->deinit(l->stream);
        l->stream = NULL;
    }
}

void conf_link_sleep(struct conf_link *l, bool want_send, uint32_t most_ms)
{
    const plat_net *net = l->run->c->platform->net;
    plat_poll p;

    l->stream->ops->poll(l->stream, want_send, 1, &p);
    if (p.fd < 0 && p.wake_at_ms == 0 && !p.ready_now) {
        l->mute_poll = true;
    }
    net->wait(net, &p, 1, (int)most_ms);
}

static plat_result progress(struct conf_link *l)
{
    const uint64_t begin = conf_run_now(l->run);
    plat_result r = l->stream->ops->progress(l->stream, begin, &l->stage);

    took(l, begin);
    return r;
}

plat_result conf_link_open(struct conf_link *l, const char *host, uint16_t port)
{
    const uint64_t begin = conf_run_now(l->run);
    plat_result r = l->stream->ops->open(l->stream, host, port, begin);

    took(l, begin);
    if (r != PLAT_OK) {
        return r;
    }
    while ((r = progress(l)) == PLAT_WOULD_BLOCK &&
           conf_run_now(l->run) - begin < CONF_PATIENCE_MS) {
        conf_link_sleep(l, false, SLEEP_MS);
    }
    return r;
}

plat_result conf_link_order(struct conf_link *l, const char *order, uint32_t number)
{
    const plat_conformance_peer *peer = l->run->c->peer;
    uint8_t line[ORDER];
    size_t len = 0;

    while (order[len] != '\0') {
        line[len] = (uint8_t)order[len];
        len++;
    }
    line[len++] = ' ';
    for (uint32_t digit = 100000; digit > 0; digit /= 10) {
        line[len++] = (uint8_t)('0' + number / digit % 10);
    }
    line[len++] = '\n';
    plat_result r = conf_link_open(l, peer->host, peer->port);
    return r == PLAT_OK ? conf_link_send(l, line, len) : r;
}

plat_result conf_link_recv_once(struct conf_link *l, size_t cap, size_t *got)
{
    const uint64_t begin = conf_run_now(l->run);

    *got = 0;
    l->run->in[cap] = CONF_CANARY;
    plat_result r = l->stream->ops->recv(l->stream, l->run->in, cap, got);
    took(l, begin);
    l->overflow = l->overflow || l->run->in[cap] != CONF_CANARY;
    if (r == PLAT_OK && (*got == 0 || *got > cap)) {
        l->wrong_count = true;
        *got = *got == 0 ? 0 : cap;
    }
    return r;
}

plat_result conf_link_recv(struct conf_link *l, size_t cap, size_t *got)
{
    const uint64_t begin = conf_run_now(l->run);
    plat_result r;

    while ((r = conf_link_recv_once(l, cap, got)) == PLAT_WOULD_BLOCK &&
           conf_run_now(l->run) - begin < CONF_PATIENCE_MS) {
        conf_link_sleep(l, false, SLEEP_MS);
    }
    return r;
}

plat_result conf_link_send(struct conf_link *l, const uint8_t *bytes, size_t len)
{
    uint64_t last = conf_run_now(l->run);

    while (len > 0) {
        const uint64_t begin = conf_run_now(l->run);
        size_t sent = 0;
        plat_result r = l->stream->ops->send(l->stream, bytes, len, &sent);
        took(l, begin);
        if (r == PLAT_OK) {
            l->wrong_count = l->wrong_count || sent == 0 || sent > len;
            sent = sent > len ? len : sent;
            bytes += sent;
            len -= sent;
            last = conf_run_now(l->run);
        } else if (r != PLAT_WOULD_BLOCK || begin - last >= CONF_PATIENCE_MS) {
            return r;
        } else {
            conf_link_sleep(l, true, SLEEP_MS);
        }
    }
    return PLAT_OK;
}
