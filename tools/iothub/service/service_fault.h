#ifndef TOOL_SERVICE_FAULT_H
#define TOOL_SERVICE_FAULT_H

#include "service/service.h"

/** Features that only the emulator has; a hub in the cloud offers them over other protocols. */
#define EMULATOR_PATH "/emulator/"

/** Prints an error for an unsuccessful reply; target may be NULL. */
void service_explain(const rest_reply *reply, const char *path, const service_target *target);

#endif
