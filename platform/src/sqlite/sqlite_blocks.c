#include "sqlite/sqlite_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int sqlite_blocks_check_limit(uint64_t bytes)
{
    struct rlimit limit;
    bool beyond = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
                  bytes > limit.rlim_cur;

    return beyond ? EFBIG : 0;
}

/* Writes zeros after the end of the file, on file systems and with C libraries that cannot
 * allocate blocks. */
static int write_zeros(int fd, uint64_t at, uint64_t end)
{
    static const uint8_t zeros[16384];

    while (at < end) {
        ssize_t n = pwrite(fd, zeros, end - at < sizeof zeros ? (size_t)(end - at) : sizeof zeros,
                           (off_t)at);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        at += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

int sqlite_blocks_allocate(int fd, uint64_t at, uint64_t end)
{
    struct stat st;
    int error = sqlite_blocks_check_limit(end);

    if (error != 0) {
        return error;
    }
    if (fstat(fd, &st) != 0) {
        return errno;
    }
    const uint64_t size = (uint64_t)st.st_size;
    do {
        error = posix_fallocate(fd, (off_t)at, (off_t)(end - at));
    } while (error == EINTR);
    if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL) {
        error = write_zeros(fd, at > size ? at : size, end);
    }
    if (error != 0 && size < end && ftruncate(fd, st.st_size) != 0) {
        return errno; /* the part that was allocated remains in the file */
    }
    return error;
}

int sqlite_blocks_allocate_file(const char *path, uint64_t bytes)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    int error = sqlite_blocks_allocate(fd, 0, bytes);
    (void)close(fd); /* closing drops no locks, because no connection has opened the file */
    return error;
}

int64_t sqlite_blocks_size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}
