/* Renews the connection N times while it publishes without a pause, and checks that the
 * application notices nothing: each message ends once and with success, each status has the
 * reason IOTHUB_OK, our own code allocates nothing, and the numbers of descriptors and of
 * resident pages do not grow.
 *
 * usage: renewals PORT N LIFETIME_S [provider | CHAIN_A KEY_A CHAIN_B KEY_B]
 *        (IOTHUB_DEVICE_CONNECTION_STRING, IOTHUB_CA_FILE, IOTHUB_TRANSPORT, IOTHUB_PROXY)
 *
 * With LIFETIME_S 0 the program calls iothub_reconnect_now for each renewal; otherwise the
 * tokens live LIFETIME_S seconds. With certificates it logs in with A, and each renewal replaces
 * the certificate by the other one (iothub_set_credentials). With the word provider the tokens come
 * from a token provider; with LIFETIME_S 0 it provides one for each renewal. It prints one JSON
 * object with times in microseconds. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <iothub/client.h>
#include <iothub/connection_string.h>
#include <iothub/sas.h>

#include "allocations.h"
#include "network.h"

enum { TRIPS = 51, WARM_UP = 5, BETWEEN = 50, PACE_US = 1000, HOUR_S = 3600 };

typedef struct run {
    unsigned wanted;
    bool by_hand;
    uint32_t lifetime_s;
    plat_identity *identities[2]; /* NULL: a key or a provider */
    iothub_token_provider provider;
    char token_memory[IOTHUB_SAS_TOKEN_SIZE];
    iothub_connection_string device; /* points to the variable of the environment */
    unsigned provided;
    iothub_credential credentials[2];
    unsigned used;     /* index of the certificate in use */
    unsigned renewals; /* completed */
    unsigned surprises;
    unsigned sent, ended, failed;
    unsigned more_after; /* after this number of ended messages the next renewal is requested */
    int64_t next_us;     /* the next message is not sent before this time */
    int64_t left_us;     /* time at which the old connection sent its last telemetry */
    int64_t login_us;    /* CONNECT left */
    int64_t *gaps_us;
    int64_t *logins_us; /* duration of each login without a connection, from CONNECT to CONNACK */
} run;

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    run *r = user;

    (void)c;
    r->failed += d->result != IOTHUB_OK || d->tag != (void *)(uintptr_t)(r->ended + 1);
    r->ended++; /* each message ends once and in order */
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    run *r = user;

    (void)c;
    if (s->reason != IOTHUB_OK) {
        r->surprises++;
        fprintf(stderr, "%s: %s\n", iothub_state_str(s->state), s->text);
    }
    if (s->state == IOTHUB_RENEWING) {
        r->left_us = now_us();
    } else if (s->state == IOTHUB_LOGGING_IN) {
        r->login_us = now_us();
    } else if (s->state == IOTHUB_SUBSCRIBING && r->left_us != 0) {
        r->logins_us[r->renewals] = now_us() - r->login_us;
        r->gaps_us[r->renewals++] = now_us() - r->left_us;
        r->left_us = 0;
    }
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)user;
    if (level <= IOTHUB_LOG_WARNING) {
        fprintf(stderr, "%s: %s\n", module, text);
    }
}

static bool send_one(run *r, iothub_client *c)
{
    char body[64];
    int len = snprintf(body, sizeof body, "{\"number\":%u}", r->sent + 1);
    const iothub_telemetry t = {
        .body = body,
        .body_len = (size_t)len,
        .tag = (void *)(uintptr_t)(r->sent + 1),
    };

    if (iothub_send_telemetry(c, &t, NULL) != IOTHUB_OK) {
        return false;
    }
    r->sent++;
    return true;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *values, unsigned count)
{
    qsort(values, count, sizeof *values, by_size);
    return count > 0 ? values[count / 2] : 0;
}

/* Returns the time from a message to its acknowledgement with nothing else in flight: a round
 * trip and the hub's work. */
static int64_t round_trip_us(run *r, iothub_client *c)
{
    int64_t trips[TRIPS];

    for (unsigned i = 0; i < TRIPS; i++) {
        int64_t start = now_us();
        (void)send_one(r, c);
        while (r->ended < r->sent) {
            (void)iothub_wait(c, 1000);
        }
        trips[i] = now_us() - start;
    }
    return median(trips, TRIPS);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f != NULL && fscanf(f, "%*d %ld", &pages) != 1) {
        pages = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Publishes as fast as the queue accepts. While it waits for tokens to expire, which takes
 * longer, it publishes 1,000 messages a second. */
static void publish(run *r, iothub_client *c)
{
    while ((r->by_hand || now_us() >= r->next_us) && send_one(r, c)) {
        r->next_us = now_us() + PACE_US;
    }
}

/* Each token expires a second later than the one before, so that no two are the same. */
static void provide(iothub_client *c, void *user)
{
    run *r = user;
    const uint64_t until_s = (uint64_t)time(NULL) + r->lifetime_s + (r->by_hand ? r->provided : 0);
    char token[IOTHUB_SAS_TOKEN_SIZE];
    iothub_error error = { .text = "" };

    if (iothub_sas_build_for(plat_posix()->crypto, &r->device, until_s, token, sizeof token, NULL,
                             &error) != IOTHUB_OK ||
        iothub_provide_token(c, token) != IOTHUB_OK) {
        fprintf(stderr, "renewals: no token: %s\n", error.text);
        exit(1);
    }
    r->provided++;
}

/* Requests a renewal: a new token, or the other certificate. */
static iothub_result request_renewal(run *r, iothub_client *c)
{
    iothub_credentials_info info;

    if (r->provider.request != NULL) {
        const bool may_renew = iothub_get_state(c) == IOTHUB_CONNECTED;
        if (may_renew) {
            provide(c, r);
        }
        return may_renew ? IOTHUB_OK : IOTHUB_ERR_STATE;
    }
    if (r->identities[0] == NULL) {
        return iothub_reconnect_now(c);
    }
    iothub_get_credentials(c, &info);
    if (info.replacement != NULL) {
        return IOTHUB_ERR_STATE;
    }
    r->used = 1 - r->used;
    return iothub_set_credentials(c, &r->credentials[r->used], 1);
}

/* Publishes until `until` renewals are complete and only one connection is left. */
static void renew(run *r, iothub_client *c, unsigned until)
{
    while (r->renewals < until || iothub_get_state(c) != IOTHUB_CONNECTED) {
        publish(r, c);
        if (r->by_hand && r->ended >= r->more_after && request_renewal(r, c) == IOTHUB_OK) {
            r->more_after = r->ended + BETWEEN;
        }
        (void)iothub_wait(c, r->by_hand ? 1000 : 1);
    }
}

/* files: CHAIN_A KEY_A CHAIN_B KEY_B. */
static void take_certificates(run *r, char **files)
{
    const plat_identities *make = plat_posix_identities();

    for (size_t i = 0; i < 2; i++) {
        const plat_identity_config config = { .chain = { .file = files[2 * i] },
                                              .key = { .file = files[2 * i + 1] } };
        plat_identity_fault fault;
        if (make->make(make, &config, &r->identities[i], &fault) != PLAT_OK) {
            fprintf(stderr, "renewals: %s\n", fault.text);
            exit(1);
        }
        r->credentials[i] = iothub_x509_credential(r->identities[i]);
    }
}

/* Prepares the token provider. Returns a connection string without the key. */
static const char *take_provider(run *r)
{
    static char text[512];
    iothub_error error;

    if (iothub_connection_string_parse(&r->device, getenv("IOTHUB_DEVICE_CONNECTION_STRING"),
                                       &error) != IOTHUB_OK) {
        fprintf(stderr, "renewals: %s\n", error.text);
        exit(1);
    }
    const mqc_span host = r->device.host_name;
    const mqc_span id = r->device.device_id;
    (void)snprintf(text, sizeof text, "HostName=%.*s;DeviceId=%.*s", (int)host.len,
                   (const char *)host.ptr, (int)id.len, (const char *)id.ptr);
    r->provider = (iothub_token_provider){ .request = provide,
                                           .user = r,
                                           .memory = r->token_memory,
                                           .memory_size = sizeof r->token_memory };
    r->credentials[0] = iothub_provider_credential(&r->provider);
    return text;
}

static iothub_client *start(run *r, char **argv, const char *connection_string)
{
    iothub_options o;
    iothub_error error;

    iothub_options_init(&o);
    sample_network(&o);
    o.port = (uint16_t)strtoul(argv[1], NULL, 10);
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.sas_lifetime_s = r->lifetime_s;
    o.tx_size = 4096;
    o.callbacks.done = on_done;
    o.callbacks.status = on_status;
    o.callbacks.log = on_log;
    o.user = r;
    if (r->credentials[0].kind != IOTHUB_CREDENTIAL_NONE) {
        o.credentials = r->credentials;
        o.credential_count = 1;
    }
    iothub_client *c = iothub_new(connection_string, &o, &error);
    if (c == NULL) {
        fprintf(stderr, "renewals: %s\n", error.text);
        exit(1);
    }
    (void)iothub_start(c);
    while (iothub_get_state(c) != IOTHUB_CONNECTED) {
        (void)iothub_wait(c, 1000);
    }
    return c;
}

static void report(run *r, const iothub_stats *s, int64_t trip_us)
{
    int64_t longest = 0;

    for (unsigned i = 0; i < r->renewals; i++) {
        longest = r->gaps_us[i] > longest ? r->gaps_us[i] : longest;
    }
    printf("{\"sent\":%u,\"ended\":%u,\"failed\":%u,\"surprises\":%u,\"renewals\":%u,"
           "\"losses\":%u,\"failed_attempts\":%u,\"resumptions\":%u,\"round_trip_us\":%lld,"
           "\"gap_median_us\":%lld,\"gap_longest_us\":%lld,\"login_median_us\":%lld,",
           r->sent, r->ended, r->failed, r->surprises, (unsigned)s->token_renewals,
           (unsigned)s->losses, (unsigned)s->failed_attempts, (unsigned)s->tls_resumptions,
           (long long)trip_us, (long long)median(r->gaps_us, r->renewals), (long long)longest,
           (long long)median(r->logins_us, r->renewals));
}

int main(int argc, char **argv)
{
    static run r;
    const char *connection_string = getenv("IOTHUB_DEVICE_CONNECTION_STRING");
    iothub_stats stats;

    if ((argc != 4 && argc != 5 && argc != 8) ||
        (r.wanted = (unsigned)strtoul(argv[2], NULL, 10)) == 0) {
        fprintf(stderr,
                "usage: renewals PORT N LIFETIME_S [provider | CHAIN_A KEY_A CHAIN_B KEY_B]\n");
        return 2;
    }
    r.by_hand = strtoul(argv[3], NULL, 10) == 0;
    r.lifetime_s = r.by_hand ? HOUR_S : (uint32_t)strtoul(argv[3], NULL, 10);
    if (argc == 5) {
        connection_string = take_provider(&r);
    } else if (argc == 8) {
        take_certificates(&r, argv + 4);
    }
    r.gaps_us = calloc(r.wanted + WARM_UP + 2, sizeof *r.gaps_us);
    r.logins_us = calloc(r.wanted + WARM_UP + 2, sizeof *r.logins_us);
    iothub_client *c =
        r.gaps_us != NULL && r.logins_us != NULL ? start(&r, argv, connection_string) : NULL;
    if (c == NULL) {
        return 1;
    }
    int64_t trip_us = round_trip_us(&r, c);
    renew(&r, c, WARM_UP); /* after this, both streams have been used */
    unsigned fds = descriptors();
    long before_kb = resident_kb();
    unsigned allocated = allocations();
    renew(&r, c, r.wanted + WARM_UP);
    allocated = allocations() - allocated;
    long after_kb = resident_kb();
    unsigned fds_after = descriptors();
    while (r.ended < r.sent) {
        (void)iothub_wait(c, 1000);
    }
    iothub_get_stats(c, &stats);
    report(&r, &stats, trip_us);
    printf("\"allocations\":%u,\"descriptors\":[%u,%u],\"resident_kb\":[%ld,%ld]}\n", allocated,
           fds, fds_after, before_kb, after_kb);
    iothub_free(c);
    plat_posix_identities()->release(r.identities[0]);
    plat_posix_identities()->release(r.identities[1]);
    free(r.gaps_us);
    free(r.logins_us);
    return r.failed == 0 && r.surprises == 0 ? 0 : 1;
}
