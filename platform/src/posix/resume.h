#ifndef PLAT_POSIX_RESUME_H
#define PLAT_POSIX_RESUME_H

/**
 * @file
 * A descriptor that becomes readable when the system resumes.  The time-outs of poll and epoll
 * stand still while the system is suspended, but the clock of clock.h does not.  When the system
 * resumes, something may therefore be due, and a thread that sleeps has to be woken.  The
 * descriptor also becomes readable when the wall clock is set.
 */

/** Opens a descriptor for the caller alone; -1: none is left, or the system has no such thing. */
int plat_resume_open(void);
/** After the descriptor has become readable: makes it become readable again the next time. */
void plat_resume_clear(int fd);

#endif
