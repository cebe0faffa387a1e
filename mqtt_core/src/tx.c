#include "internal.h"

mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id)
{
    bool known = mqc_inbox_ack(&e->inbox, packet_id); /* QoS 2: for the next connection, too */

    if (e->error != MQC_OK) {
        return e->error;
    }
    return known ? MQC_OK : MQC_ERR_STATE;
}

/* --- bytes --- */

/* The most urgent lane with something to send.  Control packets go before all of them. */
static mqc_outbox *ready_lane(mqc_engine *e)
{
    if (e->state != MQC_CONNECTED || mqc_control_pending(&e->control) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox *lane = &e->lanes[i];
        if (!mqc_outbox_rests(lane) && mqc_outbox_ready(lane, mqc_pace_gather_until(e))) {
            return lane;
        }
    }
    return NULL;
}

bool mqc_tx_choose(mqc_engine *e, bool *cut)
{
    if (e->state == MQC_IDLE || e->state == MQC_FAILED) {
        return false;
    }
    if (mqc_control_wanted(e)) {
        mqc_control_fill(e);
    }
    mqc_outbox *ready = ready_lane(e);
    bool begun = e->tx_lane != NULL && mqc_outbox_begun(e->tx_lane);
    if (!begun) {
        e->tx_lane = ready;
    }
    /* What has begun is completed first, but alone when something more urgent waits. */
    *cut = e->tx_lane != ready;
    return e->tx_lane != NULL || mqc_control_pending(&e->control) > 0;
}

const uint8_t *mqc_tx_run(mqc_engine *e, size_t *len)
{
    bool cut;

    if (!mqc_tx_choose(e, &cut)) {
        return NULL;
    }
    if (e->tx_lane == NULL) {
        *len = mqc_control_pending(&e->control);
        return e->control.buf + e->control.start;
    }
    return mqc_outbox_run(e->tx_lane, cut, len);
}

void mqc_tx_consume(mqc_engine *e, size_t len, mqc_time now)
{
    if (len == 0) {
        return;
    }
    e->last_tx = now;
    if (e->tx_lane == NULL) {
        mqc_ping_taken(e, len < mqc_control_pending(&e->control), now);
        mqc_control_consume(&e->control, len);
        if (e->pending[0].packet_id != 0) {
            mqc_waits_request_left(e, now);
        }
        if (e->ping_ahead > 0) {
            mqc_ping_bytes_left(e, len, now);
        }
    } else {
        uint32_t before = e->tx_lane->in_flight;
        mqc_ping_taken(e, len < e->tx_lane->offered, now);
        mqc_outbox_consume(e->tx_lane, len);
        if (e->tx_lane->left_kb > 0) {
            mqc_ping_large_left(e, e->tx_lane, now);
        }
        if ((before == 0 || !e->tx_lane->owed) && e->ack_timeout_ms != 0) {
            mqc_waits_lane_left(e, e->tx_lane, e->tx_lane->in_flight - before, now);
        }
        mqc_pace_batch_left(e, now);
    }
}
