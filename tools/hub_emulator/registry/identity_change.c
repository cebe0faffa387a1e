/* Checks what a PUT of the service may change in an identity. */

#include "registry/identity_change.h"

#include <string.h>
#include <strings.h>

#define MANAGER_MAX 128

hub_result hub_identity_check_change(const cJSON *body, hub_fault *fault)
{
    const char *status = hub_json_string(body, "status");

    /* The real hub compares names of enumerations without regard to case. */
    if (status != NULL && strcasecmp(status, "enabled") != 0 &&
        strcasecmp(status, "disabled") != 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "status is neither enabled nor disabled");
    }
    const char *manager = hub_json_string(body, "managedBy");
    if (manager != NULL && strlen(manager) > MANAGER_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "managedBy is longer than %d", MANAGER_MAX);
    }
    return HUB_OK;
}
