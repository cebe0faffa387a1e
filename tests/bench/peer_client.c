/*
 * The whole device client: telemetry with two properties, and cloud-to-device messages.  Over TLS
 * as a device does it; over plain TCP, which no hub takes, only to see what the client itself
 * costs. With --thread a runner drives it.
 */

#include <iothub/client_struct.h>
#include <iothub/runner.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct bench_peer {
    iothub_client *client;
    const bench_job *job;
};

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

static const plat_platform *platform(const bench_job *job)
{
    static const plat_net net = { plain_stream, plain_wait };
    static plat_platform plain;

    if (job->ca_file != NULL) {
        return plat_posix();
    }
    plain = *plat_posix();
    plain.net = &net;
    return &plain;
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    (void)user;
    if (s->state == IOTHUB_WAITING) {
        bench_fail("client", s->text);
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    (void)user;
    if (d->result != IOTHUB_OK) {
        bench_fail("telemetry", iothub_result_str(d->result));
    }
    bench_ended(1);
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    (void)c;
    (void)m;
    (void)user;
    bench_ended(1);
    return IOTHUB_ACCEPT;
}

static void set_options(iothub_options *o, const bench_job *job)
{
    const bool idle = job->kind == BENCH_IDLE;

    iothub_options_init(o);
    o->platform = platform(job);
    o->port = job->port;
    o->ca_file = job->ca_file;
    o->clean_session = true;
    o->window = (uint16_t)job->window;
    o->rx_size = idle ? 1024 : 64 * 1024;
    o->tx_size = idle ? 2048 : 128 * 1024;
    o->request_size = 512;
    o->callbacks.status = on_status;
    o->callbacks.done = on_done;
    o->callbacks.c2d = job->kind == BENCH_RECEIVE ? on_c2d : NULL;
}

/* As iothub_new, but every byte of it counts, whether it will be used or not. */
static iothub_client *make(const iothub_options *o)
{
    size_t len = IOTHUB_MEMORY_SIZE(o->rx_size, o->tx_size, o->request_size);
    iothub_client *c = malloc(sizeof *c + len);
    iothub_error error;

    memset(c, 0xFF, sizeof *c + len);
    if (iothub_init(c, "HostName=localhost;DeviceId=bench;SharedAccessKey=YmVuY2g=", o, c + 1, len,
                    &error) != IOTHUB_OK) {
        bench_fail("client", error.text);
    }
    return c;
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    bench_peer *p = calloc(1, sizeof *p);
    iothub_options o;
    iothub_error error;

    (void)number;
    p->job = job;
    set_options(&o, job);
    p->client = make(&o);
    (void)iothub_start(p->client);
    while (iothub_get_state(p->client) != IOTHUB_CONNECTED) {
        (void)iothub_wait(p->client, 1000);
    }
    if (job->thread && iothub_runner_start(p->client, &error) != IOTHUB_OK) {
        bench_fail("runner", error.text);
    }
    return p;
}

bool peer_publish(bench_peer *p)
{
    static const iothub_property properties[] = { { "alert", "false" }, { "source", "bench" } };
    const iothub_telemetry t = {
        .body = bench_payload,
        .body_len = BENCH_PAYLOAD,
        .at_most_once = p->job->qos == 0,
        .properties = properties,
        .property_count = 2,
    };
    iothub_result r = iothub_send_telemetry(p->client, &t, NULL);

    if (r != IOTHUB_OK && r != IOTHUB_ERR_NO_SPACE) {
        bench_fail("telemetry", iothub_last_error(p->client)->text);
    }
    return r == IOTHUB_OK;
}

void peer_turn(bench_peer *p, unsigned long target)
{
    if (p->job->thread) {
        bench_wait(target);
    } else {
        (void)iothub_wait(p->client, 1000);
    }
}

void peer_close(bench_peer *p)
{
    if (p->job->thread) {
        (void)iothub_runner_stop(p->client);
    }
    iothub_deinit(p->client);
    free(p->client);
    free(p);
}
