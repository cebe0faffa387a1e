#ifndef HUB_EVENT_LOG_H
#define HUB_EVENT_LOG_H

/**
 * @file
 * Telemetry on disk, a line an event, appended before the device gets its
 * acknowledgement: what was acknowledged can be seen after kill -9 too.  Two
 * files take turns, so that the space is bounded.
 */

#include "store.h"

#define HUB_EVENT_LOG_BYTES_MAX (64u * 1024 * 1024) /* of each of the two files */

typedef struct hub_event_log {
    char *path;
    char *old_path;
    int fd; /* -1: not open */
    size_t bytes;
} hub_event_log;

/** One line of an earlier run, NUL-terminated, oldest first. */
typedef void (*hub_event_log_visit)(void *user, const char *line);

hub_result hub_event_log_open(hub_event_log *l, const hub_store *store, hub_event_log_visit visit,
                              void *user, hub_fault *fault);
void hub_event_log_close(hub_event_log *l);

/** Append a line; a failure leaves no half of it behind for a reader. */
hub_result hub_event_log_append(hub_event_log *l, const char *line, hub_fault *fault);

#endif
