/*
 * Devices that find their hub with the Device Provisioning Service over a bad network.
 *
 * usage: provisioned PORT ROUNDS [CACHE-DIRECTORY] (IOTHUB_DPS_..., IOTHUB_CA_FILE,
 * IOTHUB_TRANSPORT, IOTHUB_PROXY)
 *
 * In each round a new client sends three messages before it knows its hub, and waits until the hub
 * has acknowledged them. Every second round a runner drives the client on a thread of its own. At
 * the end the program prints what that took, as one line of JSON.
 */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <iothub/provisioning.h>
#include <iothub/runner.h>
#include <platform/file_kv.h>

#include "network.h"

enum { MESSAGES = 3, ROUND_MS = 120000 };

typedef struct totals {
    atomic_uint acknowledged; /* a runner counts these on its thread */
    atomic_uint failed;
    atomic_uint assigned;
    unsigned turns;
    uint64_t failed_attempts;
    plat_kv *cache;
} totals;

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    totals *t = user;

    (void)c;
    if (d->result == IOTHUB_OK) {
        t->acknowledged++;
    } else {
        t->failed++;
    }
}

static void on_assigned(iothub_client *c, const iothub_assignment *a, void *user)
{
    totals *t = user;

    (void)c;
    (void)a;
    t->assigned++;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "%s: %s\n", module, text);
}

static iothub_client *make(uint16_t port, totals *t)
{
    iothub_provisioning_options p;
    iothub_options o;
    iothub_error error;

    iothub_options_init(&o);
    sample_network(&o);
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.port = port;
    o.retry_min_ms = 20;
    o.retry_max_ms = 500;
    o.connect_timeout_ms = 3000; /* through a proxy, this limits its answers, too */
    o.tls_timeout_ms = 5000;
    o.login_timeout_ms = 3000;
    o.subscribe_timeout_ms = 3000;
    o.request_timeout_ms = 3000;
    o.ack_timeout_ms = 3000;
    o.auth_retry_min_ms = 200;
    o.auth_retry_max_ms = 1000;
    o.callbacks.done = on_done;
    o.callbacks.log = on_log;
    o.user = t;
    iothub_provisioning_options_init(&p);
    p.host = getenv("IOTHUB_DPS_HOST");
    p.port = port;
    p.id_scope = getenv("IOTHUB_DPS_ID_SCOPE");
    p.registration_id = getenv("IOTHUB_DPS_REGISTRATION_ID");
    p.key = getenv("IOTHUB_DPS_KEY");
    p.assigned = on_assigned;
    p.cache = t->cache;
    iothub_client *c = iothub_new_provisioned(&p, &o, &error);
    if (c == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return c;
}

static void run_round(uint16_t port, unsigned round, totals *t)
{
    const plat_clock *clock = plat_posix()->clock;
    const uint64_t until = clock->monotonic_ms(clock) + ROUND_MS;
    const unsigned wanted = t->acknowledged + MESSAGES;
    iothub_client *c = make(port, t);
    const struct timespec moment = { 0, 2000000 };
    const bool with_runner = round % 2 == 1;
    iothub_stats stats;
    iothub_error error;

    if (with_runner && iothub_runner_start(c, &error) != IOTHUB_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    (void)iothub_start(c);
    for (unsigned i = 0; i < MESSAGES; i++) {
        char body[40];
        const int len = snprintf(body, sizeof body, "{\"number\":%u}", MESSAGES * round + i + 1);
        const iothub_telemetry m = { .body = body, .body_len = (size_t)len };
        (void)iothub_send_telemetry(c, &m, NULL);
    }
    while (t->acknowledged < wanted && clock->monotonic_ms(clock) < until) {
        if (with_runner) {
            nanosleep(&moment, NULL);
        } else {
            (void)iothub_wait(c, 1000);
            t->turns++;
        }
    }
    iothub_get_stats(c, &stats);
    if (with_runner) {
        (void)iothub_stop(c, 0);
        (void)iothub_runner_stop(c);
    }
    t->failed_attempts += stats.failed_attempts;
    iothub_free(c);
}

int main(int argc, char **argv)
{
    char detail[PLAT_KV_DETAIL_SIZE];
    totals t = { 0 };

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: provisioned PORT ROUNDS [CACHE-DIRECTORY]\n");
        return 2;
    }
    if (argc == 4 && plat_file_kv_open(argv[3], &t.cache, detail) != PLAT_OK) {
        fprintf(stderr, "%s\n", detail);
        return 1;
    }
    const uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    const unsigned rounds = (unsigned)strtoul(argv[2], NULL, 10);
    for (unsigned round = 0; round < rounds; round++) {
        run_round(port, round, &t);
    }
    printf(
        "{\"acknowledged\":%u,\"failed\":%u,\"assigned\":%u,\"turns\":%u,\"failedAttempts\":%llu,"
        "\"cpuMs\":%ld}\n",
        t.acknowledged, t.failed, t.assigned, t.turns, (unsigned long long)t.failed_attempts,
        (long)(clock() * 1000 / CLOCKS_PER_SEC));
    plat_file_kv_close(t.cache);
    return 0;
}
