#include <assert.h>

#include "connect_subscribe.h"
#include "control.h"
#include "control_fill.h"
#include "engine_valid.h"
#include "ids.h"
#include "inbox.h"
#include "keep_alive.h"
#include "outbox.h"
#include "pubrel_chain.h"
#include "round_trip.h"
#include "rx.h"
#include "rx_low_water.h"
#include "state.h"
#include "tx.h"
#include "waits.h"

#define RX_MIN      16
#define CONTROL_MIN 32
#define INBOUND_MAX (UINT32_MAX / 2) /* the sum of two positions must fit into 32 bits */

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

static void reset(mqc_engine *e)
{
    mqc_state_reset(e);
    mqc_input_reset(&e->in);
    mqc_control_clear(&e->control);
    mqc_inbox_rewind(&e->inbox);
    mqc_requests_reset(e);
    mqc_waits_reset(e);
    mqc_keep_alive_reset(e, 0);
    mqc_round_trip_reset(&e->round_trip);
    mqc_rx_low_water_reset(&e->low_water);
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_rewind(&e->lanes[i]);
    }
}

mqc_result mqc_init(mqc_engine *e, const mqc_memory *m)
{
    if (e == NULL || m == NULL || m->rx == NULL || m->rx_len < RX_MIN || m->control == NULL ||
        m->control_len < CONTROL_MIN || m->inbound == NULL || m->inbound_len == 0 ||
        m->inbound_len > INBOUND_MAX || !lanes_valid(m)) {
        return MQC_ERR_ARG;
    }
    memset(e, 0, sizeof *e);
    mqc_input_init(&e->in, m->rx, m->rx_len);
    mqc_control_init(&e->control, m->control, m->control_len);
    mqc_inbox_init(&e->inbox, m->inbound, m->inbound_len);
    e->lane_count = (uint8_t)m->lane_count;
    for (size_t i = 0; i < m->lane_count; i++) {
        mqc_outbox_init(&e->lanes[i], (uint8_t)i, &m->lanes[i]);
    }
    mqc_ids_init(e);
    reset(e);
    assert(mqc_engine_valid(e));
    return MQC_OK;
}

void mqc_reset(mqc_engine *e)
{
    assert(mqc_engine_valid(e));
    reset(e);
}

/* --- events ---------------------------------------------------------------- */

/* Returns whether an outcome must be reported. Unused lanes are all zero. */
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
    assert(mqc_engine_valid(e));
    if (has_ended(e)) {
        return next_done(e, ev);
    }
    return e->in.unread && mqc_next_input(e, ev);
}

/* --- bytes to send --------------------------------------------------------- */

/* Returns whether all lanes are idle, which is usually true. Unused lanes are always idle. */
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
    assert(mqc_engine_valid(e));
    bool cut;
    return !rests(e) && mqc_tx_choose(e, &cut);
}

const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len)
{
    assert(mqc_engine_valid(e));
    *len = 0;
    return rests(e) ? NULL : mqc_tx_run(e, len);
}

/* --- what is worth waking up for ------------------------------------------- */

/* Returns the number of bytes of the answers worth waiting for, or 0 for none. */
static size_t answers_len(const mqc_engine *e)
{
    const bool near = mqc_round_trip_is_near(&e->round_trip);
    size_t least = 0;

    for (size_t i = 0; i < e->lane_count; i++) {
        const mqc_outbox *o = &e->lanes[i];
        size_t bytes = MQC_ACK_LEN * mqc_window_awaits(&o->window, near, o->grant < o->count);
        if (bytes > 0 && (least == 0 || bytes < least)) {
            least = bytes;
        }
    }
    return least < e->in.cap / 2 ? least : e->in.cap / 2;
}

/* Returns whether few answers are expected, which is usually true. Unused lanes are all zero. */
static bool awaits_few(const mqc_engine *e)
{
    bool few = true;

    for (size_t i = 0; i < MQC_LANES_MAX && few; i++) {
        few = mqc_window_awaits_few(&e->lanes[i].window);
    }
    return few;
}

size_t mqc_rx_least(mqc_engine *e, mqc_time *until)
{
    assert(mqc_engine_valid(e));
    mqc_rx_low_water *w = &e->low_water;

    if (mqc_rx_low_water_expired(w)) {
        mqc_rx_low_water_give_up(w);
    } else if (awaits_few(e)) {
        return mqc_rx_low_water_set(w, 0, until);
    }
    bool allowed = e->connection.state == MQC_CONNECTED && mqc_rx_low_water_allowed(w);
    return mqc_rx_low_water_set(w, allowed ? answers_len(e) : 0, until);
}

/* --- lanes ---------------------------------------------------------------- */

mqc_result mqc_release(mqc_engine *e, uint8_t lane, uint32_t id, mqc_done *done)
{
    if (e == NULL || done == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    /* This is the present time, or a little earlier. */
    const mqc_time now = mqc_later(e->keep_alive.last_rx, e->keep_alive.last_tx);
    return mqc_outbox_release(&e->lanes[lane], id, now, done) ? MQC_OK : MQC_ERR_STATE;
}

mqc_result mqc_requeue(mqc_engine *e, uint8_t lane, uint32_t id)
{
    if (e == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    return mqc_outbox_requeue(&e->lanes[lane], id) ? MQC_OK : MQC_ERR_STATE;
}

void mqc_hold(mqc_engine *e, uint8_t lane, bool hold)
{
    if (e != NULL && lane < e->lane_count) {
        mqc_outbox_hold(&e->lanes[lane], hold);
    }
}

mqc_result mqc_discard(mqc_engine *e, uint8_t lane)
{
    if (e == NULL || lane >= e->lane_count) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    if (e->connection.state != MQC_IDLE) {
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
    assert(mqc_engine_valid(e));
    return mqc_outbox_drop(&e->lanes[lane], tag) ? MQC_OK : MQC_ERR_STATE;
}

mqc_lane_info mqc_lane(const mqc_engine *e, uint8_t lane)
{
    mqc_lane_info info = { 0 };

    if (e != NULL && lane < e->lane_count) {
        const mqc_outbox *o = &e->lanes[lane];
        info.count = o->live;
        info.in_flight = o->window.in_flight;
        info.begun = o->send > 0 || mqc_outbox_begun(o);
        info.bytes = o->ring_used;
        info.bytes_cap = o->ring_len;
    }
    return info;
}
