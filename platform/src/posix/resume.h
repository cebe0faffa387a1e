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

#endif
