/* Sends numbered telemetry as fast as the queue accepts it, whatever happens to the hub, and
 * checks the client's promises: each accepted message ends exactly once and with success, and
 * the code of the SDK allocates nothing between the first and the last message.
 *
 * usage: flood PORT COUNT KEEP_ALIVE_S [SIZE [LOSSES]] (IOTHUB_DEVICE_CONNECTION_STRING,
 * IOTHUB_CA_FILE, IOTHUB_TRANSPORT, IOTHUB_PROXY)
 *
 * The last tenth of the messages is held back until the connection was lost LOSSES times, so
 * that a test that breaks connections is not too late on a slow machine. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <iothub/client.h>

#include "allocations.h"
#include "network.h"

enum { SIZE_MAX_OF_BODY = 65536 };

typedef struct flood {
    unsigned count;
    size_t size;     /* bytes of a body, which is filled up with spaces */
    unsigned losses; /* lost connections that are required before the last tenth is sent */
    unsigned sent;
    unsigned ended;
    unsigned failed;
    unsigned full;       /* how often the send function returned IOTHUB_ERR_NO_SPACE */
    unsigned char *ends; /* how often each message has ended */
} flood;

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    flood *f = user;

    (void)c;
    f->ended++;
    f->failed += d->result != IOTHUB_OK;
    f->ends[(uintptr_t)d->tag]++; /* the tag is the number of the message */
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    (void)user;
    fprintf(stderr, "%s: %s\n", iothub_state_str(s->state), s->text);
}

static unsigned may_be_sent(const flood *f, const iothub_client *c)
{
    iothub_stats stats;

    iothub_get_stats(c, &stats);
    return stats.losses < f->losses ? f->count - f->count / 10 : f->count;
}

/* Fills the queue. Returns false if anything but a full queue ended that. */
static bool fill(flood *f, iothub_client *c)
{
    static char body[SIZE_MAX_OF_BODY];
    unsigned most = may_be_sent(f, c);

    while (f->sent < most) {
        int len = snprintf(body, sizeof body, "{\"number\":%u}", f->sent + 1);
        memset(body + len, ' ', f->size > (size_t)len ? f->size - (size_t)len : 0);
        const iothub_telemetry t = {
            .body = body,
            .body_len = f->size > (size_t)len ? f->size : (size_t)len,
            .tag = (void *)(uintptr_t)(f->sent + 1),
        };
        iothub_result r = iothub_send_telemetry(c, &t, NULL);
        if (r == IOTHUB_ERR_NO_SPACE) {
            f->full++;
            return true;
        }
        if (r != IOTHUB_OK) {
            fprintf(stderr, "flood: %s\n", iothub_last_error(c)->text);
            return false;
        }
        f->sent++;
    }
    return true;
}

static bool each_ended_once(const flood *f)
{
    for (unsigned n = 1; n <= f->count; n++) {
        if (f->ends[n] != 1) {
            fprintf(stderr, "flood: message %u ended %u times\n", n, f->ends[n]);
            return false;
        }
    }
    return f->failed == 0;
}

int main(int argc, char **argv)
{
    flood f = { .count = argc >= 4 && argc <= 6 ? (unsigned)strtoul(argv[2], NULL, 10) : 0 };
    iothub_options o;
    iothub_error error;
    iothub_stats stats;

    f.size = argc >= 5 ? strtoul(argv[4], NULL, 10) : 0;
    f.losses = argc >= 6 ? (unsigned)strtoul(argv[5], NULL, 10) : 0;
    if (f.count == 0 || f.size > SIZE_MAX_OF_BODY) {
        fprintf(stderr, "usage: flood PORT COUNT KEEP_ALIVE_S [SIZE [LOSSES]]\n");
        return 2;
    }
    f.ends = calloc(f.count + 1, 1);
    iothub_options_init(&o);
    sample_network(&o);
    o.port = (uint16_t)strtoul(argv[1], NULL, 10);
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.keep_alive_s = (uint16_t)strtoul(argv[3], NULL, 10);
    o.tls_timeout_ms = o.login_timeout_ms = o.subscribe_timeout_ms = 10000;
    o.retry_min_ms = 20;
    o.retry_max_ms = 200;
    o.tx_size = 64 * 1024;
    o.callbacks.done = on_done;
    o.callbacks.status = on_status;
    o.user = &f;
    iothub_client *c = iothub_new(getenv("IOTHUB_DEVICE_CONNECTION_STRING"), &o, &error);
    if (c == NULL || f.ends == NULL) {
        fprintf(stderr, "flood: %s\n", error.text);
        return 1;
    }
    (void)iothub_start(c);
    while (iothub_get_state(c) != IOTHUB_CONNECTED) {
        (void)iothub_wait(c, 1000);
    }
    unsigned before = allocations();
    alarm(120); /* ends a program that hangs */
    while (f.ended < f.count && fill(&f, c)) {
        (void)iothub_wait(c, 1000);
    }
    unsigned during = allocations() - before;

    iothub_get_stats(c, &stats);
    bool good = each_ended_once(&f);
    iothub_free(c);
    free(f.ends);
    printf("{\"sent\":%u,\"ended\":%u,\"failed\":%u,\"full\":%u,\"allocations\":%u,\"connects\":%u,"
           "\"losses\":%u,\"failed_attempts\":%u,\"sends\":%u}\n",
           f.sent, f.ended, f.failed, f.full, during, (unsigned)stats.connects,
           (unsigned)stats.losses, (unsigned)stats.failed_attempts, (unsigned)stats.send_calls);
    return good ? 0 : 1;
}
