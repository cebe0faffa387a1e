#include "control.h"

#include <assert.h>

uint8_t *mqc_control_reserve(mqc_control *c, size_t n)
{
    assert(mqc_control_valid(c));
    const size_t pending = mqc_control_pending(c);

    if (n > c->cap - pending) {
        return NULL;
    }
    if (n > c->cap - c->end) {
        memmove(c->buf, c->buf + c->start, pending);
        c->start = 0;
        c->end = pending;
    }
    c->end += n;
    return c->buf + c->end - n;
}

void mqc_control_clear(mqc_control *c)
{
    c->start = 0;
    c->end = 0;
}

void mqc_control_consume(mqc_control *c, size_t n)
{
    assert(mqc_control_valid(c));
    size_t pending = mqc_control_pending(c);

    if (n < pending) {
        c->start += n;
        return;
    }
    mqc_control_clear(c);
}

#ifndef NDEBUG

/* An empty queue must be at the start of its memory. */
bool mqc_control_valid(const mqc_control *c)
{
    return c->start <= c->end && c->end <= c->cap && (c->start < c->end || c->end == 0);
}

#endif
