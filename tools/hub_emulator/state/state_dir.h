#ifndef HUB_STATE_DIR_H
#define HUB_STATE_DIR_H

#include <stdbool.h>

#include "base/result.h"

/** The state directory of one emulator. It is locked while the emulator or its broker runs. */
typedef struct hub_state_dir {
    char *path;       /* absolute */
    bool private_dir; /* the directory was made for this run and is removed at its end */
    int lock_fd;
} hub_state_dir;

/**
 * Opens the directory `wanted`, which is made if it is missing; NULL: a private one. A directory
 * that contains something else, or is in use, is refused.
 */
hub_result hub_state_dir_open(hub_state_dir *s, const char *wanted, hub_fault *fault);
void hub_state_dir_close(hub_state_dir *s);

#endif
