#ifndef MQC_ROUND_TRIP_H
#define MQC_ROUND_TRIP_H

#include "mqtt_core/engine_struct.h"

/* Measures the round-trip time to the server, with one publish at a time. It determines how long
 * a full window may wait for a batch. */

enum {
    MQC_ROUND_TRIP_UNITS = 64, /* units of the mean in one millisecond */
    MQC_ROUND_TRIP_NEAR = MQC_ROUND_TRIP_UNITS / 4
};

/* Returns whether the mean is in its range. */
bool mqc_round_trip_valid(const mqc_round_trip *t);

/* Ends the measurement, because the connection has ended and the publish may be sent again. */
static inline void mqc_round_trip_reset(mqc_round_trip *t)
{
    t->packet_id = 0;
}

/* Returns whether the server is so close that waiting for a batch costs almost no throughput. */
static inline bool mqc_round_trip_is_near(const mqc_round_trip *t)
{
    return t->mean < MQC_ROUND_TRIP_NEAR;
}

static inline bool mqc_round_trip_is_timed(const mqc_round_trip *t)
{
    return t->packet_id != 0;
}

/* Begins to measure a publish that was sent now; with packet_id 0 it has no answer and is not
 * measured. */
void mqc_round_trip_begin(mqc_round_trip *t, uint16_t packet_id, mqc_time now);
/* Ends the measurement with an answer now. */
void mqc_round_trip_end(mqc_round_trip *t, mqc_time now);

/* Call it when a publish with this id was answered. */
static inline void mqc_round_trip_answered(mqc_round_trip *t, uint16_t packet_id, mqc_time now)
{
    if (packet_id == t->packet_id) {
        mqc_round_trip_end(t, now);
    }
}

/* Returns until when free slots of the window may wait for more, so that queued publishes are
 * sent together; 0: they may not wait. last_rx is the time at which bytes were last received. */
mqc_time mqc_round_trip_gather_until(const mqc_round_trip *t, mqc_time last_rx);

#endif
