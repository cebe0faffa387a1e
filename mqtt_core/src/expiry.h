#ifndef MQC_EXPIRY_H
#define MQC_EXPIRY_H

#include "mqtt_core/engine_struct.h"

/*
 * Which entries of a lane have to be looked at when time has passed.  For each group of 64 entries,
 * by their index in the table, and for each group of 64 groups, it keeps a time before which none
 * of them expires.  A lane without memory for that is one single group.
 */

/* Does the time of each group cover that of its entries, and the earliest time all of them? */
bool mqc_expiry_valid(const mqc_expiry *x, size_t entries_len);

void mqc_expiry_init(mqc_expiry *x, const mqc_lane_memory *m);

/* The entry with this index expires at this time. */
void mqc_expiry_note(mqc_expiry *x, size_t entries_len, size_t index, mqc_time expires);

/* Look at all entries again: an entry that an earlier look left out may expire. */
static inline void mqc_expiry_look_again(mqc_expiry *x)
{
    x->next = 0;
}

/* The lane is empty: there is no deadline. */
static inline void mqc_expiry_clear(mqc_expiry *x)
{
    x->next = UINT64_MAX;
}

/* A group of entries that may be due. */
typedef struct mqc_expiry_group {
    size_t number; /* 0 for the first call of mqc_expiry_due */
    size_t from;   /* indices of its entries: from this one, */
    size_t to;     /* up to, but without, this one */
} mqc_expiry_group;

/* Find the next group, from g->number on, that may be due.  Returns false when there is none. */
bool mqc_expiry_due(const mqc_expiry *x, size_t entries_len, mqc_time now, mqc_expiry_group *g);

/* The group was looked at, and its next entry expires at this time. */
void mqc_expiry_looked(mqc_expiry *x, mqc_expiry_group *g, mqc_time next);

/* All groups that were due at this time have been looked at. */
void mqc_expiry_finish(mqc_expiry *x, size_t entries_len, mqc_time now);

#endif
