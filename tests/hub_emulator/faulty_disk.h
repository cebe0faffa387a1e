#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdbool.h>

/*
 * System calls of the state directory that fail, or in which the process is killed, when a test
 * wants it.  The test is linked with --wrap for each of them (CMakeLists.txt).
 */

typedef enum faulty_mode {
    FAULTY_NONE = 0,
    FAULTY_ONCE,        /* one call fails */
    FAULTY_FROM_NOW_ON, /* it and all after it */
    FAULTY_KILL_BEFORE, /* the process ends in its place */
    FAULTY_KILL_AFTER   /* and after it; a write writes half */
} faulty_mode;

/* The exit status of a process that was killed in this way. */
#define FAULTY_KILLED 77

/* The call with the number `which`, counted from 0 and from here on, fails with `error`. */
void faulty_disk(faulty_mode mode, unsigned which, int error);
/* Work again; returns whether the call was reached. */
bool faulty_disk_end(void);

#endif
