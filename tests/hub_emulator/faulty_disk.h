#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdbool.h>

/* System calls on the state directory that fail, or that kill the process, when a test wants it.
 * The test is linked with --wrap for each of them (CMakeLists.txt). */

typedef enum faulty_mode {
    FAULTY_NONE = 0,
    FAULTY_ONCE,        /* one call fails */
    FAULTY_FROM_NOW_ON, /* this call and all later ones fail */
    FAULTY_KILL_BEFORE, /* the process ends instead of the call */
    FAULTY_KILL_AFTER   /* the process ends after the call; a write writes only half */
} faulty_mode;

/* The exit status of a process that was ended in this way. */
#define FAULTY_KILLED 77

/* Makes the call number `which` fail with `error`; calls are counted from here on, the first is
 * 0. */
void faulty_disk(faulty_mode mode, unsigned which, int error);
/* Ends the faults. Returns whether call number `which` was made. */
bool faulty_disk_end(void);

#endif
