/* Runs one job with the peer that the program is linked with, and prints the result as one line
 * of JSON.
 *
 *     bench_PEER --port N [--ca FILE] [--kind publish|receive|latency|idle] [--count N]
 *                [--size BYTES] [--window N] [--qos 0|1] [--thread] [--websocket] */

#include "bench.h"

#include <getopt.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 128, BUFFER_MIN = 128 * 1024 };

uint8_t bench_payload[BENCH_PAYLOAD_MAX];

static atomic_ulong ended;
/* Number of ended messages at which bench_wait wakes up; 0: it does not wait. */
static atomic_ulong awaited;
static sem_t reached;

void bench_ended(unsigned long count)
{
    unsigned long now = atomic_fetch_add(&ended, count) + count;
    unsigned long target = atomic_load(&awaited);

    if (target != 0 && now >= target && atomic_exchange(&awaited, 0) != 0) {
        (void)sem_post(&reached);
    }
}

void bench_wait(unsigned long target)
{
    atomic_store(&awaited, target);
    /* The loop is necessary, because the semaphore may still be posted from the last wait. */
    while (atomic_load(&ended) < target) {
        if (sem_wait(&reached) == 0) {
            atomic_store(&awaited, target);
        }
    }
    atomic_store(&awaited, 0);
}

size_t bench_window_bytes(const bench_job *job)
{
    const size_t bytes = job->window * (job->size + HEAD);

    return bytes > BUFFER_MIN ? bytes : BUFFER_MIN;
}

/* --- measuring -------------------------------------------------------------------------- */

static void report(unsigned long messages, const bench_reading *begin, const bench_reading *end)
{
    printf("{\"messages\":%lu,\"wall_ns\":%llu,\"cpu_ns\":%llu,\"allocations\":%lu,\"calls\":%lu",
           messages, (unsigned long long)(end->wall_ns - begin->wall_ns),
           (unsigned long long)(end->cpu_ns - begin->cpu_ns),
           end->counts.allocations - begin->counts.allocations,
           end->counts.calls - begin->counts.calls);
}

/* --- the jobs --------------------------------------------------------------------------- */

/* Publishes until `total` messages have ended since the start of the program. */
static void publish(bench_peer *p, const bench_job *job, unsigned long total)
{
    unsigned long sent = atomic_load(&ended);

    while (atomic_load(&ended) < total) {
        while (sent < total && sent - atomic_load(&ended) < job->window && peer_publish(p)) {
            sent++;
        }
        /* Waits for half a window, so that a thread that sleeps is not woken for each message. */
        unsigned long half = sent > job->window / 2 ? sent - job->window / 2 : sent;
        peer_turn(p, sent == total ? total : half);
    }
}

static void receive(bench_peer *p, const bench_job *job, unsigned long total)
{
    (void)job;
    while (atomic_load(&ended) < total) {
        peer_turn(p, total);
    }
}

static void run_messages(const bench_job *job,
                         void (*run)(bench_peer *, const bench_job *, unsigned long))
{
    bench_peer *p = peer_open(job, 0);
    run(p, job, job->count / 10);
    unsigned long before = atomic_load(&ended);
    bench_reading begin = bench_read();
    run(p, job, job->count);
    bench_reading end = bench_read();
    report(atomic_load(&ended) - before, &begin, &end);
    puts("}");
    peer_close(p);
}

static void run_latency(const bench_job *job)
{
    uint64_t *ns = calloc(job->count, sizeof *ns);
    unsigned long warm = job->count / 10;
    bench_peer *p = peer_open(job, 0);
    bench_reading begin = bench_read();

    for (unsigned long i = 0; i < job->count; i++) {
        if (i == warm) {
            begin = bench_read();
        }
        uint64_t start = bench_clock_ns(CLOCK_MONOTONIC);
        publish(p, job, i + 1);
        ns[i] = bench_clock_ns(CLOCK_MONOTONIC) - start;
    }
    bench_reading end = bench_read();
    unsigned long measured = job->count - warm;
    bench_sort(ns + warm, measured);
    report(measured, &begin, &end);
    printf(",\"median_ns\":%llu,\"p99_ns\":%llu}\n", (unsigned long long)ns[warm + measured / 2],
           (unsigned long long)ns[warm + measured * 99 / 100]);
    peer_close(p);
    free(ns);
}

static void run_idle(const bench_job *job)
{
    bench_peer **peers = calloc(job->count, sizeof *peers);
    /* The first half has made everything that connections share, such as the tables for the keys
     * in certificates, 0.8 MB each. */
    unsigned long first = job->count / 2;
    uint64_t before = 0;

    for (unsigned long i = 0; i < job->count; i++) {
        if (i == first) {
            before = bench_memory();
        }
        peers[i] = peer_open(job, i);
    }
    uint64_t after = bench_memory();
    uint64_t grown = after > before ? after - before : 0;
    printf("{\"messages\":%lu,\"bytes_each\":%llu}\n", job->count,
           job->count > first ? (unsigned long long)(grown / (job->count - first)) : 0);
    for (unsigned long i = 0; i < job->count; i++) {
        peer_close(peers[i]);
    }
    free(peers);
}

/* --- the command line ------------------------------------------------------------------- */

static bench_kind parse_kind(const char *text)
{
    static const char *const names[] = { "publish", "receive", "latency", "idle" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (bench_kind)i;
        }
    }
    bench_fail("--kind", text);
}

static bench_job parse(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },   { "ca", required_argument, NULL, 'c' },
        { "kind", required_argument, NULL, 'k' },   { "count", required_argument, NULL, 'n' },
        { "window", required_argument, NULL, 'w' }, { "qos", required_argument, NULL, 'q' },
        { "thread", no_argument, NULL, 't' },       { "websocket", no_argument, NULL, 'e' },
        { "size", required_argument, NULL, 's' },   { NULL, 0, NULL, 0 },
    };
    bench_job job = { .host = "localhost", .count = 10, .window = 20, .qos = 1, .size = 256 };
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (o) {
        case 'p': job.port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'c': job.ca_file = optarg; break;
        case 'k': job.kind = parse_kind(optarg); break;
        case 'n': job.count = strtoul(optarg, NULL, 10); break;
        case 'w': job.window = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'q': job.qos = (unsigned)strtoul(optarg, NULL, 10); break;
        case 't': job.thread = true; break;
        case 'e': job.websocket = true; break;
        case 's': job.size = strtoul(optarg, NULL, 10); break;
        default: exit(2);
        }
    }
    if (job.size > BENCH_PAYLOAD_MAX) {
        bench_fail("--size", "too large");
    }
    return job;
}

int main(int argc, char **argv)
{
    const bench_job job = parse(argc, argv);

    memset(bench_payload, 'x', sizeof bench_payload);
    (void)sem_init(&reached, 0, 0);

    switch (job.kind) {
    case BENCH_PUBLISH: run_messages(&job, publish); break;
    case BENCH_RECEIVE: run_messages(&job, receive); break;
    case BENCH_LATENCY: run_latency(&job); break;
    case BENCH_IDLE: run_idle(&job); break;
    }
    return 0;
}
