/* The peer is libmosquitto, driven by mosquitto_loop or, with --thread, by a thread of its own. */

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { KEEP_ALIVE_S = 60 };

struct bench_peer {
    struct mosquitto *client;
    const bench_job *job;
    bool ready;
};

static void check(int code, const char *what)
{
    if (code != MOSQ_ERR_SUCCESS) {
        bench_fail(what, mosquitto_strerror(code));
    }
}

static void on_connect(struct mosquitto *m, void *user, int code)
{
    bench_peer *p = user;

    check(code, "CONNACK");
    if (p->job->kind == BENCH_RECEIVE) {
        check(mosquitto_subscribe(m, NULL, BENCH_FILTER, (int)p->job->qos), "subscribe");
    } else {
        p->ready = true;
    }
}

static void on_subscribe(struct mosquitto *m, void *user, int id, int count, const int *granted)
{
    bench_peer *p = user;

    (void)m;
    (void)id;
    (void)count;
    (void)granted;
    p->ready = true;
}

static void on_publish(struct mosquitto *m, void *user, int id)
{
    (void)m;
    (void)user;
    (void)id;
    bench_ended(1);
}

static void on_message(struct mosquitto *m, void *user, const struct mosquitto_message *message)
{
    (void)m;
    (void)user;
    (void)message;
    bench_ended(1);
}

static void set_up(bench_peer *p)
{
    struct mosquitto *m = p->client;

    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_publish_callback_set(m, on_publish);
    mosquitto_message_callback_set(m, on_message);
    check(mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY");
    check(mosquitto_max_inflight_messages_set(m, p->job->window), "window");
    if (p->job->ca_file != NULL) {
        check(mosquitto_tls_set(m, p->job->ca_file, NULL, NULL, NULL, NULL), "TLS");
    }
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    bench_peer *p = calloc(1, sizeof *p);

    if (number == 0) {
        check(mosquitto_lib_init(), "libmosquitto");
    }
    p->job = job;
    p->client = mosquitto_new("bench", true, p);
    set_up(p);
    check(mosquitto_connect(p->client, job->host, job->port, KEEP_ALIVE_S), "connect");
    while (!p->ready) {
        check(mosquitto_loop(p->client, 1000, 1), "loop");
    }
    if (job->thread) {
        check(mosquitto_loop_start(p->client), "thread");
    }
    return p;
}

bool peer_publish(bench_peer *p)
{
    check(mosquitto_publish(p->client, NULL, BENCH_TOPIC, (int)p->job->size, bench_payload,
                            (int)p->job->qos, false),
          "publish");
    return true;
}

void peer_turn(bench_peer *p, unsigned long target)
{
    if (p->job->thread) {
        bench_wait(target);
    } else {
        check(mosquitto_loop(p->client, 1000, 1), "loop");
    }
}

/* The thread ends when it has sent the DISCONNECT. In release 2.0.21 these calls fail if that
 * happens before they check, because the connection or the thread does not exist any more. */
static void stop_thread(bench_peer *p)
{
    int code = mosquitto_disconnect(p->client);
    check(code == MOSQ_ERR_NO_CONN ? MOSQ_ERR_SUCCESS : code, "disconnect");
    code = mosquitto_loop_stop(p->client, false);
    check(code == MOSQ_ERR_INVAL ? MOSQ_ERR_SUCCESS : code, "thread");
}

void peer_close(bench_peer *p)
{
    if (p->job->thread) {
        stop_thread(p);
    } else {
        check(mosquitto_disconnect(p->client), "disconnect");
    }
    mosquitto_destroy(p->client);
    free(p);
}
