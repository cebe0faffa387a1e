#ifndef RUNNER_RIG_H
#define RUNNER_RIG_H

/**
 * @file
 * A client that a real thread drives, on a fake clock and with a fake hub that answers immediately.
 * Time passes only when a test moves the clock: a runner that is not woken sleeps forever.
 *
 *     rig_begin(r, NULL);
 *     rig_connect(r);             // starts the runner, waits for the connection
 *     ... rig_await(r, predicate);
 *     rig_end(r);                 // stops the runner; checks that each request has ended once
 */

#include <pthread.h>

#include "client_fixture.h"
#include "iothub/runner.h"

#define RIG_TAGS 65536

typedef struct runner_rig runner_rig;
struct runner_rig {
    /* Must be the first member; only the runner's thread may use its record of callbacks. */
    client_fixture f;
    plat_platform *platform;
    bool leap; /* if true, each sleep of the runner moves the clock to its deadline */
    /* An eventfd, signalled when the client has sent something that the hub may have answered. */
    int input;

    /* The following members are protected by the rig's lock, not by the client's. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool asleep; /* the runner sleeps, and nothing that has happened will wake it */
    int timeout_ms;
    unsigned sleeps; /* number of sleeps that did not end immediately */
    iothub_state state;
    unsigned dones;                            /* number of ended requests that have a tag */
    unsigned taken[RIG_TAGS], ended[RIG_TAGS]; /* number of requests with each tag */
    iothub_result last_result;

    /* Hooks; NULL means none. The runner's thread calls them, except for on_publish: the sending
     * thread calls it and has the client to itself. on_sleep is called with the lock held. */
    void (*on_sleep)(runner_rig *r);
    void (*on_done)(runner_rig *r, const iothub_done *d);
    void (*on_status)(runner_rig *r, const iothub_status *s);
    void (*on_desired)(runner_rig *r);
    iothub_disposition (*on_c2d)(runner_rig *r, const iothub_message *m);
    iothub_method_verdict (*on_method)(runner_rig *r, const iothub_method_call *call);
    void (*on_publish)(runner_rig *r, scripted_stream *s, const fake_hub_publish *p);
    /* Called in the middle of each call of the stream. */
    void (*on_call)(runner_rig *r, scripted_call call);
    unsigned served; /* number of publishes that were passed to on_publish */
};

runner_rig *rig_new(void (*change)(iothub_options *o));
/**
 * Stops the runner if it runs, ends the client, and checks that each accepted request has ended
 * once.
 */
void rig_free(runner_rig *r);

void rig_start(runner_rig *r);
void rig_connect(runner_rig *r);

/** Waits until ready(r) returns true. It is called with the rig's lock held, after each event. */
void rig_await(runner_rig *r, bool (*ready)(const runner_rig *r));
void rig_await_dones(runner_rig *r, unsigned count);
void rig_await_asleep(runner_rig *r);
void rig_await_state(runner_rig *r, iothub_state state);

/** Limits the bytes that the stream accepts, beginning with the runner's next sleep. */
void rig_set_room(runner_rig *r, size_t room);

/** Sends with QoS 1. Tags are counted from 1; an accepted message is recorded under its tag. */
iothub_result rig_send(runner_rig *r, unsigned tag, const char *body);
void rig_note(runner_rig *r, unsigned tag);
void *rig_tag(unsigned tag);

#endif
