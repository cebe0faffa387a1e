/* Connects with IOTHUB_AUTO and reports how each connection was made. Each line of standard input
 * requests a planned connect (iothub_reconnect_now); the program ends with the input.
 *
 * usage: planned_connects overlap|alone
 *        (IOTHUB_DEVICE_CONNECTION_STRING, IOTHUB_CA_FILE, IOTHUB_PORT, IOTHUB_REST_PORT,
 *        IOTHUB_BIND)
 *
 * It prints "tls MS" or "websocket MS" for each connection, with the milliseconds since its
 * beginning, or since the line; and each failure on standard error. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <iothub/client.h>

#include "network.h"

enum { TURN_MS = 10 };

typedef struct run {
    int64_t began_ms;
    uint64_t connects, websocket_connects;
} run;

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    (void)user;
    if (s->reason != IOTHUB_OK) {
        fprintf(stderr, "%s\n", s->text);
    }
}

static uint16_t port_of(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? (uint16_t)strtoul(text, NULL, 10) : 0;
}

static iothub_client *make_client(bool overlap)
{
    iothub_options o;
    iothub_error error;

    iothub_options_init(&o);
    sample_network(&o);
    o.transport = IOTHUB_AUTO;
    o.port = port_of("IOTHUB_PORT");
    o.websocket_port = port_of("IOTHUB_REST_PORT");
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.overlap = overlap;
    o.callbacks.status = on_status;
    iothub_client *c = iothub_new(getenv("IOTHUB_DEVICE_CONNECTION_STRING"), &o, &error);
    if (c == NULL) {
        fprintf(stderr, "planned_connects: %s\n", error.text);
    }
    return c;
}

static void report(run *r, const iothub_client *c)
{
    iothub_stats stats;

    iothub_get_stats(c, &stats);
    if (stats.connects == r->connects || iothub_get_state(c) != IOTHUB_CONNECTED) {
        return;
    }
    printf("%s %lld\n", stats.websocket_connects > r->websocket_connects ? "websocket" : "tls",
           (long long)(now_ms() - r->began_ms));
    (void)fflush(stdout);
    r->connects = stats.connects;
    r->websocket_connects = stats.websocket_connects;
}

/* Reads a line of the input, if there is one. Returns false at its end. */
static bool obey(run *r, iothub_client *c)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char line[16];

    if (poll(&input, 1, 0) == 0) {
        return true;
    }
    if (read(STDIN_FILENO, line, sizeof line) <= 0) {
        return false;
    }
    r->began_ms = now_ms();
    return iothub_reconnect_now(c) == IOTHUB_OK;
}

int main(int argc, char **argv)
{
    run r = { .began_ms = now_ms() };

    if (argc != 2) {
        fprintf(stderr, "usage: planned_connects overlap|alone\n");
        return 2;
    }
    iothub_client *c = make_client(strcmp(argv[1], "overlap") == 0);
    if (c == NULL) {
        return 2;
    }
    (void)iothub_start(c);
    while (obey(&r, c)) {
        (void)iothub_wait(c, TURN_MS);
        report(&r, c);
    }
    iothub_free(c);
    return 0;
}
