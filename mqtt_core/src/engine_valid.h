#ifndef MQC_ENGINE_VALID_H
#define MQC_ENGINE_VALID_H

#include "mqtt_core/engine_struct.h"

/* Returns whether all parts are valid and agree with each other. Debug builds assert it in each
 * public function that takes an engine. */
bool mqc_engine_valid(const mqc_engine *e);

#endif
