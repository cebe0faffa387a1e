#ifndef IOTHUB_LOSS_H
#define IOTHUB_LOSS_H

/**
 * @file
 * Why a connection was lost, as a result and a text; pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/result.h"

/** By the return code of CONNACK. */
iothub_result loss_by_refusal(uint8_t return_code, iothub_error *why);

/** Because the hub closes one connection after the other soon after login. */
iothub_result loss_by_eviction(iothub_error *why);

/** By an error r of the engine; packet: the name of the one at fault, or "".  deferred: messages
 * are to be accepted later. */
iothub_result loss_by_engine(mqc_result r, const char *packet, bool deferred, iothub_error *why);

/** True for PUBACK, SUBACK, UNSUBACK: the answers that the engine limits by ack_timeout_ms. */
bool loss_is_of_acknowledgement(mqc_result r, const char *packet);

#endif
