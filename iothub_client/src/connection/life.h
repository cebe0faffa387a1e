#ifndef IOTHUB_LINK_H
#define IOTHUB_LINK_H

/**
 * @file The states of a connection and their transitions, as one pure function without I/O and
 * clock.
 */

#include <stdbool.h>

#include "iothub/options.h"

typedef enum life_input {
    LIFE_START,
    LIFE_RESOLVED,  /* the stream is making the TCP connection */
    LIFE_REACHED,   /* the stream has started the TLS handshake */
    LIFE_STREAM_UP, /* bytes may flow */
    LIFE_CONNACK,
    LIFE_SUBACK,
    LIFE_RENEW,    /* a new connection is to replace this one */
    LIFE_LOST,     /* closed, broken, refused or malformed */
    LIFE_DEADLINE, /* the deadline of the state has passed */
    LIFE_LEFT,     /* DISCONNECT has left */
    LIFE_GIVE_UP,  /* lost, and the client gives up */
    LIFE_STOP
} life_input;

/**
 * Returns the next state. An input without meaning in a state does not change it. spare is the
 * state of a second connection that is being made to replace the one in use (IOTHUB_STOPPED: there
 * is none); if the connection in use ends, the client continues with the spare. A spare has its own
 * state, which ends with IOTHUB_LOGGING_IN: it is open and waits.
 */
iothub_state life_next(iothub_state s, life_input in, iothub_state spare);

/**
 * Returns how long a state may last; 0: without limit. urgent: the application requested the
 * renewal.
 */
uint32_t life_budget_ms(const iothub_options *o, iothub_state s, bool urgent);

/** What to tell when a state took as long as it may. */
const char *life_late_text(iothub_state s);

/** True in the states in which MQTT packets are exchanged: from LOGGING_IN to STOPPING. */
static inline bool life_has_stream(iothub_state s)
{
    return s >= IOTHUB_LOGGING_IN && s <= IOTHUB_STOPPING;
}

/** True if a spare is being made or ready: neither absent nor waiting for its next attempt. */
static inline bool life_is_opening(iothub_state spare)
{
    return spare >= IOTHUB_RESOLVING && spare <= IOTHUB_LOGGING_IN;
}

#endif
