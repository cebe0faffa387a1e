#include "runner_rig.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- the platform -------------------------------------------------------------- */

static bool stream_is_ready(runner_rig *r, const plat_poll *polls, size_t count)
{
    scripted_stream *s = fixture_stream(&r->f);

    for (size_t i = 0; i < count; i++) {
        bool input = s != NULL && polls[i].want_read && scripted_unread(s) > 0;
        if (input || polls[i].ready_now || (s != NULL && scripted_is_ready(s, &polls[i]))) {
            return true;
        }
    }
    return false;
}

/* Notes that data has arrived or will arrive, so that the next poll finds it. */
static void note_input(runner_rig *r)
{
    const uint64_t one = 1;
    assert_int_equal(write(r->input, &one, sizeof one), sizeof one);
}

static void forget_input(runner_rig *r)
{
    uint64_t count;
    ssize_t n = read(r->input, &count, sizeof count); /* fails if nothing was signalled */
    (void)n;
}

/* Lets the runner sleep. The caller must hold both locks. */
static void fall_asleep(runner_rig *r, int timeout_ms)
{
    r->asleep = true;
    r->timeout_ms = timeout_ms;
    r->sleeps++;
    if (r->on_sleep != NULL) {
        r->on_sleep(r);
    }
    (void)pthread_cond_broadcast(&r->changed);
}

/* Returns true if the runner has to wait. The client's lock must be held, because other threads
 * may send. */
static bool must_wait(runner_rig *r, const plat_poll *polls, size_t count, int timeout_ms)
{
    struct pollfd wakes = { .fd = (int)polls[count - 1].fd, .events = POLLIN };

    forget_input(r);
    if (stream_is_ready(r, polls, count - 1) || poll(&wakes, 1, 0) == 1) {
        return false;
    }
    (void)pthread_mutex_lock(&r->lock);
    fall_asleep(r, timeout_ms);
    bool leap = r->leap && timeout_ms >= 0;
    (void)pthread_mutex_unlock(&r->lock);
    if (leap) {
        fake_clock_advance(&r->f.platform.clock, (uint64_t)timeout_ms);
    }
    return !leap;
}

static void wake_up(runner_rig *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->asleep = false;
    (void)pthread_mutex_unlock(&r->lock);
}

/* The last of the polls is the wake-up descriptor of the runner; the others have no descriptor. */
static void wait_for(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    fake_net *net = (fake_net *)(uintptr_t)self;
    fake_platform *platform = (fake_platform *)(void *)((char *)net - offsetof(fake_platform, net));
    runner_rig *r = (runner_rig *)(void *)((char *)platform - offsetof(runner_rig, f) -
                                           offsetof(client_fixture, platform));
    iothub_lock *g = r->f.client->context.lock;
    struct pollfd fds[] = { { .fd = (int)polls[count - 1].fd, .events = POLLIN },
                            { .fd = r->input, .events = POLLIN } };

    assert_int_equal(count, IOTHUB_POLL_FDS + 1);
    g->threads->lock(&g->thread);
    bool wait = must_wait(r, polls, count, timeout_ms);
    g->threads->unlock(&g->thread);
    if (wait) {
        assert_true(poll(fds, 2, -1) > 0);
    }
    wake_up(r);
}

static void serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    runner_rig *r = user;

    if (r->on_call != NULL) {
        r->on_call(r, call);
    }
    if (call != SCRIPTED_SEND || result != PLAT_OK) {
        return;
    }
    fake_hub_serve(&r->f.hub, s);
    while (r->on_publish != NULL && r->served < r->f.hub.publishes) {
        r->on_publish(r, s, fake_hub_at(&r->f.hub, r->served++));
    }
    note_input(r);
}

/* --- callbacks ------------------------------------------------------------------- */

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    runner_rig *r = user;

    (void)c;
    (void)pthread_mutex_lock(&r->lock);
    r->state = s->state;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    if (r->on_status != NULL) {
        r->on_status(r, s);
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    runner_rig *r = user;

    (void)c;
    if (r->on_done != NULL) {
        r->on_done(r, d);
    }
    (void)pthread_mutex_lock(&r->lock);
    r->dones += d->tag != NULL;
    r->ended[(uintptr_t)d->tag]++;
    r->last_result = d->result;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    runner_rig *r = user;

    (void)c;
    (void)d;
    if (r->on_desired != NULL) {
        r->on_desired(r);
    }
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    runner_rig *r = user;

    (void)c;
    return r->on_c2d != NULL ? r->on_c2d(r, m) : IOTHUB_ACCEPT;
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    runner_rig *r = user;

    (void)c;
    return r->on_method != NULL ? r->on_method(r, call) : IOTHUB_METHOD_UNKNOWN;
}

/* --- life ---------------------------------------------------------------------------- */

static void (*changes)(iothub_options *o);

static void options(iothub_options *o)
{
    /* The platform belongs to the fixture, so it may be changed. */
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    fake_net *net = (fake_net *)(uintptr_t)platform->net;

    platform->threads = plat_posix()->threads;
    net->base.wait = wait_for;
    o->callbacks = (iothub_callbacks){
        .status = on_status,
        .done = on_done,
        .c2d = on_c2d,
        .desired = on_desired,
        .method = on_method,
    };
    o->sas_lifetime_s = 1000000;
    if (changes != NULL) {
        changes(o);
    }
}

runner_rig *rig_new(void (*change)(iothub_options *o))
{
    runner_rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    changes = change;
    fixture_init(&r->f, options);
    r->platform = &r->f.platform.platform;
    /* All of them, since a rig that leaps reaches the renewals. */
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        r->f.platform.streams[i].after = serve;
        r->f.platform.streams[i].user = r;
    }
    r->input = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(r->input >= 0);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->changed, NULL);
    return r;
}

void rig_free(runner_rig *r)
{
    fixture_free(&r->f);
    for (size_t tag = 1; tag < RIG_TAGS; tag++) {
        if (r->ended[tag] != r->taken[tag]) {
            fail_msg("request %zu ended %u times", tag, r->ended[tag]);
        }
    }
    (void)close(r->input);
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_cond_destroy(&r->changed);
    free(r);
}

void rig_start(runner_rig *r)
{
    iothub_error error = { IOTHUB_OK, "" };

    if (iothub_runner_start(r->f.client, &error) != IOTHUB_OK) {
        fail_msg("%s", error.text);
    }
}

void rig_connect(runner_rig *r)
{
    rig_start(r);
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
    rig_await_state(r, IOTHUB_CONNECTED);
}

/* --- waiting ------------------------------------------------------------------------------ */

void rig_await(runner_rig *r, bool (*ready)(const runner_rig *r))
{
    (void)pthread_mutex_lock(&r->lock);
    while (!ready(r)) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

void rig_await_dones(runner_rig *r, unsigned count)
{
    (void)pthread_mutex_lock(&r->lock);
    while (r->dones < count) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

static bool is_asleep(const runner_rig *r)
{
    return r->asleep;
}

void rig_await_asleep(runner_rig *r)
{
    rig_await(r, is_asleep);
}

void rig_await_state(runner_rig *r, iothub_state state)
{
    (void)pthread_mutex_lock(&r->lock);
    while (r->state != state) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

/* --- the stream ------------------------------------------------------------------------------ */

/* Returns true if the runner slept, and therefore did not use the stream. */
static bool set_room(runner_rig *r, size_t room, unsigned *sleeps)
{
    iothub_lock *g = r->f.client->context.lock;

    g->threads->lock(&g->thread);
    bool asleep = g->asleep;
    *sleeps = r->sleeps;
    if (asleep) {
        scripted_stream *s = fixture_stream(&r->f);
        bool more = room > s->send_room;
        s->send_room = room;
        if (more) {
            note_input(r);
        }
    }
    g->threads->unlock(&g->thread);
    return asleep;
}

void rig_set_room(runner_rig *r, size_t room)
{
    unsigned sleeps;

    while (!set_room(r, room, &sleeps)) {
        (void)pthread_mutex_lock(&r->lock);
        while (r->sleeps == sleeps) {
            (void)pthread_cond_wait(&r->changed, &r->lock);
        }
        (void)pthread_mutex_unlock(&r->lock);
    }
}

/* --- requests ------------------------------------------------------------------------------ */

void *rig_tag(unsigned tag)
{
    return (void *)(uintptr_t)tag;
}

void rig_note(runner_rig *r, unsigned tag)
{
    (void)pthread_mutex_lock(&r->lock);
    r->taken[tag]++;
    (void)pthread_mutex_unlock(&r->lock);
}

iothub_result rig_send(runner_rig *r, unsigned tag, const char *body)
{
    const iothub_telemetry t = { .body = body, .body_len = strlen(body), .tag = rig_tag(tag) };

    iothub_result result = iothub_send_telemetry(r->f.client, &t, NULL);
    if (result == IOTHUB_OK) {
        rig_note(r, tag);
    }
    return result;
}
