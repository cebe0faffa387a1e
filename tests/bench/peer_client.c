/* The peer is the whole device client, with telemetry that has two properties and with
 * cloud-to-device messages. Over TLS it works as on a device. No hub accepts plain TCP; it shows
 * what the client itself costs. With --thread, a runner drives it. */

#include <iothub/runner.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_client.h"

struct bench_peer {
    iothub_client *client;
    const bench_job *job;
};

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
    o->platform = bench_platform(job->ca_file);
    o->port = job->port;
    o->ca_file = job->ca_file;
    o->transport = job->websocket ? IOTHUB_MQTT_WS : IOTHUB_MQTT;
    o->clean_session = true;
    o->window = (uint16_t)job->window;
    o->rx_size = idle ? 1024 : 2 * BENCH_PAYLOAD_MAX;
    o->tx_size = idle ? 2048 : bench_window_bytes(job);
    o->request_size = 512;
    o->callbacks.status = on_status;
    o->callbacks.done = on_done;
    o->callbacks.c2d = job->kind == BENCH_RECEIVE ? on_c2d : NULL;
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    bench_peer *p = calloc(1, sizeof *p);
    iothub_options o;
    iothub_error error;

    (void)number;
    p->job = job;
    set_options(&o, job);
    p->client = bench_client_new("HostName=localhost;DeviceId=bench;SharedAccessKey=YmVuY2g=", &o);
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
        .body_len = p->job->size,
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
    bench_client_free(p->client);
    free(p);
}
