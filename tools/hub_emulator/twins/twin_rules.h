#ifndef HUB_TWIN_RULES_H
#define HUB_TWIN_RULES_H

#include <cjson/cJSON.h>

#include "base/result.h"

/* Limits of the real hub. */
#define HUB_TWIN_DEPTH_MAX  10
#define HUB_TWIN_KEY_MAX    1024
#define HUB_TWIN_STRING_MAX 4096

#define HUB_TWIN_NUMBER_MAX 128 /* characters; the emulator's own limit */

/**
 * Checks keys, strings, integers and depth of a patch or document. null is allowed outside of
 * arrays.
 */
hub_result hub_twin_check(const cJSON *object, hub_fault *fault);

/**
 * Returns the size as the hub counts it: keys and strings without control characters, 8 for a
 * number, 4 for a boolean.
 */
size_t hub_twin_size(const cJSON *value);

#endif
