#ifndef HUB_TARGET_H
#define HUB_TARGET_H

#include <argp.h>

/** The target of a request: a device, or one of its modules. */
typedef struct hub_target {
    char device[129];
    char module[129]; /* empty: the device itself */
} hub_target;

/** Splits DEVICE or DEVICE/MODULE; ends the process after wrong usage. */
void hub_target_read(struct argp_state *state, const char *arg, hub_target *target);

/** The target as part of a path, between head and tail, such as "/twins/" and "/methods?...".  On
 * the heap; NULL after a complaint. */
char *hub_target_path(const char *head, const hub_target *target, const char *tail);

#endif
