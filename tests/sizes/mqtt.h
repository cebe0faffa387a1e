#ifndef MQTT_H
#define MQTT_H

/**
 * @file
 * What the programs of mqtt_core share. Each function is linked only if a program calls it.
 */

#include "mqtt_core/engine_struct.h"

mqc_engine *mqtt_engine(void);
void mqtt_connect(void);
void mqtt_publish(unsigned qos);
/** Moves bytes, events and time once. */
void mqtt_turn(void);

#endif
