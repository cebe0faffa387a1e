#ifndef IOTHUB_LOSS_H
#define IOTHUB_LOSS_H

/** @file Computes the result and the text for a lost connection, as pure functions. */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/credential.h"
#include "iothub/result.h"
#include "mqtt_core/result.h"

/**
 * Returns the result for a CONNACK that refuses with this return code; the text depends on kind.
 */
iothub_result loss_by_refusal(uint8_t return_code, iothub_credential_kind kind, iothub_error *why);

/** Returns the result if the hub closes one connection after the other soon after login. */
iothub_result loss_by_eviction(iothub_error *why);

/**
 * Returns the result for the error r of the engine. packet is the name of the packet at fault, or
 * "". deferred means that there are deferred messages.
 */
iothub_result loss_by_engine(mqc_result r, const char *packet, bool deferred, iothub_error *why);

/**
 * Returns true for PUBACK, SUBACK and UNSUBACK, the answers that the engine limits by
 * ack_timeout_ms.
 */
bool loss_is_of_acknowledgement(mqc_result r, const char *packet);

#endif
