#ifndef HUB_PROVISIONING_H
#define HUB_PROVISIONING_H

/** @file  What --dps, --enroll and --enroll-group ask for, before the hub starts. */

#include "launcher/options.h"
#include "registry/registry.h"

/** Takes one of the variables that people need. */
typedef void (*hub_add_variable)(void *user, const char *name, const char *value);

/**
 * Makes the enrolments that are not there yet, and hands out the variables of the provisioning
 * service.
 */
hub_result hub_provisioning_prepare(const hub_registry *registry, const hub_options *o,
                                    int64_t now_ms, hub_add_variable add, void *user,
                                    hub_fault *fault);

#endif
