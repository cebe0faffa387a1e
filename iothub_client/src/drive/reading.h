#ifndef IOTHUB_READING_H
#define IOTHUB_READING_H

/**
 * @file
 * Decides whether a turn reads: not while the receive buffer is full, but often enough.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The most consecutive turns without reading; without this limit, a busy sender would never read.
 */
enum { READING_UNREAD_TURNS_MAX = 16 };

typedef struct iothub_reading {
    bool full;            /* events must be acknowledged before more can be read */
    uint8_t unread_turns; /* number of consecutive turns without reading */
} iothub_reading;

/** Notes that cap bytes can be read now. */
static inline void reading_note_room(iothub_reading *r, size_t cap)
{
    r->full = cap == 0;
}

/** Makes the next turn read. */
static inline void reading_wants_turn(iothub_reading *r)
{
    r->unread_turns = READING_UNREAD_TURNS_MAX;
}

/** Returns true if the next turn must not only send. */
static inline bool reading_is_wanted(const iothub_reading *r)
{
    return r->unread_turns == READING_UNREAD_TURNS_MAX;
}

/** Notes that a turn begins, which reads first or only sends. Returns reads. */
static inline bool reading_begin_turn(iothub_reading *r, bool reads)
{
    r->unread_turns = reads ? 0 : (uint8_t)(r->unread_turns + 1);
    return reads;
}

#endif
