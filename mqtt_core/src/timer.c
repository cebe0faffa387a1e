#include <assert.h>

#include "control.h"
#include "engine_valid.h"
#include "inbox.h"
#include "keep_alive.h"
#include "outbox.h"
#include "rx.h"
#include "rx_low_water.h"
#include "state.h"
#include "waits.h"

/* Computes the earliest deadline of all parts, and does the work that is due. */

/* Returns whether skipped messages can be received on a new connection, because there is a slot
 * now. */
static bool wants_another_connection(const mqc_engine *e)
{
    return e->in.message_skipped && !mqc_inbox_full(&e->inbox) &&
           mqc_control_pending(&e->control) == 0;
}

bool mqc_next_deadline(const mqc_engine *e, mqc_time *when)
{
    assert(mqc_engine_valid(e));
    mqc_time t = wants_another_connection(e) ? 0 : mqc_keep_alive_due(e);

    t = mqc_earlier(t, mqc_waits_until(e));
    t = mqc_earlier(t, mqc_flow_due(e));

    for (size_t i = 0; i < e->lane_count; i++) {
        t = mqc_earlier(t, mqc_earlier(e->lanes[i].expiry.next, e->lanes[i].window.go_on_at));
    }
    *when = t;
    return t != MQC_NEVER && e->connection.state != MQC_FAILED;
}

static mqc_result tick(mqc_engine *e, mqc_time now)
{
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_expire(&e->lanes[i], now);
        mqc_window_on_time(&e->lanes[i].window, now);
    }
    mqc_rx_low_water_on_time(&e->low_water, now);
    if (e->in.flow == MQC_INPUT_RESUMED) { /* silence is measured from now on */
        mqc_input_restarted(&e->in);
        mqc_keep_alive_resume(e, now);
    }
    if (wants_another_connection(e)) {
        return mqc_fail(e, MQC_ERR_PROTOCOL, MQC_PUBLISH);
    }
    mqc_alive_verdict verdict = mqc_keep_alive_look(e, now);
    if (verdict == MQC_ALIVE_LOST) {
        return mqc_fail(e, MQC_ERR_TIMEOUT,
                        e->connection.state == MQC_CONNECTING ? MQC_CONNACK : MQC_PINGRESP);
    }
    if ((now >= e->waits.look_at || mqc_reading_stalled(&e->in)) &&
        mqc_waits_look(e, now) != MQC_OK) {
        return e->connection.error;
    }
    if (verdict == MQC_ALIVE_PING) {
        mqc_ping_again(e);
    }
    return MQC_OK;
}

mqc_result mqc_tick(mqc_engine *e, mqc_time now)
{
    assert(mqc_engine_valid(e));
    if (e->connection.error != MQC_OK) {
        return e->connection.error;
    }
    mqc_result r = tick(e, now);
    if (r != MQC_OK) {
        mqc_input_stop(&e->in);
    }
    return r;
}
