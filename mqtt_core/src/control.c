#include "control.h"

void mqc_control_init(mqc_control *c, uint8_t *buf, size_t cap)
{
    c->buf = buf;
    c->cap = cap;
}

mqc_writer mqc_control_reserve(mqc_control *c, size_t n)
{
    mqc_writer w = { NULL, 0, 0 };

    if (n > c->cap - mqc_control_pending(c)) {
        return w;
    }
    if (n > c->cap - c->end) {
        memmove(c->buf, c->buf + c->start, mqc_control_pending(c));
        c->end -= c->start;
        c->start = 0;
    }
    w.buf = c->buf + c->end;
    w.cap = n;
    c->end += n;
    return w;
}

void mqc_control_clear(mqc_control *c)
{
    c->start = 0;
    c->end = 0;
}

void mqc_control_consume(mqc_control *c, size_t n)
{
    size_t pending = mqc_control_pending(c);

    if (n < pending) {
        c->start += n;
        return;
    }
    mqc_control_clear(c);
}
