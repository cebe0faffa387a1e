#ifndef MQC_EXPIRY_H
#define MQC_EXPIRY_H

#include "mqtt_core/engine_struct.h"

/* Finds the entries of a lane that may have expired. For each group of 64 entries (by their
 * index in the table), and for each group of 64 groups, it keeps a time before which no entry of
 * the group expires. Without memory for that, the whole lane is a single group. */

/* Returns whether the time of each group is no later than those of its entries, and the earliest
 * time no later than all of them. */
bool mqc_expiry_valid(const mqc_expiry *x, size_t entries_len);

void mqc_expiry_init(mqc_expiry *x, const mqc_lane_memory *m);

/* Notes that the entry with this index expires at this time. */
void mqc_expiry_note(mqc_expiry *x, size_t entries_len, size_t index, mqc_time expires);

/* Makes the next search visit all entries again: an entry that an earlier one left out may
 * expire now. */
static inline void mqc_expiry_look_again(mqc_expiry *x)
{
    x->next = 0;
}

/* Clears all times, because the lane is empty. */
static inline void mqc_expiry_clear(mqc_expiry *x)
{
    x->next = UINT64_MAX;
}

/* A group of entries of which some may have expired. */
typedef struct mqc_expiry_group {
    size_t number; /* 0 for the first call of mqc_expiry_due */
    size_t from;   /* index of its first entry */
    size_t to;     /* index after its last entry */
} mqc_expiry_group;

/* Finds the next group, beginning with g->number, that may be due. Returns false if there is
 * none. */
bool mqc_expiry_due(const mqc_expiry *x, size_t entries_len, mqc_time now, mqc_expiry_group *g);

/* Notes that the group was checked, and that its next entry expires at this time. */
void mqc_expiry_looked(mqc_expiry *x, mqc_expiry_group *g, mqc_time next);

/* Notes that all groups that were due at this time have been checked. */
void mqc_expiry_finish(mqc_expiry *x, size_t entries_len, mqc_time now);

#endif
