#ifndef THERMOSTAT_MODEL_H
#define THERMOSTAT_MODEL_H

/**
 * @file The model dtmi:com:example:Thermostat;1 of the vendor's examples, for a device of its own
 * (thermostat.c) and as a component of another model (temperature_controller.c):
 *
 * - telemetry "temperature"
 * - property "targetTemperature", which the cloud writes and the device answers
 * - property "maxTempSinceLastReboot"
 * - command "getMaxMinReport", with the time since when as its payload
 *
 * The temperature of this thermostat is always the last one that was desired.
 */

#include <time.h>

#include "pnp_sample.h"

typedef struct thermostat {
    const char *component; /* name of the component; NULL if the whole device is one thermostat */
    double temperature;
    double highest;
    double lowest;
    double sum;
    unsigned count; /* number of temperatures so far */
    time_t since;
} thermostat;

void thermostat_init(thermostat *t, const char *component);

iothub_result thermostat_send_temperature(const thermostat *t, iothub_client *c);
void thermostat_report_highest(const thermostat *t, iothub_client *c);

/** Applies and answers a desired property of this thermostat. */
void thermostat_on_property(thermostat *t, iothub_client *c, const iothub_pnp_walk *property,
                            uint64_t version);

/**
 * Answers the call and returns true, or returns false if it is not a command of this thermostat.
 */
bool thermostat_on_command(const thermostat *t, iothub_client *c, const iothub_method_call *call);

#endif
