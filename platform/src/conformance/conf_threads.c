#include <string.h>

#include "conformance/conf_groups.h"

#define INIT  "plat_threads.init"
#define START "plat_threads.start"
#define JOIN  "plat_threads.join"
#define LOCK  "plat_threads.lock"
#define WAKE  "plat_threads.wake"
#define TAKE  "plat_threads.take_wakes"
#define LOCAL "plat_threads.local"

enum { MOMENT_MS = 100, LONG_MS = 3000, STEPS = 30 };

struct trial {
    struct conf_run *run;
    plat_thread thread;
    volatile int begun;   /* the other thread runs */
    volatile int entered; /* the other thread has taken the lock */
    volatile int ended;
    void *local;
    bool local_zero;
};

static const plat_threads *threads_of(const struct trial *t)
{
    return t->run->c->platform->threads;
}

static void take_the_lock(void *user)
{
    struct trial *t = user;

    t->begun = 1;
    threads_of(t)->lock(&t->thread);
    t->entered = 1;
    threads_of(t)->unlock(&t->thread);
}

/* The main thread has the lock for a while, and the other one must wait. */
static void check_lock(struct trial *t)
{
    const plat_threads *threads = threads_of(t);

    t->entered = 0;
    threads->lock(&t->thread);
    if (!conf_run_rule(t->run, threads->start(&t->thread, take_the_lock, t) == PLAT_OK, START,
                       "it starts a thread")) {
        threads->unlock(&t->thread);
        return;
    }
    for (int i = 0; i < STEPS && t->begun == 0; i++) {
        conf_run_sleep(t->run, MOMENT_MS);
    }
    conf_run_sleep(t->run, MOMENT_MS);
    const int early = t->entered;
    threads->unlock(&t->thread);
    threads->join(&t->thread);
    conf_run_rule(t->run, early == 0, LOCK, "it waits while another thread has the lock");
    conf_run_rule(t->run, t->entered == 1, LOCK, "it takes the lock when that is free");
}

static void end_late(void *user)
{
    struct trial *t = user;

    t->local = threads_of(t)->local();
    t->local_zero = true;
    for (size_t i = 0; i < PLAT_LOCAL_SIZE; i++) {
        t->local_zero = t->local_zero && ((const uint8_t *)t->local)[i] == 0;
    }
    memset(t->local, 1, PLAT_LOCAL_SIZE);
    conf_run_sleep(t->run, MOMENT_MS);
    t->ended++;
}

/* Two threads, one after the other. */
static void check_join(struct trial *t)
{
    const plat_threads *threads = threads_of(t);
    bool zero = true;
    bool apart = true;
    bool joined = true;

    t->ended = 0;
    for (int i = 1; i <= 2; i++) {
        if (!conf_run_rule(t->run, threads->start(&t->thread, end_late, t) == PLAT_OK, START,
                           "after join a thread may be started again")) {
            return;
        }
        threads->join(&t->thread);
        joined = joined && t->ended == i;
        zero = zero && t->local_zero;
        apart = apart && t->local != threads->local();
    }
    conf_run_rule(t->run, joined, JOIN, "it waits until the function has returned");
    conf_run_rule(t->run, zero, LOCAL, "its bytes are zero when a thread begins");
    conf_run_rule(t->run, apart, LOCAL, "its address differs between two threads");
    const void *once = threads->local();
    const void *again = threads->local();
    conf_run_rule(t->run, once == again, LOCAL, "a thread always gets the same memory");
}

/* How long a wait for the wake-up takes. */
static uint64_t wait_for_wakes(struct trial *t)
{
    const plat_net *net = t->run->c->platform->net;
    const uint64_t begin = conf_run_now(t->run);
    plat_poll p;

    threads_of(t)->poll_wakes(&t->thread, &p);
    net->wait(net, &p, 1, LONG_MS);
    return conf_run_now(t->run) - begin;
}

static void wake_late(void *user)
{
    struct trial *t = user;

    conf_run_sleep(t->run, MOMENT_MS);
    threads_of(t)->wake(&t->thread);
}

static void check_wakes(struct trial *t)
{
    const plat_threads *threads = threads_of(t);

    conf_run_rule(t->run, threads->take_wakes(&t->thread) == 0, TAKE, "it is 0 before any wake");
    threads->wake(&t->thread);
    conf_run_rule(t->run, wait_for_wakes(t) < CONF_BLOCKS_MS, WAKE,
                  "if nobody waits, the next wait ends immediately");
    threads->wake(&t->thread);
    threads->wake(&t->thread);
    conf_run_rule(t->run, threads->take_wakes(&t->thread) == 3, TAKE, "it counts each wake");
    conf_run_rule(t->run, threads->take_wakes(&t->thread) == 0, TAKE, "it takes each wake once");
    if (threads->start(&t->thread, wake_late, t) != PLAT_OK) {
        return;
    }
    uint64_t took = 0;
    size_t wakes = 0;
    for (int i = 0; i < STEPS && wakes == 0 && took < LONG_MS; i++) { /* a wait may end early */
        took += wait_for_wakes(t);
        wakes = threads->take_wakes(&t->thread);
    }
    threads->join(&t->thread);
    conf_run_rule(t->run, wakes == 1 && took < LONG_MS / 2, WAKE,
                  "it ends the wait of another thread");
}

void conf_threads(struct conf_run *run)
{
    struct trial t = { .run = run };
    const plat_threads *threads = threads_of(&t);

    if (!conf_run_rule(run, threads->init(&t.thread) == PLAT_OK, INIT, "it succeeds")) {
        return;
    }
    check_lock(&t);
    check_join(&t);
    check_wakes(&t);
    threads->deinit(&t.thread);
}
