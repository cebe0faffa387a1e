#ifndef IOTHUB_EVENTS_H
#define IOTHUB_EVENTS_H

/** @file Passes events of the engine to the parts that handle them. */

#include "iothub/client.h"
#include "mqtt_core/engine.h"

void event_take(iothub_client *c, const mqc_event *ev);

#endif
