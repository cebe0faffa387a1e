#ifndef HUB_TOKEN_H
#define HUB_TOKEN_H

/**
 * @file
 * The hub's side of SAS tokens: take one apart, check who signed it and what
 * it opens.
 */

#include <stdbool.h>

#include "base/result.h"
#include "base/text.h"

typedef struct hub_token {
    char *sr;       /* as sent, still encoded: these bytes were signed */
    char *resource; /* decoded: host/devices/... */
    char *policy;   /* NULL without skn */
    uint8_t *signature;
    size_t signature_len;
    int64_t expiry_s;
} hub_token;

/** "SharedAccessSignature sr=..&sig=..&se=..[&skn=..]", fields in any order, none twice. */
hub_result hub_token_parse(const char *text, hub_token *out, hub_fault *fault);
void hub_token_free(hub_token *t);

/** Was it signed with this base64 key? */
bool hub_token_signed_by(const hub_token *t, const char *key);

/**
 * Does the token open this resource ("host/devices/d")?  Its own resource must
 * be a prefix by segment; the host part ignores case.
 */
bool hub_token_covers(const hub_token *t, const char *resource);

#endif
