#ifndef HUB_EVENT_LOG_H
#define HUB_EVENT_LOG_H

/**
 * @file
 * Telemetry on disk, one line per event. It is written before the device receives its
 * acknowledgement, so acknowledged events survive kill -9. Two files are used alternately, which
 * limits the space. Each line has a checksum; a damaged line is skipped without affecting others.
 */

#include <stdbool.h>

#include "base/text.h"
#include "state/store.h"

#define HUB_EVENT_LOG_BYTES_MAX (64u * 1024 * 1024) /* limit of each of the two files */

typedef struct hub_event_log {
    const hub_store *store; /* used for reports to people */
    char *path;
    char *old_path;
    int fd;       /* -1: not open */
    size_t bytes; /* number of bytes up to the end of the last complete line */
    bool torn;    /* if true, a partial line follows */
} hub_event_log;

/**
 * Called with each line of an earlier run, NUL-terminated, oldest first. Returns false if the line
 * is not an event.
 */
typedef bool (*hub_event_log_visit)(void *user, char *line, size_t len);

/** Opens the log and passes the lines of earlier runs to visit. The store must outlive the log. */
hub_result hub_event_log_open(hub_event_log *l, const hub_store *store, hub_event_log_visit visit,
                              void *user, hub_fault *fault);
void hub_event_log_close(hub_event_log *l);

/**
 * Appends a JSON object; a checksum and a line end are added to its text. After a failure, readers
 * see nothing of it.
 */
hub_result hub_event_log_append(hub_event_log *l, hub_text *line, hub_fault *fault);

#endif
