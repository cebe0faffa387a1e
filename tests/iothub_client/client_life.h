#ifndef CLIENT_LIFE_H
#define CLIENT_LIFE_H

/**
 * @file
 * A client that does and suffers everything at the same time: requests, callbacks that make
 * requests, starts and stops, a stream that fails and stalls, a hub that refuses and falls silent.
 * Each step checks that every accepted request ends at most once, client_life_end that it ends at
 * all.
 *
 *     l->roll = ...;
 *     client_life_begin(l);
 *     client_life_step(l);            as often as you like
 *     client_life_end(l);
 */

#include "client_fixture.h"

#define CLIENT_LIFE_OPS 20000 /* the highest iothub_op that is kept account of */

typedef struct client_life client_life;
struct client_life {
    client_fixture f; /* first: callbacks get this pointer */
    /** Returns 0 .. sides - 1 and so decides everything.  It must not return 0 forever. */
    uint32_t (*roll)(client_life *l, uint32_t sides);
    bool stored;  /* telemetry goes through a store that fails at times */
    bool hostile; /* the hub lies and breaks the rules of MQTT too */
    bool closing;
    unsigned accepted;
    uint8_t taken[CLIENT_LIFE_OPS], ended[CLIENT_LIFE_OPS];
    iothub_method_token tokens[8];
    uint32_t deliveries[8];
};

void client_life_begin(client_life *l);
void client_life_step(client_life *l);

/** The faults end: the client must stop, connect again and, in deinit, end every open request. */
void client_life_end(client_life *l);

#endif
