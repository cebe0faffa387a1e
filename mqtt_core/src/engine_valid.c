#include "engine_valid.h"

#include "control.h"
#include "inbox.h"
#include "input.h"
#include "keep_alive.h"
#include "outbox_valid.h"
#include "pubrel_chain.h"
#include "round_trip.h"
#include "rx_low_water.h"

#ifndef NDEBUG

static bool input_valid(const mqc_input *in)
{
    return in->start <= in->end && in->end <= in->cap && in->phase <= MQC_INPUT_OVERSIZE_ID &&
           in->flow <= MQC_INPUT_RESUMED;
}

/* The oldest request must be the first, and there must be no gap. */
static bool requests_valid(const mqc_engine *e)
{
    for (size_t i = 1; i < MQC_PENDING_MAX; i++) {
        if (e->requests.pending[i].packet_id != 0 && e->requests.pending[i - 1].packet_id == 0) {
            return false;
        }
    }
    return e->waits.request_at == 0 || e->requests.pending[0].packet_id != 0;
}

static bool lanes_valid(const mqc_engine *e)
{
    bool connected =
        e->connection.state == MQC_CONNECTED || e->connection.state == MQC_DISCONNECTING;

    for (size_t i = 0; i < e->lane_count; i++) {
        const mqc_outbox *o = &e->lanes[i];
        if (!mqc_outbox_valid(o) || o->number != i) {
            return false;
        }
        if (!connected && e->connection.state != MQC_FAILED &&
            (o->send > 0 || o->window.in_flight > 0)) {
            return false; /* nothing may be sent before CONNACK */
        }
    }
    return true;
}

static bool keep_alive_valid(const mqc_engine *e)
{
    return e->keep_alive.ping <= MQC_PING_SENT &&
           e->keep_alive.ping_ahead <= mqc_control_pending(&e->control);
}

bool mqc_engine_valid(const mqc_engine *e)
{
    if (e->connection.state > MQC_FAILED ||
        (e->connection.state == MQC_FAILED) != (e->connection.error != MQC_OK)) {
        return false;
    }
    if (e->lane_count < 1 || e->lane_count > MQC_LANES_MAX) {
        return false;
    }
    if (e->tx.lane != NULL && (e->tx.lane < e->lanes || e->tx.lane >= e->lanes + e->lane_count)) {
        return false;
    }
    return input_valid(&e->in) && mqc_control_valid(&e->control) && mqc_inbox_valid(&e->inbox) &&
           mqc_pubrel_chain_valid(&e->pubrel_chain) && mqc_rx_low_water_valid(&e->low_water) &&
           mqc_round_trip_valid(&e->round_trip) && requests_valid(e) && keep_alive_valid(e) &&
           lanes_valid(e);
}

#endif
