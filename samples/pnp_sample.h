#ifndef PNP_SAMPLE_H
#define PNP_SAMPLE_H

/**
 * @file
 * Code that the Plug and Play samples share: the run of a device that sends readings, and the three
 * ways in which JSON is sent to the hub.
 */

#include <iothub/pnp.h>

#include "sample.h"

/** Must be the first member of a sample's struct: all callbacks receive the same pointer. */
typedef struct pnp_sample {
    sample sample;
    unsigned arrived; /* number of readings that the hub has acknowledged */
} pnp_sample;

/** Call this first in main, then set the callbacks `desired` and `method`. */
void pnp_sample_init(pnp_sample *s, int argc, char **argv, const char *what_it_does,
                     const char *model_id);

/** Sends the reading with this number: 0, 1 and so on. */
typedef iothub_result pnp_send_reading(pnp_sample *s, iothub_client *c, unsigned number);

/**
 * Connects, sends --count readings and waits until they have arrived. Returns the exit status of
 * the program.
 */
int pnp_sample_run(pnp_sample *s, pnp_send_reading *send_reading);

/** Reports the properties in w. */
void pnp_report(iothub_client *c, iothub_json_writer *w);

/** Answers a command. */
void pnp_respond(iothub_client *c, const iothub_method_call *call, int status, const char *json);

/** Sends the JSON text in w as telemetry of a component; NULL: of the root of the model. */
iothub_result pnp_send(iothub_client *c, const char *component, iothub_json_writer *w);

#endif
