#ifndef HUB_REST_WATCH_H
#define HUB_REST_WATCH_H

/**
 * @file
 * A watcher of telemetry, with the events that it will still receive.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/telemetry.h"

typedef struct rest_watch {
    uint64_t next;       /* the number of the next event */
    uint64_t left;       /* how many more events it receives */
    int64_t deadline_ms; /* monotonic time; 0: no deadline */
    char *device;        /* the only device that is watched, on the heap; NULL: all devices */
} rest_watch;

/** Appends the available events, one per line, until out has at least len bytes. */
void rest_watch_take(rest_watch *w, const hub_telemetry *t, size_t len, hub_text *out);
/** After this call the watcher receives no further events. */
void rest_watch_end(rest_watch *w);
/** Returns true if the watcher receives no further events. */
bool rest_watch_over(const rest_watch *w, int64_t up_ms);
void rest_watch_free(rest_watch *w);

#endif
