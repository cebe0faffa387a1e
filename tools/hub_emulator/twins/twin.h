#ifndef HUB_TWIN_H
#define HUB_TWIN_H

/**
 * @file
 * The device twin: desired and reported properties and tags with their rules,
 * versions and metadata.  Documents only: no network, no files.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/result.h"

#define HUB_TWIN_PROPERTIES_MAX (32 * 1024)
#define HUB_TWIN_TAGS_MAX       (8 * 1024)

/** Properties with the metadata that mirrors them. */
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

/*
 * A change does not touch the twin itself: it fills *next, which shares with the twin whatever
 * stays as it is.  A caller that has saved *next ends with hub_twin_adopt, any other with
 * hub_twin_discard.  After a refusal there is nothing to end.
 */

/** Merge what the device reports; null deletes.  HUB_ERR_ARGUMENT, or HUB_ERR_TOO_LARGE. */
hub_result hub_twin_report(const hub_twin *t, const cJSON *patch, int64_t now_ms, hub_twin *next,
                           hub_fault *fault);

typedef enum hub_twin_mode { HUB_TWIN_MERGE, HUB_TWIN_REPLACE } hub_twin_mode;

/**
 * Applies a change of the service: {"tags":..,"properties":{"desired":..}}, both optional. *notify
 * is the notification for the device, with $version, or NULL; the caller frees it.
 */
hub_result hub_twin_update(const hub_twin *t, const cJSON *body, hub_twin_mode mode, int64_t now_ms,
                           hub_twin *next, cJSON **notify, hub_fault *fault);

/** The twin becomes *next. */
void hub_twin_adopt(hub_twin *t, const hub_twin *next);
/** Free what *next does not share with the twin. */
void hub_twin_discard(const hub_twin *t, const hub_twin *next);

/** Returns the answer to the device's GET, on the heap. */
char *hub_twin_device_text(const hub_twin *t);
/** Add etag and version. */
void hub_twin_add_service_head(const hub_twin *t, cJSON *into);
/** Add tags and properties, with $metadata and $version. */
void hub_twin_add_service_view(const hub_twin *t, cJSON *into);
/** "AAAAAAAAAAE=", on the heap. */
char *hub_twin_etag(const hub_twin *t);

cJSON *hub_twin_to_state(const hub_twin *t);
/** False: not a state; *t is untouched. */
bool hub_twin_from_state(hub_twin *t, const cJSON *state);

#endif
