#include "internal.h"

mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id)
{
    bool known = mqc_inbox_ack(&e->inbox, packet_id); /* QoS 2: for the next connection, too */

    if (e->error != MQC_OK) {
        return e->error;
    }
    return known ? MQC_OK : MQC_ERR_STATE;
}

/* Is there anything that waits to be encoded? */
static bool control_wanted(const mqc_engine *e)
{
    return mqc_answers_due(e) || e->ping_wanted || e->state == MQC_DISCONNECTING;
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

/* Choose where the next bytes come from.  False: there are none. */
static bool choose(mqc_engine *e, bool *cut)
{
    if (e->state == MQC_IDLE || e->state == MQC_FAILED) {
        return false;
    }
    if (control_wanted(e)) {
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

/* Asked before anything else: mostly it is so.  Lanes that are not in use rest. */
static bool rests(const mqc_engine *e)
{
    bool rest = mqc_control_pending(&e->control) == 0 && !control_wanted(e);

    for (size_t i = 0; i < MQC_LANES_MAX && rest; i++) {
        rest = mqc_outbox_rests(&e->lanes[i]);
    }
    return rest;
}

bool mqc_tx_ready(mqc_engine *e)
{
    bool cut;
    return !rests(e) && choose(e, &cut);
}

const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len)
{
    bool cut;

    *len = 0;
    if (rests(e) || !choose(e, &cut)) {
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
        mqc_ping_unanswered(e, mqc_outbox_consume(e->tx_lane, len), now);
        if ((before == 0 || !e->tx_lane->owed) && e->ack_timeout_ms != 0) {
            mqc_waits_lane_left(e, e->tx_lane, e->tx_lane->in_flight - before, now);
        }
        mqc_pace_batch_left(e, now);
    }
}
