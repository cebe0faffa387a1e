#ifndef HUB_TOKEN_H
#define HUB_TOKEN_H

/**
 * @file
 * The hub's side of SAS tokens: parses a token, and checks who has signed it and for which resource
 * it is valid.
 */

#include <stdbool.h>

#include "base/result.h"
#include "base/text.h"

typedef struct hub_token {
    char *sr;       /* as sent, still encoded, because these bytes were signed */
    char *resource; /* decoded: host/devices/... */
    char *policy;   /* NULL without skn */
    uint8_t *signature;
    size_t signature_len;
    int64_t expiry_s;
} hub_token;

/**
 * Parses "SharedAccessSignature sr=..&sig=..&se=..[&skn=..]", with the fields in any order and each
 * at most once.
 */
hub_result hub_token_parse(const char *text, hub_token *out, hub_fault *fault);
void hub_token_free(hub_token *t);

/** Returns true if the token was signed with this key (base64). */
bool hub_token_signed_by(const hub_token *t, const char *key);

/**
 * Returns true if the token is valid for this resource ("host/devices/d"). The token's own resource
 * must be a prefix by whole segments; the host is compared without regard to case.
 */
bool hub_token_covers(const hub_token *t, const char *resource);

#endif
