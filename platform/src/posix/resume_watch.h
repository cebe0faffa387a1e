#ifndef PLAT_POSIX_RESUME_WATCH_H
#define PLAT_POSIX_RESUME_WATCH_H

/**
 * @file
 * One descriptor of resume.h for all threads that sleep.  What wakes one of them must not be taken
 * away before the others have seen it.  The descriptor is therefore never cleared but replaced, and
 * closed after the last of them has ended its sleep.
 */

#include <stdbool.h>

/** The descriptor that one sleeping thread watches. */
typedef struct plat_resume_watch {
    int fd; /* -1: the system has no such descriptor, or none is left */
    int slot;
} plat_resume_watch;

/**
 * Returns how often the system has resumed. Call it before a sleep; it needs no lock and no system
 * call.
 */
unsigned plat_resume_count(void);

/**
 * Begins to watch. Returns false if the system has resumed since plat_resume_count returned
 * `count`.
 */
bool plat_resume_begin(unsigned count, plat_resume_watch *w);

/** Ends the watch. readable is true if w.fd became readable. */
void plat_resume_end(plat_resume_watch w, bool readable);

#endif
