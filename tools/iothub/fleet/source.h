#ifndef FLEET_SOURCE_H
#define FLEET_SOURCE_H

/**
 * @file
 * Where the connection strings of a fleet come from: a file, or the registry of the hub.
 */

#include <stdbool.h>
#include <stdint.h>

/** The devices of this process: every device whose number in the whole is index, modulo count. */
typedef struct fleet_shard {
    uint64_t index;
    uint64_t count;
} fleet_shard;

/** Takes one connection string, valid during the call; where names it in a complaint.  False ends
 * the reading. */
typedef bool (*fleet_source_take)(void *user, const char *connection_string, const char *where);

/** From each line of a file, "-" is standard input.  False after a complaint. */
bool fleet_source_read(const char *file, fleet_shard shard, fleet_source_take take, void *user);

typedef struct fleet_source_new {
    const char *prefix; /* of the device ids; the number follows */
    uint64_t count;
    uint16_t rest_port;
} fleet_source_new;

/** Registers devices with new keys at the hub. False: an error was printed. */
bool fleet_source_create(const fleet_source_new *devices, fleet_shard shard, fleet_source_take take,
                         void *user);

#endif
