#ifndef IOTHUB_IN_LANE_TABLE_H
#define IOTHUB_IN_LANE_TABLE_H

/**
 * @file
 * The records that were taken from the store and have not ended, and those that have ended but
 * cannot be forgotten yet.  A slot is in use by the telemetry lane, or it is in one of three lists:
 * free slots, ended records that are still to be removed from the store, and records that were
 * removed and whose done callback is pending.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/options.h"

#define IN_LANE_NONE UINT32_MAX /* the end of a list */

typedef struct in_lane {
    uint64_t seq;  /* number of the record in the store; 0: it was removed already */
    void *tag;     /* of the application */
    iothub_op op;  /* request to report; 0: of an earlier run, or the lane knows it */
    uint32_t next; /* index of the next slot of the list */
} in_lane;

typedef struct in_lane_table {
    in_lane *slots;
    uint32_t len;
    uint32_t fresh;        /* slots from here on were never used */
    uint32_t free;         /* heads of the lists, */
    uint32_t ended;        /* IN_LANE_NONE for an empty one */
    uint32_t dropped;      /* the oldest first */
    uint32_t dropped_last; /* the youngest, if there is one */
} in_lane_table;

/** Use len bytes of memory for slots; they must be aligned. */
void in_lane_init(in_lane_table *t, void *memory, size_t len);

/** Take a slot out of the free ones, for a record; NULL: all are in use. */
in_lane *in_lane_take(in_lane_table *t, const in_lane *record);
/** The store does not have its record any more. */
void in_lane_mark_removed(in_lane *slot);
void in_lane_free(in_lane_table *t, in_lane *slot);

/** The record ended; it is still to be removed from the store. */
void in_lane_end(in_lane_table *t, in_lane *slot);
/** Number of an ended record that is still in the store; false: there is none. */
bool in_lane_next_ended(const in_lane_table *t, uint64_t *seq);
/** That record was removed: its slot is free. */
void in_lane_free_ended(in_lane_table *t);
bool in_lane_is_ended(const in_lane_table *t, uint64_t seq);

/** The record was dropped and removed; its done callback is pending. */
void in_lane_drop(in_lane_table *t, in_lane *slot);
/** Copy the oldest dropped record, and free its slot; false: there is none. */
bool in_lane_next_dropped(in_lane_table *t, in_lane *out);

#ifndef NDEBUG
bool in_lane_valid(const in_lane_table *t);
#endif

#endif
