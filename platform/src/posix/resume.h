#ifndef PLAT_POSIX_RESUME_H
#define PLAT_POSIX_RESUME_H

#include <stdbool.h>

/*
 * The time-outs of poll and epoll stand still while the system is suspended.  What is to be done by
 * the clock of clock.h is then due the moment it resumes, so a sleeper has to be woken: by a
 * descriptor that becomes readable.  It does, too, when somebody sets the wall clock.
 */

/** A descriptor of one's own; -1: none is left, or the system has no such thing. */
int plat_resume_open(void);
/** It has become readable, and is to become so again at the next time. */
void plat_resume_clear(int fd);

/*
 * One for all threads that sleep: what wakes one of them must not be taken away before the others
 * have seen it.  So it is never cleared but replaced, and closed behind the last of them.
 */

typedef struct plat_resume_watch {
    int fd; /* -1: there is none */
    int slot;
} plat_resume_watch;

/** Before a sleep.  Takes no lock and no call. */
unsigned plat_resume_count(void);
/** Watch from here on.  False: the system has resumed since plat_resume_count returned that. */
bool plat_resume_begin(unsigned count, plat_resume_watch *w);
void plat_resume_end(plat_resume_watch w, bool readable);

#endif
