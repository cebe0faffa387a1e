#ifndef HUB_ORDERS_H
#define HUB_ORDERS_H

/**
 * @file Orders to the TLS front: faults of connections, which the front makes happen (note.h).
 */

#include "hub/hub.h"
#include "hub/note.h"

/**
 * Orders something for a connection by its number at the front, such as that of a login which is
 * about to be answered. Nothing happens if the connection has ended.
 */
void hub_order(const hub *h, uint64_t number, hub_note_kind kind, uint32_t value);
/** Does the same for each connection of the identity. Returns how many there are. */
size_t hub_order_identity(const hub *h, const hub_identity *id, hub_note_kind kind, uint32_t value);
/** Orders something for the next connections of anybody: the last three kinds of hub_note_kind. */
void hub_order_next(const hub *h, hub_note_kind kind, uint32_t value, uint64_t count);

#endif
