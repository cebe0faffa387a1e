#ifndef SAMPLE_H
#define SAMPLE_H

/**
 * @file Code that all samples share: command line, environment, Ctrl-C, and a line for each change
 * of the connection.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <iothub/client.h>

typedef struct sample {
    const char *connection_string; /* value of IOTHUB_DEVICE_CONNECTION_STRING */
    iothub_options options;        /* platform, IOTHUB_PORT or --port, and IOTHUB_CA_FILE are set */
    unsigned count;                /* --count */
    unsigned duration_s;           /* --duration */
    const char *store;             /* --store; NULL before sample_init: there is no such option */
    unsigned first;                /* --first, for samples with a store */
    const char *devices;           /* --devices, in place of connection_string; NULL as above */
    unsigned interval_s;           /* --interval, for samples with many devices */
    const char *cache;             /* --cache, in place of connection_string; NULL as above */
    bool is_module;                /* set before sample_init: IoT Edge says who it is, so there is
                                      no connection_string and no IOTHUB_CA_FILE */
    uint64_t began_ms;
    atomic_bool was_connected; /* these two are set by a runner's thread */
    atomic_bool failed;        /* the first connection could not be made */
} sample;

/**
 * Call this first in main. Exits with 2 for wrong usage and if the connection string is missing. If
 * standard output cannot be written, the program's exit status becomes 1.
 */
void sample_init(sample *s, int argc, char **argv, const char *what_it_does);

/**
 * Makes the identity of the client certificate that IOTHUB_X509_CERTIFICATE_FILE and
 * IOTHUB_X509_KEY_FILE name; the caller releases it. Returns NULL if they are not set, and exits
 * with 1 if the files cannot be used.
 */
plat_identity *sample_identity(const sample *s);

/** Returns false after Ctrl-C, after a failure, and when --duration has passed. */
bool sample_goes_on(const sample *s);

/** Prints why a call was refused to standard error. Returns 1, the exit status for a failure. */
int sample_fail(const char *why);

/**
 * Like printf with a line end, for texts from the hub: control characters are printed as escapes.
 */
void sample_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Returns how long iothub_stop may continue to send, in ms; 0 if there never was a connection. */
uint32_t sample_grace_ms(const sample *s);

/** Stops the client and waits until it has stopped: sends what is queued, then DISCONNECT. */
void sample_stop(const sample *s, iothub_client *c);

/** Returns the exit status of the program. done means that the sample has done its work. */
int sample_exit_status(const sample *s, bool done);

#endif
