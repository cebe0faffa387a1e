/* Measures a hub that ends and is started again: whether and when all devices connect again, and
 * the costs. */

#include "many.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct totals {
    uint64_t connects;
    uint64_t failed_attempts;
    uint64_t losses;
    uint64_t resumptions;
} totals;

static volatile sig_atomic_t returned;
static uint64_t returned_us;
static uint64_t returned_cpu_ns;

/* Records the time immediately and not when the loop wakes, because much happens in the first
 * millisecond. */
static void on_return(int number)
{
    returned_us = many_now_us();
    returned_cpu_ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    returned = number;
}

static totals add_up(const many *m)
{
    totals t = { 0 };
    iothub_stats s;

    for (size_t i = 0; i < m->options->devices; i++) {
        many_device_stats(m->devices[i], &s);
        t.connects += s.connects;
        t.failed_attempts += s.failed_attempts;
        t.losses += s.losses;
        t.resumptions += s.tls_resumptions;
    }
    return t;
}

/* Gives each device a message that waits for the hub, so that not only connections but also
 * messages must get through. */
static void send_one_each(const many *m)
{
    for (size_t i = 0; i < m->options->devices; i++) {
        many_device_send(m->devices[i], 1, many_now_us());
    }
}

static void report_times(const many *m)
{
    for (size_t i = 0; i < m->options->devices; i++) {
        uint64_t at = many_device_connected_us(m->devices[i]);
        printf("%s%llu", i == 0 ? ",\"back_ms\":[" : ",",
               at > returned_us ? (unsigned long long)(at - returned_us) / 1000 : 0ULL);
    }
    printf("]");
}

static void report(const many *m, const totals *before, uint64_t cpu_ns)
{
    totals now = add_up(m);

    printf(",\"storm\":{\"cpu_ns\":%llu,\"reconnects\":%llu,\"failed_attempts\":%llu,"
           "\"losses\":%llu,\"resumed\":%llu",
           (unsigned long long)cpu_ns, (unsigned long long)(now.connects - before->connects),
           (unsigned long long)(now.failed_attempts - before->failed_attempts),
           (unsigned long long)(now.losses - before->losses),
           (unsigned long long)(now.resumptions - before->resumptions));
    report_times(m);
    printf("}");
}

void many_storm(many *m)
{
    const struct sigaction action = { .sa_handler = on_return };
    totals before = add_up(m);
    uint64_t wanted = m->sent + m->options->devices;

    (void)sigaction(SIGUSR1, &action, NULL);
    m->may_lose = true;
    fprintf(stderr, "READY\n");
    while (m->connected > 0) {
        many_turn(m, MANY_TURN_MS);
    }
    send_one_each(m);
    fprintf(stderr, "LOST\n");
    while (returned == 0 || m->connected < m->options->devices || m->acknowledged < wanted) {
        many_turn(m, MANY_TURN_MS);
    }
    report(m, &before, bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - returned_cpu_ns);
}
