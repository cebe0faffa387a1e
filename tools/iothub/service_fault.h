#ifndef TOOL_SERVICE_FAULT_H
#define TOOL_SERVICE_FAULT_H

#include "service.h"

/** What only the emulator has, and a hub in the cloud offers by other protocols. */
#define EMULATOR_PATH "/emulator/"

/** Complain about a reply that is no success; target may be NULL. */
void service_explain(const rest_reply *reply, const char *path, const service_target *target);

#endif
