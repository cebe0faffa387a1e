#ifndef HUB_BROKER_LOG_H
#define HUB_BROKER_LOG_H

/**
 * @file The log of Mosquitto, which is written to a memory file. The plugin reads and empties it
 * whenever it runs: in order, without a thread, and without blocking the broker.
 */

/** Passes each line that was written since the last call to `take`, and empties the file. */
typedef void (*hub_broker_log_take)(void *user, const char *line);
void hub_broker_log_drain(int fd, hub_broker_log_take take, void *user);

#endif
