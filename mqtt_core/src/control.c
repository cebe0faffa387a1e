#include "internal.h"

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

void mqc_control_consume(mqc_control *c, size_t n)
{
    size_t pending = mqc_control_pending(c);

    if (n < pending) {
        c->start += n;
        return;
    }
    c->start = 0;
    c->end = 0;
}

/* Section 4.6: in the order in which the messages came. */
static void queue_pubacks(mqc_engine *e)
{
    uint16_t id;

    while ((id = mqc_inbox_next(&e->inbox)) != 0) {
        mqc_writer w = mqc_control_reserve(&e->control, MQC_ACK_LEN);
        if (w.cap == 0) {
            return;
        }
        mqc_encode_id(&w, MQC_PUBACK, id);
        mqc_inbox_drop(&e->inbox);
    }
}

static bool queue_empty(mqc_engine *e, mqc_packet_type type)
{
    mqc_writer w = mqc_control_reserve(&e->control, MQC_EMPTY_LEN);

    mqc_encode_empty(&w, type);
    return w.cap != 0;
}

void mqc_control_fill(mqc_engine *e)
{
    if (e->state == MQC_CONNECTING || e->disconnect_queued) {
        return;
    }
    queue_pubacks(e);
    if (e->ping_wanted && queue_empty(e, MQC_PINGREQ)) {
        e->ping_wanted = false;
    }
    if (e->state == MQC_DISCONNECTING && mqc_inbox_next(&e->inbox) == 0) {
        e->disconnect_queued = queue_empty(e, MQC_DISCONNECT);
    }
}
