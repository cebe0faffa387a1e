#include "websocket/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { WAYS = 2 };

typedef enum way_state { WAY_IDLE = 0, WAY_OPENING, WAY_LOST } way_state;

/* One of the two streams. */
typedef struct way {
    plat_stream *stream;
    uint16_t port;
    way_state state;
    plat_result failure; /* WAY_LOST */
    plat_stage stage;
    plat_poll watched; /* what is registered with epoll; fd -1: nothing */
} way;

typedef enum race_state { RACE_CLOSED = 0, RACE_RUNNING, RACE_WON, RACE_FAILED } race_state;

/* While both streams are being opened, poll reports an epoll descriptor that contains theirs; later
 * it reports what the winner reports. */
typedef struct race {
    plat_stream base;
    way ways[WAYS];
    race_state state;
    int leader; /* index of the way that begins; RACE_WON: of the winner */
    int epoll;
    uint32_t generation;
    intptr_t shown_fd; /* what the last poll has reported */
    uint32_t shown_generation;
    uint32_t delay_ms;
    uint64_t second_at_ms; /* when the other way begins */
    const char *host;
    char detail[224];           /* text of the failure of both ways */
    plat_stream_storage memory; /* of the second stream */
} race;

static race *self_of(plat_stream *s)
{
    return (race *)s;
}

static way *winner_of(race *r)
{
    return &r->ways[r->leader];
}

/* --- opening ---------------------------------------------------------------------------------- */

static void unwatch(const race *r, way *w)
{
    if (w->watched.fd >= 0) {
        (void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, (int)w->watched.fd, NULL);
        w->watched.fd = -1;
    }
}

static void lose(const race *r, way *w, plat_result result, plat_stage stage)
{
    unwatch(r, w);
    w->state = WAY_LOST;
    w->failure = result;
    w->stage = stage;
}

static void start(race *r, way *w, uint64_t now_ms)
{
    plat_result result = w->stream->ops->open(w->stream, r->host, w->port, now_ms);

    w->state = WAY_OPENING;
    w->stage = PLAT_STAGE_RESOLVE;
    if (result != PLAT_OK) {
        lose(r, w, result, PLAT_STAGE_RESOLVE);
    }
}

static plat_result race_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    race *r = self_of(base);

    if (r->state != RACE_CLOSED) {
        return PLAT_ERR_STATE;
    }
    r->host = host;
    r->leader = port == r->ways[1].port ? 1 : 0;
    r->second_at_ms = now_ms + r->delay_ms;
    r->state = RACE_RUNNING;
    start(r, winner_of(r), now_ms);
    return PLAT_OK;
}

/* Closes a stream that nobody watches any more. A stream closes the descriptor that it has reported
 * at the second poll after that. */
static void stop(race *r, way *w)
{
    plat_poll p;

    unwatch(r, w);
    w->stream->ops->close(w->stream);
    w->stream->ops->poll(w->stream, false, 1, &p);
    w->stream->ops->poll(w->stream, false, 1, &p);
    w->state = WAY_IDLE;
}

static void run(const race *r, way *w, uint64_t now_ms)
{
    plat_stage stage = w->stage;

    if (w->state != WAY_OPENING) {
        return;
    }
    plat_result result = w->stream->ops->progress(w->stream, now_ms, &stage);
    w->stage = stage;
    if (result != PLAT_OK && result != PLAT_WOULD_BLOCK) {
        lose(r, w, result, stage);
    }
}

static bool is_open(const way *w)
{
    return w->state == WAY_OPENING && w->stage == PLAT_STAGE_OPEN;
}

static plat_result win(race *r, int winner)
{
    unwatch(r, &r->ways[winner]);
    if (r->ways[1 - winner].state != WAY_IDLE) {
        stop(r, &r->ways[1 - winner]);
    }
    r->leader = winner;
    r->state = RACE_WON;
    return PLAT_OK;
}

static plat_result fail(race *r)
{
    const way *first = winner_of(r);
    const way *second = &r->ways[1 - r->leader];

    (void)snprintf(r->detail, sizeof r->detail, "%.100s; then %.100s",
                   first->stream->ops->detail(first->stream),
                   second->stream->ops->detail(second->stream));
    r->state = RACE_FAILED;
    return first->failure;
}

static plat_stage later(plat_stage a, plat_stage b)
{
    return a > b ? a : b;
}

static plat_result racing(race *r, uint64_t now_ms, plat_stage *stage)
{
    way *first = winner_of(r);
    way *second = &r->ways[1 - r->leader];

    run(r, first, now_ms);
    if (second->state == WAY_IDLE && (first->state == WAY_LOST || now_ms >= r->second_at_ms)) {
        start(r, second, now_ms);
    }
    run(r, second, now_ms);
    *stage = later(first->stage, second->state != WAY_IDLE ? second->stage : PLAT_STAGE_RESOLVE);
    if (is_open(first)) {
        return win(r, r->leader);
    }
    if (is_open(second)) {
        return win(r, 1 - r->leader);
    }
    return first->state == WAY_LOST && second->state == WAY_LOST ? fail(r) : PLAT_WOULD_BLOCK;
}

static plat_result race_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    race *r = self_of(base);

    *stage = PLAT_STAGE_RESOLVE;
    switch (r->state) {
    case RACE_CLOSED: return PLAT_ERR_STATE;
    case RACE_RUNNING: return racing(r, now_ms, stage);
    case RACE_WON: *stage = PLAT_STAGE_OPEN; return PLAT_OK;
    case RACE_FAILED: break;
    }
    *stage = winner_of(r)->stage;
    return winner_of(r)->failure;
}

/* --- the winner ------------------------------------------------------------------------------- */

static plat_result not_open(race *r)
{
    return r->state == RACE_FAILED ? winner_of(r)->failure : PLAT_ERR_STATE;
}

static plat_result race_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    race *r = self_of(base);
    plat_stream *s = winner_of(r)->stream;

    *got = 0;
    return r->state == RACE_WON ? s->ops->recv(s, buf, cap, got) : not_open(r);
}

static plat_result race_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    race *r = self_of(base);
    plat_stream *s = winner_of(r)->stream;

    *sent = 0;
    return r->state == RACE_WON ? s->ops->send(s, buf, len, sent) : not_open(r);
}

static void race_flow(plat_stream *base, plat_flow *out)
{
    race *r = self_of(base);
    plat_stream *s = winner_of(r)->stream;

    *out = (plat_flow){ .awaited = true };
    if (r->state == RACE_WON && s->ops->flow != NULL) {
        s->ops->flow(s, out);
    }
}

static bool race_resumed(const plat_stream *base)
{
    const race *r = (const race *)base;
    const plat_stream *s = r->ways[r->leader].stream;

    return r->state == RACE_WON && s->ops->resumed(s);
}

static uint16_t race_port(const plat_stream *base)
{
    const race *r = (const race *)base;

    return r->state == RACE_WON ? r->ways[r->leader].port : 0;
}

static const char *race_detail(const plat_stream *base)
{
    const race *r = (const race *)base;
    const plat_stream *s = r->ways[r->leader].stream;

    if (r->state == RACE_FAILED) {
        return r->detail;
    }
    return r->state == RACE_WON ? s->ops->detail(s) : "";
}

/* --- what to wait for ---------------------------------------------------------------------------
 */

static bool differs(const plat_poll *a, const plat_poll *b)
{
    return a->fd != b->fd || a->generation != b->generation || a->want_read != b->want_read ||
           a->want_write != b->want_write;
}

static void watch(const race *r, way *w, const plat_poll *p)
{
    struct epoll_event e = { .events = 0 };

    if (!differs(&w->watched, p)) {
        return;
    }
    unwatch(r, w);
    e.events |= p->want_read ? EPOLLIN : 0;
    e.events |= p->want_write ? EPOLLOUT : 0;
    if (p->fd >= 0 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, (int)p->fd, &e) == 0) {
        w->watched = *p;
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0) {
        return a + b; /* 0: never */
    }
    return a < b ? a : b;
}

static void poll_both(race *r, plat_poll *out)
{
    *out = (plat_poll){ .fd = r->epoll, .want_read = true };
    for (int i = 0; i < WAYS; i++) {
        way *w = &r->ways[i];
        plat_poll p;
        if (w->state != WAY_OPENING) {
            continue;
        }
        w->stream->ops->poll(w->stream, false, 1, &p);
        watch(r, w, &p);
        out->ready_now = out->ready_now || p.ready_now;
        out->wake_at_ms = sooner(out->wake_at_ms, p.wake_at_ms);
    }
    if (r->ways[1 - r->leader].state == WAY_IDLE) {
        out->wake_at_ms = sooner(out->wake_at_ms, r->second_at_ms);
        out->ready_now = out->ready_now || winner_of(r)->state == WAY_LOST;
    }
}

/* A number that changes with each change of the descriptor or of the stream that it belongs to. */
static void mark_generation(race *r, plat_poll *out)
{
    if (out->fd != r->shown_fd || out->generation != r->shown_generation) {
        r->generation++;
        r->shown_fd = out->fd;
        r->shown_generation = out->generation;
    }
    out->generation = r->generation;
}

static void race_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    race *r = self_of(base);
    plat_stream *s = winner_of(r)->stream;

    *out = (plat_poll){ .fd = -1 };
    if (r->state == RACE_RUNNING) {
        poll_both(r, out);
    } else if (r->state != RACE_FAILED) {
        s->ops->poll(s, want_send, least, out);
    }
    mark_generation(r, out);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static plat_result race_set_identity(plat_stream *base, plat_identity *identity)
{
    race *r = self_of(base);
    plat_result result = PLAT_OK;

    for (int i = 0; i < WAYS && result == PLAT_OK; i++) {
        plat_stream *s = r->ways[i].stream;
        if (s->ops->set_identity != NULL) {
            result = s->ops->set_identity(s, identity);
        }
    }
    return result;
}

static void race_close(plat_stream *base)
{
    race *r = self_of(base);
    way *w = winner_of(r);
    way *other = &r->ways[1 - r->leader];

    if (r->state == RACE_WON) { /* the caller may still watch the descriptor of the winner */
        w->stream->ops->close(w->stream);
        w->state = WAY_IDLE;
    } else {
        stop(r, w);
        stop(r, other);
    }
    r->state = RACE_CLOSED;
}

static void race_deinit(plat_stream *base)
{
    race *r = self_of(base);

    race_close(base);
    for (int i = 0; i < WAYS; i++) {
        r->ways[i].stream->ops->deinit(r->ways[i].stream);
    }
    (void)close(r->epoll);
    free(r);
}

static const plat_stream_ops ops = {
    .open = race_open,
    .progress = race_progress,
    .recv = race_recv,
    .send = race_send,
    .poll = race_poll,
    .flow = race_flow,
    .resumed = race_resumed,
    .port = race_port,
    .detail = race_detail,
    .set_identity = race_set_identity,
    .close = race_close,
    .deinit = race_deinit,
};

plat_result plat_race_stream(const plat_websockets *self, const plat_net *net, plat_stream *first,
                             const plat_stream_config *second, const plat_second_way *second_way,
                             plat_stream **out)
{
    (void)self;
    plat_stream *other = NULL;
    race *r = calloc(1, sizeof *r);

    *out = first;
    if (r == NULL) {
        return PLAT_ERR_MEMORY;
    }
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    plat_result result =
        r->epoll >= 0 ? net->stream(net, &r->memory, second, &other) : PLAT_ERR_MEMORY;
    if (result != PLAT_OK) {
        if (other != NULL) {
            other->ops->deinit(other);
        }
        if (r->epoll >= 0) {
            (void)close(r->epoll);
        }
        free(r);
        return result;
    }
    r->base.ops = &ops;
    r->ways[0] = (way){ .stream = first, .port = second_way->first_port, .watched.fd = -1 };
    r->ways[1] = (way){ .stream = other, .port = second_way->port, .watched.fd = -1 };
    r->delay_ms = second_way->delay_ms;
    r->shown_fd = -1;
    *out = &r->base;
    return PLAT_OK;
}
