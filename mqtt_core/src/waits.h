#ifndef MQC_WAITS_H
#define MQC_WAITS_H

#include "input.h"
#include "time_math.h"

/* Limits for missing answers of the server, and for stalled reading. Only this header and
 * waits.c write the members of the engine that belong to it. */

/* Clears everything, because the connection has ended and no answer is expected. */
void mqc_waits_reset(mqc_engine *e);
/* Call it when CONNECT was queued with these options. */
static inline void mqc_waits_connect(mqc_engine *e, const mqc_connect_options *o)
{
    e->waits.ack_timeout_ms = o->ack_timeout_ms;
    e->waits.stall_timeout_ms = o->stall_timeout_ms;
}

/* Notes that an answer is expected for something that was sent at this time. */
void mqc_waits_expect(mqc_engine *e, mqc_time since);
/* Call it when a connection has begun on which this lane still waits for answers of an earlier
 * one. */
void mqc_waits_lane_resumed(mqc_engine *e, mqc_outbox *o);
/* Call it when the last `count` messages in flight of this lane have just been sent, and no
 * answer was expected before. */
void mqc_waits_lane_sent(mqc_engine *e, mqc_outbox *o, size_t count, mqc_time now);
/* Call it when the stream has accepted bytes of the control area, which may have contained a
 * request. */
void mqc_waits_request_sent(mqc_engine *e, mqc_time now);
/* Call it when the oldest request was answered. another is true if there is a next one. */
void mqc_waits_request_answered(mqc_engine *e, bool another);

/* Call it when received bytes continued a packet, which the answer may follow. */
static inline void mqc_waits_packet_arriving(mqc_engine *e, mqc_time now)
{
    e->waits.arriving_at = now;
}

/* Call it when reading continues after a stall. */
static inline void mqc_waits_reading_resumed(mqc_engine *e)
{
    e->waits.stalled_at = 0;
}

/* Latches an error if an answer is overdue, or reading was stalled for too long. */
mqc_result mqc_waits_look(mqc_engine *e, mqc_time now);
/* Returns when stalled reading becomes an error. */
mqc_time mqc_stalled_until(const mqc_engine *e);

static inline bool mqc_answer_owed(const mqc_engine *e)
{
    uint32_t owed = 0;

    for (size_t i = 0; i < MQC_LANES_MAX; i++) { /* unused lanes are zero */
        owed |= e->lanes[i].window.in_flight;
    }
    return owed != 0 || e->waits.request_at != 0;
}

/* Returns when mqc_waits_look is due. */
static inline mqc_time mqc_waits_until(const mqc_engine *e)
{
    mqc_time look =
        e->waits.look_at != MQC_NEVER && mqc_answer_owed(e) ? e->waits.look_at : MQC_NEVER;
    mqc_time stalled = mqc_reading_stalled(&e->in) ? mqc_stalled_until(e) : MQC_NEVER;

    return mqc_earlier(stalled, look);
}

#endif
