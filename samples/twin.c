/*
 * Device twin: a JSON document about the device, kept by the hub. The cloud writes
 * "desired", the device writes "reported".
 *
 *     twin --count 2
 *     iothub service twin update device1 '{"properties":{"desired":{"interval":10}}}'
 */

#include <stdio.h>

#include "sample.h"

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned changes;
    unsigned reports_open;
    unsigned failures;
} app;

/* Called with the complete document after each connect, then with each change; so no change is
 * missed. */
static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    app *a = user;
    char report[80];

    if (d->result !=
        IOTHUB_OK) { /* the twin is too large, and the known properties may be out of date */
        (void)sample_fail(d->text);
        return;
    }
    a->changes++;
    sample_print("desired version %llu, %s: %.*s", (unsigned long long)d->version,
                 d->complete ? "complete" : "changed", (int)d->json.len, (const char *)d->json.ptr);

    /* Reports to the cloud that the device has received this version. */
    int len = snprintf(report, sizeof report, "{\"seenVersion\":%llu,\"firmware\":\"1.0.0\"}",
                       (unsigned long long)d->version);
    if (iothub_twin_report(c, report, (size_t)len, NULL, NULL) == IOTHUB_OK) {
        a->reports_open++;
    } else {
        a->failures++;
        (void)sample_fail(iothub_last_error(c)->text);
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    a->reports_open--;
    if (d->result == IOTHUB_OK) {
        printf("reported, now at version %llu\n", (unsigned long long)d->version);
    } else {
        a->failures++;
        printf("report refused: %s, status %d\n", iothub_result_str(d->result), d->status);
    }
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 2, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Follow desired properties and report back.");
    a.sample.options.callbacks.desired = on_desired;
    a.sample.options.callbacks.done = on_done;

    iothub_client *c = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    while (sample_goes_on(&a.sample) && (a.changes < a.sample.count || a.reports_open > 0)) {
        (void)iothub_wait(c, 200);
    }

    sample_stop(&a.sample, c);
    iothub_free(c);
    return sample_exit_status(&a.sample, a.changes >= a.sample.count && a.failures == 0);
}
