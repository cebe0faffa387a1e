#ifndef IOTHUB_TAKEN_H
#define IOTHUB_TAKEN_H

/**
 * @file The records that were taken from the store and are still in work, as linked lists: free
 * slots, ended records that must be removed from the store, removed records whose end must be
 * reported.
 */

#include "client_struct.h"

#define IN_LANE_NONE UINT32_MAX /* the end of a list */

/** Returns a free slot; NULL: there is none. */
iothub_in_lane *in_lane_get(iothub_backlog *b);
void in_lane_push(iothub_backlog *b, uint32_t *list, iothub_in_lane *t);
/** True if the list is not empty. */
iothub_in_lane *in_lane_pop(iothub_backlog *b, uint32_t *list);
bool in_lane_is_ended(const iothub_backlog *b, uint64_t seq);
/** Appends a record to the list of ends to report. */
void in_lane_append(iothub_backlog *b, iothub_in_lane *t);

#endif
