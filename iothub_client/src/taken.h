#ifndef IOTHUB_TAKEN_H
#define IOTHUB_TAKEN_H

/**
 * @file
 * The table of records that were taken from the store and are not done with, in linked lists:
 * free places, ended ones to be removed from the store, removed ones to be told.
 */

#include "iothub/client_struct.h"

#define TAKEN_NONE UINT32_MAX /* the end of a list */

/** A place that is not in use; NULL: none. */
iothub_taken *taken_get(iothub_backlog *b);
void taken_push(iothub_backlog *b, uint32_t *list, iothub_taken *t);
/** The list is not empty. */
iothub_taken *taken_pop(iothub_backlog *b, uint32_t *list);
bool taken_is_ended(const iothub_backlog *b, uint64_t seq);
/** At the end of the untold ones. */
void taken_append(iothub_backlog *b, iothub_taken *t);

#endif
