#ifndef HUB_IDENTITY_CHANGE_H
#define HUB_IDENTITY_CHANGE_H

#include "base/json.h"
#include "base/result.h"

/** Is the body of a PUT one that hub_identity_apply may carry out? */
hub_result hub_identity_check_change(const cJSON *body, hub_fault *fault);

/** Base64 of 16 to 64 bytes. */
bool hub_key_valid(const char *key);

#endif
