/* What a fleet says while it runs, and at its end. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "command/commands.h"
#include "fleet/fleet.h"

/* --- latency ------------------------------------------------------------------------ */

/* Exact below 16, then sixteen steps for each doubling: at most 6 % too high. */
static size_t class_of(uint64_t us)
{
    if (us < LATENCY_STEPS) {
        return (size_t)us;
    }
    unsigned shift = 59U - (unsigned)__builtin_clzll(us);
    return (shift + 1) * LATENCY_STEPS + (size_t)((us >> shift) - LATENCY_STEPS);
}

static uint64_t end_of_class(size_t class)
{
    if (class < LATENCY_STEPS) {
        return class;
    }
    unsigned shift = (unsigned)(class / LATENCY_STEPS) - 1;
    return ((class % LATENCY_STEPS + LATENCY_STEPS + 1) << shift) - 1;
}

void fleet_latency_add(fleet_latency *l, uint64_t us)
{
    l->classes[class_of(us)]++;
    l->count++;
    l->longest_us = us > l->longest_us ? us : l->longest_us;
}

static double percentile_ms(const fleet_latency *l, double percent)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < LATENCY_CLASSES; i++) {
        seen += l->classes[i];
        if (seen > 0 && (double)seen >= (double)l->count * percent / 100) {
            uint64_t us = end_of_class(i) < l->longest_us ? end_of_class(i) : l->longest_us;
            return (double)us / 1000;
        }
    }
    return 0;
}

static void print_latency(const fleet_latency *l)
{
    printf("latency, send to acknowledged: p50 %.1f, p90 %.1f, p99 %.1f, longest %.1f ms\n",
           percentile_ms(l, 50), percentile_ms(l, 90), percentile_ms(l, 99),
           (double)l->longest_us / 1000);
}

/* --- the rest ------------------------------------------------------------------------ */

static double passed_s(const fleet *f)
{
    return (double)(fleet_now_us() - f->began_us) / 1e6;
}

static uint64_t sum(const uint64_t *counts)
{
    uint64_t all = 0;

    for (size_t i = 0; i < FLEET_KINDS; i++) {
        all += counts[i];
    }
    return all;
}

void fleet_progress(const fleet *f)
{
    const fleet_totals *t = &f->totals;

    printf("%.0f s: %zu of %zu connected, %" PRIu64 " sent, %" PRIu64 " arrived, %" PRIu64
           " errors\n",
           passed_s(f), t->connected, f->count, t->sent, t->arrived,
           sum(t->link_errors) + sum(t->message_errors));
    (void)fflush(stdout);
}

static void print_errors(const char *what, const uint64_t *counts)
{
    for (size_t i = 0; i < FLEET_KINDS; i++) {
        if (counts[i] != 0) {
            printf("%s: %" PRIu64 " x %s\n", what, counts[i],
                   iothub_result_str((iothub_result)(-(int)i)));
        }
    }
}

/* The costs of this process: heap before the end, highest resident memory, processor time. */
static void print_costs(const fleet *f)
{
    struct rusage u;
    double n = (double)f->count;

    (void)getrusage(RUSAGE_SELF, &u);
    double cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    printf("costs: %.1f KB of heap a device, %.1f MB resident at most, %.2f s of CPU\n",
           (double)f->heap / n / 1024, (double)u.ru_maxrss / 1024, cpu_s);
}

int fleet_summary(const fleet *f)
{
    const fleet_totals *t = &f->totals;
    uint64_t unfinished = t->sent - t->arrived - sum(t->message_errors);

    printf("devices: %zu, of which %zu were connected; %" PRIu64 " connects (%" PRIu64
           " resumed TLS), %" PRIu64 " losses\n",
           f->count, t->ever_connected, t->connects, t->resumed, t->losses);
    printf("messages: %" PRIu64 " sent, %" PRIu64 " arrived, %" PRIu64 " failed, %" PRIu64
           " skipped; %.1f a second\n",
           t->sent, t->arrived, sum(t->message_errors) + unfinished, t->skipped,
           (double)t->arrived / passed_s(f));
    printf("answered: %" PRIu64 " methods, %" PRIu64 " twin changes\n", t->methods, t->desired);
    if (t->latency.count > 0) {
        print_latency(&t->latency);
    }
    print_errors("connection error", t->link_errors);
    print_errors("message error", t->message_errors);
    print_costs(f);
    if (cli_finish() != EXIT_SUCCESS) {
        return EXIT_FAILURE;
    }
    bool good = t->ever_connected == f->count && t->arrived == t->sent && !f->failed;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
