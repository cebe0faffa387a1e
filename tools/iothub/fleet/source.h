#ifndef FLEET_SOURCE_H
#define FLEET_SOURCE_H

/**
 * @file
 * Finds the connection strings of a fleet: in a file, or by registering devices at the hub.
 */

#include <stdbool.h>
#include <stdint.h>

/** The devices that this process simulates: those whose number modulo count is index. */
typedef struct fleet_shard {
    uint64_t index;
    uint64_t count;
} fleet_shard;

/**
 * Called with one connection string, which is valid during the call; `where` describes its origin
 * for error messages. Returns false to end the reading.
 */
typedef bool (*fleet_source_take)(void *user, const char *connection_string, const char *where);

/**
 * Reads one connection string from each line of a file; "-" is standard input. Returns false after
 * printing an error.
 */
bool fleet_source_read(const char *file, fleet_shard shard, fleet_source_take take, void *user);

typedef struct fleet_source_new {
    const char *prefix; /* prefix of the device ids; a number follows it */
    uint64_t count;
    uint16_t rest_port;
} fleet_source_new;

/** Registers devices with new keys at the hub. Returns false after printing an error. */
bool fleet_source_create(const fleet_source_new *devices, fleet_shard shard, fleet_source_take take,
                         void *user);

#endif
