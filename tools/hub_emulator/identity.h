#ifndef HUB_IDENTITY_H
#define HUB_IDENTITY_H

/**
 * @file
 * A device or module: its keys, twin, waiting messages and live session.
 */

#include "c2d.h"
#include "twin.h"

struct hub_connection;

/** What the broker knows of a client; lost with the broker. */
typedef struct hub_session {
    struct hub_connection *connection; /* NULL while away */
    bool exists;                       /* the broker keeps a session */
    bool old_api;                      /* api-version 2016-11-14 */
    int c2d_qos;                       /* as granted */
    unsigned subscriptions;            /* set of hub_subscription */
} hub_session;

typedef struct hub_identity {
    unsigned number; /* names its files */
    char *device;
    char *module;    /* NULL for a device */
    char *client_id; /* device or device/module */
    char *primary_key;
    char *secondary_key;
    char *status_reason;    /* may be NULL */
    char *model_id;         /* what the last login announced, or "" */
    const char *auth_scope; /* of the last login's token: "device", "module" or "hub" */
    char *generation_id;
    bool enabled;
    bool edge; /* capabilities.iotEdge, kept for the caller only */
    int64_t etag;
    int64_t status_ms;
    int64_t connection_ms;
    int64_t activity_ms;
    hub_twin twin;
    hub_c2d c2d;
    hub_session session;
    struct hub_connection *connections; /* all that are logged in as this one */
    struct hub_identity *next_ready;    /* in the hub's list, if ready_at is set */
    struct hub_identity **ready_at;
} hub_identity;

/** 1 to 128 characters that the hub allows in a device or module id. */
bool hub_id_valid(const char *id);
/** May the id be part of a topic as it is?  '+' and '#' may not. */
bool hub_id_fits_mqtt(const char *id);
/** Base64 of 16 to 64 bytes. */
bool hub_key_valid(const char *key);

/** Fresh keys and an empty twin. */
hub_identity *hub_identity_new(unsigned number, const char *device, const char *module,
                               int64_t now_ms);
void hub_identity_free(hub_identity *id);

hub_result hub_identity_save(const hub_identity *id, const hub_store *store, hub_fault *fault);
hub_result hub_identity_load(const hub_store *store, const char *name, hub_identity **out,
                             hub_fault *fault);
void hub_identity_remove_files(hub_identity *id, const hub_store *store);

/**
 * Take over what a PUT of the service carries: status, statusReason,
 * authentication (empty or absent keys: keep what is there), capabilities.
 * A refusal changes nothing.
 */
hub_result hub_identity_apply(hub_identity *id, const cJSON *body, int64_t now_ms,
                              hub_fault *fault);
/** As the service API shows a device or module. */
cJSON *hub_identity_view(const hub_identity *id);
/** As the service API shows a twin. */
cJSON *hub_identity_twin_view(const hub_identity *id);
/** The etag of the identity in base64, on the heap. */
char *hub_identity_etag(const hub_identity *id);
char *hub_identity_connection_string(const hub_identity *id, const char *host);

#endif
