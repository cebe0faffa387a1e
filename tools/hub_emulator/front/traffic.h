#ifndef HUB_TRAFFIC_H
#define HUB_TRAFFIC_H

/**
 * @file
 * What the front sees and changes of the MQTT of one client while its bytes pass in both
 * directions, and what it tells the hub about it (note.h).
 */

#include <stdbool.h>

#include "front/packet_watch.h"

typedef struct hub_traffic {
    uint64_t number; /* number of the connection */
    int notes_fd;    /* socket to the hub; -1: none */
    hub_packet_watch from_device;
    hub_packet_watch from_broker;
    size_t answered; /* bytes of the CONNACK that were seen */
    uint8_t refusal; /* return code for a CONNACK that refuses; 0: the broker's own */
} hub_traffic;

void hub_traffic_init(hub_traffic *t, uint64_t number, int notes_fd);
/**
 * Looks at bytes of the client. Returns how many of them may pass: the hub closes the connection of
 * a device that publishes below $SYS, of which Mosquitto does not tell its plugins.
 */
size_t hub_traffic_from_device(hub_traffic *t, const uint8_t *data, size_t len);
/** Returns true after hub_traffic_from_device has held bytes back. */
bool hub_traffic_is_forbidden(const hub_traffic *t);
/** Sets the code with which the hub is about to refuse this login. One not from 1 to 5 is ignored.
 */
void hub_traffic_refuse(hub_traffic *t, uint32_t code);
/** Looks at bytes of the broker, and puts that code into a CONNACK that refuses. */
void hub_traffic_from_broker(hub_traffic *t, uint8_t *data, size_t len);
/** Returns whether the CONNACK has passed. */
bool hub_traffic_is_answered(const hub_traffic *t);

#endif
