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

bool mqc_control_queue_id(mqc_engine *e, mqc_packet_type type, uint16_t packet_id)
{
    mqc_writer w = mqc_control_reserve(&e->control, MQC_ACK_LEN);

    mqc_encode_id(&w, type, packet_id);
    return w.cap != 0;
}

static void queue_releases(mqc_engine *e)
{
    mqc_pubrel_chain *l = &e->pubrel_chain;

    while (l->due != NULL && mqc_control_queue_id(e, MQC_PUBREL, l->due->packet_id)) {
        l->due = l->due->u.behind;
    }
}

static void queue_answers(mqc_engine *e)
{
    while (mqc_inbox_due(&e->inbox)) {
        mqc_writer w = mqc_control_reserve(&e->control, MQC_ACK_LEN);
        if (w.cap == 0) {
            return;
        }
        uint16_t id;
        mqc_packet_type type = mqc_inbox_answer(&e->inbox, &id);
        mqc_encode_id(&w, type, id);
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
    queue_releases(e);
    queue_answers(e);
    if (e->ping_wanted && queue_empty(e, MQC_PINGREQ)) {
        mqc_ping_encoded(e);
    }
    if (e->state == MQC_DISCONNECTING && !mqc_answers_due(e)) {
        e->disconnect_queued = queue_empty(e, MQC_DISCONNECT);
    }
}
