#ifndef HUB_IDENTITY_CHANGE_H
#define HUB_IDENTITY_CHANGE_H

#include "base/json.h"
#include "base/result.h"

/** Checks whether hub_identity_apply may carry out a PUT with this body, except authentication. */
hub_result hub_identity_check_change(const cJSON *body, hub_fault *fault);

#endif
