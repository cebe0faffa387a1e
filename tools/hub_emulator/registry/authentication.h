#ifndef HUB_AUTHENTICATION_H
#define HUB_AUTHENTICATION_H

/** @file How an identity proves who it is: the member `authentication` of the service API. */

#include "base/json.h"
#include "base/result.h"

typedef enum hub_auth_type {
    HUB_AUTH_SAS = 0,     /* a token that is signed with one of its keys */
    HUB_AUTH_SELF_SIGNED, /* a certificate with one of its thumbprints */
    HUB_AUTH_CA           /* a certificate for its name, issued by a registered CA */
} hub_auth_type;

/** Returns the name of the service API, such as "selfSigned". */
const char *hub_auth_type_name(hub_auth_type type);

/** What a PUT requests. The texts belong to the JSON; NULL: none. */
typedef struct hub_authentication {
    hub_auth_type type;
    bool has_thumbprints; /* the body has thumbprints; otherwise the old ones stay */
    const char *primary_thumbprint;
    const char *secondary_thumbprint;
    const char *primary_key;
    const char *secondary_key;
} hub_authentication;

/**
 * Reads the member `authentication` of a body, which may be missing. The type may be missing, too:
 * it is selfSigned if there is a thumbprint, and otherwise stays as it was.
 */
hub_result hub_authentication_read(hub_authentication *out, const cJSON *body, hub_auth_type was,
                                   hub_fault *fault);
/** Reads a name as hub_auth_type_name returns it; other texts and NULL stand for HUB_AUTH_SAS. */
hub_auth_type hub_auth_type_of(const char *name);

/** Returns whether the key is base64 of 16 to 64 bytes. */
bool hub_key_valid(const char *key);

#endif
