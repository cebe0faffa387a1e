/*
 * Threads: a runner drives the client; several threads each send a message and wait for its end.
 *
 *     runner --count 5
 */

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <iothub/runner.h>

#include "sample.h"

enum { SENSORS = 3 };

struct app;

/* A thread of the application. The struct must live as long as the client, since a message may
 * end after its thread has stopped waiting. */
typedef struct sensor {
    struct app *app;
    const char *name;
    pthread_t thread;
    bool waiting; /* the condition is signalled when its message ends */
    iothub_result result;
} sensor;

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    iothub_client *client;
    sensor sensors[SENSORS];
    pthread_mutex_t lock; /* protects the members below and those of the threads */
    pthread_cond_t changed;
    unsigned active; /* sensors */
    unsigned arrived;
    bool over;
} app;

/* Called on the runner's thread while no lock of the client is held, so the application may lock
 * its own mutex. */
static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;
    sensor *s = d->tag;

    (void)c;
    (void)pthread_mutex_lock(&a->lock);
    a->arrived += d->result == IOTHUB_OK;
    s->result = d->result;
    s->waiting = false;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
}

/* Every accepted message ends exactly once, so this wait ends, unless the program ends first. */
static iothub_result send_and_wait(sensor *s, unsigned number)
{
    app *a = s->app;
    char body[80];
    int len = snprintf(body, sizeof body, "{\"sensor\":\"%s\",\"number\":%u}", s->name, number);
    const iothub_telemetry message = { .body = body, .body_len = (size_t)len, .tag = s };

    (void)pthread_mutex_lock(&a->lock); /* safe: callbacks run without a lock of the client */
    s->waiting = true;
    s->result = iothub_send_telemetry(a->client, &message, NULL);
    if (s->result != IOTHUB_OK) {
        s->waiting = false;
        /* Each thread has an error text of its own. */
        (void)sample_fail(iothub_last_error(a->client)->text);
    }
    while (s->waiting && !a->over) {
        (void)pthread_cond_wait(&a->changed, &a->lock);
    }
    iothub_result result = s->waiting ? IOTHUB_ERR_CANCELLED : s->result;
    (void)pthread_mutex_unlock(&a->lock);
    return result;
}

static void *run_sensor(void *arg)
{
    sensor *s = arg;
    app *a = s->app;

    for (unsigned n = 1; n <= a->sample.count && send_and_wait(s, n) == IOTHUB_OK; n++) {
        printf("%s: message %u is at the hub\n", s->name, n);
    }
    (void)pthread_mutex_lock(&a->lock);
    a->active--;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* Waits for a change, but not for long, since Ctrl-C does not signal the condition variable. */
static void wait_a_little(app *a)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    (void)pthread_cond_timedwait(&a->changed, &a->lock, &until);
}

/* The main thread only waits for the others. */
static void run(app *a)
{
    static const char *const names[SENSORS] = { "temperature", "pressure", "humidity" };
    unsigned started = 0;

    (void)pthread_mutex_lock(&a->lock);
    for (sensor *s = a->sensors; started < SENSORS; s++, started++) {
        *s = (sensor){ .app = a, .name = names[started] };
        if (pthread_create(&s->thread, NULL, run_sensor, s) != 0) {
            break;
        }
    }
    a->active = started;
    while (a->active > 0 && sample_goes_on(&a->sample)) {
        wait_a_little(a);
    }
    a->over = true;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    while (started > 0) {
        (void)pthread_join(a->sensors[--started].thread, NULL);
    }
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 5, .duration_s = 60 },
              .lock = PTHREAD_MUTEX_INITIALIZER,
              .changed = PTHREAD_COND_INITIALIZER };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Send telemetry from several threads.");
    a.sample.options.callbacks.done = on_done;
    a.client = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (a.client == NULL || iothub_runner_start(a.client, &error) != IOTHUB_OK) {
        iothub_free(a.client);
        return sample_fail(error.text);
    }
    (void)iothub_start(a.client);
    run(&a);

    (void)iothub_stop(a.client, sample_grace_ms(&a.sample));
    (void)iothub_runner_stop(a.client); /* returns when the client has stopped */
    iothub_free(a.client);
    printf("%u messages arrived\n", a.arrived);
    return sample_exit_status(&a.sample, a.arrived == SENSORS * a.sample.count);
}
