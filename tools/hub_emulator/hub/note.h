#ifndef HUB_NOTE_H
#define HUB_NOTE_H

/**
 * @file What the front and the hub tell each other about a connection, besides MQTT: messages on a
 * socket of the type SOCK_SEQPACKET. Mosquitto tells its plugins neither the packet ids that it
 * uses nor the acknowledgements that it receives, lets them refuse a login with one code only, and
 * knows no faults.
 *
 * A note to the front takes effect before the front reads or sends another byte that was sent to it
 * after the note.
 */

#include <stdint.h>

typedef enum hub_note_kind {
    /* Notes to the hub. */
    HUB_NOTE_SENT = 1,     /* a publish with QoS 1 is on its way to the device */
    HUB_NOTE_ACKNOWLEDGED, /* the device has acknowledged a publish with QoS 1 */
    /* To the front, about one connection: */
    HUB_NOTE_REFUSED,         /* before the broker answers: the code (1 to 5) for the CONNACK */
    HUB_NOTE_DROP,            /* end the connection now; value: a hub_drop */
    HUB_NOTE_DELAY,           /* pass everything to the device this many ms later; 0: immediately */
    HUB_NOTE_DELAY_PUBACKS,   /* the same for PUBACKs only; other packets may overtake them */
    HUB_NOTE_CUT_TO_DEVICE,   /* cut the connection after this many more bytes of MQTT to the device
                               */
    HUB_NOTE_CUT_FROM_DEVICE, /* the same for bytes from the device */
    /* To the front, about the next `count` connections of anybody; count 0 ends it: */
    HUB_NOTE_REFUSE_TLS,      /* answer the first message of TLS with this alert (RFC 8446, 6) */
    HUB_NOTE_REFUSE_UPGRADES, /* answer the WebSocket upgrade with this HTTP status (400 to 599) */
    HUB_NOTE_DELAY_UPGRADES   /* answer the WebSocket upgrade this many ms later */
} hub_note_kind;

/** How a connection is dropped. */
typedef enum hub_drop {
    HUB_DROP_CLOSE = 0, /* TLS, and WebSocket if it is used, are closed first */
    HUB_DROP_RESET      /* TCP is reset without another byte */
} hub_drop;

typedef struct hub_note {
    uint64_t number; /* number of the connection, from its envelope; 0 for the last three kinds */
    uint32_t kind;   /* a hub_note_kind */
    uint32_t value;  /* packet id of SENT and ACKNOWLEDGED; for the others see the kind */
    uint64_t count;  /* number of connections, for the last three kinds */
} hub_note;

#endif
