#include <string.h>

#include "conformance/conf_groups.h"
#include "conformance/conf_link.h"

#define PROGRESS "plat_stream.progress"
#define RECV     "plat_stream.recv"
#define DETAIL   "plat_stream.detail"

enum { ROUNDS = 5 };

static bool is_failure(plat_result r)
{
    return r != PLAT_OK && r != PLAT_WOULD_BLOCK && r != PLAT_EOF;
}

static bool one_line(const char *text)
{
    return text != NULL && text[0] != '\0' && strchr(text, '\n') == NULL;
}

static bool names_host(const struct conf_link *l, const char *host)
{
    const char *detail = l->stream->ops->detail(l->stream);

    return detail != NULL && strstr(detail, host) != NULL;
}

/* What every failed stream does until close. */
static void check_failed(struct conf_link *l, plat_result failure)
{
    size_t got;

    conf_run_rule(l->run, one_line(l->stream->ops->detail(l->stream)), DETAIL,
                  "after a failure it is one line");
    conf_run_rule(l->run, conf_link_recv_once(l, 10, &got) == failure, RECV,
                  "after a failure each call repeats it until close");
}

static void check_reset(struct conf_link *l)
{
    size_t got;

    if (conf_link_order(l, "drop", 0) != PLAT_OK) {
        return;
    }
    plat_result r = conf_link_recv(l, 10, &got);
    if (conf_run_rule(l->run, is_failure(r), RECV, "a reset connection is a failure")) {
        check_failed(l, r);
    }
    l->stream->ops->close(l->stream);
}

static void check_refusal(struct conf_link *l, uint16_t port)
{
    const char *host = l->run->c->peer->host;
    plat_result r = conf_link_open(l, host, port);

    if (conf_run_rule(l->run, r == PLAT_ERR_CONNECT, PROGRESS,
                      "a port that nobody listens on is PLAT_ERR_CONNECT")) {
        conf_run_rule(l->run, l->stage == PLAT_STAGE_CONNECT, PROGRESS,
                      "the stage is the one that has failed");
        conf_run_rule(l->run, names_host(l, host), DETAIL, "it names the host");
        check_failed(l, r);
    }
    l->stream->ops->close(l->stream);
}

static void check_unknown_host(struct conf_link *l, const char *host)
{
    plat_result r = conf_link_open(l, host, l->run->c->peer->port);

    if (conf_run_rule(l->run, r == PLAT_ERR_DNS, PROGRESS,
                      "a name that does not resolve is PLAT_ERR_DNS")) {
        conf_run_rule(l->run, names_host(l, host), DETAIL, "it names the host");
    }
    l->stream->ops->close(l->stream);
}

/* Opens and ends some streams, in several states, and returns what the port has allocated then. */
static size_t use_streams(struct conf_run *run)
{
    const plat_conformance_peer *peer = run->c->peer;
    struct conf_link l;

    for (int i = 0; i < ROUNDS; i++) {
        if (conf_link_init(&l, run) == PLAT_OK && i % 2 == 0) {
            (void)conf_link_open(&l, peer->host, peer->port);
        } else if (l.stream != NULL) {
            (void)l.stream->ops->open(l.stream, peer->host, peer->port, conf_run_now(run));
        }
        conf_link_deinit(&l);
    }
    return run->c->in_use(run->c->user);
}

/* The first use may fill caches. */
static void check_leaks(struct conf_run *run)
{
    (void)use_streams(run);
    const size_t before = use_streams(run);
    const size_t after = use_streams(run);

    conf_run_rule(run, after <= before, "plat_stream.deinit",
                  "it gives back everything that the stream owns");
}

void conf_failures(struct conf_run *run)
{
    const plat_conformance_peer *peer = run->c->peer;
    struct conf_link l;

    if (conf_link_init(&l, run) == PLAT_OK) {
        check_reset(&l);
        if (peer->refused_port != 0) {
            check_refusal(&l, peer->refused_port);
        }
        if (peer->unknown_host != NULL) {
            check_unknown_host(&l, peer->unknown_host);
        }
        conf_run_rule(run, l.slowest_ms < CONF_BLOCKS_MS, "plat_stream",
                      "no call blocks, also if opening fails");
    }
    conf_link_deinit(&l);
    if (run->c->in_use != NULL) {
        check_leaks(run);
    }
}
