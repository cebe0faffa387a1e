#ifndef HUB_UPLOADS_H
#define HUB_UPLOADS_H

/**
 * @file
 * File uploads of devices: the request that begins one, the token for the storage, and the
 * notification that ends it. A device has a limited number of active uploads; one that is not ended
 * counts until its token expires. They are not kept when the emulator ends.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/list.h"
#include "base/result.h"

/** The container that has all blobs. */
#define HUB_UPLOADS_CONTAINER "uploads"
/** Most active uploads of a device. */
#define HUB_UPLOADS_ACTIVE_MAX 10
/** How many uploads that have ended are remembered, for people and tests. */
#define HUB_UPLOADS_ENDED_MAX 10000
/** The life of a token in seconds: that of the real hub, and the longest that can be set. */
#define HUB_UPLOADS_LIFE_S     3600
#define HUB_UPLOADS_LIFE_MAX_S 86400
/** Most bytes of a blob name in UTF-8, which includes the device id and a slash. */
#define HUB_BLOB_NAME_MAX 1024

typedef enum hub_upload_state {
    HUB_UPLOAD_ACTIVE = 0,
    HUB_UPLOAD_SUCCEEDED, /* the device said so */
    HUB_UPLOAD_FAILED,    /* the device said so */
    HUB_UPLOAD_EXPIRED    /* the token has expired, and the device said nothing */
} hub_upload_state;

typedef struct hub_upload {
    char *correlation_id;
    char *device;
    char *blob_name; /* with the device id in front */
    hub_upload_state state;
    int64_t begun_ms;
    int64_t expires_ms;
    size_t block_id_len;      /* bytes of each block id; 0: no block was put yet */
    int64_t status_code;      /* what the notification says */
    char *status_description; /* NULL: nothing */
    hub_link in_all;
} hub_upload;

/** Initialise it with hub_uploads_init. It must not be moved in memory. */
typedef struct hub_uploads {
    hub_list all; /* the newest first */
    size_t count;
    uint8_t key[HUB_SHA256_SIZE]; /* signs tokens for the storage */
    int64_t life_ms;
} hub_uploads;

void hub_uploads_init(hub_uploads *u);
void hub_uploads_free(hub_uploads *u);
/** Sets the life of later tokens. */
void hub_uploads_set_life(hub_uploads *u, int64_t seconds);

/**
 * Begins an upload of a device to a blob with this name below the device id. HUB_ERR_ARGUMENT: the
 * name is not one of a blob. HUB_ERR_UPLOADS: too many are active.
 */
hub_result hub_uploads_begin(hub_uploads *u, const char *device, const char *name, int64_t now_ms,
                             const hub_upload **out, hub_fault *fault);

/** What a device says at the end of an upload. */
typedef struct hub_upload_end {
    const char *correlation_id;
    bool success;
    int64_t status_code;
    const char *status_description; /* may be NULL */
} hub_upload_end;

/**
 * Ends an upload of a device. HUB_ERR_NO_RESOURCE: it has no such active upload. *out, if it is not
 * NULL, becomes the upload.
 */
hub_result hub_uploads_end(hub_uploads *u, const char *device, const hub_upload_end *end,
                           int64_t now_ms, const hub_upload **out, hub_fault *fault);
/**
 * Returns whether a block id may have this length: all of one blob have the same. The first one
 * sets it.
 */
bool hub_uploads_block_id_fits(hub_uploads *u, const char *blob_name, size_t len);
/** Ends those whose token has expired. */
void hub_uploads_expire(hub_uploads *u, int64_t now_ms);
/** Returns all uploads, the newest first; those of one device if device is not NULL. */
cJSON *hub_uploads_list(const hub_uploads *u, const char *device);

/** Returns the token of an upload on the heap: a query, with the first question mark. */
char *hub_uploads_token(const hub_uploads *u, const hub_upload *upload);

/** The parts of a token, decoded; NULL: missing. */
typedef struct hub_storage_token {
    const char *sv;
    const char *se;
    const char *sr;
    const char *sp;
    const char *sig;
} hub_storage_token;

/**
 * Checks a token for the blob. Returns NULL if it is good, otherwise a text that says what is wrong
 * with it.
 */
const char *hub_uploads_check_token(const hub_uploads *u, const hub_storage_token *t,
                                    const char *blob_name, int64_t now_ms);

#endif
