#ifndef HUB_REFUSAL_H
#define HUB_REFUSAL_H

#include "hub/rest.h"
#include "hub/target.h"

/**
 * Paths of features that only the emulator offers over HTTPS; a hub in the cloud offers them over
 * other protocols.
 */
#define EMULATOR_PATH "/emulator/"

/** Prints an error for an unsuccessful reply; target may be NULL. */
void hub_explain_refusal(const rest_reply *reply, const char *path, const hub_target *target);

#endif
