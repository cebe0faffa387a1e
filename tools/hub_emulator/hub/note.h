#ifndef HUB_NOTE_H
#define HUB_NOTE_H

/**
 * @file What the front and the hub tell each other about a connection, besides MQTT: messages on a
 * socket of the type SOCK_SEQPACKET. Mosquitto tells its plugins neither the packet ids that it
 * uses nor the acknowledgements that it receives, and lets them refuse a login with one code only.
 */

#include <stdint.h>

typedef enum hub_note_kind {
    HUB_NOTE_SENT = 1,     /* to the hub: a publish with QoS 1 is on its way to the device */
    HUB_NOTE_ACKNOWLEDGED, /* to the hub: the device has acknowledged one */
    HUB_NOTE_REFUSED       /* to the front, before the broker answers: the code for the CONNACK */
} hub_note_kind;

typedef struct hub_note {
    uint64_t number; /* of the connection, from its envelope */
    uint32_t kind;   /* a hub_note_kind */
    uint32_t value;  /* packet id; or code from 1 to 5, MQTT 3.1.1 section 3.2.2.3 */
} hub_note;

#endif
