#ifndef IOTHUB_PROVISIONING_REFUSAL_H
#define IOTHUB_PROVISIONING_REFUSAL_H

/**
 * @file
 * The meaning of the error codes of the Device Provisioning Service, and what to do about them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/result.h"

/**
 * Fills *why for an answer with an error. status is an HTTP status; code has the six digits of the
 * service, or is 0 if it gave none.
 */
iothub_result refusal_of_code(unsigned status, uint64_t code, iothub_error *why);

/**
 * Returns true if the same request may succeed later without help of a person: for 408, 429 and
 * 5xx.
 */
bool refusal_may_pass(unsigned status);

#endif
