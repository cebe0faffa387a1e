/* What a fleet prints while it runs, and at its end. */

#include "fleet/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "command/commands.h"
#include "fleet/clock.h"

static void print_latency(const fleet_latency *l)
{
    printf("latency, send to acknowledged: p50 %.1f, p90 %.1f, p99 %.1f, longest %.1f ms\n",
           fleet_latency_percentile_ms(l, 50), fleet_latency_percentile_ms(l, 90),
           fleet_latency_percentile_ms(l, 99), (double)l->longest_us / 1000);
}

static double passed_s(const fleet_report *r)
{
    return (double)(fleet_now_us() - r->began_us) / 1e6;
}

void fleet_report_progress(const fleet_report *r)
{
    const fleet_totals *t = r->totals;

    printf("%.0f s: %zu of %zu connected, %" PRIu64 " sent, %" PRIu64 " arrived, %" PRIu64
           " errors\n",
           passed_s(r), t->connected, r->devices, t->sent, t->arrived, fleet_totals_errors(t));
    (void)fflush(stdout);
}

static void print_errors(const char *what, const uint64_t *counts)
{
    for (size_t i = 0; i < FLEET_ERROR_KINDS; i++) {
        if (counts[i] != 0) {
            printf("%s: %" PRIu64 " x %s\n", what, counts[i],
                   iothub_result_str((iothub_result)(-(int)i)));
        }
    }
}

/* Prints the costs of this process: heap before the end, largest resident memory, processor
 * time. */
static void print_costs(const fleet_report *r)
{
    struct rusage u;
    double n = (double)r->devices;

    (void)getrusage(RUSAGE_SELF, &u);
    double cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    printf("costs: %.1f KB of heap a device, %.1f MB resident at most, %.2f s of CPU\n",
           (double)r->heap / n / 1024, (double)u.ru_maxrss / 1024, cpu_s);
}

int fleet_report_summary(const fleet_report *r)
{
    const fleet_totals *t = r->totals;
    uint64_t failed = fleet_totals_failed_messages(t);
    uint64_t unfinished = t->sent - t->arrived - failed;

    printf("devices: %zu, of which %zu were connected; %" PRIu64 " connects (%" PRIu64
           " resumed TLS), %" PRIu64 " losses\n",
           r->devices, t->ever_connected, t->connects, t->resumed, t->losses);
    printf("messages: %" PRIu64 " sent, %" PRIu64 " arrived, %" PRIu64 " failed, %" PRIu64
           " skipped; %.1f a second\n",
           t->sent, t->arrived, failed + unfinished, t->skipped, (double)t->arrived / passed_s(r));
    printf("answered: %" PRIu64 " methods, %" PRIu64 " twin changes\n", t->methods, t->desired);
    if (t->latency.count > 0) {
        print_latency(&t->latency);
    }
    print_errors("connection error", t->link_errors);
    print_errors("message error", t->message_errors);
    print_costs(r);
    if (cli_finish() != EXIT_SUCCESS) {
        return EXIT_FAILURE;
    }
    bool good = t->ever_connected == r->devices && t->arrived == t->sent && !r->failed;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
