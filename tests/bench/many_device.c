/* One of many devices on a thread. */

#include "many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RX = 1024, TX = 2048, REQUEST = 512, PAYLOAD = 256 };

struct many_device {
    /* Must be the first member, because the poll set returns a pointer to it. */
    plat_poll_item item;
    many *many;
    iothub_client *client;
    uint64_t next_us; /* time of the next message */
    uint64_t left;    /* number of messages that remain to be sent */
    uint64_t connected_us;
    bool connected;
    iothub_credential credential; /* credential of a device that has a certificate */
};

uint64_t many_now_us(void)
{
    return bench_clock_ns(CLOCK_MONOTONIC) / 1000;
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    many_device *d = user;
    bool connected = s->state == IOTHUB_CONNECTED;

    (void)c;
    if (s->state == IOTHUB_WAITING && !d->many->may_lose) {
        bench_fail("connection", s->text);
    }
    if (connected != d->connected) {
        d->many->connected += connected ? 1 : (size_t)-1;
        d->connected = connected;
        d->connected_us = many_now_us();
    }
}

static void on_done(iothub_client *c, const iothub_done *done, void *user)
{
    const many_device *d = user;
    many *m = d->many;

    (void)c;
    if (done->result != IOTHUB_OK) {
        bench_fail("telemetry", iothub_result_str(done->result));
    }
    if (m->latency_us != NULL) {
        m->latency_us[m->acknowledged] = many_now_us() - (uint64_t)(uintptr_t)done->tag;
    }
    m->acknowledged++;
}

static void send_one(many_device *d, uint64_t now_us)
{
    static const char body[PAYLOAD];
    static const iothub_property properties[] = { { "alert", "false" }, { "source", "bench" } };
    const iothub_telemetry t = {
        .body = body,
        .body_len = sizeof body,
        .properties = properties,
        .property_count = 2,
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number, never used as a pointer */
        .tag = (void *)(uintptr_t)now_us,
    };
    iothub_result r = iothub_send_telemetry(d->client, &t, NULL);

    if (r != IOTHUB_OK && r != IOTHUB_ERR_NO_SPACE) {
        bench_fail("telemetry", iothub_last_error(d->client)->text);
    }
    d->many->sent += r == IOTHUB_OK;
    d->many->refused += r != IOTHUB_OK;
    d->left -= r == IOTHUB_OK;
    d->next_us = d->left > 0 ? d->next_us + d->many->period_us : MANY_NEVER;
}

static uint64_t due_ms(const many_device *d, int timeout_ms)
{
    const plat_clock *clock = plat_posix()->clock; /* the clock that the poll set uses */
    uint64_t now = clock->monotonic_ms(clock);
    uint64_t now_us = many_now_us();
    uint64_t left_us = d->next_us > now_us ? d->next_us - now_us : 0;
    uint64_t due = timeout_ms < 0 ? PLAT_POLL_SET_NEVER : now + (uint64_t)timeout_ms;
    uint64_t own = d->next_us == MANY_NEVER ? PLAT_POLL_SET_NEVER : now + left_us / 1000 + 1;
    return own < due ? own : due;
}

/* Lets the device do what is due, and tells the poll set what it waits for next. */
static void serve(many_device *d)
{
    iothub_poll p;
    uint64_t now_us = many_now_us();

    if (now_us >= d->next_us) {
        send_one(d, now_us);
    }
    (void)iothub_process(d->client);
    iothub_poll_info(d->client, &p);
    if (plat_poll_set_update(d->many->set, &d->item, p.fds, due_ms(d, p.timeout_ms)) != PLAT_OK) {
        bench_fail("epoll", "no memory left");
    }
}

void many_turn(many *m, int max_ms)
{
    plat_poll_item *item = plat_poll_set_next(m->set, max_ms);

    if (item != NULL) {
        serve((many_device *)item);
    }
}

static plat_identity *make_identity(const many_options *mo)
{
    const plat_identities *identities = plat_posix_identities();
    const plat_identity_config config = { .chain = { .file = mo->certificate_file },
                                          .key = { .file = mo->key_file } };
    plat_identity *identity;
    plat_identity_fault fault;
    if (identities->make(identities, &config, &identity, &fault) != PLAT_OK) {
        bench_fail("identity", fault.text);
    }
    return identity;
}

many_device *many_device_new(many *m, size_t number)
{
    const many_options *mo = m->options;
    many_device *d = calloc(1, sizeof *d);
    iothub_options o;
    char text[100];

    if (d == NULL) {
        bench_fail("device", "no memory left");
    }
    iothub_options_init(&o);
    o.platform = bench_platform(mo->ca_file);
    o.port = mo->port;
    o.ca_file = mo->ca_file;
    o.keep_alive_s = mo->keep_alive_s;
    o.retry_min_ms = mo->retry_min_ms;
    o.retry_max_ms = mo->retry_max_ms;
    o.rx_size = RX;
    o.tx_size = TX;
    o.request_size = REQUEST;
    o.callbacks.status = on_status;
    o.callbacks.done = on_done;
    o.user = d;
    (void)snprintf(text, sizeof text, "HostName=localhost;DeviceId=device%zu%s", number,
                   mo->certificate_file == NULL ? ";SharedAccessKey=YmVuY2g=" : "");
    if (mo->certificate_file != NULL) {
        d->credential = iothub_x509_credential(make_identity(mo));
        o.credentials = &d->credential;
        o.credential_count = 1;
    }
    d->many = m;
    d->next_us = MANY_NEVER;
    d->client = bench_client_new(text, &o);
    return d;
}

void many_device_start(many_device *d)
{
    (void)iothub_start(d->client);
    serve(d);
}

void many_device_send(many_device *d, uint64_t count, uint64_t first_us)
{
    d->left = count;
    d->next_us = first_us;
    serve(d);
}

uint64_t many_device_connected_us(const many_device *d)
{
    return d->connected_us;
}

void many_device_stats(const many_device *d, iothub_stats *out)
{
    iothub_get_stats(d->client, out);
}

void many_device_free(many_device *d)
{
    plat_poll_set_remove(d->many->set, &d->item);
    d->many->connected -= d->connected;
    bench_client_free(d->client);
    if (d->many->options->certificate_file != NULL) {
        plat_posix_identities()->release(d->credential.as.identity);
    }
    free(d);
}
