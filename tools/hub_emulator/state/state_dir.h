#ifndef HUB_STATE_DIR_H
#define HUB_STATE_DIR_H

#include <stdbool.h>

#include "base/result.h"

/** The directory of one emulator; locked while the emulator or its broker lives. */
typedef struct hub_state_dir {
    char *path;       /* absolute */
    bool private_dir; /* made for this run, removed at its end */
    int lock_fd;
} hub_state_dir;

/**
 * wanted: the directory to use, made when it is missing; NULL: a private one.
 * Refused: a directory with something else in it, or in use.
 */
hub_result hub_state_dir_open(hub_state_dir *s, const char *wanted, hub_fault *fault);
void hub_state_dir_close(hub_state_dir *s);

#endif
