#ifndef HUB_PACKET_WATCH_H
#define HUB_PACKET_WATCH_H

/**
 * @file Sees the packets in one direction of an MQTT connection (3.1.1, section 2.2) while their
 * bytes pass. It holds no bytes, and leaves errors to the broker: after one it sees nothing more.
 */

#include <stddef.h>
#include <stdint.h>

typedef enum hub_packet_kind {
    HUB_PACKET_NONE = 0,
    HUB_PACKET_PUBLISH, /* with QoS 1 or 2 */
    HUB_PACKET_PUBACK,
    HUB_PACKET_SYSTEM /* a PUBLISH to a topic that starts with $SYS; nothing is seen after it */
} hub_packet_kind;

typedef struct hub_packet {
    hub_packet_kind kind;
    uint16_t id; /* packet id; 0 for HUB_PACKET_SYSTEM */
} hub_packet;

typedef enum hub_packet_stage {
    HUB_PACKET_TYPE = 0,
    HUB_PACKET_LENGTH,
    HUB_PACKET_TOPIC_LENGTH,
    HUB_PACKET_TOPIC_START, /* the bytes in which $SYS could be */
    HUB_PACKET_TOPIC,
    HUB_PACKET_ID,
    HUB_PACKET_REST,
    HUB_PACKET_FORBIDDEN, /* after HUB_PACKET_SYSTEM */
    HUB_PACKET_BLIND      /* after an error, nothing is seen */
} hub_packet_stage;

/** Start with { 0 }. */
typedef struct hub_packet_watch {
    hub_packet_stage stage;
    uint8_t first;  /* type and flags */
    uint8_t digits; /* bytes of the current number, or of the start of the topic, that were seen */
    uint16_t number;
    uint32_t left;  /* number of bytes of the packet that follow */
    uint32_t topic; /* number of bytes of the topic that follow */
} hub_packet_watch;

/**
 * Takes bytes up to and including those that show a packet of interest, or all of them. Returns how
 * many it took; *out says what they showed.
 */
size_t hub_packet_watch_next(hub_packet_watch *w, const uint8_t *bytes, size_t len,
                             hub_packet *out);

#endif
