#include "faulty_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static faulty_mode mode;
static unsigned left; /* number of calls before the fault */
static int error_number;
static bool reached;

void faulty_disk(faulty_mode wanted, unsigned which, int error)
{
    mode = wanted;
    left = which;
    error_number = error;
    reached = false;
}

bool faulty_disk_end(void)
{
    mode = FAULTY_NONE;
    return reached;
}

static bool now(void)
{
    if (mode == FAULTY_NONE) {
        return false;
    }
    if (left > 0) {
        left--;
        return reached && mode == FAULTY_FROM_NOW_ON;
    }
    bool again = mode == FAULTY_FROM_NOW_ON;
    bool hit = !reached || again;
    reached = true;
    return hit;
}

/* Returns true if this call must fail. If the process is to be killed here, the function does
 * not return. */
static bool fails(void)
{
    if (!now()) {
        return false;
    }
    if (mode == FAULTY_KILL_BEFORE) {
        _exit(FAULTY_KILLED);
    }
    errno = error_number;
    return mode != FAULTY_KILL_AFTER;
}

static bool dying(void)
{
    return mode == FAULTY_KILL_AFTER && reached;
}

/* Defines a wrapper that fails instead of the call, or makes the call and then ends the process. */
#define WRAP(name, parameters, arguments)     \
    int __real_##name parameters;             \
    int __wrap_##name parameters;             \
    int __wrap_##name parameters              \
    {                                         \
        if (fails()) {                        \
            return -1;                        \
        }                                     \
        int result = __real_##name arguments; \
        if (dying()) {                        \
            _exit(FAULTY_KILLED);             \
        }                                     \
        return result;                        \
    }

WRAP(rename, (const char *from, const char *to), (from, to))
WRAP(unlink, (const char *path), (path))
WRAP(close, (int fd), (fd))
WRAP(ftruncate, (int fd, off_t length), (fd, length))
WRAP(ftruncate64, (int fd, off_t length), (fd, length))

static int open_mode(int flags, va_list args)
{
    return (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
}

#define WRAP_OPEN(name)                                   \
    int __real_##name(const char *path, int flags, ...);  \
    int __wrap_##name(const char *path, int flags, ...);  \
    int __wrap_##name(const char *path, int flags, ...)   \
    {                                                     \
        va_list args;                                     \
        va_start(args, flags);                            \
        int permissions = open_mode(flags, args);         \
        va_end(args);                                     \
        if (fails()) {                                    \
            return -1;                                    \
        }                                                 \
        int fd = __real_##name(path, flags, permissions); \
        if (dying()) {                                    \
            _exit(FAULTY_KILLED);                         \
        }                                                 \
        return fd;                                        \
    }

WRAP_OPEN(open)
WRAP_OPEN(open64)

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

/* A write that does not fit is not refused completely: half of it is written. */
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fails()) {
        return -1;
    }
    bool half = dying() || (mode == FAULTY_ONCE && left == 0 && !reached);
    ssize_t n = __real_write(fd, data, half ? len / 2 : len);
    if (dying()) {
        _exit(FAULTY_KILLED);
    }
    return n;
}

ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);

/* Writes half of the bytes if the disk is full, or all but the line end if the process dies. */
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
    bool whole = !now();

    if (whole) {
        return __real_writev(fd, parts, count);
    }
    if (mode == FAULTY_KILL_BEFORE) {
        _exit(FAULTY_KILLED);
    }
    ssize_t n = __real_writev(fd, parts, count - 1);
    if (mode == FAULTY_KILL_AFTER) {
        _exit(FAULTY_KILLED);
    }
    return n;
}
