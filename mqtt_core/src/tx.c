#include "internal.h"

mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id)
{
    if (e->error != MQC_OK) {
        return e->error;
    }
    return mqc_inbox_ack(&e->inbox, packet_id) ? MQC_OK : MQC_ERR_STATE;
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

/* Encode what was decided, now that there may be room for it. */
static void fill_control(mqc_engine *e)
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

/*
 * The lane to send from, or MQC_TX_CONTROL.  A packet that has begun comes
 * before everything, and alone (*cut) when something more urgent waits.
 */
static uint8_t choose(mqc_engine *e, bool *cut)
{
    uint8_t begun = MQC_TX_CONTROL;
    uint8_t ready = MQC_TX_CONTROL;
    bool lanes_may = e->state == MQC_CONNECTED && mqc_control_pending(&e->control) == 0;

    for (uint8_t i = e->lane_count; i-- > 0;) {
        mqc_outbox *o = &e->lanes[i];
        if (mqc_outbox_begun(o)) {
            begun = i;
        }
        if (lanes_may && mqc_outbox_ready(o)) {
            ready = i;
        }
    }
    *cut = begun != MQC_TX_CONTROL && begun != ready;
    return begun != MQC_TX_CONTROL ? begun : ready;
}

const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len)
{
    bool cut;

    *len = 0;
    if (e->state == MQC_IDLE || e->state == MQC_FAILED) {
        return NULL;
    }
    fill_control(e);
    e->tx_source = choose(e, &cut);
    if (e->tx_source != MQC_TX_CONTROL) {
        mqc_outbox *o = &e->lanes[e->tx_source];
        return mqc_outbox_run(o, cut, len);
    }
    *len = mqc_control_pending(&e->control);
    return e->control.buf + e->control.start;
}

void mqc_tx_consume(mqc_engine *e, size_t len, mqc_time now)
{
    if (len == 0) {
        return;
    }
    e->last_tx = now;
    if (e->tx_source == MQC_TX_CONTROL) {
        mqc_control_consume(&e->control, len);
    } else {
        mqc_outbox_consume(&e->lanes[e->tx_source], len);
    }
}
