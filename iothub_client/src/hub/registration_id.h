#ifndef IOTHUB_REGISTRATION_ID_H
#define IOTHUB_REGISTRATION_ID_H

/** @file Rules of the Device Provisioning Service for its names. */

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** IOTHUB_ERR_PART_INVALID: the error says which rule the registration id breaks. */
iothub_result registration_id_check(mqc_span id, iothub_error *err);

/** The same for an id scope. */
iothub_result id_scope_check(mqc_span scope, iothub_error *err);

#endif
