#ifndef FLEET_TOTALS_H
#define FLEET_TOTALS_H

/**
 * @file
 * Counts what all devices of a fleet do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/latency.h"
#include "iothub/result.h"

#define FLEET_ERROR_KINDS 64 /* limit of an iothub_result without its sign */

/** Counters of a fleet; initialise them with { 0 }. */
typedef struct fleet_totals {
    uint64_t sent;    /* messages that the clients accepted */
    uint64_t arrived; /* messages that the hub acknowledged */
    uint64_t skipped; /* messages that were due while the queue of the device was full */
    uint64_t methods;
    uint64_t desired;
    size_t connected;      /* devices, now */
    size_t ever_connected; /* devices that were connected at least once */
    uint64_t connects;
    uint64_t losses;
    uint64_t resumed;                           /* connects that resumed an earlier TLS session */
    uint64_t link_errors[FLEET_ERROR_KINDS];    /* attempts and connections that failed */
    uint64_t message_errors[FLEET_ERROR_KINDS]; /* messages that ended without arriving */
    fleet_latency latency;                      /* time from send to acknowledgement */
} fleet_totals;

/** Call it when a device has connected; first is true if it has never been connected before. */
void fleet_totals_connected(fleet_totals *t, bool first);
/**
 * Call it when a device is no longer connected; lost is true if it did not disconnect on request.
 */
void fleet_totals_disconnected(fleet_totals *t, bool lost);
/** Call it when an attempt to connect, or a connection, has failed. */
void fleet_totals_link_failed(fleet_totals *t, iothub_result reason);
/**
 * Call it when a message was due: the client has accepted it, or it was skipped because the queue
 * was full.
 */
void fleet_totals_message_due(fleet_totals *t, bool accepted);
void fleet_totals_message_arrived(fleet_totals *t, uint64_t latency_us);
void fleet_totals_message_failed(fleet_totals *t, iothub_result reason);
void fleet_totals_method_answered(fleet_totals *t);
void fleet_totals_desired_reported(fleet_totals *t);
/** Adds the number of connects of a device that resumed a TLS session. */
void fleet_totals_add_resumed(fleet_totals *t, uint64_t count);

/** Returns the number of messages that ended with an error. */
uint64_t fleet_totals_failed_messages(const fleet_totals *t);
/** Returns the number of attempts, connections and messages that ended with an error. */
uint64_t fleet_totals_errors(const fleet_totals *t);

#endif
