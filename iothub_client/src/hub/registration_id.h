#ifndef IOTHUB_REGISTRATION_ID_H
#define IOTHUB_REGISTRATION_ID_H

/**
 * @file
 * The rules of the Device Provisioning Service for its names.
 */

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * Checks a registration id. With IOTHUB_ERR_PART_INVALID, the error describes the rule that it
 * breaks.
 */
iothub_result registration_id_check(mqc_span id, iothub_error *err);

/** Checks an id scope in the same way. */
iothub_result id_scope_check(mqc_span scope, iothub_error *err);

#endif
