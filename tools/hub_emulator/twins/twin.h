#ifndef HUB_TWIN_H
#define HUB_TWIN_H

/**
 * @file
 * The device twin: desired properties, reported properties and tags with their rules, versions and
 * metadata. It works on documents in memory only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/result.h"

#define HUB_TWIN_PROPERTIES_MAX (32 * 1024)
#define HUB_TWIN_TAGS_MAX       (8 * 1024)

/** Properties with metadata of the same structure. */
typedef struct hub_twin_part {
    cJSON *values;
    cJSON *metadata;
    int64_t version;
} hub_twin_part;

typedef struct hub_twin {
    hub_twin_part desired;
    hub_twin_part reported;
    cJSON *tags;
    int64_t version; /* grows with every change */
    int64_t etag;    /* grows with every change by the service */
} hub_twin;

void hub_twin_init(hub_twin *t, int64_t now_ms);
void hub_twin_free(hub_twin *t);

/* A change does not modify the twin itself. It fills *next, which shares the unchanged parts
 * with the twin. After saving *next, call hub_twin_adopt; to give it up, call hub_twin_discard.
 * After a refusal, call neither. */

/**
 * Merges what the device reports; null deletes. Returns HUB_ERR_ARGUMENT or HUB_ERR_TOO_LARGE for a
 * refusal.
 */
hub_result hub_twin_report(const hub_twin *t, const cJSON *patch, int64_t now_ms, hub_twin *next,
                           hub_fault *fault);

typedef enum hub_twin_mode { HUB_TWIN_MERGE, HUB_TWIN_REPLACE } hub_twin_mode;

/**
 * Applies a change of the service: {"tags":..,"properties":{"desired":..}}, both optional. *notify
 * is the notification for the device, with $version, or NULL; the caller frees it.
 */
hub_result hub_twin_update(const hub_twin *t, const cJSON *body, hub_twin_mode mode, int64_t now_ms,
                           hub_twin *next, cJSON **notify, hub_fault *fault);

/** Makes *next the twin. */
void hub_twin_adopt(hub_twin *t, const hub_twin *next);
/** Frees the parts of *next that it does not share with the twin. */
void hub_twin_discard(const hub_twin *t, const hub_twin *next);

/** Returns the answer to the device's GET, on the heap. */
char *hub_twin_device_text(const hub_twin *t);
/** Adds etag and version. */
void hub_twin_add_service_head(const hub_twin *t, cJSON *into);
/** Adds tags and properties, with $metadata and $version. */
void hub_twin_add_service_view(const hub_twin *t, cJSON *into);
/** Returns the etag, such as "AAAAAAAAAAE=", on the heap. */
char *hub_twin_etag(const hub_twin *t);

cJSON *hub_twin_to_state(const hub_twin *t);
/**
 * Reads a twin from its saved form. Returns false if `state` is not one; *t is not changed then.
 */
bool hub_twin_from_state(hub_twin *t, const cJSON *state);

#endif
