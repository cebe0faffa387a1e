#include "bench_client.h"

#include <iothub/memory_size.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static plat_result plain_stream(const plat_net *self, plat_stream_storage *memory,
                                const plat_stream_config *config, plat_stream **out)
{
    const plat_net *net = plat_posix()->net;
    const plat_stream_config plain = { .kind = PLAT_STREAM_TCP };

    (void)self;
    (void)config;
    return net->stream(net, memory, &plain, out);
}

static void plain_wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    const plat_net *net = plat_posix()->net;

    (void)self;
    net->wait(net, polls, count, timeout_ms);
}

const plat_platform *bench_platform(const char *ca_file)
{
    static const plat_net net = { plain_stream, plain_wait };
    static plat_platform platform;

    platform = *plat_posix();
    platform.identities = plat_posix_identities();
    platform.websockets = plat_wslay();
    if (ca_file == NULL) {
        platform.net = &net;
    }
    return &platform;
}

iothub_client *bench_client_new(const char *connection_string, const iothub_options *o)
{
    size_t len = IOTHUB_MEMORY_SIZE(o->rx_size, o->tx_size, o->request_size);
    void *memory = malloc(len);
    iothub_error error;

    if (memory == NULL) {
        bench_fail("client", "no memory left");
    }
    memset(memory, 0xFF, len);
    iothub_client *c = iothub_init(memory, len, connection_string, o, &error);
    if (c == NULL) {
        bench_fail("client", error.text);
    }
    if ((void *)c != memory) {
        bench_fail("client", "malloc gave memory in which the client does not come first");
    }
    return c;
}

void bench_client_free(iothub_client *c)
{
    iothub_deinit(c);
    free(c);
}
