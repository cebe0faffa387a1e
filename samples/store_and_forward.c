/*
 * Store and forward: telemetry that survives everything except the loss of the disk.
 *
 *     export IOTHUB_DEVICE_CONNECTION_STRING="HostName=...;DeviceId=...;SharedAccessKey=..."
 *     store_and_forward --count 1000 --store telemetry.db
 *
 * Kill it with -9, switch the power off, disconnect the network: every message that was reported as
 * stored arrives at the hub, now or in the next run with the same file. A message may arrive twice,
 * with the same message id.
 */

#include <stdio.h>

#include <cli/output.h>
#include <cli/secret.h>
#include <platform/sqlite_store.h>

#include "sample.h"

/* When this returns IOTHUB_OK, the number is in the store and cannot be lost. */
static iothub_result send_number(iothub_client *c, unsigned number)
{
    char body[40];
    int len = snprintf(body, sizeof body, "{\"number\":%u}", number);
    const iothub_telemetry message = {
        .body = body,
        .body_len = (size_t)len,
        .content_type = "application/json",
        .content_encoding = "utf-8",
    };

    return iothub_send_telemetry(c, &message, NULL);
}

static bool all_arrived(const iothub_client *c)
{
    iothub_stats stats;

    iothub_get_stats(c, &stats);
    return stats.queued == 0;
}

/* Works with and without a connection. Returns how many messages were stored; `why` receives the
 * reason if one was refused. */
static unsigned store_all(const sample *s, iothub_client *c, iothub_error *why)
{
    unsigned stored = 0;

    while (stored < s->count && sample_goes_on(s)) {
        iothub_result r = send_number(c, s->first + stored);
        if (r == IOTHUB_OK) {
            printf("stored %u\n", s->first + stored);
            stored++;
        } else {
            *why = *iothub_last_error(c);
        }
        if (r != IOTHUB_OK &&
            /* This result means that the queue is full, so it is tried again later. */
            r != IOTHUB_ERR_NO_SPACE) {
            break;
        }
        (void)iothub_wait(c, r == IOTHUB_OK ? 0 : 200);
    }
    return stored;
}

/* Waits until the hub has all messages. Returns false if one of this run was never stored. */
static bool run(const sample *s, iothub_client *c)
{
    iothub_error why = { .text = "the program ended first" };
    unsigned stored = store_all(s, c, &why);

    if (stored < s->count) {
        (void)cli_error("message %u was not stored: %s", s->first + stored, why.text);
        return false;
    }
    while (sample_goes_on(s) && !all_arrived(c)) {
        (void)iothub_wait(c, 200);
    }
    return true;
}

static void print_counters(const iothub_client *c)
{
    iothub_stats s;

    iothub_get_stats(c, &s);
    printf("%llu found, %llu stored, %llu at the hub, %llu expired, %llu dropped, %llu waiting\n",
           (unsigned long long)s.telemetry_found, (unsigned long long)s.telemetry_stored,
           (unsigned long long)s.telemetry_acknowledged, (unsigned long long)s.telemetry_expired,
           (unsigned long long)s.telemetry_dropped, (unsigned long long)s.queued);
}

static bool open_store(sample *s)
{
    const plat_sqlite_options options = {
        .path = s->store,
        .owner = "store_and_forward",
        .sync_delay_ms = 100, /* a power loss may lose the messages of this time; a killed process
                                 loses nothing */
    };
    char detail[PLAT_STORE_DETAIL_SIZE];

    if (plat_sqlite_store_open(&options, &s->options.store, detail) != PLAT_OK) {
        (void)sample_fail(cli_may_show(s->store) ? detail : "--store is not the name of a file");
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    sample s = { .count = 5, .duration_s = 60, .store = "telemetry.db" };
    iothub_error error;

    sample_init(&s, argc, argv, "Send numbered telemetry that survives a crash.");
    if (!open_store(&s)) {
        return 1;
    }
    iothub_client *c = iothub_new(s.connection_string, &s.options, &error);
    if (c == NULL) {
        (void)s.options.store->ops->close(s.options.store);
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    bool stored = run(&s, c);

    sample_stop(&s, c);
    print_counters(c);
    bool arrived = all_arrived(c);
    iothub_free(c);
    (void)s.options.store->ops->close(s.options.store);
    return stored ? sample_exit_status(&s, arrived) : 1;
}
