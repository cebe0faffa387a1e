/*
 * Your own event loop and your own memory: the client shares one poll() with the program's other
 * work (here a timer that sends one message per second), and all its memory is static. No heap.
 *
 *     event_loop --count 3
 */

#include <poll.h>
#include <stdio.h>

#include <iothub/memory_size.h>

#include "sample.h"

enum { RX = 8 * 1024, TX = 16 * 1024, REQUEST = 2 * 1024 };

static uint8_t memory[IOTHUB_MEMORY_SIZE(RX, TX, REQUEST)];
static iothub_client *client;

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned sent;
    unsigned arrived;
    uint64_t next_ms; /* time of the next message */
} app;

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    a->arrived += d->result == IOTHUB_OK;
    printf("message %u: %s\n", d->op, iothub_result_str(d->result));
}

static uint64_t now_ms(void)
{
    const plat_clock *clock = plat_posix()->clock;
    return clock->monotonic_ms(clock);
}

/* The program's other work: a timer that sends a message. */
static void on_timer(app *a)
{
    static const char body[] = "{\"tick\":true}";
    const iothub_telemetry message = { .body = body, .body_len = sizeof body - 1 };

    if (a->sent < a->sample.count && iothub_send_telemetry(client, &message, NULL) == IOTHUB_OK) {
        a->sent++;
    }
    a->next_ms = now_ms() + 1000;
}

static void turn(app *a)
{
    iothub_poll p;
    uint64_t now = now_ms();

    if (now >= a->next_ms) {
        on_timer(a);
    }
    /* The descriptors of the client. Your own descriptors would follow in the same array. */
    iothub_poll_info(client, &p);
    int until_timer = a->next_ms > now ? (int)(a->next_ms - now) : 0;
    int timeout = p.timeout_ms < 0 || p.timeout_ms > until_timer ? until_timer : p.timeout_ms;
    struct pollfd fds[IOTHUB_POLL_FDS];
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        fds[i].fd = (int)p.fds[i].fd; /* poll() ignores -1 */
        fds[i].events =
            (short)((p.fds[i].want_read ? POLLIN : 0) | (p.fds[i].want_write ? POLLOUT : 0));
    }
    if (timeout != 0) { /* 0 means that the client already has work */
        (void)poll(fds, IOTHUB_POLL_FDS, timeout);
    }
    (void)iothub_process(client); /* never blocks; a call without work to do is allowed */
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 3, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Drive the client from a poll loop, without heap.");
    iothub_options *o = &a.sample.options;
    o->rx_size = RX;
    o->tx_size = TX;
    o->request_size = REQUEST;
    o->callbacks.done = on_done;
    client = iothub_init(memory, sizeof memory, a.sample.connection_string, o, &error);
    if (client == NULL) {
        return sample_fail(error.text);
    }
    printf("client: %zu bytes of memory\n", sizeof memory);

    (void)iothub_start(client);
    while (sample_goes_on(&a.sample) && a.arrived < a.sample.count) {
        turn(&a);
    }
    (void)iothub_stop(client, sample_grace_ms(&a.sample));
    while (iothub_get_state(client) != IOTHUB_STOPPED) {
        turn(&a);
    }
    iothub_deinit(client);
    return sample_exit_status(&a.sample, a.arrived == a.sample.count);
}
