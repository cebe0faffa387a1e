#ifndef HUB_OUTGOING_H
#define HUB_OUTGOING_H

/**
 * @file
 * Publishes that wait for the end of the broker's round.
 *
 * The broker takes publishes for a client id, and delivers them after the events of its round. If
 * another connection of the client logs in later in the same round, it would receive what was meant
 * for the earlier one. So publishes wait at their connection until the tick, which ends each round,
 * and are dropped with it.
 */

#include <stddef.h>

/** A publish with QoS 0; topic and payload are on the heap. */
typedef struct hub_outgoing_item {
    struct hub_outgoing_item *next;
    char *topic;
    char *payload;
    size_t len;
} hub_outgoing_item;

/** A queue; { 0 } is an empty one. */
typedef struct hub_outgoing {
    hub_outgoing_item *first;
    hub_outgoing_item *last;
} hub_outgoing;

/** Queues a publish. The queue becomes the owner of the topic; the payload is copied. */
void hub_outgoing_add(hub_outgoing *o, char *topic, const void *payload, size_t len);
/** Returns the oldest publish, which the caller frees; NULL: there is none. */
hub_outgoing_item *hub_outgoing_take(hub_outgoing *o);
void hub_outgoing_item_free(hub_outgoing_item *item);
/** Drops all queued publishes. */
void hub_outgoing_free(hub_outgoing *o);

#endif
