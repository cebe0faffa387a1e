#ifndef HUB_TARGET_H
#define HUB_TARGET_H

#include <argp.h>

/** The target of a request: a device, or one of its modules. */
typedef struct hub_target {
    char device[129];
    char module[129]; /* empty: the device itself is the target */
} hub_target;

/** Splits DEVICE or DEVICE/MODULE. Ends the program after wrong usage. */
void hub_target_read(struct argp_state *state, const char *arg, hub_target *target);

/**
 * Returns a path: the target between head and tail, which are for example "/twins/" and
 * "/methods?...". It is on the heap; NULL after printing an error.
 */
char *hub_target_path(const char *head, const hub_target *target, const char *tail);

#endif
