#ifndef IOTHUB_RESULT_MAP_H
#define IOTHUB_RESULT_MAP_H

/** @file Converts results of the lower layers to results of the client. */

#include "iothub/result.h"
#include "mqtt_core/engine.h"
#include "platform/result.h"

iothub_result iothub_from_plat(plat_result r);
iothub_result iothub_from_mqc(mqc_result r);
/** Returns the result that describes how a publish ended. */
iothub_result iothub_from_outcome(mqc_outcome outcome);

#endif
