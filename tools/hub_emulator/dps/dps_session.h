#ifndef DPS_SESSION_H
#define DPS_SESSION_H

/**
 * @file
 * A device that is connected to the Device Provisioning Service, and what it said about itself. The
 * service accepts each connection and checks the credentials when the device registers.
 */

#include "registry/login.h"
#include "registry/token.h"

typedef struct dps_session {
    char *id_scope;
    char *registration_id;
    hub_token token;
    bool has_token;
    /* Chain of the TLS handshake; its first certificate is the device's own. */
    hub_client_chain chain;
    bool preview;    /* its api-version is that of a preview */
    bool subscribed; /* the device has subscribed to the answers */
} dps_session;

/**
 * Returns whether this is a login to the Device Provisioning Service and not to the hub. Its user
 * name is {id scope}/registrations/{registration id}/api-version=..
 */
bool dps_session_wanted(const char *client_id, const char *user_name);

/**
 * Makes a session. Returns NULL after a refusal: the user name does not fit the client id, or has
 * no valid api-version. The caller frees the session. client_id replaces the client id of the
 * credentials. A password that is no token counts as none.
 */
dps_session *dps_session_new(const hub_credentials *c, const char *client_id, hub_fault *fault);
void dps_session_free(dps_session *s);

void dps_session_subscribe(dps_session *s);
void dps_session_unsubscribe(dps_session *s);

/**
 * Returns whether the token of the session is for this device, has no name (skn) or that of a
 * registration, has not expired and is signed with this key.
 */
bool dps_session_signed_by(const dps_session *s, const char *key, int64_t now_s);

#endif
