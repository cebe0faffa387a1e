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
    bool subscribed; /* subscribed to the answers */
} dps_session;

/**
 * Returns whether this is a login to the Device Provisioning Service and not to the hub. Its user
 * name is {id scope}/registrations/{registration id}/api-version=..
 */
bool dps_session_wanted(const char *client_id, const char *user_name);

/**
 * Makes a session; the caller frees it. Returns NULL if the user name does not fit the client id or
 * has no valid api-version. A password that is not a token counts as none.
 */
dps_session *dps_session_new(const char *client_id, const char *user_name, const char *password,
                             hub_fault *fault);
void dps_session_free(dps_session *s);

void dps_session_subscribe(dps_session *s);
void dps_session_unsubscribe(dps_session *s);

/**
 * True if its token is for this device, has no name (skn) or that of a registration, has not
 * expired and is signed with this key.
 */
bool dps_session_signed_by(const dps_session *s, const char *key, int64_t now_s);

#endif
