#ifndef FLEET_OPTIONS_H
#define FLEET_OPTIONS_H

/**
 * @file
 * The command line of `iothub fleet`.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct fleet_options {
    const char *file; /* connection strings, a line each; NULL: create the devices */
    uint64_t create;  /* how many devices to register; 0: none */
    const char *prefix;
    uint16_t rest_port;
    uint16_t port;
    double rate;         /* messages a second of each device; 0: none */
    uint64_t size;       /* bytes of a message's body */
    double ramp;         /* devices that start a second */
    uint64_t duration_s; /* 0: until a signal arrives */
    uint64_t report_s;
    uint64_t shard;
    uint64_t shards;
    bool telemetry_only;
} fleet_options;

/**
 * Read the environment and the command line; ends the process after wrong options.  False after a
 * complaint about the environment.
 */
bool fleet_options_read(fleet_options *o, int argc, char **argv);

#endif
