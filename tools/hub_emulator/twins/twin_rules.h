#ifndef HUB_TWIN_RULES_H
#define HUB_TWIN_RULES_H

#include "twins/twin.h"

/** Keys, strings, integers and depth of a patch or document; null is fine outside of arrays. */
hub_result hub_twin_check(const cJSON *object, hub_fault *fault);

/** Size as the hub counts it: keys and strings without control characters, numbers 8, booleans 4.
 */
size_t hub_twin_size(const cJSON *value);

#endif
