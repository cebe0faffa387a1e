#include "platform/file_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct file_reader {
    plat_reader base;
    int fd;
    char detail[PLAT_READER_DETAIL_SIZE]; /* the text of the last failure; "" without one */
    char path[];
} file_reader;

static file_reader *self(plat_reader *r)
{
    return (file_reader *)r;
}

static plat_result fail(file_reader *f, int error)
{
    char cause[64];

    if (strerror_r(error, cause, sizeof cause) != 0) {
        (void)snprintf(cause, sizeof cause, "error %d", error);
    }
    (void)snprintf(f->detail, sizeof f->detail, "%.80s: %s", f->path, cause);
    return PLAT_ERR_STORE;
}

/* Returns a number that changes with each change of the content that the system can notice. */
static uint64_t version_of(const struct stat *s)
{
    const uint64_t changed =
        (uint64_t)s->st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)s->st_mtim.tv_nsec;

    return changed ^ ((uint64_t)s->st_ino << 20);
}

static plat_result describe(plat_reader *base, plat_reader_info *info)
{
    file_reader *f = self(base);
    struct stat s;

    f->detail[0] = '\0';
    if (fstat(f->fd, &s) != 0) {
        return fail(f, errno);
    }
    *info = (plat_reader_info){
        .size = (uint64_t)s.st_size,
        .version = version_of(&s),
        .rewinds = true,
    };
    return PLAT_OK;
}

static plat_result read_at(plat_reader *base, uint64_t offset, void *buf, size_t cap, size_t *len)
{
    file_reader *f = self(base);
    ssize_t n;

    f->detail[0] = '\0';
    *len = 0;
    do {
        n = pread(f->fd, buf, cap, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fail(f, errno);
    }
    *len = (size_t)n;
    return PLAT_OK;
}

static const char *detail_of(const plat_reader *r)
{
    return ((const file_reader *)r)->detail;
}

static const plat_reader_ops ops = { .describe = describe, .read = read_at, .detail = detail_of };

/* Opens a regular file. O_NONBLOCK, because opening a FIFO would block otherwise. Returns -1 with
 * errno. */
static int open_regular(const char *path)
{
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode)) {
        return fd;
    }
    if (fd >= 0) {
        (void)close(fd);
        errno = EINVAL;
    }
    return -1;
}

static plat_result fail_open(char detail[PLAT_READER_DETAIL_SIZE], const char *path, int error)
{
    char cause[64];

    if (error == EINVAL || strerror_r(error, cause, sizeof cause) != 0) {
        (void)snprintf(cause, sizeof cause, "not a regular file");
    }
    (void)snprintf(detail, PLAT_READER_DETAIL_SIZE, "%.80s: %s", path, cause);
    return error == EINVAL ? PLAT_ERR_ARG : PLAT_ERR_STORE;
}

plat_result plat_file_reader_open(const char *path, plat_reader **out,
                                  char detail[PLAT_READER_DETAIL_SIZE])
{
    *out = NULL;
    detail[0] = '\0';
    if (path == NULL) {
        (void)snprintf(detail, PLAT_READER_DETAIL_SIZE, "the file has no name");
        return PLAT_ERR_ARG;
    }
    const int fd = open_regular(path);
    if (fd < 0) {
        return fail_open(detail, path, errno);
    }
    const size_t path_size = strlen(path) + 1;
    file_reader *f = calloc(1, sizeof *f + path_size);
    if (f == NULL) {
        (void)close(fd);
        (void)snprintf(detail, PLAT_READER_DETAIL_SIZE, "no memory is left");
        return PLAT_ERR_MEMORY;
    }
    f->base.ops = &ops;
    f->fd = fd;
    (void)snprintf(f->path, path_size, "%s", path);
    *out = &f->base;
    return PLAT_OK;
}

void plat_file_reader_close(plat_reader *r)
{
    if (r != NULL) {
        (void)close(self(r)->fd);
        free(r);
    }
}
