#ifndef MQC_KEEP_ALIVE_H
#define MQC_KEEP_ALIVE_H

#include "mqtt_core/engine_struct.h"
#include "time_math.h"

/*
 * Keep-alive: when a PINGREQ is due, and when the peer counts as lost.  Only this header and
 * keep_alive.c write the members of the engine that belong to it.
 */

/* The state of the oldest PINGREQ without an answer. */
typedef enum mqc_ping_state {
    MQC_PING_NONE = 0,
    MQC_PING_QUEUED, /* the stream has not accepted all of it */
    MQC_PING_LEFT, /* the stream has accepted it; the next flow report shows the bytes before it */
    MQC_PING_UNDER_WAY, /* a later flow report will show that the peer's system has received it */
    MQC_PING_SENT       /* the peer has probably received it: its answer is expected */
} mqc_ping_state;

typedef enum mqc_alive_verdict {
    MQC_ALIVE_QUIET = 0, /* there is nothing to do */
    MQC_ALIVE_PING,      /* a PINGREQ is due */
    MQC_ALIVE_LOST       /* the peer or its CONNACK is overdue */
} mqc_alive_verdict;

/* Call it when a new connection begins, or the old one has ended. */
void mqc_keep_alive_reset(mqc_engine *e, mqc_time now);
/* Call it when CONNECT was queued with these options. */
void mqc_keep_alive_connect(mqc_engine *e, const mqc_connect_options *o, mqc_time now);

static inline void mqc_keep_alive_received(mqc_engine *e, mqc_time now)
{
    e->keep_alive.last_rx = now;
}

static inline void mqc_keep_alive_sent(mqc_engine *e, mqc_time now)
{
    e->keep_alive.last_tx = now;
}

/* Call it when the engine reads again after a stall: silence is measured from now on. */
static inline void mqc_keep_alive_resume(mqc_engine *e, mqc_time now)
{
    e->keep_alive.last_rx = now;
    e->keep_alive.timed.ping_at = now;
}

/* Returns how long a slow link may need for the large packets that the server must receive
 * before it can answer, or 0 if there are none. */
mqc_time mqc_transit_ahead_ms(const mqc_engine *e);

/* Queues a PINGREQ, unless one is unanswered. */
void mqc_ping_begin(mqc_engine *e);
/* Queues a PINGREQ even if one is unanswered. */
void mqc_ping_again(mqc_engine *e);
/* Call it when a PINGREQ was encoded at the end of the control area. */
void mqc_ping_encoded(mqc_engine *e);
/* Call it when the stream has accepted bytes. refused is true if it did not accept all that were
 * offered. */
void mqc_ping_taken(mqc_engine *e, bool refused, mqc_time now);
/* Call it when the stream has accepted len bytes of the control area, which contains a PINGREQ. */
void mqc_ping_bytes_sent(mqc_engine *e, size_t len, mqc_time now);
/* Call it when the stream has accepted a large packet of this lane for which no answer is
 * expected. */
void mqc_ping_large_sent(mqc_engine *e, mqc_outbox *lane, mqc_time now);
/* Call it when a PINGRESP was received. */
static inline void mqc_ping_answered(mqc_engine *e)
{
    e->keep_alive.ping = MQC_PING_NONE;
}

/* Returns when mqc_keep_alive_look is due. */
mqc_time mqc_keep_alive_due(const mqc_engine *e);
mqc_alive_verdict mqc_keep_alive_judge(const mqc_engine *e, mqc_time now);

/* Returns whether bytes were transferred so recently, within half a keep-alive, that nothing is
 * due. */
static inline bool mqc_was_just_active(const mqc_engine *e, mqc_time now)
{
    return e->keep_alive.ping == MQC_PING_NONE && e->connection.state == MQC_CONNECTED &&
           now < mqc_earlier(e->keep_alive.last_tx, e->keep_alive.last_rx) +
                     e->keep_alive.interval_ms / 2;
}

static inline mqc_alive_verdict mqc_keep_alive_look(const mqc_engine *e, mqc_time now)
{
    return mqc_was_just_active(e, now) ? MQC_ALIVE_QUIET : mqc_keep_alive_judge(e, now);
}

/* Returns when the next report is due while a PINGREQ is unanswered. */
mqc_time mqc_flow_report_due(const mqc_engine *e);

/* Returns when the next call of mqc_report_flow is due. */
static inline mqc_time mqc_flow_due(const mqc_engine *e)
{
    bool reports = e->keep_alive.ping != MQC_PING_NONE && e->keep_alive.reports_flow;

    return reports ? mqc_flow_report_due(e) : MQC_NEVER;
}

#endif
