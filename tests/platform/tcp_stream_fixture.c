#include "tcp_stream_fixture.h"

#include "posix/clock.h"

plat_tcp_stream tcp;
plat_stream *const s = &tcp.base;

int make_stream(void **state)
{
    (void)state;
    plat_tcp_init(&tcp, NULL);
    return 0;
}

int free_stream(void **state)
{
    (void)state;
    s->ops->deinit(s);
    return 0;
}

uint64_t now(void)
{
    return plat_posix_clock.monotonic_ms(&plat_posix_clock);
}

plat_poll poll_of(bool want_send)
{
    plat_poll p;
    s->ops->poll(s, want_send, 1, &p);
    return p;
}

plat_result drive(plat_stage *stage)
{
    plat_result r;
    while ((r = s->ops->progress(s, now(), stage)) == PLAT_WOULD_BLOCK) {
        plat_poll p = poll_of(false);
        plat_posix_wait(NULL, &p, 1, 10000);
    }
    return r;
}
