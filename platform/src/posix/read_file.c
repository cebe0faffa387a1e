#include "posix/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *explain_open(int error)
{
    switch (error) {
    case ENOENT: return "there is no such file";
    case ENOTDIR: return "there is no such file: a part of the path is not a directory";
    case EACCES: return "this user may not read it";
    case EMFILE:
    case ENFILE: return "no descriptor left to open it";
    default: return "it cannot be opened";
    }
}

/* Returns why a file cannot be read, or NULL if it can. */
static const char *examine(const struct stat *about, size_t limit)
{
    if (S_ISDIR(about->st_mode)) {
        return "it is a directory, not a file";
    }
    if (!S_ISREG(about->st_mode)) {
        return "it is not a regular file";
    }
    return about->st_size < 0 || (uintmax_t)about->st_size > limit ? "it is too large" : NULL;
}

static size_t read_all(int fd, uint8_t *bytes, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, bytes + got, len - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
    }
    return got;
}

static plat_result read_open_file(int fd, size_t limit, plat_file_content *out, const char **why)
{
    struct stat about;
    *why = fstat(fd, &about) == 0 ? examine(&about, limit) : "it cannot be read";
    if (*why != NULL) {
        return PLAT_ERR_IO;
    }
    const size_t len = (size_t)about.st_size;
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (bytes == NULL) {
        *why = "not enough memory to load it";
        return PLAT_ERR_MEMORY;
    }
    if (read_all(fd, bytes, len) != len) {
        free(bytes);
        *why = "it cannot be read";
        return PLAT_ERR_IO;
    }
    *out = (plat_file_content){ bytes, len };
    return PLAT_OK;
}

/* O_NONBLOCK, because opening a FIFO would block otherwise. */
plat_result plat_read_file(const char *path, size_t limit, plat_file_content *out, const char **why)
{
    *out = (plat_file_content){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *why = explain_open(errno);
        return PLAT_ERR_IO;
    }
    plat_result r = read_open_file(fd, limit, out, why);
    (void)close(fd);
    return r;
}
