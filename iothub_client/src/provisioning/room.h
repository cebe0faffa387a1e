#ifndef IOTHUB_PROVISIONING_ROOM_H
#define IOTHUB_PROVISIONING_ROOM_H

/** @file Divides memory into parts. */

#include <stddef.h>
#include <stdint.h>

/** The rest of a block of memory. */
typedef struct dps_room {
    uint8_t *at;
    size_t left;
    size_t needed; /* bytes of all parts so far, also of those that did not fit */
} dps_room;

void dps_room_init(dps_room *room, void *memory, size_t len);

/** Returns the next len bytes, aligned for any type; NULL: they do not fit, and are only counted.
 */
void *dps_room_cut(dps_room *room, size_t len);

#endif
