#ifndef MQC_ENGINE_VALID_H
#define MQC_ENGINE_VALID_H

#include "mqtt_core/engine_struct.h"

/*
 * Are all parts valid, and do they agree with each other?  Debug builds assert it at each public
 * function that takes an engine.
 */
bool mqc_engine_valid(const mqc_engine *e);

#endif
