#ifndef HUB_BROKER_H
#define HUB_BROKER_H

/**
 * @file
 * The Mosquitto process with our plugin. It listens on a Unix socket in the state directory, and
 * serves only clients of the TLS front.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/result.h"

typedef struct hub_broker_setup {
    const char *mosquitto;    /* program to run; NULL: the usual directories are searched */
    const char *state_dir;    /* absolute */
    const char *front_secret; /* proves that a login comes through the TLS front */
    int notes_fd;             /* socket to the front, which the broker inherits */
    int calls_fd; /* socket for connections of the HTTPS port, which the broker inherits */
    bool verbose;
    /* Host name to which the provisioning service sends devices; NULL: none. */
    const char *dps_host;
    unsigned dps_assigning;
    unsigned dps_retry_after_s;
    unsigned certificate_life_s;
} hub_broker_setup;

typedef struct hub_broker_process {
    pid_t pid;
    int ready_fd; /* becomes readable when the broker is ready, and closed when it has ended */
    int log_fd;   /* memory file with the broker's log */
    int status;   /* status of waitpid(2) after its end */
} hub_broker_process;

hub_result hub_broker_start(hub_broker_process *b, const hub_broker_setup *setup, hub_fault *fault);
/**
 * Call it when ready_fd is readable. Returns true if the broker is ready, false if it has ended.
 */
bool hub_broker_said_ready(hub_broker_process *b);
/** Ends the broker if it still runs, and waits for its end. May be called more than once. */
void hub_broker_stop(hub_broker_process *b);
/**
 * Call it after the end. Returns the last error in the broker's log or, without one, how the broker
 * ended. On the heap.
 */
char *hub_broker_last_error(const hub_broker_process *b);

#endif
