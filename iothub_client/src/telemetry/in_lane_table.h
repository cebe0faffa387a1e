#ifndef IOTHUB_TAKEN_H
#define IOTHUB_TAKEN_H

/**
 * @file
 * The table of records that were taken from the store and are not done with, in linked lists:
 * free places, ended ones to be removed from the store, removed ones to be told.
 */

#include "client_struct.h"

#define IN_LANE_NONE UINT32_MAX /* the end of a list */

/** A place that is not in use; NULL: none. */
iothub_in_lane *in_lane_get(iothub_backlog *b);
void in_lane_push(iothub_backlog *b, uint32_t *list, iothub_in_lane *t);
/** The list is not empty. */
iothub_in_lane *in_lane_pop(iothub_backlog *b, uint32_t *list);
bool in_lane_is_ended(const iothub_backlog *b, uint64_t seq);
/** At the end of the untold ones. */
void in_lane_append(iothub_backlog *b, iothub_in_lane *t);

#endif
