#ifndef SAMPLE_H
#define SAMPLE_H

/**
 * @file
 * What all samples need before they get to their point: command line, environment,
 * Ctrl-C, and a line for each change of the connection.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <iothub/client.h>

typedef struct sample {
    const char *connection_string; /* from IOTHUB_DEVICE_CONNECTION_STRING */
    iothub_options options;        /* defaults, platform, IOTHUB_PORT or --port, IOTHUB_CA_FILE */
    unsigned count;                /* --count */
    unsigned duration_s;           /* --duration */
    const char *store;             /* --store; NULL before sample_init: there is no such option */
    unsigned first;                /* --first, of a sample with a store */
    const char *devices;           /* --devices, instead of connection_string; NULL as above */
    unsigned interval_s;           /* --interval, of a sample with many devices */
    uint64_t began_ms;
    atomic_bool was_connected; /* a runner's thread sets these */
    atomic_bool failed;        /* the very first connection did not come about */
} sample;

/**
 * To be called first in main.  Exits with 2 for wrong usage and for a missing connection string.
 * At exit, a standard output that could not be written makes the exit status 1.
 */
void sample_init(sample *s, int argc, char **argv, const char *what_it_does);

/** Not interrupted, not failed, and --duration is not over. */
bool sample_goes_on(const sample *s);

/** Say why a call was refused, on standard error.  Returns 1, the exit status for it. */
int sample_fail(const char *why);

/** printf and a line end, for texts of the hub: their control characters are shown as escapes. */
void sample_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** How long iothub_stop may take for what is still under way; no time without a connection. */
uint32_t sample_grace_ms(const sample *s);

/** Send what is still under way, say goodbye to the hub in order, and wait until that is done. */
void sample_stop(const sample *s, iothub_client *c);

/** Exit status at the end: done is whether the sample did what it is for. */
int sample_exit_status(const sample *s, bool done);

#endif
