/*
 * Many devices on one thread. Each device has a client; one plat_poll_set holds the descriptors and
 * deadlines of all and wakes the loop for the clients that have work. The cost of a wake-up depends
 * on the number of these, not on the number of devices. Small buffers keep an idle device cheap.
 *
 *     gateway --devices devices.txt --interval 10      a connection string on each line
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cli/input.h>
#include <cli/output.h>
#include <platform/poll_set.h>

#include "sample.h"

enum { RX = 4 * 1024, TX = 4 * 1024, REQUEST = 512, START_GAP_MS = 5, GRACE_MS = 2000 };

typedef struct gateway {
    sample sample;
    plat_poll_set *set;
    struct device *devices;
    size_t device_count, connected, finished;
    unsigned long arrived;
} gateway;

typedef struct device {
    plat_poll_item item; /* must be the first member, because the set returns a pointer to it */
    struct device *next;
    gateway *gateway;
    iothub_client *client;
    size_t number;
    uint64_t next_ms; /* time of the start, then of the next message */
    unsigned sent, arrived;
    bool connected;
} device;

static uint64_t now_ms(void)
{
    const plat_clock *clock = plat_posix()->clock;
    return clock->monotonic_ms(clock);
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    device *d = user;
    bool connected = s->state == IOTHUB_CONNECTED;

    (void)c;
    if (connected != d->connected) {
        d->connected = connected;
        d->gateway->connected += connected ? 1 : (size_t)-1;
        printf("%zu of %zu connected\n", d->gateway->connected, d->gateway->device_count);
    }
    if (s->state == IOTHUB_WAITING) { /* this device tries again later; the others continue */
        (void)cli_error("device %zu: %s", d->number, s->text);
    }
}

static void on_done(iothub_client *c, const iothub_done *done, void *user)
{
    device *d = user;

    (void)c;
    if (done->kind == IOTHUB_OP_TELEMETRY && done->result == IOTHUB_OK) {
        d->gateway->arrived++;
        d->gateway->finished += ++d->arrived == d->gateway->sample.count;
    }
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    device *d = user;
    char json[64];
    int len = snprintf(json, sizeof json, "{\"sent\":%u}", d->sent);

    (void)iothub_method_respond(c, &call->token, 200, json, (size_t)len, NULL, NULL);
    return IOTHUB_METHOD_TAKEN;
}

static void on_timer(device *d, uint64_t now)
{
    const gateway *g = d->gateway;
    char body[64];
    int len = snprintf(body, sizeof body, "{\"device\":%zu,\"number\":%u}", d->number, d->sent + 1);
    const iothub_telemetry message = { .body = body, .body_len = (size_t)len };

    if (iothub_get_state(d->client) == IOTHUB_STOPPED) {
        (void)iothub_start(d->client);
    } else if (iothub_send_telemetry(d->client, &message, NULL) == IOTHUB_OK) {
        d->sent++; /* if this fails, the small buffer is full and the message is skipped */
    }
    bool over = d->sent == g->sample.count;
    d->next_ms = over ? PLAT_POLL_SET_NEVER : now + g->sample.interval_s * 1000ULL;
}

/* Does the work that is due for one device, then updates what the device waits for. */
static void serve(device *d)
{
    iothub_poll p;
    uint64_t now = now_ms();

    if (now >= d->next_ms) {
        on_timer(d, now);
    }
    (void)iothub_process(d->client);
    iothub_poll_info(d->client, &p);
    uint64_t due = p.timeout_ms < 0 ? PLAT_POLL_SET_NEVER : now_ms() + (uint64_t)p.timeout_ms;
    if (plat_poll_set_update(d->gateway->set, &d->item, p.fds,
                             due < d->next_ms ? due : d->next_ms) != PLAT_OK) {
        exit(sample_fail("no memory left"));
    }
}

static void add_device(gateway *g, const char *connection_string, const cli_list *from)
{
    iothub_error error = { .text = "no memory left" };
    device *d = calloc(1, sizeof *d);

    g->sample.options.user = d;
    if (d == NULL ||
        (d->client = iothub_new(connection_string, &g->sample.options, &error)) == NULL) {
        exit(cli_error("%s, line %zu: %s", from->name, from->line, error.text));
    }
    d->gateway = g;
    /* The devices do not all start at the same time. */
    d->next_ms = now_ms() + g->device_count * START_GAP_MS;
    d->number = ++g->device_count;
    d->next = g->devices;
    g->devices = d;
    serve(d);
}

static void read_devices(gateway *g)
{
    cli_list list;
    cli_list_result r;
    char *entry;

    if (!cli_list_open(&list, g->sample.devices)) {
        exit(1);
    }
    while ((r = cli_list_next(&list, &entry)) == CLI_LIST_ENTRY) {
        add_device(g, entry, &list);
    }
    cli_list_close(&list);
    if (r == CLI_LIST_FAILED) {
        exit(1);
    }
    if (g->devices == NULL) {
        exit(cli_error("%s: no connection string in it", list.name));
    }
}

/* A device needs one descriptor, and two while its token is renewed; a shell allows only 1024 by
 * default. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void turn(gateway *g)
{
    plat_poll_item *item = plat_poll_set_next(g->set, 1000);

    if (item != NULL) {
        serve((device *)item);
    }
}

static void stop(gateway *g)
{
    for (device *d = g->devices; d != NULL; d = d->next) {
        d->next_ms = PLAT_POLL_SET_NEVER;
        (void)iothub_stop(d->client, d->connected ? GRACE_MS : 0);
        serve(d);
    }
    while (g->devices != NULL) {
        device *d = g->devices;
        while (iothub_get_state(d->client) != IOTHUB_STOPPED) {
            turn(g);
        }
        plat_poll_set_remove(g->set, &d->item);
        iothub_free(d->client);
        g->devices = d->next;
        free(d);
    }
    plat_poll_set_free(g->set);
}

int main(int argc, char **argv)
{
    gateway g = { .sample = { .devices = "devices.txt",
                              .interval_s = 10,
                              .count = 1000,
                              .duration_s = 1000000 } };
    iothub_options *o = &g.sample.options;

    sample_init(&g.sample, argc, argv, "Many devices on one thread.");
    o->rx_size = RX;
    o->tx_size = TX;
    o->request_size = REQUEST;
    o->callbacks.status = on_status;
    o->callbacks.done = on_done;
    o->callbacks.method = on_method;
    if (plat_poll_set_new(&g.set) != PLAT_OK) {
        return sample_fail("no memory left");
    }
    allow_descriptors();
    read_devices(&g);
    while (sample_goes_on(&g.sample) && g.finished < g.device_count) {
        turn(&g);
    }
    printf("%zu devices, %zu bytes of heap each, %lu messages arrived\n", g.device_count,
           mallinfo2().uordblks / g.device_count, g.arrived);
    stop(&g);
    return sample_exit_status(&g.sample, g.finished == g.device_count);
}
