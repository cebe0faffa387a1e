#ifndef IOTHUB_PROVISIONING_REFUSAL_H
#define IOTHUB_PROVISIONING_REFUSAL_H

/** @file What the error codes of the Device Provisioning Service mean, and what to do about them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/result.h"

/**
 * Fills *why for an answer with an error. status: as in HTTP; code: the six digits of the service,
 * 0 if it gave none.
 */
iothub_result refusal_of_code(unsigned status, uint64_t code, iothub_error *why);

/** True if the same request may succeed later without a person: 408, 429 and 5xx. */
bool refusal_may_pass(unsigned status);

#endif
