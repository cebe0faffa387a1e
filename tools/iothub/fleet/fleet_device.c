/* One simulated device. */

#include "fleet/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"

enum { BURST = 16, NUMBER_ROOM = 64 };

#define NEVER UINT64_MAX

struct fleet_device {
    plat_poll_item item; /* must be the first member: the set returns a pointer to it */
    fleet *fleet;
    iothub_client *client;
    uint64_t next_us; /* the start, or the next message */
    uint64_t sent;
    bool started;
    bool connected;
    bool ever_connected;
};

/* --- callbacks ------------------------------------------------------------------ */

static size_t kind_of(iothub_result r)
{
    size_t kind = r < 0 ? (size_t)-r : 0;
    return kind < FLEET_KINDS ? kind : FLEET_KINDS - 1;
}

static uint64_t period_us(const fleet *f)
{
    return f->options->rate > 0 ? (uint64_t)(1e6 / f->options->rate) : NEVER;
}

/* Random, so that the devices do not send at the same moment. */
static uint64_t first_message_us(const fleet *f)
{
    uint64_t period = period_us(f);
    return period == NEVER ? NEVER : fleet_now_us() + (uint64_t)(drand48() * (double)period);
}

static void on_connected(fleet_device *d)
{
    fleet_totals *t = &d->fleet->totals;

    d->connected = true;
    t->connected++;
    t->connects++;
    t->ever_connected += d->ever_connected ? 0 : 1;
    d->ever_connected = true;
    if (d->next_us == NEVER) {
        d->next_us = first_message_us(d->fleet);
    }
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    fleet_device *d = user;
    fleet_totals *t = &d->fleet->totals;

    (void)c;
    if (s->state == IOTHUB_CONNECTED) {
        on_connected(d);
        return;
    }
    if (d->connected) {
        d->connected = false;
        t->connected--;
        t->losses += s->state == IOTHUB_WAITING;
    }
    if (s->state == IOTHUB_WAITING) {
        t->link_errors[kind_of(s->reason)]++;
    }
}

static void on_done(iothub_client *c, const iothub_done *done, void *user)
{
    fleet_device *d = user;
    fleet_totals *t = &d->fleet->totals;

    (void)c;
    if (done->kind != IOTHUB_OP_TELEMETRY) {
        return;
    }
    if (done->result != IOTHUB_OK) {
        t->message_errors[kind_of(done->result)]++;
        return;
    }
    t->arrived++;
    fleet_latency_add(&t->latency, fleet_now_us() - (uint64_t)(uintptr_t)done->tag);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    fleet_device *d = user;
    char json[NUMBER_ROOM];
    int len = snprintf(json, sizeof json, "{\"sent\":%llu}", (unsigned long long)d->sent);

    d->fleet->totals.methods++;
    (void)iothub_method_respond(c, &call->token, 200, json, (size_t)len, NULL, NULL);
    return IOTHUB_METHOD_TAKEN;
}

/* The document as a whole comes with each connection and is no change. */
static void on_desired(iothub_client *c, const iothub_desired *desired, void *user)
{
    fleet_device *d = user;
    char json[NUMBER_ROOM];

    if (desired->complete) {
        return;
    }
    int len = snprintf(json, sizeof json, "{\"desiredVersion\":%llu}",
                       (unsigned long long)desired->version);
    d->fleet->totals.desired++;
    (void)iothub_twin_report(c, json, (size_t)len, NULL, NULL);
}

void fleet_set_callbacks(fleet *f)
{
    iothub_callbacks *cb = &f->client.callbacks;

    cb->status = on_status;
    cb->done = on_done;
    if (!f->options->telemetry_only) {
        cb->method = on_method;
        cb->desired = on_desired;
    }
}

/* --- its own doing --------------------------------------------------------------- */

/* {"number":7,"pad":"xxxx"}; what is short gets longer than asked for. */
static size_t write_body(fleet *f, uint64_t number)
{
    char head[NUMBER_ROOM];
    size_t size = (size_t)f->options->size;
    size_t len = (size_t)snprintf(head, sizeof head, "{\"number\":%llu,\"pad\":\"",
                                  (unsigned long long)number);
    size_t whole = size > len + 2 ? size : len + 2;

    memset(f->body, 'x', whole);
    memcpy(f->body, head, len);
    memcpy(f->body + whole - 2, "\"}", 2);
    return whole;
}

static void send_one(fleet_device *d, uint64_t now_us)
{
    fleet *f = d->fleet;
    const iothub_telemetry message = {
        .body = f->body,
        .body_len = write_body(f, d->sent + 1),
        .tag = (void *)(uintptr_t)now_us, /* NOLINT(performance-no-int-to-ptr): never followed */
    };

    if (iothub_send_telemetry(d->client, &message, NULL) == IOTHUB_OK) {
        d->sent++;
        f->totals.sent++;
    } else {
        f->totals.skipped++;
    }
}

static void on_timer(fleet_device *d, uint64_t now_us)
{
    uint64_t period = period_us(d->fleet);

    if (!d->started) {
        d->started = true;
        d->next_us = NEVER; /* until it is connected */
        (void)iothub_start(d->client);
        return;
    }
    if (!d->connected) { /* skipped, not queued: a backlog would change the requested load */
        d->next_us = NEVER;
        return;
    }
    for (int i = 0; i < BURST && now_us >= d->next_us; i++) {
        send_one(d, now_us);
        d->next_us += period;
    }
    if (now_us >= d->next_us) {
        d->next_us = now_us;
    }
}

static uint64_t due_ms(const fleet_device *d, int timeout_ms)
{
    const plat_clock *clock = plat_posix()->clock; /* that of the set */
    uint64_t now = clock->monotonic_ms(clock);
    uint64_t now_us = fleet_now_us();
    uint64_t left_us = d->next_us > now_us ? d->next_us - now_us : 0;
    uint64_t due = timeout_ms < 0 ? PLAT_POLL_SET_NEVER : now + (uint64_t)timeout_ms;
    uint64_t own = d->next_us == NEVER ? PLAT_POLL_SET_NEVER : now + left_us / 1000 + 1;
    return own < due ? own : due;
}

void fleet_serve(plat_poll_item *item)
{
    fleet_device *d = (fleet_device *)item;
    iothub_poll p;
    uint64_t now_us = fleet_now_us();

    if (now_us >= d->next_us) {
        on_timer(d, now_us);
    }
    (void)iothub_process(d->client);
    iothub_poll_info(d->client, &p);
    if (plat_poll_set_update(d->fleet->set, &d->item, p.fds, due_ms(d, p.timeout_ms)) != PLAT_OK) {
        d->fleet->failed = true;
    }
}

/* --- its beginning and its end ----------------------------------------------------- */

bool fleet_add(fleet *f, const char *connection_string, const char *where)
{
    iothub_error error = { .text = "out of memory" };
    fleet_device *d = calloc(1, sizeof *d);

    f->client.user = d;
    if (d == NULL || (d->client = iothub_new(connection_string, &f->client, &error)) == NULL) {
        cli_error("%s: %s", where, error.text);
        free(d);
        return false;
    }
    d->fleet = f;
    f->devices[f->count++] = d;
    return true;
}

void fleet_schedule(fleet_device *d, uint64_t start_us)
{
    d->next_us = start_us;
    fleet_serve(&d->item);
}

void fleet_stop(fleet_device *d, uint32_t grace_ms)
{
    iothub_stats stats;

    iothub_get_stats(d->client, &stats);
    d->fleet->totals.resumed += stats.tls_resumptions;
    d->started = true;
    d->next_us = NEVER;
    (void)iothub_stop(d->client, d->connected ? grace_ms : 0);
    fleet_serve(&d->item);
}

bool fleet_is_stopped(const fleet_device *d)
{
    return iothub_get_state(d->client) == IOTHUB_STOPPED;
}

void fleet_free(fleet_device *d)
{
    plat_poll_set_remove(d->fleet->set, &d->item);
    iothub_free(d->client);
    free(d);
}
