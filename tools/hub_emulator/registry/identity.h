#ifndef HUB_IDENTITY_H
#define HUB_IDENTITY_H

/**
 * @file
 * A device or module: its keys, twin, waiting messages and live session.
 */

#include "base/list.h"
#include "messages/c2d.h"
#include "messages/event_text.h"
#include "registry/session.h"
#include "twins/twin.h"

typedef struct hub_identity {
    unsigned
        number; /* the number in the names of its files; not used again while one of them exists */
    unsigned device_number; /* for a module: the number of its device; 0: unknown (an older file) */
    char *device;
    char *module;    /* NULL for a device */
    char *client_id; /* device or device/module */
    char *primary_key;
    char *secondary_key;
    char *status_reason; /* may be NULL */
    char
        *device_scope; /* of an edge device its own scope, of any other its parent's; may be NULL */
    char *parent_scope; /* the content of parentScopes; may be NULL */
    char *managed_by;   /* of a module; may be NULL */
    char *model_id;     /* the model id of the last login, or "" */
    char *generation_id;
    hub_event_sender *sender; /* the sender in events, from the last login; NULL before the first */
    bool enabled;
    bool edge; /* capabilities.iotEdge */
    int64_t etag;
    int64_t status_ms;
    int64_t connection_ms;
    int64_t activity_ms;
    hub_twin twin;
    hub_c2d c2d;
    hub_session session;
    hub_list connections; /* all connections of this identity */
    hub_link in_ready;    /* in the hub's list of those to which something may have to be sent */
} hub_identity;

/** 1 to 128 characters that the hub allows in a device or module id. */
bool hub_id_valid(const char *id);
/** True if the id may be a part of a topic; '+' and '#' may not. */
bool hub_id_fits_mqtt(const char *id);

/** Fresh keys and an empty twin. */
hub_identity *hub_identity_new(unsigned number, const char *device, const char *module,
                               int64_t now_ms);
void hub_identity_free(hub_identity *id);

/** It logged in: what it sends from now on is of this login. */
void hub_identity_connected(hub_identity *id, const char *auth_scope, int64_t now_ms);
void hub_identity_disconnected(hub_identity *id, int64_t now_ms);
/** It published something. */
void hub_identity_seen(hub_identity *id, int64_t now_ms);

/** identity-000001.json, on the heap. */
char *hub_identity_file(unsigned number);
hub_result hub_identity_save(const hub_identity *id, const hub_store *store, hub_fault *fault);
/**
 * Read identity-NUMBER.json, without its messages.  HUB_ERR_ARGUMENT: it is damaged, and fault says
 * how; HUB_ERR_STATE: it cannot be read now.
 */
hub_result hub_identity_load(const hub_store *store, unsigned number, hub_identity **out,
                             hub_fault *fault);

/**
 * Makes a copy to change, which shares the twin, messages and names with the original. End it with
 * settle after it was saved, otherwise with discard.
 */
void hub_identity_fork(const hub_identity *id, hub_identity *next);
void hub_identity_settle(hub_identity *id, hub_identity *next);
void hub_identity_discard(const hub_identity *id, hub_identity *next);

/**
 * Applies a PUT of the service: status, statusReason, authentication (empty or missing keys keep
 * the old ones), capabilities, managedBy. A refusal changes nothing. The scopes are applied by
 * hub_scopes_apply, which knows the other devices.
 */
hub_result hub_identity_apply(hub_identity *id, const cJSON *body, int64_t now_ms,
                              hub_fault *fault);
/** The twin becomes a copy, which shares all with *twin. */
void hub_identity_set_twin(hub_identity *id, const hub_twin *twin);
void hub_identity_set_model(hub_identity *id, const char *model);
/** Of a module. */
void hub_identity_set_owner(hub_identity *id, const hub_identity *device);
/** device_scope and parent_scope become copies; NULL for none. */
void hub_identity_set_scopes(hub_identity *id, const char *own, const char *parent);

/** As the service API shows a device or module. */
cJSON *hub_identity_view(const hub_identity *id);
/** As the service API shows a twin, but without tags and properties. */
cJSON *hub_identity_twin_head(const hub_identity *id);
/** As the service API shows a twin. */
cJSON *hub_identity_twin_view(const hub_identity *id);
/** The etag of the identity in base64, on the heap. */
char *hub_identity_etag(const hub_identity *id);
char *hub_identity_connection_string(const hub_identity *id, const char *host);

#endif
