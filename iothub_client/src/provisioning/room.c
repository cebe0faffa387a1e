#include "provisioning/room.h"

#include <stdbool.h>

enum { ALIGNMENT = 16 };

void dps_room_init(dps_room *room, void *memory, size_t len)
{
    const size_t skip = (size_t)(-(uintptr_t)memory & (ALIGNMENT - 1u));
    const bool fits = skip <= len;

    *room = (dps_room){ .at = (uint8_t *)memory + (fits ? skip : len),
                        .left = fits ? len - skip : 0,
                        .needed = ALIGNMENT - 1 };
}

void *dps_room_cut(dps_room *room, size_t len)
{
    const size_t whole = (len + (ALIGNMENT - 1u)) & ~(size_t)(ALIGNMENT - 1u);

    room->needed += whole;
    if (whole > room->left) {
        /* Later parts must not be placed, because they would lie in a wrong position. */
        room->left = 0;
        return NULL;
    }
    void *part = room->at;
    room->at += whole;
    room->left -= whole;
    return part;
}
