#include "internal.h"

#define RX_MIN      16
#define CONTROL_MIN 32

static bool lanes_valid(const mqc_memory *m)
{
    if (m->lane_count < 1 || m->lane_count > MQC_LANES_MAX) {
        return false;
    }
    for (size_t i = 0; i < m->lane_count; i++) {
        const mqc_lane_memory *l = &m->lanes[i];
        if (l->ring == NULL || l->ring_len == 0 || l->entries == NULL || l->entries_len == 0 ||
            l->entries_len != (uint32_t)l->entries_len) {
            return false;
        }
    }
    return true;
}

mqc_result mqc_init(mqc_engine *e, const mqc_memory *m)
{
    if (e == NULL || m == NULL || m->rx == NULL || m->rx_len < RX_MIN || m->control == NULL ||
        m->control_len < CONTROL_MIN || m->inbound == NULL || m->inbound_len == 0 ||
        !lanes_valid(m)) {
        return MQC_ERR_ARG;
    }
    memset(e, 0, sizeof *e);
    e->in.buf = m->rx;
    e->in.cap = m->rx_len;
    e->control.buf = m->control;
    e->control.cap = m->control_len;
    e->inbox.table = m->inbound;
    e->inbox.cap = m->inbound_len;
    e->lane_count = (uint8_t)m->lane_count;
    for (size_t i = 0; i < m->lane_count; i++) {
        mqc_outbox_init(&e->lanes[i], (uint8_t)i, &m->lanes[i]);
    }
    e->next_id = 1;
    e->free_ids = UINT16_MAX;
    e->look_at = MQC_NEVER;
    mqc_ping_reset(e, 0);
    mqc_pace_reset(e);
    return MQC_OK;
}

mqc_state mqc_get_state(const mqc_engine *e)
{
    return (mqc_state)e->state;
}

mqc_result mqc_error(const mqc_engine *e)
{
    return e->error;
}

const char *mqc_error_packet(const mqc_engine *e)
{
    return mqc_packet_name(e->error_packet);
}

mqc_result mqc_fail(mqc_engine *e, mqc_result error, unsigned packet_type)
{
    e->state = MQC_FAILED;
    e->error = error;
    e->error_packet = (uint8_t)packet_type;
    e->in.unread = false; /* nothing more is read */
    return error;
}

void mqc_reset(mqc_engine *e)
{
    e->state = MQC_IDLE;
    e->error = MQC_OK;
    e->error_packet = 0;

    e->in.start = 0;
    e->in.end = 0;
    e->in.skip = 0;
    e->in.phase = MQC_INPUT_PACKET;
    e->in.flow = MQC_INPUT_FLOWING;
    e->in.unread = false;
    e->in.passed_over = false;
    e->in.stalled_at = 0;

    mqc_control_consume(&e->control, SIZE_MAX);
    mqc_inbox_rewind(&e->inbox);
    memset(e->pending, 0, sizeof e->pending);
    e->request_at = 0;
    e->arriving_at = 0;
    e->look_at = MQC_NEVER;
    mqc_ping_reset(e, 0);
    e->disconnect_queued = false;
    mqc_pace_reset(e);
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_rewind(&e->lanes[i]);
    }
}

/* --- events ---------------------------------------------------------------- */

/* Does an outcome wait to be reported?  Lanes that are not in use are zero. */
static bool has_ended(const mqc_engine *e)
{
    uint32_t unreported = 0;

    for (size_t i = 0; i < MQC_LANES_MAX; i++) {
        unreported |= e->lanes[i].unreported;
    }
    return unreported != 0;
}

static bool next_done(mqc_engine *e, mqc_event *ev)
{
    mqc_outbox *lane = e->lanes;

    while (lane->unreported == 0) {
        lane++;
    }
    ev->type = MQC_EVENT_DONE;
    mqc_outbox_report(lane, &ev->u.done);
    return true;
}

bool mqc_next_event(mqc_engine *e, mqc_event *ev)
{
    if (has_ended(e)) {
        return next_done(e, ev);
    }
    return e->in.unread && mqc_next_input(e, ev);
}

/* --- bytes to send --------------------------------------------------------- */

/* Asked before anything else: mostly it is so.  Lanes that are not in use rest. */
static bool rests(const mqc_engine *e)
{
    bool rest = mqc_control_pending(&e->control) == 0 && !mqc_control_wanted(e);

    for (size_t i = 0; i < MQC_LANES_MAX && rest; i++) {
        rest = mqc_outbox_rests(&e->lanes[i]);
    }
    return rest;
}

bool mqc_tx_ready(mqc_engine *e)
{
    bool cut;
    return !rests(e) && mqc_tx_choose(e, &cut);
}

const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len)
{
    *len = 0;
    return rests(e) ? NULL : mqc_tx_run(e, len);
}

/* --- lanes ---------------------------------------------------------------- */

mqc_result mqc_release(mqc_engine *e, uint8_t lane, uint32_t id, mqc_done *done)
{
    if (e == NULL || done == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    mqc_time now = e->last_rx > e->last_tx ? e->last_rx : e->last_tx; /* or a little later */
    return mqc_outbox_release(&e->lanes[lane], id, now, done) ? MQC_OK : MQC_ERR_STATE;
}

mqc_result mqc_requeue(mqc_engine *e, uint8_t lane, uint32_t id)
{
    if (e == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    return mqc_outbox_requeue(&e->lanes[lane], id) ? MQC_OK : MQC_ERR_STATE;
}

void mqc_hold(mqc_engine *e, uint8_t lane, bool hold)
{
    if (e != NULL && lane < e->lane_count) {
        e->lanes[lane].held = hold;
    }
}

mqc_result mqc_discard(mqc_engine *e, uint8_t lane)
{
    if (e == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    if (e->state != MQC_IDLE) {
        return MQC_ERR_STATE;
    }
    mqc_pubrel_chain_restart(&e->pubrel_chain, lane);
    mqc_outbox_discard(&e->lanes[lane]);
    return MQC_OK;
}

mqc_result mqc_drop(mqc_engine *e, uint8_t lane, void **tag)
{
    if (e == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    return mqc_outbox_drop(&e->lanes[lane], tag) ? MQC_OK : MQC_ERR_STATE;
}

mqc_lane_info mqc_lane(const mqc_engine *e, uint8_t lane)
{
    mqc_lane_info info = { 0 };

    if (e != NULL && lane < e->lane_count) {
        const mqc_outbox *o = &e->lanes[lane];
        info.count = o->live;
        info.in_flight = o->in_flight;
        info.begun = o->send > 0 || mqc_outbox_begun(o);
        info.bytes = o->ring_used;
        info.bytes_cap = o->ring_len;
    }
    return info;
}
