#ifndef HUB_ISSUANCES_H
#define HUB_ISSUANCES_H

/**
 * @file Certificate requests of connected devices that were accepted and are not answered yet, at
 * most one of each device. They are not saved: a device asks again after a restart.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct hub_issuance {
    char *device;
    char *generation; /* generation of the identity that made the request */
    char *rid;        /* request id, as it was sent */
    char *request;    /* PKCS #10 in base64 or PEM */
    char *correlation_id;
    int64_t due_ms; /* monotonic time at which it must be answered */
    /* Monotonic time at which it is dropped if the device has not connected again. */
    int64_t expires_ms;
    int64_t expires_wall_ms; /* the same time as a date */
} hub_issuance;

/** Start with { 0 }. */
typedef struct hub_issuances {
    hub_issuance **items;
    size_t count;
    size_t capacity;
} hub_issuances;

/** Returns the request of a device, or NULL. */
hub_issuance *hub_issuances_find(const hub_issuances *l, const char *device);
/** Adds a request; its texts are copied. An earlier one of the device must have been removed. */
const hub_issuance *hub_issuances_add(hub_issuances *l, const hub_issuance *request);
/** Removes and frees the request at this index. */
void hub_issuances_remove(hub_issuances *l, size_t at);
/** Removes and frees the request of the device, if it has one. */
void hub_issuances_drop(hub_issuances *l, const char *device);
void hub_issuances_free(hub_issuances *l);

#endif
