#ifndef HUB_CLIENT_FAULTS_H
#define HUB_CLIENT_FAULTS_H

/**
 * @file Faults that the hub has ordered (hub/note.h) for one connection: bytes of MQTT that reach
 * the device late, and a connection that is cut after a number of bytes.
 */

#include <stdbool.h>

#include "base/text.h"
#include "front/packet_watch.h"
#include "hub/note.h"

/** The result of hub_client_faults_due if no bytes are held. */
#define HUB_CLIENT_FAULTS_NEVER INT64_MAX

typedef struct hub_client_faults hub_client_faults;

/**
 * Returns faults that change nothing yet, on the heap. *position is the position in the packets of
 * the broker at which they begin.
 */
hub_client_faults *hub_client_faults_new(const hub_packet_watch *position);
/** Frees the faults; f may be NULL. */
void hub_client_faults_free(hub_client_faults *f);
/** Takes an order for this connection. Orders of other kinds are ignored. */
void hub_client_faults_order(hub_client_faults *f, const hub_note *order);

/** Returns how many of these bytes of the device may pass. */
size_t hub_client_faults_from_device(hub_client_faults *f, size_t len);
/** Takes bytes of the broker, which are held until they are due. */
void hub_client_faults_take(hub_client_faults *f, const uint8_t *data, size_t len, int64_t now_ms);
/** Appends the bytes that are due. */
void hub_client_faults_release(hub_client_faults *f, int64_t now_ms, hub_text *out);
/** Returns the time when bytes are due; HUB_CLIENT_FAULTS_NEVER: none are held. */
int64_t hub_client_faults_due(const hub_client_faults *f);
/** Returns the number of bytes that are held. */
size_t hub_client_faults_held(const hub_client_faults *f);
/** Returns whether the last byte before a cut has passed. */
bool hub_client_faults_is_cut(const hub_client_faults *f);

#endif
