#ifndef HUB_IDENTITY_CHANGE_H
#define HUB_IDENTITY_CHANGE_H

#include "base/json.h"
#include "base/result.h"

/** Checks whether hub_identity_apply may carry out a PUT with this body. */
hub_result hub_identity_check_change(const cJSON *body, hub_fault *fault);

/** Returns whether the key is base64 of 16 to 64 bytes. */
bool hub_key_valid(const char *key);

#endif
