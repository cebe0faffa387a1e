#ifndef HUB_FRONT_RELAY_H
#define HUB_FRONT_RELAY_H

/**
 * @file
 * What a client of the TLS front sends and receives: its handshake, its CONNECT, its connection to
 * the broker, and the bytes between the two. On the HTTPS port, its first request decides whether
 * it is such a client with WebSocket below MQTT, or one of the HTTP server.
 *
 * Each direction buffers a limited number of bytes: one side is not read while the other one does
 * not accept bytes.
 */

#include "front/front_client.h"

/** Call it when one of the sockets of the client is ready. */
void hub_front_relay_turn(hub_front_client *c, bool device, uint32_t events);
/** Tries again to connect a client in the list `dialing` to the server. */
void hub_front_relay_dial(hub_front_client *c);
/** Call it when a client in the list `late` is due. */
void hub_front_relay_due(hub_front_client *c);
/** Takes a note of the hub about this connection. */
void hub_front_relay_order(hub_front_client *c, const hub_note *order);

#endif
