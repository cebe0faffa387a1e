#ifndef IOTHUB_LINK_H
#define IOTHUB_LINK_H

/**
 * @file
 * The whole life of a connection as one pure function: no I/O, no clock.
 */

#include <stdbool.h>

#include "iothub/options.h"

typedef enum life_input {
    LIFE_START,
    LIFE_RESOLVED,  /* the stream has begun TCP */
    LIFE_REACHED,   /* the stream has begun TLS */
    LIFE_STREAM_UP, /* bytes may flow */
    LIFE_CONNACK,
    LIFE_SUBACK,
    LIFE_RENEW,    /* the connection is to be changed for another */
    LIFE_LOST,     /* closed, broken, refused or malformed */
    LIFE_DEADLINE, /* the state lasted as long as it may */
    LIFE_LEFT,     /* DISCONNECT has left */
    LIFE_GIVE_UP,  /* lost, and not to be tried again */
    LIFE_STOP
} life_input;

/**
 * An input that means nothing in a state leaves the state alone.
 *
 * spare: the state of a second connection that is being made to take the place of the one
 * in use; where that one ends, the spare is gone on with.  IOTHUB_STOPPED: there is none.  A
 * spare is a link of its own that goes no further than IOTHUB_LOGGING_IN: open, and waiting.
 */
iothub_state life_next(iothub_state s, life_input in, iothub_state spare);

/** How long a state may last, 0: for ever.  urgent: RENEWING because the application wants it. */
uint32_t life_budget_ms(const iothub_options *o, iothub_state s, bool urgent);

/** What to tell when a state took as long as it may. */
const char *life_late_text(iothub_state s);

/** True in the states in which MQTT flows: from LOGGING_IN to STOPPING. */
static inline bool life_has_stream(iothub_state s)
{
    return s >= IOTHUB_LOGGING_IN && s <= IOTHUB_STOPPING;
}

/** True for a spare on its way: neither absent nor waiting to be tried again. */
static inline bool life_is_opening(iothub_state spare)
{
    return spare >= IOTHUB_RESOLVING && spare <= IOTHUB_LOGGING_IN;
}

#endif
