#ifndef HUB_TELEMETRY_H
#define HUB_TELEMETRY_H

/**
 * @file
 * The log of telemetry: one line of JSON per event, numbered from 1 without gaps (except for
 * damaged lines). Count and bytes are limited; the oldest events are deleted first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/event_log.h"
#include "messages/event_text.h"

#define HUB_TELEMETRY_EVENTS_MAX 100000
#define HUB_TELEMETRY_BYTES_MAX  (128u * 1024 * 1024)
#define HUB_TELEMETRY_SIZE_MAX   (256u * 1024)

typedef struct hub_event {
    char *json; /* JSON text without a line end */
    size_t len;
    const char *device;
    uint64_t sequence;
} hub_event;

typedef struct hub_telemetry {
    hub_event *ring;
    size_t events_max;
    size_t bytes_max;
    size_t first; /* index of the oldest event */
    size_t count;
    size_t bytes;
    uint64_t next_sequence;
    hub_text line; /* buffer for the event that is being added */
    hub_event_log log;
} hub_telemetry;

/**
 * Returns the size as the hub counts it: body, values of system properties, names and values of
 * application properties.
 */
size_t hub_telemetry_size(const hub_bag *bag, size_t body_len);
/** Checks the hub's rules for a message: size and message id. */
hub_result hub_telemetry_check(const hub_bag *bag, size_t body_len, hub_fault *fault);

/**
 * Begins a log with these limits and reads the events of earlier runs. The store must exist as long
 * as the log.
 */
hub_result hub_telemetry_open(hub_telemetry *t, const hub_store *store, size_t events_max,
                              size_t bytes_max, hub_fault *fault);
void hub_telemetry_close(hub_telemetry *t);
/** Adds an event. HUB_ERR_STATE means that it could not be written to disk and was not added. */
hub_result hub_telemetry_add(hub_telemetry *t, const hub_event_input *in, hub_fault *fault);
/**
 * Returns the first event of that device (NULL: any) with the number *from or a larger one, and
 * sets *from to its number.
 */
const hub_event *hub_telemetry_from(const hub_telemetry *t, uint64_t *from, const char *device);

/**
 * Returns whether the parts of the ring agree: its limits are kept, the numbers of the events
 * increase up to next_sequence, and bytes is the sum of their lengths. Debug builds assert it in
 * each function; in a ring with many events only the first and the last are checked.
 */
bool hub_telemetry_valid(const hub_telemetry *t);

#endif
