#include "round_trip.h"

#include <assert.h>

#include "rx_low_water.h"

enum {
    /* The mean follows each new value by an eighth; a batch may wait for an eighth of the mean. */
    SHARE = 8,
    LONGEST_MS = 60000
};

void mqc_round_trip_begin(mqc_round_trip *t, uint16_t packet_id, mqc_time now)
{
    assert(mqc_round_trip_valid(t));
    t->packet_id = packet_id;
    t->sent_at = now;
}

void mqc_round_trip_end(mqc_round_trip *t, mqc_time now)
{
    assert(mqc_round_trip_valid(t));
    mqc_time took = now - t->sent_at;
    uint32_t ms = took < LONGEST_MS ? (uint32_t)took : LONGEST_MS;

    t->packet_id = 0;
    t->mean += ms * MQC_ROUND_TRIP_UNITS / SHARE - t->mean / SHARE;
}

/* Close to the server a pause costs almost nothing, since the whole window is in flight for less
 * than a millisecond. Further away, every pause reduces the throughput. */
mqc_time mqc_round_trip_gather_until(const mqc_round_trip *t, mqc_time last_rx)
{
    mqc_time ms = mqc_round_trip_is_near(t) ? MQC_GATHER_MS
                                            : t->mean / (MQC_ROUND_TRIP_UNITS * (unsigned)SHARE);

    return ms > 0 ? last_rx + ms : 0;
}

#ifndef NDEBUG

bool mqc_round_trip_valid(const mqc_round_trip *t)
{
    return t->mean <= LONGEST_MS * MQC_ROUND_TRIP_UNITS + SHARE;
}

#endif
