/* The peer is Paho C with its asynchronous interface; its own threads do the work. */

#include <MQTTAsync.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* Paho's threads may still run when main returns, so what OpenSSL holds for them is not a leak. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcrypto.so";
}

struct bench_peer {
    MQTTAsync client;
    const bench_job *job;
    bool ready; /* protected by the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Paho has no option for TCP_NODELAY, so this function replaces the `connect` that it calls and
 * sets it. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return (int)syscall(SYS_connect, fd, address.__sockaddr__, len);
}

static void check(int code, const char *what)
{
    if (code != MQTTASYNC_SUCCESS) {
        bench_fail(what, MQTTAsync_strerror(code));
    }
}

static void set_ready(bench_peer *p, bool ready)
{
    (void)pthread_mutex_lock(&lock);
    p->ready = ready;
    (void)pthread_cond_signal(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static void wait_ready(bench_peer *p, bool ready)
{
    (void)pthread_mutex_lock(&lock);
    while (p->ready != ready) {
        (void)pthread_cond_wait(&changed, &lock);
    }
    (void)pthread_mutex_unlock(&lock);
}

static void on_ready(void *user, MQTTAsync_successData *data)
{
    (void)data;
    set_ready(user, true);
}

static void on_closed(void *user, MQTTAsync_successData *data)
{
    (void)data;
    set_ready(user, false);
}

static void on_failure(void *user, MQTTAsync_failureData *data)
{
    (void)user;
    bench_fail("Paho", data != NULL && data->message != NULL ? data->message : "failed");
}

static void on_sent(void *user, MQTTAsync_successData *data)
{
    (void)user;
    (void)data;
    bench_ended(1);
}

static int on_message(void *user, char *topic, int topic_len, MQTTAsync_message *message)
{
    (void)user;
    (void)topic_len;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    bench_ended(1);
    return 1;
}

static void create(bench_peer *p, unsigned long number)
{
    MQTTAsync_createOptions o = MQTTAsync_createOptions_initializer;
    char uri[128];
    char id[32];

    o.maxBufferedMessages = (int)p->job->window * 2;
    snprintf(uri, sizeof uri, "%s://%s:%u", p->job->ca_file != NULL ? "ssl" : "tcp", p->job->host,
             p->job->port);
    snprintf(id, sizeof id, "bench%lu", number);
    check(MQTTAsync_createWithOptions(&p->client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &o),
          "create");
    check(MQTTAsync_setCallbacks(p->client, p, NULL, on_message, NULL), "callbacks");
}

static void subscribe(bench_peer *p)
{
    MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

    set_ready(p, false);
    o.context = p;
    o.onSuccess = on_ready;
    o.onFailure = on_failure;
    check(MQTTAsync_subscribe(p->client, BENCH_FILTER, (int)p->job->qos, &o), "subscribe");
    wait_ready(p, true);
}

bench_peer *peer_open(const bench_job *job, unsigned long number)
{
    bench_peer *p = calloc(1, sizeof *p);
    MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    if (number == 0) {
        MQTTAsync_init_options init = MQTTAsync_init_options_initializer;
        init.do_openssl_init = 1;
        MQTTAsync_global_init(&init);
    }
    p->job = job;
    create(p, number);
    tls.trustStore = job->ca_file;
    tls.verify = 1;
    o.ssl = job->ca_file != NULL ? &tls : NULL;
    o.maxInflight = (int)job->window;
    o.cleansession = 1;
    o.context = p;
    o.onSuccess = on_ready;
    o.onFailure = on_failure;
    check(MQTTAsync_connect(p->client, &o), "connect");
    wait_ready(p, true);
    if (job->kind == BENCH_RECEIVE) {
        subscribe(p);
    }
    return p;
}

bool peer_publish(bench_peer *p)
{
    MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

    o.context = p;
    o.onSuccess = on_sent;
    o.onFailure = on_failure;
    check(MQTTAsync_send(p->client, BENCH_TOPIC, (int)p->job->size, bench_payload, (int)p->job->qos,
                         0, &o),
          "send");
    return true;
}

void peer_turn(bench_peer *p, unsigned long target)
{
    (void)p;
    bench_wait(target);
}

void peer_close(bench_peer *p)
{
    MQTTAsync_disconnectOptions o = MQTTAsync_disconnectOptions_initializer;

    o.context = p;
    o.onSuccess = on_closed;
    check(MQTTAsync_disconnect(p->client, &o), "disconnect");
    wait_ready(p, false);
    MQTTAsync_destroy(&p->client);
    free(p);
}
