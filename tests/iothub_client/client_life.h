#ifndef CLIENT_LIFE_H
#define CLIENT_LIFE_H

/**
 * @file
 * Runs a client through everything that can happen, in random order: requests, callbacks that make
 * requests, starts and stops, other credentials, callbacks that appear and disappear, a stream that
 * fails or stalls, a hub that refuses or does not answer. Each step checks that no accepted request
 * ends twice, and client_life_end checks that each one ends.
 *
 *     l->roll = ...;
 *     client_life_begin(l);
 *     client_life_step(l);        // as often as you like
 *     client_life_end(l);
 */

#include "client_fixture.h"
#include "iothub/sas.h"

/* Lists of credentials that a client can be given, and the length of each. */
#define CLIENT_LIFE_LISTS    4
#define CLIENT_LIFE_LIST_LEN 2

#define CLIENT_LIFE_OPS 20000 /* the highest iothub_op that is recorded */

typedef struct client_life client_life;
struct client_life {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    /**
     * The dice that decide everything: returns a number from 0 to sides - 1. It must not return 0
     * forever.
     */
    uint32_t (*roll)(client_life *l, uint32_t sides);
    bool stored;  /* telemetry goes through a store that sometimes fails */
    bool hostile; /* the hub sends wrong answers and breaks the rules of MQTT, too */
    bool closing;
    unsigned accepted;
    unsigned replaced; /* lists of credentials that the client has taken */
    uint8_t taken[CLIENT_LIFE_OPS], ended[CLIENT_LIFE_OPS];
    iothub_method_token tokens[8];
    uint32_t deliveries[8];
    plat_identity identities[2];
    iothub_token_provider provider;
    char token_memory[IOTHUB_SAS_TOKEN_SIZE];
    char token[IOTHUB_SAS_TOKEN_SIZE]; /* what the provider provides */
    iothub_credential lists[CLIENT_LIFE_LISTS][CLIENT_LIFE_LIST_LEN];
};

void client_life_begin(client_life *l);
void client_life_step(client_life *l);

/**
 * Ends the faults. The client must then stop, connect again, and end every open request in
 * iothub_deinit.
 */
void client_life_end(client_life *l);

#endif
