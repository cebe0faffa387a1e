#ifndef IOTHUB_IN_LANE_TABLE_H
#define IOTHUB_IN_LANE_TABLE_H

/**
 * @file
 * The records that were taken from the store and have not ended, and those that have ended but
 * cannot be forgotten yet. A slot is used by the telemetry lane, or it is in one of three lists:
 * free slots, ended records that must still be removed from the store, and records that were
 * removed and whose done callback is pending.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/options.h"

#define IN_LANE_NONE UINT32_MAX /* marks the end of a list */

typedef struct in_lane {
    uint64_t seq; /* number of the record in the store; 0: it was removed already */
    void *tag;    /* pointer of the application */
    /* The request whose end is reported; 0 for a record of an earlier run, or if the entry of
     * the lane holds the number. */
    iothub_op op;
    uint32_t next; /* index of the next slot in the list */
} in_lane;

typedef struct in_lane_table {
    in_lane *slots;
    uint32_t len;
    uint32_t fresh;   /* index; from this slot on, slots were never used */
    uint32_t free;    /* first free slot; IN_LANE_NONE: the list is empty */
    uint32_t ended;   /* first slot with an ended record; IN_LANE_NONE: the list is empty */
    uint32_t dropped; /* slot with the oldest dropped record; IN_LANE_NONE: the list is empty */
    uint32_t dropped_last; /* slot with the youngest dropped record, if there is one */
} in_lane_table;

/** Uses len bytes of memory for slots; the memory must be aligned. */
void in_lane_init(in_lane_table *t, void *memory, size_t len);

/** Takes a free slot for a record. Returns NULL if all slots are in use. */
in_lane *in_lane_take(in_lane_table *t, const in_lane *record);
/** Notes that the store does not have the record any more. */
void in_lane_mark_removed(in_lane *slot);
void in_lane_free(in_lane_table *t, in_lane *slot);

/** Notes that the record has ended and must still be removed from the store. */
void in_lane_end(in_lane_table *t, in_lane *slot);
/**
 * Finds the number of an ended record that is still in the store. Returns false if there is none.
 */
bool in_lane_next_ended(const in_lane_table *t, uint64_t *seq);
/** Frees the slot of that record, which was removed. */
void in_lane_free_ended(in_lane_table *t);
bool in_lane_is_ended(const in_lane_table *t, uint64_t seq);

/** Notes that the record was dropped and removed, and that its done callback is pending. */
void in_lane_drop(in_lane_table *t, in_lane *slot);
/** Copies the oldest dropped record and frees its slot. Returns false if there is none. */
bool in_lane_next_dropped(in_lane_table *t, in_lane *out);

#ifndef NDEBUG
bool in_lane_valid(const in_lane_table *t);
#endif

#endif
