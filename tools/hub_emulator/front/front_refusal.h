#ifndef HUB_FRONT_REFUSAL_H
#define HUB_FRONT_REFUSAL_H

/**
 * @file How the hub tells the front with which code a CONNACK refuses: Mosquitto lets a plugin say
 * only that it refuses. Each message on their socket is one of these, sent before the broker
 * answers.
 */

#include <stdint.h>

typedef struct hub_front_refusal {
    uint64_t number; /* of the connection, from its envelope */
    uint32_t code;   /* 1 to 5, MQTT 3.1.1 section 3.2.2.3 */
} hub_front_refusal;

#endif
