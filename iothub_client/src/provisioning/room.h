#ifndef IOTHUB_PROVISIONING_ROOM_H
#define IOTHUB_PROVISIONING_ROOM_H

/**
 * @file
 * Divides a block of memory into parts.
 */

#include <stddef.h>
#include <stdint.h>

/** The rest of a block of memory. */
typedef struct dps_room {
    uint8_t *at;
    size_t left;
    size_t needed; /* bytes of all parts so far, including parts that did not fit */
} dps_room;

void dps_room_init(dps_room *room, void *memory, size_t len);

/**
 * Returns the next len bytes, aligned for any type. Returns NULL if they do not fit; then it only
 * counts them.
 */
void *dps_room_cut(dps_room *room, size_t len);

#endif
