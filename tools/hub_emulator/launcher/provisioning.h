#ifndef HUB_PROVISIONING_H
#define HUB_PROVISIONING_H

/**
 * @file
 * Prepares what --dps, --enroll and --enroll-group request, before the hub starts.
 */

#include "launcher/options.h"
#include "registry/registry.h"

/** Receives an environment variable that the user needs. */
typedef void (*hub_add_variable)(void *user, const char *name, const char *value);

/**
 * Makes the enrolments that do not exist yet, and passes the variables of the provisioning service
 * to a callback.
 */
hub_result hub_provisioning_prepare(const hub_registry *registry, const hub_options *o,
                                    int64_t now_ms, hub_add_variable add, void *user,
                                    hub_fault *fault);

#endif
