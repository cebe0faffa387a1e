#include "bench_stream.h"

uint64_t bench_now_ms(void)
{
    const plat_clock *clock = plat_posix()->clock;

    return clock->monotonic_ms(clock);
}

static void check(const bench_stream *s, plat_result r)
{
    if (r != PLAT_OK && r != PLAT_WOULD_BLOCK) {
        bench_fail(plat_result_str(r), s->stream->ops->detail(s->stream));
    }
}

static void wait_for(bench_stream *s, bool want_send, size_t least, int timeout_ms)
{
    const plat_net *net = plat_posix()->net;
    plat_poll p;

    s->stream->ops->poll(s->stream, want_send, least, &p);
    if (!p.ready_now) {
        net->wait(net, &p, 1, timeout_ms);
    }
}

void bench_stream_open(bench_stream *s, const bench_job *job)
{
    const plat_net *net = plat_posix()->net;
    const plat_websocket_config websocket = {
        .websockets = plat_wslay(),
        .path = "/mqtt",
        .subprotocol = "mqtt",
    };
    const plat_stream_config config = {
        .kind = job->ca_file != NULL ? PLAT_STREAM_TLS : PLAT_STREAM_TCP,
        .ca_file = job->ca_file,
        .websocket = job->websocket ? &websocket : NULL,
    };
    plat_stage stage;

    check(s, net->stream(net, &s->storage, &config, &s->stream));
    check(s, s->stream->ops->open(s->stream, job->host, job->port, bench_now_ms()));
    for (;;) {
        plat_result r = s->stream->ops->progress(s->stream, bench_now_ms(), &stage);
        if (r == PLAT_OK) {
            return;
        }
        check(s, r);
        wait_for(s, false, 1, -1);
    }
}

void bench_stream_send(bench_stream *s, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t sent = 0;
        plat_result r = s->stream->ops->send(s->stream, data, len, &sent);
        check(s, r);
        if (r == PLAT_WOULD_BLOCK) {
            wait_for(s, true, 1, -1);
        }
        data += sent;
        len -= sent;
    }
}

void bench_stream_wait(bench_stream *s, size_t least, int timeout_ms)
{
    wait_for(s, false, least, timeout_ms);
}

size_t bench_stream_recv(bench_stream *s, uint8_t *buf, size_t cap)
{
    for (;;) {
        size_t got = 0;
        plat_result r = s->stream->ops->recv(s->stream, buf, cap, &got);
        check(s, r);
        if (r == PLAT_OK) {
            return got;
        }
        wait_for(s, false, 1, -1);
    }
}
