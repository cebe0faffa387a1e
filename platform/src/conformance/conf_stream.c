#include <string.h>

#include "conformance/conf_groups.h"
#include "conformance/conf_link.h"

#define STREAM   "plat_net.stream"
#define OPEN     "plat_stream.open"
#define PROGRESS "plat_stream.progress"
#define RECV     "plat_stream.recv"
#define SEND     "plat_stream.send"
#define POLL     "plat_stream.poll"
#define FLOW     "plat_stream.flow"
#define DETAIL   "plat_stream.detail"
#define CLOSE    "plat_stream.close"

enum {
    SEND_BYTES = 5000,
    SINK_BYTES = 100000, /* more than small stacks keep, so that send has to wait */
    QUIET_MS = 2000,     /* how long the peer says nothing after the order "hush" */
    LATE_MS = 2500
};

static bool no_detail(const struct conf_link *l)
{
    const plat_stream *stream = l->stream;
    const char *detail = stream != NULL ? stream->ops->detail(stream) : NULL;

    return detail != NULL && detail[0] == '\0';
}

static void check_opening(struct conf_link *l)
{
    struct conf_run *run = l->run;
    const plat_conformance_peer *peer = run->c->peer;

    conf_run_rule(run, no_detail(l), DETAIL, "it is \"\" if the stream has not failed");
    plat_result r = conf_link_open(l, peer->host, peer->port);
    if (conf_run_rule(run, r == PLAT_OK, PROGRESS, "it opens a connection to the peer")) {
        conf_run_rule(run, l->stage == PLAT_STAGE_OPEN, PROGRESS,
                      "the stage of an open stream is PLAT_STAGE_OPEN");
        r = l->stream->ops->open(l->stream, peer->host, peer->port, conf_run_now(run));
        conf_run_rule(run, r == PLAT_ERR_STATE, OPEN,
                      "a stream that is not closed returns PLAT_ERR_STATE");
    }
    l->stream->ops->close(l->stream);
    l->stream->ops->close(l->stream);
    conf_run_rule(run, no_detail(l), CLOSE, "it may be called twice");
}

/* A caller forgets a descriptor when poll no longer reports it, so poll must be called once more.
 */
static void check_descriptor(struct conf_link *l)
{
    struct conf_run *run = l->run;
    const plat_conformance_peer *peer = run->c->peer;
    plat_poll open;
    plat_poll closed;
    plat_poll again;

    if (conf_link_open(l, peer->host, peer->port) != PLAT_OK) {
        return;
    }
    l->stream->ops->poll(l->stream, false, 1, &open);
    l->stream->ops->close(l->stream);
    l->stream->ops->poll(l->stream, false, 1, &closed);
    if (open.fd >= 0) {
        conf_run_rule(run, closed.fd != open.fd && closed.ready_now, POLL,
                      "after close it no longer reports the descriptor, and sets ready_now");
        l->stream->ops->poll(l->stream, false, 1, &closed);
    }
    plat_result r = conf_link_open(l, peer->host, peer->port);
    conf_run_rule(run, r == PLAT_OK, CLOSE, "a closed stream can be opened again");
    l->stream->ops->poll(l->stream, false, 1, &again);
    if (open.fd >= 0 && again.fd == open.fd) {
        conf_run_rule(run, again.generation != open.generation, POLL,
                      "generation changes if fd stands for another open file");
    }
    l->stream->ops->close(l->stream);
}

/* The peer says nothing for a while, then it sends one byte. */
static void check_silence(struct conf_link *l)
{
    struct conf_run *run = l->run;
    size_t got;

    if (conf_link_order(l, "hush", 0) != PLAT_OK) {
        return;
    }
    const uint64_t begin = conf_run_now(run);
    plat_result r = conf_link_recv_once(l, 10, &got);
    conf_run_rule(run, r == PLAT_WOULD_BLOCK || conf_run_now(run) - begin >= QUIET_MS / 2, RECV,
                  "without available bytes it returns PLAT_WOULD_BLOCK");
    while (r == PLAT_WOULD_BLOCK && conf_run_now(run) - begin < 2 * LATE_MS) {
        conf_link_sleep(l, false, 2 * LATE_MS);
        r = conf_link_recv_once(l, 10, &got);
    }
    conf_run_rule(run, r == PLAT_OK && conf_run_now(run) - begin < QUIET_MS + LATE_MS / 2, POLL,
                  "a wait for it ends when bytes arrive");
    l->stream->ops->close(l->stream);
}

/* Receives all bytes of the peer, with buffers of all sizes. */
static plat_result receive(struct conf_link *l, uint32_t *count, bool *right)
{
    size_t got;
    plat_result r;

    *count = 0;
    *right = true;
    for (size_t cap = 1;; cap = cap * 3 % 1021) {
        r = conf_link_recv(l, cap, &got);
        if (r != PLAT_OK || got == 0) {
            return r;
        }
        for (size_t i = 0; i < got; i++) {
            *right = *right && l->run->in[i] == conf_run_byte((*count)++);
        }
    }
}

static void check_receiving(struct conf_link *l, const char *order, uint32_t bytes)
{
    struct conf_run *run = l->run;
    uint32_t count;
    bool right;
    size_t got;

    if (conf_link_order(l, order, bytes) != PLAT_OK) {
        return;
    }
    plat_result r = receive(l, &count, &right);
    conf_run_rule(run, right, RECV, "it returns the bytes that the peer has sent, in order");
    conf_run_rule(run, count == bytes, RECV, "it returns all bytes before it reports the end");
    conf_run_rule(run, r == PLAT_EOF, RECV, "the end of a connection in order is PLAT_EOF");
    r = conf_link_recv_once(l, 10, &got);
    conf_run_rule(run, r == PLAT_EOF, RECV, "after the end each call returns PLAT_EOF again");
    l->stream->ops->close(l->stream);
}

/* Counts of flow never decrease. */
static bool flow_grows(struct conf_link *l, plat_flow *last)
{
    plat_flow now;

    if (l->stream->ops->flow == NULL) {
        return true;
    }
    l->stream->ops->flow(l->stream, &now);
    const bool grows = now.received >= last->received && now.delivered >= last->delivered;
    *last = now;
    return grows;
}

/* The peer reads late and then compares all bytes. */
static void check_sending(struct conf_link *l)
{
    struct conf_run *run = l->run;
    plat_flow flow = { .received = 0 };
    bool grows = true;
    uint32_t sent = 0;
    size_t got = 0;
    plat_result r = conf_link_order(l, "sink", SINK_BYTES);

    while (r == PLAT_OK && sent < SINK_BYTES) {
        const uint32_t n = SINK_BYTES - sent < CONF_BYTES ? SINK_BYTES - sent : CONF_BYTES;
        for (uint32_t i = 0; i < n; i++) {
            run->out[i] = conf_run_byte(sent + i);
        }
        r = conf_link_send(l, run->out, n);
        sent += n;
        grows = grows && flow_grows(l, &flow);
    }
    conf_run_rule(run, r == PLAT_OK, SEND, "it takes all bytes while the peer reads them");
    if (r == PLAT_OK) {
        r = conf_link_recv(l, 10, &got);
        conf_run_rule(run, r == PLAT_OK && got > 0 && run->in[0] == 'y', SEND,
                      "the peer receives what *sent counts, once and in order");
        grows = grows && flow_grows(l, &flow);
    }
    conf_run_rule(run, grows, FLOW, "its counts never decrease");
    l->stream->ops->close(l->stream);
}

static void check_what_was_seen(struct conf_link *l)
{
    struct conf_run *run = l->run;

    conf_run_rule(run, l->slowest_ms < CONF_BLOCKS_MS, "plat_stream",
                  "open, progress, recv and send never block");
    conf_run_rule(run, !l->mute_poll, POLL,
                  "after PLAT_WOULD_BLOCK it reports a descriptor, a time or ready_now");
    conf_run_rule(run, !l->overflow, RECV, "it writes cap bytes at most");
    conf_run_rule(run, !l->wrong_count, "plat_stream",
                  "after PLAT_OK of recv or send, the count is at least 1 and at most the limit");
}

void conf_stream(struct conf_run *run)
{
    struct conf_link l;

    if (conf_run_rule(run, conf_link_init(&l, run) == PLAT_OK && l.stream != NULL, STREAM,
                      "it makes a stream")) {
        check_opening(&l);
        check_descriptor(&l);
        check_silence(&l);
        check_receiving(&l, "send", SEND_BYTES);
        check_receiving(&l, "drip", 20);
        check_sending(&l);
        check_what_was_seen(&l);
    }
    conf_link_deinit(&l);
}
