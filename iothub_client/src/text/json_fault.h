#ifndef IOTHUB_JSON_FAULT_H
#define IOTHUB_JSON_FAULT_H

/**
 * @file Describes for people why a JSON text of the application is refused: the position, and what
 * is there.
 */

#include <stdbool.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * IOTHUB_OK if json is one JSON value (with `object`: one JSON object). what names the text in the
 * error, e.g. "twin report".
 */
iothub_result iothub_json_judge(mqc_span json, bool object, const char *what, iothub_error *error);

#endif
