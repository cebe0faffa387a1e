#ifndef HUB_FRONT_FAULTS_H
#define HUB_FRONT_FAULTS_H

/**
 * @file
 * Faults that the hub has ordered (hub/note.h) for the next connections, whichever clients these
 * belong to. Each fault that a function reports counts one connection.
 */

#include <stdbool.h>

#include "hub/note.h"

/** The faults in force; { 0 }: none. */
typedef struct hub_front_faults {
    uint64_t tls_left;
    uint64_t refusals_left;
    uint64_t delays_left;
    uint32_t alert;
    uint32_t status;
    uint32_t delay_ms;
} hub_front_faults;

/** Takes an order. Orders of other kinds, and orders with a wrong value, are ignored. */
void hub_front_faults_take(hub_front_faults *f, const hub_note *order);
/** Returns whether a TLS handshake must be refused, with this alert. */
bool hub_front_faults_refuse_tls(hub_front_faults *f, uint8_t *alert);
/** Returns whether an upgrade must be refused, with this HTTP status. */
bool hub_front_faults_refuse_upgrade(hub_front_faults *f, unsigned *status);
/** Returns by how many milliseconds the answer to an upgrade must be delayed. */
uint32_t hub_front_faults_delay_upgrade(hub_front_faults *f);

#endif
