#ifndef HUB_HUB_C2D_H
#define HUB_HUB_C2D_H

/**
 * @file
 * Cloud-to-device messages of all devices: when they are passed to the broker, and when they end.
 */

#include "hub/hub.h"

/** The broker has sent a C2D message for the first time, or received its acknowledgement. */
void hub_c2d_on_wire(hub *h, const char *client_id, uint16_t packet_id);
void hub_c2d_on_ack(hub *h, const char *client_id, uint16_t packet_id);

/** Passes the messages that the device may receive now to the broker. */
void hub_c2d_send(hub *h, hub_identity *id);
/** Ends the locks of the identity that have expired, and drops the messages whose time to live has
 * ended. */
void hub_c2d_drop_expired(hub *h, hub_identity *id, int64_t up_ms);
/** Drops the messages that wait for a device. */
hub_result hub_purge(hub *h, hub_identity *id, size_t *dropped, hub_fault *fault);

/* Functions for a device that receives messages over HTTPS. */

/** Locks the next message for the device, and returns it. NULL: none is queued. */
const hub_c2d_message *hub_c2d_receive(hub *h, hub_identity *id);
/**
 * Ends a message that the device has locked, as HUB_C2D_COMPLETED or HUB_C2D_REJECTED.
 * HUB_ERR_LOCK: the device has no message with this lock token; the lock may have expired.
 */
hub_result hub_c2d_end(hub *h, hub_identity *id, const char *lock, hub_c2d_outcome outcome,
                       hub_fault *fault);
/** Queues the message again, without waiting for the end of its lock. */
hub_result hub_c2d_give_back(hub *h, hub_identity *id, const char *lock, hub_fault *fault);

#endif
