#ifndef MQC_INTERNAL_H
#define MQC_INTERNAL_H

#include "control.h"
#include "inbox.h"
#include "mqtt_core/engine_struct.h"
#include "outbox.h"
#include "packet.h"
#include "pubrel_chain.h"

/* What the parts of the engine share. */

/* Where the reader of the input stands inside an oversize packet. */
typedef enum mqc_input_phase {
    MQC_INPUT_PACKET = 0, /* at a fixed header */
    MQC_INPUT_OVERSIZE_ID /* behind a topic that was skipped */
} mqc_input_phase;

/* Do we take what the server sends?  If not, its silence means nothing. */
typedef enum mqc_input_flow {
    MQC_INPUT_FLOWING = 0,
    MQC_INPUT_STALLED, /* a message waits for a place in the inbox */
    MQC_INPUT_RESUMED  /* no longer, but the timers do not know yet */
} mqc_input_flow;

/* The oldest PINGREQ without an answer. */
typedef enum mqc_ping_state {
    MQC_PING_NONE = 0,
    MQC_PING_QUEUED,    /* the stream has not taken all of it, */
    MQC_PING_LEFT,      /* it has; the next report of the flow says how much lies before it, */
    MQC_PING_UNDER_WAY, /* and a later one that the peer's system has it, too */
    MQC_PING_SENT       /* the answer is due */
} mqc_ping_state;

/* Latch an error found in, or missing for want of, a packet of that type. */
mqc_result mqc_fail(mqc_engine *e, mqc_result error, unsigned packet_type);

/* The next event that received bytes make (rx.c). */
bool mqc_next_input(mqc_engine *e, mqc_event *ev);

/* Encode the control packets that were decided on, now that there may be room (control.c). */
void mqc_control_fill(mqc_engine *e);

/* Are there acknowledgements that were decided on and not encoded? */
static inline bool mqc_answers_due(const mqc_engine *e)
{
    return mqc_inbox_due(&e->inbox) || e->pubrel_chain.due != NULL;
}

/* --- when to send, when to wake up (rx_low_water.c) --- */

/* There is a new connection. */
void mqc_pace_reset(mqc_engine *e);
/* How long a lane that its window stops may wait for a batch; 0: not at all. */
mqc_time mqc_pace_gather_until(const mqc_engine *e);
void mqc_pace_batch_left(mqc_engine *e, mqc_time now);
void mqc_pace_bytes_came(mqc_engine *e, size_t len, mqc_time now);
static inline void mqc_pace_on_time(mqc_engine *e, mqc_time now)
{
    if (now >= e->patient_until) {
        e->patient_until = e->asked_for > 0 ? 0 : MQC_NEVER;
    }
}

/* The publish that is timed has been answered. */
void mqc_pace_end_probe(mqc_engine *e);

static inline void mqc_look_at_probe(mqc_engine *e, uint16_t packet_id)
{
    if (packet_id == e->probe_id) {
        mqc_pace_end_probe(e);
    }
}

/* --- what is not waited for without end (waits.c) --- */

/* An answer is owed since then, by which time what it answers has left. */
void mqc_waits_expect(mqc_engine *e, mqc_time since);
/* The last so many messages of the lane that are in flight have left; before, no answer was owed.
 */
void mqc_waits_lane_left(mqc_engine *e, mqc_outbox *o, size_t count, mqc_time now);
/* The stream took bytes of the control area, of a request perhaps. */
void mqc_waits_request_left(mqc_engine *e, mqc_time now);
/* Latches an error when the server owes an answer, or reading stands still, for too long. */
mqc_result mqc_waits_look(mqc_engine *e, mqc_time now);
/* How long reading may stand still as it does now. */
mqc_time mqc_stalled_until(const mqc_engine *e);

/* A message waits for a place in the inbox, or was passed over for want of one. */
static inline bool mqc_reading_stalled(const mqc_engine *e)
{
    return e->in.flow == MQC_INPUT_STALLED || e->in.passed_over;
}

static inline bool mqc_answer_owed(const mqc_engine *e)
{
    uint32_t owed = 0;

    for (size_t i = 0; i < MQC_LANES_MAX; i++) { /* those that are not in use are zero */
        owed |= e->lanes[i].in_flight;
    }
    return owed != 0 || e->request_at != 0;
}

/* When mqc_waits_look has something to do.  What was answered needs no look. */
static inline mqc_time mqc_waits_until(const mqc_engine *e)
{
    mqc_time look = e->look_at != MQC_NEVER && mqc_answer_owed(e) ? e->look_at : MQC_NEVER;
    mqc_time stalled = mqc_reading_stalled(e) ? mqc_stalled_until(e) : MQC_NEVER;

    return stalled < look ? stalled : look;
}

/* --- keep-alive (timer.c) --- */

/* There is a new connection. */
void mqc_ping_reset(mqc_engine *e, mqc_time now);
/* How long a slow link may need for the large packets that the server has to take before it
 * answers; 0: there are none. */
mqc_time mqc_transit_ahead_ms(const mqc_engine *e);
/* Ask for a sign of life, unless that has been done and not been answered. */
void mqc_ping_begin(mqc_engine *e);
/* A PINGREQ stands at the end of the control area. */
void mqc_ping_encoded(mqc_engine *e);
/* The stream took bytes, and refused others. */
void mqc_ping_taken(mqc_engine *e, bool refused, mqc_time now);
/* It took bytes of the control area in which a PINGREQ stands, */
void mqc_ping_bytes_left(mqc_engine *e, size_t len, mqc_time now);
/* or a large packet of that lane that nothing will answer. */
void mqc_ping_large_left(mqc_engine *e, mqc_outbox *lane, mqc_time now);
void mqc_ping_answered(mqc_engine *e);

/* --- the way to the server (tx.c) --- */

/* Is there anything that waits to be encoded? */
static inline bool mqc_control_wanted(const mqc_engine *e)
{
    return mqc_answers_due(e) || e->ping_wanted || e->state == MQC_DISCONNECTING;
}

/* Choose where the next bytes come from.  False: there are none. */
bool mqc_tx_choose(mqc_engine *e, bool *cut);
/* They are lent. */
const uint8_t *mqc_tx_run(mqc_engine *e, size_t *len);

/* PUBACK, PUBREC, PUBREL or PUBCOMP.  False: there is no room now. */
bool mqc_control_queue_id(mqc_engine *e, mqc_packet_type type, uint16_t packet_id);

/* --- packet ids (ids.c) --- */

/* Make the candidate free.  False when all ids are taken. */
bool mqc_find_free_id(mqc_engine *e);

/* An id that neither a lane nor a pending request uses; 0 when all are taken. */
static inline uint16_t mqc_new_packet_id(mqc_engine *e)
{
    if (e->free_ids == 0 && !mqc_find_free_id(e)) {
        return 0;
    }
    e->free_ids--;
    return e->next_id++;
}

/* --- requests that wait for an answer (connect_subscribe.c) --- */

/* End the request with that id.  False: there is none that expects this answer. */
bool mqc_request_answered(mqc_engine *e, mqc_packet_type answer, uint16_t packet_id, size_t count);

#endif
