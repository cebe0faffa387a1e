#ifndef FLEET_DEVICE_H
#define FLEET_DEVICE_H

/**
 * @file
 * One simulated device. It connects, sends telemetry at a steady rate, answers each method with 200
 * and reports the version of each desired change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/totals.h"
#include "iothub/client.h"
#include "platform/poll_set.h"

/** What all devices of a fleet have in common. */
typedef struct fleet_load fleet_load;

typedef struct fleet_load_options {
    uint16_t port;
    double rate; /* messages per second of each device; 0: none */
    size_t size; /* bytes of a message's body */
    bool telemetry_only;
} fleet_load_options;

/** Returns NULL if there is no memory. totals must outlive the load. */
fleet_load *fleet_load_new(const fleet_load_options *options, fleet_totals *totals);
/** Frees the load; call it after all devices were freed. l may be NULL. */
void fleet_load_free(fleet_load *l);
/**
 * Waits until a device has work that is due, at most until the time until_us, and does that work.
 */
void fleet_load_turn(fleet_load *l, uint64_t until_us);
/** Returns true if a descriptor could not be watched; such a device is not served any more. */
bool fleet_load_failed(const fleet_load *l);

typedef struct fleet_device fleet_device;

/** Makes a device. Returns NULL after printing an error, in which `where` names the device. */
fleet_device *fleet_device_new(fleet_load *l, const char *connection_string, const char *where);
/** Sets the time at which the device starts to connect. */
void fleet_device_schedule(fleet_device *d, uint64_t start_us);
/**
 * Stops the device: it sends nothing new, and messages in flight may be acknowledged for grace_ms
 * more.
 */
void fleet_device_stop(fleet_device *d, uint32_t grace_ms);
bool fleet_device_is_stopped(const fleet_device *d);
void fleet_device_free(fleet_device *d);

#endif
