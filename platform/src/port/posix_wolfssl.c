#include "platform/platform.h"

#include "posix/clock.h"
#include "posix/tcp_stream.h"
#include "posix/threads.h"
#include "posix/wait.h"
#include "wolfssl/crypto/crypto.h"
#include "wolfssl/tls/tls_stream.h"

typedef struct tls_over_tcp {
    plat_tls_stream tls;
    plat_tcp_stream tcp;
} tls_over_tcp;

_Static_assert(sizeof(tls_over_tcp) <= sizeof(plat_stream_storage),
               "PLAT_STREAM_SIZE is too small");

/* Makes the lowest stream: TCP in the memory of the caller, or a tunnel. */
static plat_result make_bottom(plat_tcp_stream *tcp, const plat_stream_config *config,
                               plat_stream **out)
{
    if (config->tunnel == NULL) {
        *out = plat_tcp_init(tcp, config->bind);
        return PLAT_OK;
    }
    const plat_tunnels *tunnels = config->tunnel->tunnels;
    plat_tunnel_config tunnel = *config->tunnel;
    tunnel.bind = config->bind;
    if (tunnel.ca_file == NULL && tunnel.ca_data == NULL) {
        tunnel.ca_file = config->ca_file;
        tunnel.ca_data = config->ca_data;
        tunnel.ca_len = config->ca_len;
    }
    return tunnels->stream(tunnels, &tunnel, out);
}

static plat_result make_transport(plat_stream_storage *memory, const plat_stream_config *config,
                                  plat_stream **out)
{
    if (config->kind == PLAT_STREAM_TCP) {
        return make_bottom((plat_tcp_stream *)(void *)memory, config, out);
    }
    tls_over_tcp *both = (tls_over_tcp *)(void *)memory;
    plat_stream *bottom;
    plat_result r = make_bottom(&both->tcp, config, &bottom);
    if (r != PLAT_OK) {
        *out = bottom;
        return r;
    }
    *out = plat_tls_base(&both->tls);
    return plat_tls_init(&both->tls, bottom, config);
}

static plat_result make_way(plat_stream_storage *memory, const plat_stream_config *config,
                            plat_stream **out)
{
    plat_result r = make_transport(memory, config, out);
    if (r != PLAT_OK || config->websocket == NULL) {
        return r;
    }
    plat_websocket_config websocket = *config->websocket;
    websocket.has_identity = config->identity != NULL;
    return websocket.websockets->stream(websocket.websockets, &plat_wolfssl_crypto, *out,
                                        &websocket, out);
}

static plat_result make_stream(const plat_net *self, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    plat_result r = make_way(memory, config, out);
    if (r != PLAT_OK || config->second_way == NULL) {
        return r;
    }
    const plat_websockets *websockets = config->second_way->websocket->websockets;
    plat_stream_config second = *config;
    second.websocket = config->second_way->websocket;
    second.second_way = NULL;
    return websockets->race(websockets, self, *out, &second, config->second_way, out);
}

static const plat_net net = { .stream = make_stream, .wait = plat_posix_wait };

static const plat_platform platform = {
    .clock = &plat_posix_clock,
    .crypto = &plat_wolfssl_crypto,
    .net = &net,
    .threads = &plat_posix_threads,
};

const plat_platform *plat_posix(void)
{
    return &platform;
}
