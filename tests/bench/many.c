/* Runs many device clients in one process: it connects them, leaves them idle, lets them send
 * telemetry, and prints what each of these costs as one line of JSON.
 *
 *     bench_many --port N [--ca FILE] [--devices N] [--messages N] [--rate N] [--at-once N]
 *                [--keep-alive SECONDS] [--no-idle] [--storm [--retry-min MS] [--retry-max MS]]
 *
 * With --storm it prints READY on standard error when all this is done, and LOST when the last
 * connection is gone. Send it SIGUSR1 when the hub is back. */

#include "many.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { WARM_UP = 100, OTHER_DESCRIPTORS = 64 };

static void report(const char *what, const bench_reading *begin, const bench_reading *end)
{
    printf(",\"%s\":{\"wall_ns\":%llu,\"cpu_ns\":%llu,\"calls\":%lu,\"allocations\":%lu}", what,
           (unsigned long long)(end->wall_ns - begin->wall_ns),
           (unsigned long long)(end->cpu_ns - begin->cpu_ns),
           end->counts.calls - begin->counts.calls,
           end->counts.allocations - begin->counts.allocations);
}

/* Raises the limit of descriptors; each connection uses one. */
static void allow_descriptors(size_t devices)
{
    struct rlimit limit;
    char why[100];

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < devices + OTHER_DESCRIPTORS) {
        (void)snprintf(why, sizeof why, "%zu are needed, and %llu allowed (ulimit -Hn)",
                       devices + OTHER_DESCRIPTORS, (unsigned long long)limit.rlim_cur);
        bench_fail("descriptors", why);
    }
}

/* --- the jobs ----------------------------------------------------------------------- */

static many_device *start(many *m, size_t number)
{
    many_device *d = many_device_new(m, number);

    many_device_start(d);
    return d;
}

static void wait_connected(many *m, size_t count)
{
    while (m->connected < count) {
        many_turn(m, MANY_TURN_MS);
    }
}

/* Connects the first device and keeps it, because what all devices share would be freed with the
 * last one. */
static void warm_up(many *m)
{
    m->devices[0] = start(m, 0);
    wait_connected(m, 1);
    for (size_t i = 0; i < WARM_UP; i++) {
        many_device *passing = start(m, m->options->devices + i);
        wait_connected(m, 2);
        many_device_free(passing);
    }
    /* Returns free memory to the system, since the next devices would otherwise reuse it
     * unnoticed. */
    (void)malloc_trim(0);
}

/* Connects all devices, up to the allowed number at the same time. */
static void connect_all(many *m)
{
    const many_options *o = m->options;
    uint64_t memory = bench_memory();
    bench_reading begin = bench_read();

    for (size_t i = 1; i < o->devices; i++) {
        wait_connected(m, i < o->at_once ? 0 : i + 1 - o->at_once);
        m->devices[i] = start(m, i);
    }
    wait_connected(m, o->devices);
    bench_reading end = bench_read();
    uint64_t now = bench_memory();
    printf(",\"bytes\":%llu,\"process_bytes\":%llu",
           now > memory ? (unsigned long long)(now - memory) : 0ULL, (unsigned long long)now);
    report("connect", &begin, &end);
}

/* Runs for one keep-alive interval, so that each device sends one PINGREQ. */
static void idle(many *m)
{
    uint64_t end_us = many_now_us() + m->options->keep_alive_s * 1000000ULL;
    bench_reading begin = bench_read();

    for (uint64_t now = many_now_us(); now < end_us; now = many_now_us()) {
        many_turn(m, (int)((end_us - now) / 1000) + 1);
    }
    bench_reading end = bench_read();
    report("idle", &begin, &end);
}

static void report_latency(many *m)
{
    uint64_t *us = m->latency_us;
    size_t n = (size_t)m->acknowledged; /* one latency was recorded for each acknowledged message */

    bench_sort(us, n);
    printf(",\"median_us\":%llu,\"p99_us\":%llu,\"longest_us\":%llu", (unsigned long long)us[n / 2],
           (unsigned long long)us[n * 99 / 100], (unsigned long long)us[n - 1]);
}

/* Lets the devices send in turn, at equal intervals. */
static void send_all(many *m)
{
    const many_options *o = m->options;
    size_t each = o->messages > o->devices ? o->messages / o->devices : 1;
    uint64_t first_us = many_now_us();

    m->period_us = o->devices * 1000000ULL / o->rate;
    m->latency_us = calloc(each * o->devices, sizeof *m->latency_us);
    if (m->latency_us == NULL) {
        bench_fail("latencies", "no memory left");
    }
    bench_reading begin = bench_read();
    for (size_t i = 0; i < o->devices; i++) {
        many_device_send(m->devices[i], each, first_us + i * 1000000ULL / o->rate);
    }
    while (m->acknowledged < each * o->devices) {
        many_turn(m, MANY_TURN_MS);
    }
    bench_reading end = bench_read();
    report("send", &begin, &end);
    report_latency(m);
    free(m->latency_us);
    m->latency_us = NULL;
}

static void free_all(many *m)
{
    for (size_t i = 0; i < m->options->devices; i++) {
        many_device_free(m->devices[i]);
    }
    free(m->devices);
    plat_poll_set_free(m->set);
}

static void run(const many_options *o)
{
    many m = { .options = o, .devices = calloc(o->devices, sizeof(many_device *)) };

    if (m.devices == NULL || plat_poll_set_new(&m.set) != PLAT_OK) {
        bench_fail("devices", "no memory left");
    }
    warm_up(&m);
    printf("{\"devices\":%zu,\"passing\":%d", o->devices, WARM_UP);
    connect_all(&m);
    if (o->idle) {
        idle(&m);
    }
    send_all(&m);
    if (o->storm) {
        many_storm(&m);
    }
    printf(",\"sent\":%llu,\"acknowledged\":%llu,\"refused\":%llu}\n", (unsigned long long)m.sent,
           (unsigned long long)m.acknowledged, (unsigned long long)m.refused);
    free_all(&m);
}

/* --- the command line ------------------------------------------------------------------- */

static many_options parse(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "ca", required_argument, NULL, 'c' },
        { "certificate", required_argument, NULL, 'C' },
        { "key", required_argument, NULL, 'K' },
        { "devices", required_argument, NULL, 'd' },
        { "messages", required_argument, NULL, 'm' },
        { "rate", required_argument, NULL, 'r' },
        { "at-once", required_argument, NULL, 'o' },
        { "keep-alive", required_argument, NULL, 'k' },
        { "no-idle", no_argument, NULL, 'i' },
        { "storm", no_argument, NULL, 's' },
        { "retry-min", required_argument, NULL, 'l' },
        { "retry-max", required_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    many_options m = {
        .devices = 10,
        .messages = 1000,
        .rate = 1000,
        .at_once = 16,
        .keep_alive_s = 10,
        .idle = true,
        .retry_min_ms = 1000,
        .retry_max_ms = 60000,
    };
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (o) {
        case 'p': m.port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'c': m.ca_file = optarg; break;
        case 'C': m.certificate_file = optarg; break;
        case 'K': m.key_file = optarg; break;
        case 'd': m.devices = strtoul(optarg, NULL, 10); break;
        case 'm': m.messages = strtoul(optarg, NULL, 10); break;
        case 'r': m.rate = strtoul(optarg, NULL, 10); break;
        case 'o': m.at_once = strtoul(optarg, NULL, 10); break;
        case 'k': m.keep_alive_s = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'i': m.idle = false; break;
        case 's': m.storm = true; break;
        case 'l': m.retry_min_ms = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'h': m.retry_max_ms = (uint32_t)strtoul(optarg, NULL, 10); break;
        default: exit(2);
        }
    }
    if (m.devices < 2 || m.rate == 0 || m.at_once == 0) {
        bench_fail("options", "at least 2 devices, and 1 of the others");
    }
    return m;
}

int main(int argc, char **argv)
{
    const many_options o = parse(argc, argv);

    allow_descriptors(o.devices);
    run(&o);
    return 0;
}
