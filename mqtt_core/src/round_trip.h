#ifndef MQC_ROUND_TRIP_H
#define MQC_ROUND_TRIP_H

#include "mqtt_core/engine_struct.h"

/*
 * The round-trip time to the server, measured with one publish at a time, and how long a full
 * window may wait for a batch because of it.
 */

enum {
    MQC_ROUND_TRIP_UNITS = 64, /* in one millisecond */
    MQC_ROUND_TRIP_NEAR = MQC_ROUND_TRIP_UNITS / 4
};

/* Is the mean in its range? */
bool mqc_round_trip_valid(const mqc_round_trip *t);

/* The connection has ended: the publish that was timed may be sent again. */
static inline void mqc_round_trip_reset(mqc_round_trip *t)
{
    t->packet_id = 0;
}

/* True if the server is so close that waiting for a batch costs almost no throughput. */
static inline bool mqc_round_trip_is_near(const mqc_round_trip *t)
{
    return t->mean < MQC_ROUND_TRIP_NEAR;
}

static inline bool mqc_round_trip_is_timed(const mqc_round_trip *t)
{
    return t->packet_id != 0;
}

/* A publish was sent now; 0: it has no packet id, and is not timed. */
void mqc_round_trip_begin(mqc_round_trip *t, uint16_t packet_id, mqc_time now);
/* The publish that is timed was answered now. */
void mqc_round_trip_end(mqc_round_trip *t, mqc_time now);

/* A publish with this id was answered. */
static inline void mqc_round_trip_answered(mqc_round_trip *t, uint16_t packet_id, mqc_time now)
{
    if (packet_id == t->packet_id) {
        mqc_round_trip_end(t, now);
    }
}

/*
 * Returns until when free slots of the window may wait for more, so that what is queued is sent
 * together; 0: not at all.  last_rx: when bytes were last received.
 */
mqc_time mqc_round_trip_gather_until(const mqc_round_trip *t, mqc_time last_rx);

#endif
