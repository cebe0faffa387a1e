#ifndef FLEET_OPTIONS_H
#define FLEET_OPTIONS_H

/**
 * @file
 * The command line of `iothub fleet`.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct fleet_options {
    const char *file; /* file with connection strings, one per line; NULL: register new devices */
    uint64_t create;  /* number of devices to register; 0: none */
    const char *prefix;
    uint16_t rest_port;
    uint16_t port;
    double rate;         /* messages per second of each device; 0: none */
    uint64_t size;       /* bytes of a message's body */
    double ramp;         /* number of devices that start per second */
    uint64_t duration_s; /* 0: runs until a signal arrives */
    uint64_t report_s;
    uint64_t shard;
    uint64_t shards;
    bool telemetry_only;
} fleet_options;

/**
 * Reads the environment and the command line. Ends the program if an option is wrong. Returns false
 * after printing an error about the environment.
 */
bool fleet_options_read(fleet_options *o, int argc, char **argv);

#endif
