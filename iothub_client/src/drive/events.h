#ifndef IOTHUB_EVENTS_H
#define IOTHUB_EVENTS_H

/**
 * @file
 * What the engine reports goes to the part that it concerns.
 */

#include "iothub/client.h"
#include "mqtt_core/engine.h"

void event_take(iothub_client *c, const mqc_event *ev);

#endif
