/* One simulated device. */

#include "fleet/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"
#include "fleet/clock.h"

enum {
    BURST = 16, /* most messages that a device sends in one turn */
    NUMBER_ROOM = 64,
    RX = 8 * 1024,
    REQUEST = 512,
    HEADERS = 512,
    QUEUED = 4, /* most messages that wait in a device */
};

#define NEVER UINT64_MAX

struct fleet_load {
    iothub_options client; /* options of each device */
    plat_poll_set *set;
    fleet_totals *totals;
    uint64_t period_us; /* interval between two messages of a device; NEVER: none are sent */
    size_t size;        /* bytes of a body */
    char *body;         /* shared by all messages; only its beginning changes */
    bool failed;        /* a descriptor could not be watched */
};

struct fleet_device {
    /* Must be the first member, because the poll set returns a pointer to it. */
    plat_poll_item item;
    fleet_load *load;
    iothub_client *client;
    uint64_t next_us; /* time of the start, then of the next message */
    uint64_t sent;
    bool started;
    bool connected;
    bool ever_connected;
};

/* --- callbacks ------------------------------------------------------------------ */

/* A random time, so that the devices do not send at the same moment. */
static uint64_t first_message_us(const fleet_load *l)
{
    if (l->period_us == NEVER) {
        return NEVER;
    }
    return fleet_now_us() + (uint64_t)(drand48() * (double)l->period_us);
}

static void on_connected(fleet_device *d)
{
    fleet_totals_connected(d->load->totals, !d->ever_connected);
    d->connected = true;
    d->ever_connected = true;
    if (d->next_us == NEVER) {
        d->next_us = first_message_us(d->load);
    }
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    fleet_device *d = user;
    fleet_totals *t = d->load->totals;

    (void)c;
    if (s->state == IOTHUB_CONNECTED) {
        on_connected(d);
        return;
    }
    if (d->connected) {
        d->connected = false;
        fleet_totals_disconnected(t, s->state == IOTHUB_WAITING);
    }
    if (s->state == IOTHUB_WAITING) {
        fleet_totals_link_failed(t, s->reason);
    }
}

static void on_done(iothub_client *c, const iothub_done *done, void *user)
{
    fleet_device *d = user;
    fleet_totals *t = d->load->totals;

    (void)c;
    if (done->kind != IOTHUB_OP_TELEMETRY) {
        return;
    }
    if (done->result != IOTHUB_OK) {
        fleet_totals_message_failed(t, done->result);
        return;
    }
    fleet_totals_message_arrived(t, fleet_now_us() - (uint64_t)(uintptr_t)done->tag);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    fleet_device *d = user;
    char json[NUMBER_ROOM];
    int len = snprintf(json, sizeof json, "{\"sent\":%llu}", (unsigned long long)d->sent);

    fleet_totals_method_answered(d->load->totals);
    (void)iothub_method_respond(c, &call->token, 200, json, (size_t)len, NULL, NULL);
    return IOTHUB_METHOD_TAKEN;
}

/* The complete document arrives with each connection and is not a change. */
static void on_desired(iothub_client *c, const iothub_desired *desired, void *user)
{
    fleet_device *d = user;
    char json[NUMBER_ROOM];

    if (desired->complete) {
        return;
    }
    int len = snprintf(json, sizeof json, "{\"desiredVersion\":%llu}",
                       (unsigned long long)desired->version);
    fleet_totals_desired_reported(d->load->totals);
    (void)iothub_twin_report(c, json, (size_t)len, NULL, NULL);
}

/* --- its own doing --------------------------------------------------------------- */

/* Writes a body such as {"number":7,"pad":"xxxx"}. If the requested size is too small, the body
 * is longer. */
static size_t write_body(const fleet_load *l, uint64_t number)
{
    char head[NUMBER_ROOM];
    size_t len = (size_t)snprintf(head, sizeof head, "{\"number\":%llu,\"pad\":\"",
                                  (unsigned long long)number);
    size_t whole = l->size > len + 2 ? l->size : len + 2;

    memset(l->body, 'x', whole);
    memcpy(l->body, head, len);
    memcpy(l->body + whole - 2, "\"}", 2);
    return whole;
}

static void send_one(fleet_device *d, uint64_t now_us)
{
    const fleet_load *l = d->load;
    const iothub_telemetry message = {
        .body = l->body,
        .body_len = write_body(l, d->sent + 1),
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number, never used as a pointer */
        .tag = (void *)(uintptr_t)now_us,
    };

    bool accepted = iothub_send_telemetry(d->client, &message, NULL) == IOTHUB_OK;
    if (accepted) {
        d->sent++;
    }
    fleet_totals_message_due(l->totals, accepted);
}

static void on_timer(fleet_device *d, uint64_t now_us)
{
    if (!d->started) {
        d->started = true;
        d->next_us = NEVER; /* no message is due until it is connected */
        (void)iothub_start(d->client);
        return;
    }
    /* Skipped and not queued, because a backlog would change the requested load. */
    if (!d->connected) {
        d->next_us = NEVER;
        return;
    }
    for (int i = 0; i < BURST && now_us >= d->next_us; i++) {
        send_one(d, now_us);
        d->next_us += d->load->period_us;
    }
    if (now_us >= d->next_us) {
        d->next_us = now_us;
    }
}

static uint64_t due_ms(const fleet_device *d, int timeout_ms)
{
    const plat_clock *clock = plat_posix()->clock; /* the clock that the poll set uses */
    uint64_t now = clock->monotonic_ms(clock);
    uint64_t now_us = fleet_now_us();
    uint64_t left_us = d->next_us > now_us ? d->next_us - now_us : 0;
    uint64_t due = timeout_ms < 0 ? PLAT_POLL_SET_NEVER : now + (uint64_t)timeout_ms;
    uint64_t own = d->next_us == NEVER ? PLAT_POLL_SET_NEVER : now + left_us / 1000 + 1;
    return own < due ? own : due;
}

/* Does the work that is due, then updates what the device waits for. */
static void serve(fleet_device *d)
{
    iothub_poll p;
    uint64_t now_us = fleet_now_us();

    if (now_us >= d->next_us) {
        on_timer(d, now_us);
    }
    (void)iothub_process(d->client);
    iothub_poll_info(d->client, &p);
    if (plat_poll_set_update(d->load->set, &d->item, p.fds, due_ms(d, p.timeout_ms)) != PLAT_OK) {
        d->load->failed = true;
    }
}

/* --- its beginning and its end ----------------------------------------------------- */

fleet_device *fleet_device_new(fleet_load *l, const char *connection_string, const char *where)
{
    iothub_error error = { .text = "out of memory" };
    iothub_options options = l->client;
    fleet_device *d = calloc(1, sizeof *d);

    options.user = d;
    if (d == NULL || (d->client = iothub_new(connection_string, &options, &error)) == NULL) {
        cli_error("%s: %s", where, error.text);
        free(d);
        return NULL;
    }
    d->load = l;
    return d;
}

void fleet_device_schedule(fleet_device *d, uint64_t start_us)
{
    d->next_us = start_us;
    serve(d);
}

void fleet_device_stop(fleet_device *d, uint32_t grace_ms)
{
    iothub_stats stats;

    iothub_get_stats(d->client, &stats);
    fleet_totals_add_resumed(d->load->totals, stats.tls_resumptions);
    d->started = true;
    d->next_us = NEVER;
    (void)iothub_stop(d->client, d->connected ? grace_ms : 0);
    serve(d);
}

bool fleet_device_is_stopped(const fleet_device *d)
{
    return iothub_get_state(d->client) == IOTHUB_STOPPED;
}

void fleet_device_free(fleet_device *d)
{
    plat_poll_set_remove(d->load->set, &d->item);
    iothub_free(d->client);
    free(d);
}

/* --- what they have in common ------------------------------------------------------- */

static void set_up_client(fleet_load *l, const fleet_load_options *options)
{
    iothub_options *o = &l->client;
    const char *ca_file = getenv("IOTHUB_CA_FILE");

    iothub_options_init(o);
    o->platform = plat_posix();
    o->port = options->port;
    o->ca_file = ca_file != NULL && *ca_file != '\0' ? ca_file : NULL;
    o->rx_size = RX;
    o->tx_size = QUEUED * (options->size + HEADERS);
    o->request_size = REQUEST;
    o->callbacks.status = on_status;
    o->callbacks.done = on_done;
    if (!options->telemetry_only) {
        o->callbacks.method = on_method;
        o->callbacks.desired = on_desired;
    }
}

fleet_load *fleet_load_new(const fleet_load_options *options, fleet_totals *totals)
{
    fleet_load *l = calloc(1, sizeof *l);

    if (l == NULL) {
        return NULL;
    }
    l->totals = totals;
    l->size = options->size;
    l->period_us = options->rate > 0 ? (uint64_t)(1e6 / options->rate) : NEVER;
    l->body = malloc(options->size + HEADERS);
    if (l->body == NULL || plat_poll_set_new(&l->set) != PLAT_OK) {
        fleet_load_free(l);
        return NULL;
    }
    set_up_client(l, options);
    return l;
}

void fleet_load_free(fleet_load *l)
{
    if (l != NULL) {
        plat_poll_set_free(l->set);
        free(l->body);
        free(l);
    }
}

void fleet_load_turn(fleet_load *l, uint64_t until_us)
{
    uint64_t now = fleet_now_us();
    int max_ms = now < until_us ? (int)((until_us - now) / 1000) + 1 : 0;
    plat_poll_item *item = plat_poll_set_next(l->set, max_ms);

    if (item != NULL) {
        serve((fleet_device *)item);
    }
}

bool fleet_load_failed(const fleet_load *l)
{
    return l->failed;
}
