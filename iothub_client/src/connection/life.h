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
    LIFE_SEARCH,    /* the hub must be found before the client connects */
    LIFE_FOUND,     /* the hub was found */
    LIFE_RESOLVED,  /* the stream is making the TCP connection */
    LIFE_REACHED,   /* the stream has started the TLS handshake */
    LIFE_STREAM_UP, /* bytes can be sent and received */
    LIFE_CONNACK,
    LIFE_SUBACK,
    LIFE_RENEW,    /* a new connection is to replace this one */
    LIFE_LOST,     /* closed, broken, refused or malformed */
    LIFE_DEADLINE, /* the deadline of the state has passed */
    LIFE_LEFT,     /* DISCONNECT was sent */
    LIFE_GIVE_UP,  /* the connection was lost, and the client makes no further attempt */
    LIFE_STOP
} life_input;

/**
 * Returns the next state. An input without a meaning in a state does not change the state. spare is
 * the state of a second connection that is being made to replace the one in use (IOTHUB_STOPPED:
 * there is none). If the connection in use ends, the client continues with the spare. The last
 * state of the spare is IOTHUB_LOGGING_IN: it is open, and has not sent CONNECT.
 */
iothub_state life_next(iothub_state s, life_input in, iothub_state spare);

/**
 * Returns how long a state may last, in ms; 0: without limit. urgent means that the application has
 * requested the renewal.
 */
uint32_t life_budget_ms(const iothub_options *o, iothub_state s, bool urgent);

/** Returns the error text for a state that has reached its limit. */
const char *life_late_text(iothub_state s);

/** Returns true in the states in which MQTT packets are exchanged: from LOGGING_IN to STOPPING. */
static inline bool life_has_stream(iothub_state s)
{
    return s >= IOTHUB_LOGGING_IN && s <= IOTHUB_STOPPING;
}

/**
 * Returns true if a spare is being opened or is open, but not if it is absent or waits for its next
 * attempt.
 */
static inline bool life_is_opening(iothub_state spare)
{
    return spare >= IOTHUB_RESOLVING && spare <= IOTHUB_LOGGING_IN;
}

#endif
