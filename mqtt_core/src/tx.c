#include "tx.h"

#include <assert.h>

#include "control.h"
#include "control_fill.h"
#include "engine_valid.h"
#include "inbox.h"
#include "keep_alive.h"
#include "outbox.h"
#include "outbox_find.h"
#include "round_trip.h"
#include "rx_low_water.h"
#include "waits.h"

mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id)
{
    assert(mqc_engine_valid(e));
    /* For QoS 2 this matters for the next connection, too. */
    bool known = mqc_inbox_ack(&e->inbox, packet_id);

    if (e->connection.error != MQC_OK) {
        return e->connection.error;
    }
    return known ? MQC_OK : MQC_ERR_STATE;
}

/* --- bytes --- */

static mqc_time gather_until(const mqc_engine *e)
{
    return mqc_round_trip_gather_until(&e->round_trip, e->keep_alive.last_rx);
}

/* Returns the lane of the highest priority that has something to send. Control packets are sent
 * before all lanes. */
static mqc_outbox *ready_lane(mqc_engine *e)
{
    if (e->connection.state != MQC_CONNECTED || mqc_control_pending(&e->control) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox *lane = &e->lanes[i];
        if (!mqc_outbox_rests(lane) && mqc_outbox_ready(lane, gather_until(e))) {
            return lane;
        }
    }
    return NULL;
}

bool mqc_tx_choose(mqc_engine *e, bool *cut)
{
    if (e->connection.state == MQC_IDLE || e->connection.state == MQC_FAILED) {
        return false;
    }
    if (mqc_control_wanted(e)) {
        mqc_control_fill(e);
    }
    mqc_outbox *ready = ready_lane(e);
    bool begun = e->tx.lane != NULL && mqc_outbox_begun(e->tx.lane);
    if (!begun) {
        e->tx.lane = ready;
    }
    /* A packet in progress is completed first. If something with a higher priority waits, later
     * packets of the lane are left out. */
    *cut = e->tx.lane != ready;
    return e->tx.lane != NULL || mqc_control_pending(&e->control) > 0;
}

const uint8_t *mqc_tx_run(mqc_engine *e, size_t *len)
{
    bool cut;

    if (!mqc_tx_choose(e, &cut)) {
        return NULL;
    }
    if (e->tx.lane == NULL) {
        *len = mqc_control_pending(&e->control);
        return e->control.buf + e->control.start;
    }
    return mqc_outbox_run(e->tx.lane, cut, len);
}

/* Times the last publish of the batch that was sent, unless another one is being timed. */
static void time_round_trip(mqc_engine *e, mqc_time now)
{
    const mqc_outbox *lane = e->tx.lane;

    if (!mqc_round_trip_is_timed(&e->round_trip) && lane->send > 0) {
        mqc_round_trip_begin(&e->round_trip, mqc_outbox_id(lane, lane->send - 1), now);
    }
}

void mqc_tx_consume(mqc_engine *e, size_t len, mqc_time now)
{
    assert(mqc_engine_valid(e));
    if (len == 0) {
        return;
    }
    mqc_keep_alive_sent(e, now);
    if (e->tx.lane == NULL) {
        mqc_ping_taken(e, len < mqc_control_pending(&e->control), now);
        mqc_control_consume(&e->control, len);
        if (e->requests.pending[0].packet_id != 0) {
            mqc_waits_request_sent(e, now);
        }
        if (e->keep_alive.ping_ahead > 0) {
            mqc_ping_bytes_sent(e, len, now);
        }
    } else {
        uint32_t before = e->tx.lane->window.in_flight;
        mqc_ping_taken(e, len < e->tx.lane->offered, now);
        mqc_outbox_consume(e->tx.lane, len);
        if (e->tx.lane->large_kb > 0) {
            mqc_ping_large_sent(e, e->tx.lane, now);
        }
        if ((before == 0 || !e->tx.lane->owed) && e->waits.ack_timeout_ms != 0) {
            mqc_waits_lane_sent(e, e->tx.lane, e->tx.lane->window.in_flight - before, now);
        }
        time_round_trip(e, now);
        mqc_rx_low_water_batch_sent(&e->low_water, now);
    }
}
