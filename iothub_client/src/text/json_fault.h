#ifndef IOTHUB_JSON_FAULT_H
#define IOTHUB_JSON_FAULT_H

/**
 * @file
 * Explains to people why a JSON text of the application is refused: the position, and what is
 * there.
 */

#include <stdbool.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * Returns IOTHUB_OK if json is one JSON value (if `object` is true: one JSON object). `what` names
 * the text in the error, for example "twin report".
 */
iothub_result iothub_json_judge(mqc_span json, bool object, const char *what, iothub_error *error);

#endif
