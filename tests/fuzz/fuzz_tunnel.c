/* Tests a tunnel with arbitrary bytes of a proxy. The first byte of the input chooses the scheme
 * and whether there is a user; the rest is what the proxy sends on each connection before it
 * closes it. Opening must end, and what is received through an open tunnel must not depend on how
 * the bytes are split. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "platform/platform.h"

enum {
    PEERS_MAX = 20,         /* connections, after which the trial ends: a proxy may demand a user
                               again and again, which only the deadline of the client ends */
    PATIENCE_MS = 20000,    /* much longer than anything on the loopback interface takes */
    CONTENT_MAX = 64 * 1024 /* more than an input has */
};

enum { IS_SOCKS = 1, HAS_USER = 2 };

/* A connection at the side of the proxy. */
typedef struct peer {
    int fd;
    fuzz_input left; /* bytes to send */
    bool at_end;     /* all bytes and the end were sent */
} peer;

typedef struct world {
    int listener;
    uint16_t port;
    fuzz_input bytes;
    size_t piece;
    peer peers[PEERS_MAX];
    size_t peer_count;
    plat_stream *s;
} world;

typedef struct record {
    bool open;
    size_t content_len;
    uint64_t content; /* a hash */
} record;

static void begin(world *w)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;

    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    FUZZ_CHECK(w->listener >= 0);
    FUZZ_CHECK(bind(w->listener, (struct sockaddr *)&address, len) == 0);
    FUZZ_CHECK(listen(w->listener, PEERS_MAX) == 0);
    FUZZ_CHECK(getsockname(w->listener, (struct sockaddr *)&address, &len) == 0);
    w->port = ntohs(address.sin_port);
}

static void make_stream(world *w, unsigned kind)
{
    static plat_stream_storage memory;
    char url[64];
    const plat_tunnel_config tunnel = { .tunnels = plat_curl_tunnels(), .proxy = url };
    const plat_stream_config config = { .kind = PLAT_STREAM_TCP, .tunnel = &tunnel };

    snprintf(url, sizeof url, "%s://%s127.0.0.1:%u", (kind & IS_SOCKS) != 0 ? "socks5h" : "http",
             (kind & HAS_USER) != 0 ? "hush:hush@" : "", (unsigned)w->port);
    FUZZ_CHECK(plat_posix()->net->stream(plat_posix()->net, &memory, &config, &w->s) == PLAT_OK);
}

static void accept_one(world *w)
{
    const int on = 1;
    const int fd = w->peer_count < PEERS_MAX ? accept4(w->listener, NULL, NULL, SOCK_NONBLOCK) : -1;

    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        w->peers[w->peer_count++] = (peer){ .fd = fd, .left = w->bytes };
    }
}

/* Reads and discards what the client has sent, and sends the next piece. */
static void serve_one(peer *p, size_t piece)
{
    char sink[4096];

    while (recv(p->fd, sink, sizeof sink, 0) > 0) {
    }
    if (p->at_end) {
        return;
    }
    if (p->left.len > 0) {
        const ssize_t n =
            send(p->fd, p->left.ptr, p->left.len < piece ? p->left.len : piece, MSG_NOSIGNAL);
        const size_t sent = n > 0 ? (size_t)n : 0;
        p->left.ptr += sent;
        p->left.len = n < 0 ? 0 : p->left.len - sent;
        return;
    }
    (void)shutdown(p->fd, SHUT_WR);
    p->at_end = true;
}

/* Returns whether the proxy has sent everything. */
static bool serve(world *w)
{
    bool at_end = w->peer_count > 0;

    accept_one(w);
    for (size_t i = 0; i < w->peer_count; i++) {
        serve_one(&w->peers[i], w->piece);
        at_end = at_end && w->peers[i].at_end;
    }
    return at_end;
}

static uint64_t now(void)
{
    return plat_posix()->clock->monotonic_ms(plat_posix()->clock);
}

/* Sleeps until the stream has work, or the client connects again. */
static void sleep_for(world *w)
{
    plat_poll p;

    w->s->ops->poll(w->s, false, 1, &p);
    const uint64_t at = now();
    uint64_t ms = 1000;
    if (p.wake_at_ms != 0) {
        ms = p.wake_at_ms > at ? p.wake_at_ms - at : 0;
    }
    struct pollfd fds[] = { { .fd = (int)p.fd, .events = POLLIN },
                            { .fd = w->listener, .events = POLLIN } };
    (void)poll(fds, 2, p.ready_now ? 0 : (int)(ms < 1000 ? ms : 1000));
}

static void check_failure(const world *w, plat_result r)
{
    const char *detail = w->s->ops->detail(w->s);

    FUZZ_CHECK(r == PLAT_ERR_PROXY || r == PLAT_ERR_UNAVAILABLE);
    FUZZ_CHECK(strncmp(detail, "proxy 127.0.0.1:", strlen("proxy 127.0.0.1:")) == 0);
    FUZZ_CHECK(strstr(detail, "hush") == NULL);
    for (const char *c = detail; *c != '\0'; c++) {
        FUZZ_CHECK(*c >= ' ' && *c <= '~');
    }
}

/* Returns whether the tunnel is open. */
static bool open_tunnel(world *w)
{
    const uint64_t until = now() + PATIENCE_MS;
    plat_stage stage;
    plat_result r = w->s->ops->open(w->s, "hub.example", 8883, now());

    FUZZ_CHECK(r == PLAT_OK);
    for (;;) {
        r = w->s->ops->progress(w->s, now(), &stage);
        if (r != PLAT_WOULD_BLOCK) {
            break;
        }
        FUZZ_CHECK(now() < until);
        if (w->peer_count == PEERS_MAX) {
            return false;
        }
        if (serve(w)) {
            sleep_for(w);
        }
    }
    FUZZ_CHECK((r == PLAT_OK) == (stage == PLAT_STAGE_OPEN));
    if (r != PLAT_OK) {
        check_failure(w, r);
    }
    return r == PLAT_OK;
}

static void receive(world *w, record *out)
{
    const uint64_t until = now() + PATIENCE_MS;

    for (;;) {
        uint8_t buf[256];
        size_t got;
        const plat_result r = w->s->ops->recv(w->s, buf, sizeof buf, &got);
        for (size_t i = 0; i < got; i++) {
            out->content = (out->content ^ buf[i]) * UINT64_C(1099511628211);
        }
        out->content_len += got;
        FUZZ_CHECK(out->content_len < CONTENT_MAX);
        if (r == PLAT_EOF || r == PLAT_ERR_IO) {
            return;
        }
        FUZZ_CHECK(r == PLAT_OK || r == PLAT_WOULD_BLOCK);
        FUZZ_CHECK(now() < until);
        if (r == PLAT_WOULD_BLOCK && serve(w)) {
            sleep_for(w);
        }
    }
}

static void end(world *w)
{
    w->s->ops->deinit(w->s);
    for (size_t i = 0; i < w->peer_count; i++) {
        (void)close(w->peers[i].fd);
    }
    (void)close(w->listener);
}

static record run(unsigned kind, fuzz_input bytes, size_t piece)
{
    world w = { .bytes = bytes, .piece = piece };
    record r = { .open = false };

    begin(&w);
    make_stream(&w, kind);
    r.open = open_tunnel(&w);
    if (r.open) {
        receive(&w, &r);
    }
    end(&w);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    const unsigned kind = fuzz_byte(&in);

    const record whole = run(kind, in, SIZE_MAX);
    const record pieces = run(kind, in, 1 + kind / 4);
    FUZZ_CHECK(whole.open == pieces.open);
    FUZZ_CHECK(whole.content_len == pieces.content_len && whole.content == pieces.content);
    return 0;
}
