#ifndef HUB_IDENTITY_H
#define HUB_IDENTITY_H

/**
 * @file
 * A device or module: its keys, twin, waiting messages and current session.
 */

#include "base/list.h"
#include "messages/c2d.h"
#include "messages/event_text.h"
#include "registry/authentication.h"
#include "registry/session.h"
#include "twins/twin.h"

typedef struct hub_identity {
    unsigned number; /* number in the names of its files; not used again while one of them exists */
    /* Number of a module's device; 0: unknown, in a file of an older version. */
    unsigned device_number;
    char *device;
    char *module;    /* NULL if it is a device */
    char *client_id; /* "device" or "device/module" */
    char *primary_key;
    char *secondary_key;
    hub_auth_type auth_type;
    char *primary_thumbprint; /* may be NULL, as the secondary thumbprint may */
    char *secondary_thumbprint;
    char *status_reason; /* may be NULL */
    /* For an edge device this is its own scope, for any other device the scope of its parent;
     * may be NULL. */
    char *device_scope;
    char *parent_scope; /* the content of parentScopes; may be NULL */
    char *managed_by;   /* used only for a module; may be NULL */
    char *model_id;     /* the model id of the last login, or "" */
    char *generation_id;
    /* Sender of its events, made at the last login; NULL before the first login. */
    hub_event_sender *sender;
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
    /* Link in the hub's list of identities to which something may have to be sent. */
    hub_link in_ready;
} hub_identity;

/** Returns true if the id has 1 to 128 characters that the hub allows in a device or module id. */
bool hub_id_valid(const char *id);
/** Returns true if the id may be a part of a topic, so that it does not contain '+' or '#'. */
bool hub_id_fits_mqtt(const char *id);

/** Returns an identity with new keys and an empty twin. */
hub_identity *hub_identity_new(unsigned number, const char *device, const char *module,
                               int64_t now_ms);
void hub_identity_free(hub_identity *id);

/** Call it at a login. Messages that are sent from now on belong to this login. */
void hub_identity_connected(hub_identity *id, const char *auth_scope, const char *auth_type,
                            int64_t now_ms);
void hub_identity_disconnected(hub_identity *id, int64_t now_ms);
/** Call it when the identity has published something. */
void hub_identity_seen(hub_identity *id, int64_t now_ms);

/** Returns a name such as identity-000001.json, on the heap. */
char *hub_identity_file(unsigned number);
hub_result hub_identity_save(const hub_identity *id, const hub_store *store, hub_fault *fault);
/**
 * Reads identity-NUMBER.json, without its messages. HUB_ERR_ARGUMENT means that it is damaged, and
 * the fault describes how; HUB_ERR_STATE means that it cannot be read now.
 */
hub_result hub_identity_load(const hub_store *store, unsigned number, hub_identity **out,
                             hub_fault *fault);

/**
 * Makes a copy to change, which shares the twin, messages and names with the original. If the copy
 * was saved, end with hub_identity_settle, otherwise with hub_identity_discard.
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
/** Replaces the twin by a copy that shares everything with *twin. */
void hub_identity_set_twin(hub_identity *id, const hub_twin *twin);
void hub_identity_set_model(hub_identity *id, const char *model);
/** Sets the device that a module belongs to. */
void hub_identity_set_owner(hub_identity *id, const hub_identity *device);
/** Sets device_scope and parent_scope to copies of the texts; NULL: none. */
void hub_identity_set_scopes(hub_identity *id, const char *own, const char *parent);

/** Returns the device or module as the service API shows it. */
cJSON *hub_identity_view(const hub_identity *id);
/** Returns the twin as the service API shows it, but without tags and properties. */
cJSON *hub_identity_twin_head(const hub_identity *id);
/** Returns the twin as the service API shows it. */
cJSON *hub_identity_twin_view(const hub_identity *id);
/** Returns the etag of the identity in base64, on the heap. */
char *hub_identity_etag(const hub_identity *id);
char *hub_identity_connection_string(const hub_identity *id, const char *host);

#endif
