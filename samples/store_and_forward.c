/*
 * Store and forward: messages that survive everything but the loss of the disk.
 *
 *     export IOTHUB_DEVICE_CONNECTION_STRING="HostName=...;DeviceId=...;SharedAccessKey=..."
 *     store_and_forward --count 1000 --store telemetry.db
 *
 * Kill it with -9, pull the plug, take the network away: what it said is stored arrives at the hub,
 * now or in the next run with the same file.  A message may come twice, with the same message id.
 */

#include <stdio.h>

#include <platform/sqlite_store.h>

#include "sample.h"

/* In the store when this returns IOTHUB_OK: from then on the number is not lost. */
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

/* With or without a connection; then wait until the hub has them all. */
static bool run(sample *s, iothub_client *c)
{
    for (unsigned sent = 0; sent < s->count && sample_goes_on(s);) {
        iothub_result r = send_number(c, s->first + sent);
        if (r == IOTHUB_OK) {
            printf("stored %u\n", s->first + sent);
            sent++;
        } else if (r != IOTHUB_ERR_NO_SPACE) { /* that one only means: later */
            s->failed = true;
            (void)sample_fail(iothub_last_error(c)->text);
        }
        (void)iothub_wait(c, r == IOTHUB_OK ? 0 : 200);
    }
    while (sample_goes_on(s) && !all_arrived(c)) {
        (void)iothub_wait(c, 200);
    }
    return !s->failed && all_arrived(c);
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
        .sync_delay_ms = 100, /* what a loss of power may take; a killed process loses nothing */
    };
    char detail[PLAT_STORE_DETAIL_SIZE];

    if (plat_sqlite_store_open(&options, &s->options.store, detail) != PLAT_OK) {
        (void)sample_fail(detail);
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
    bool done = run(&s, c);

    sample_stop(&s, c);
    print_counters(c);
    iothub_free(c);
    (void)s.options.store->ops->close(s.options.store);
    return sample_exit_status(&s, done);
}
