#include "posix/resume.h"

#ifdef __linux__
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Returns a time that is never reached, and with which the kernel can still compute. */
static time_t never(void)
{
    return sizeof(time_t) > 4 ? (time_t)(INT64_C(1) << 33) : (time_t)INT32_MAX;
}

/* Makes a timer of the wall clock that is cancelled when that clock jumps relative to the
 * monotonic one, as it does when the system resumes (man timerfd_create,
 * TFD_TIMER_CANCEL_ON_SET). */
int plat_resume_open(void)
{
    const struct itimerspec at = { .it_value.tv_sec = never() };
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0 &&
        timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

void plat_resume_clear(int fd)
{
    uint64_t count;
    /* The read fails with ECANCELED, and that arms the timer again. */
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

#else

int plat_resume_open(void)
{
    return -1;
}

void plat_resume_clear(int fd)
{
    (void)fd;
}

#endif
