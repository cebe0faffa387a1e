#ifndef PLAT_POSIX_RESUME_H
#define PLAT_POSIX_RESUME_H

/**
 * @file
 * A descriptor that becomes readable when the system resumes.  The time-outs of poll and epoll
 * stand still while the system is suspended, but the clock of clock.h does not.  When the system
 * resumes, something may therefore be due, and a thread that sleeps has to be woken.  The
 * descriptor also becomes readable when the wall clock is set.
 */

/**
 * Opens a descriptor, which the caller owns. Returns -1 if none is left, or if the system does not
 * support it.
 */
int plat_resume_open(void);
/** Call it after the descriptor has become readable, so that it can become readable again. */
void plat_resume_clear(int fd);

#endif
