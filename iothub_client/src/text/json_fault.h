#ifndef IOTHUB_JSON_FAULT_H
#define IOTHUB_JSON_FAULT_H

/**
 * @file
 * Why a JSON text of the application is refused, for people: where, and what was found there.
 */

#include <stdbool.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * IOTHUB_OK when json is one JSON value, with object: one object.  what names the text in the
 * error, e.g. "twin report".
 */
iothub_result iothub_json_judge(mqc_span json, bool object, const char *what, iothub_error *error);

#endif
