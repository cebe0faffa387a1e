#include "connection/life.h"

enum {
    RENEW_TIMEOUT_MS = 10000, /* time limit for acknowledgements of messages in flight */
    /* The same limit in a case in which the old connection may already be dead. */
    URGENT_TIMEOUT_MS = 3000,
    LEAVE_TIMEOUT_MS = 2000 /* time limit for sending DISCONNECT */
};

/* Returns the later state. A stream that tries its next address reports an early stage again,
 * but the state never goes back. */
static iothub_state forward(iothub_state s, iothub_state next)
{
    return s < next ? next : s;
}

/* Returns the next state of a connection that is being opened. After a failed attempt, the
 * client waits and tries again. */
static iothub_state opening(iothub_state s, life_input in)
{
    switch (in) {
    case LIFE_RESOLVED: return forward(s, IOTHUB_CONNECTING);
    case LIFE_REACHED: return forward(s, IOTHUB_SECURING);
    case LIFE_STREAM_UP: return IOTHUB_LOGGING_IN;
    case LIFE_LOST:
    case LIFE_DEADLINE: return IOTHUB_WAITING;
    case LIFE_GIVE_UP:
    case LIFE_STOP: return IOTHUB_STOPPED;
    case LIFE_START:
    case LIFE_SEARCH:
    case LIFE_FOUND:
    case LIFE_CONNACK:
    case LIFE_SUBACK:
    case LIFE_RENEW:
    case LIFE_LEFT: break;
    }
    return s;
}

/* Returns the next state of an open connection. `up` is the input that leads to the state
 * `next`. */
static iothub_state online(iothub_state s, life_input in, life_input up, iothub_state next)
{
    if (in == up) {
        return next;
    }
    if (in == LIFE_LOST || in == LIFE_DEADLINE) {
        return IOTHUB_WAITING;
    }
    if (in == LIFE_GIVE_UP) {
        return IOTHUB_STOPPED;
    }
    return in == LIFE_STOP ? IOTHUB_STOPPING : s;
}

static iothub_state connected(life_input in, iothub_state spare)
{
    if (in == LIFE_LOST && life_is_opening(spare)) {
        return spare;
    }
    return online(IOTHUB_CONNECTED, in, LIFE_RENEW, IOTHUB_RENEWING);
}

/* Returns the next state of a connection that is being closed as planned, so that it does not
 * matter how it ends. */
static iothub_state leaving(iothub_state s, life_input in, iothub_state next)
{
    if (in == LIFE_LEFT || in == LIFE_LOST || in == LIFE_DEADLINE) {
        return next;
    }
    return in == LIFE_STOP ? IOTHUB_STOPPING : s;
}

/* Returns the next state while the hub is not known. */
static iothub_state searching(life_input in)
{
    if (in == LIFE_FOUND) {
        return IOTHUB_RESOLVING;
    }
    if (in == LIFE_LOST || in == LIFE_DEADLINE) {
        return IOTHUB_WAITING;
    }
    return in == LIFE_GIVE_UP || in == LIFE_STOP ? IOTHUB_STOPPED : IOTHUB_PROVISIONING;
}

/* Returns the next state without a connection, when the client waits or is stopped. */
static iothub_state at_rest(iothub_state s, life_input in)
{
    if (in == LIFE_SEARCH) {
        return IOTHUB_PROVISIONING;
    }
    if (in == LIFE_START || (in == LIFE_DEADLINE && s == IOTHUB_WAITING)) {
        return IOTHUB_RESOLVING;
    }
    return in == LIFE_STOP ? IOTHUB_STOPPED : s;
}

iothub_state life_next(iothub_state s, life_input in, iothub_state spare)
{
    switch (s) {
    case IOTHUB_STOPPED:
    case IOTHUB_WAITING: return at_rest(s, in);
    case IOTHUB_PROVISIONING: return searching(in);
    case IOTHUB_RESOLVING:
    case IOTHUB_CONNECTING:
    case IOTHUB_SECURING: return opening(s, in);
    case IOTHUB_LOGGING_IN: return online(s, in, LIFE_CONNACK, IOTHUB_SUBSCRIBING);
    case IOTHUB_SUBSCRIBING: return online(s, in, LIFE_SUBACK, IOTHUB_CONNECTED);
    case IOTHUB_CONNECTED: return connected(in, spare);
    case IOTHUB_RENEWING: return leaving(s, in, life_is_opening(spare) ? spare : IOTHUB_RESOLVING);
    case IOTHUB_STOPPING: return leaving(s, in, IOTHUB_STOPPED);
    }
    return s;
}

uint32_t life_budget_ms(const iothub_options *o, iothub_state s, bool urgent)
{
    switch (s) {
    case IOTHUB_RESOLVING: return o->resolve_timeout_ms;
    case IOTHUB_CONNECTING: return o->connect_timeout_ms;
    case IOTHUB_SECURING: return o->tls_timeout_ms;
    case IOTHUB_LOGGING_IN: return o->login_timeout_ms;
    case IOTHUB_SUBSCRIBING: return o->subscribe_timeout_ms;
    case IOTHUB_RENEWING: return urgent ? URGENT_TIMEOUT_MS : RENEW_TIMEOUT_MS;
    case IOTHUB_STOPPING: return LEAVE_TIMEOUT_MS;
    /* No limit here, because the deadline comes from the life of the token. */
    case IOTHUB_CONNECTED:
    case IOTHUB_STOPPED:
    case IOTHUB_WAITING:
    case IOTHUB_PROVISIONING: break; /* the parts of the search have deadlines of their own */
    }
    return 0;
}

const char *life_late_text(iothub_state s)
{
    switch (s) {
    case IOTHUB_RESOLVING: return "DNS did not answer within resolve_timeout_ms";
    case IOTHUB_CONNECTING: return "no answer to the TCP connection within connect_timeout_ms";
    case IOTHUB_SECURING: return "the TLS handshake did not finish within tls_timeout_ms";
    case IOTHUB_LOGGING_IN: return "no CONNACK within login_timeout_ms";
    case IOTHUB_SUBSCRIBING: return "no SUBACK within subscribe_timeout_ms";
    case IOTHUB_STOPPING: return "stopped";
    case IOTHUB_RENEWING:
    case IOTHUB_WAITING: return "trying again";
    case IOTHUB_STOPPED:
    case IOTHUB_CONNECTED:
    case IOTHUB_PROVISIONING: break;
    }
    return "";
}
