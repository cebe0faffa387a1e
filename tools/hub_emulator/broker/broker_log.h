#ifndef HUB_BROKER_LOG_H
#define HUB_BROKER_LOG_H

/**
 * @file Mosquitto does not pass PUBACKs and packet ids to its plugins, but its debug log contains
 * both. The log is written to a memory file, which the plugin reads and empties whenever it runs:
 * in order, without a thread, and without blocking the broker.
 */

#include <stdbool.h>
#include <stdint.h>

typedef enum hub_broker_log_kind {
    HUB_LOG_CHATTER = 0, /* packets and pings, which are not shown to people */
    HUB_LOG_NOTICE,      /* a line that --verbose shows */
    HUB_LOG_FORBIDDEN,   /* a publish below $SYS, about which plugins are not asked */
    HUB_LOG_SENT,        /* a QoS 1 publish was sent for the first time */
    HUB_LOG_ACKNOWLEDGED /* a client has acknowledged a publish */
} hub_broker_log_kind;

typedef struct hub_broker_log_entry {
    hub_broker_log_kind kind;
    char client_id[272];
    uint16_t packet_id;
} hub_broker_log_entry;

/** Parses one line, without its line end. */
hub_broker_log_entry hub_broker_log_read(const char *line);

/** Passes each line that was written since the last call to `take`, and empties the file. */
typedef void (*hub_broker_log_take)(void *user, const char *line);
void hub_broker_log_drain(int fd, hub_broker_log_take take, void *user);

#endif
