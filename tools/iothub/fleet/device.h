#ifndef FLEET_DEVICE_H
#define FLEET_DEVICE_H

/**
 * @file
 * One simulated device: it connects, sends telemetry at a steady rate, answers each method with
 * 200 and reports the version of each desired change.
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
    double rate; /* messages a second of each device; 0: none */
    size_t size; /* bytes of a message's body */
    bool telemetry_only;
} fleet_load_options;

/** NULL without memory.  totals must outlive the load. */
fleet_load *fleet_load_new(const fleet_load_options *options, fleet_totals *totals);
/** After all devices.  NULL is allowed. */
void fleet_load_free(fleet_load *l);
/** Let one device do what is due, or wait for that until the time until_us. */
void fleet_load_turn(fleet_load *l, uint64_t until_us);
/** True if a descriptor could not be watched; such a device is not served any more. */
bool fleet_load_failed(const fleet_load *l);

typedef struct fleet_device fleet_device;

/** NULL after a complaint, in which where names the device. */
fleet_device *fleet_device_new(fleet_load *l, const char *connection_string, const char *where);
/** It starts to connect at that time. */
void fleet_device_schedule(fleet_device *d, uint64_t start_us);
/** Sends nothing new; messages on their way may be acknowledged for grace_ms more. */
void fleet_device_stop(fleet_device *d, uint32_t grace_ms);
bool fleet_device_is_stopped(const fleet_device *d);
void fleet_device_free(fleet_device *d);

#endif
