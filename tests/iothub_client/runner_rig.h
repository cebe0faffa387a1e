#ifndef RUNNER_RIG_H
#define RUNNER_RIG_H

/**
 * @file
 * A client that a real thread drives, on a fake clock, with a fake hub that answers
 * immediately.  Time passes only when a test moves the clock: a runner that nothing wakes sleeps
 * forever.
 *
 *     rig_begin(r, NULL);
 *     rig_connect(r);                 runner started, client connected
 *     ... rig_await(r, predicate);
 *     rig_end(r);                     stops the runner; each request has ended once
 */

#include <pthread.h>

#include "client_fixture.h"
#include "iothub/runner.h"

#define RIG_TAGS 65536

typedef struct runner_rig runner_rig;
struct runner_rig {
    client_fixture f; /* first; its log of callbacks is for the runner's thread */
    plat_platform *platform;
    bool leap; /* while it sleeps, the clock moves to its deadline */
    int input; /* eventfd that is signalled when something was sent, and perhaps answered */

    /* Used with the rig's own lock held, not the client's. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool asleep; /* the runner sleeps, and no earlier event is about to wake it */
    int timeout_ms;
    unsigned sleeps; /* that did not end immediately */
    iothub_state state;
    unsigned dones;                            /* of requests with a tag */
    unsigned taken[RIG_TAGS], ended[RIG_TAGS]; /* by tag */
    iothub_result last_result;

    /* Called on the runner's thread, on_publish on the one that sends, which has the client to
     * itself; NULL: nothing.  The first one under the lock. */
    void (*on_sleep)(runner_rig *r);
    void (*on_done)(runner_rig *r, const iothub_done *d);
    void (*on_status)(runner_rig *r, const iothub_status *s);
    void (*on_desired)(runner_rig *r);
    iothub_disposition (*on_c2d)(runner_rig *r, const iothub_message *m);
    iothub_method_verdict (*on_method)(runner_rig *r, const iothub_method_call *call);
    void (*on_publish)(runner_rig *r, scripted_stream *s, const fake_hub_publish *p);
    void (*on_call)(runner_rig *r, scripted_call call); /* in the middle of it */
    unsigned served;                                    /* publishes that on_publish saw */
};

runner_rig *rig_new(void (*change)(iothub_options *o));
/** Stop the runner if there is one, end the client, and check that each accepted request ended
 * once. */
void rig_free(runner_rig *r);

void rig_start(runner_rig *r);
void rig_connect(runner_rig *r);

/** Wait until ready(r) returns true.  It is called under the rig's lock after each event. */
void rig_await(runner_rig *r, bool (*ready)(const runner_rig *r));
void rig_await_dones(runner_rig *r, unsigned count);
void rig_await_asleep(runner_rig *r);
void rig_await_state(runner_rig *r, iothub_state state);

/** The number of bytes that the stream accepts from the runner's next sleep on. */
void rig_set_room(runner_rig *r, size_t room);

/** Send with QoS 1.  Tags count from 1; an accepted message is recorded under its tag. */
iothub_result rig_send(runner_rig *r, unsigned tag, const char *body);
void rig_note(runner_rig *r, unsigned tag);
void *rig_tag(unsigned tag);

#endif
