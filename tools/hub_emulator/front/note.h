#ifndef HUB_FRONT_REFUSAL_H
#define HUB_FRONT_REFUSAL_H

/**
 * @file
 * Messages by which the hub tells the front the return code of a CONNACK that refuses, because
 * Mosquitto lets a plugin only refuse. Each message on their socket is one of these structs, sent
 * before the broker answers.
 */

#include <stdint.h>

typedef struct hub_front_refusal {
    uint64_t number; /* number of the connection, from its envelope */
    uint32_t code;   /* return code, 1 to 5 (MQTT 3.1.1 section 3.2.2.3) */
} hub_front_refusal;

#endif
