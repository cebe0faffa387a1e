#include "platform/file_kv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file consists of "plat_kv1", the checksum of key and value (4 bytes, lowest first), and the
 * value. The checksum covers the key, so that a file under another name counts as damaged. */

#define MAGIC      "plat_kv1"
#define NEW_PREFIX ".new-"

enum { MAGIC_SIZE = 8, HEAD_SIZE = MAGIC_SIZE + 4 };

typedef struct file_kv {
    plat_kv base;
    int directory;
    char detail[PLAT_KV_DETAIL_SIZE];
    char path[]; /* path of the directory, for texts */
} file_kv;

static file_kv *self(plat_kv *kv)
{
    return (file_kv *)(void *)kv;
}

/* Makes a text such as "/var/lib/app/kv/dps: cannot be written: No space left on device". */
static plat_result fail(file_kv *f, const char *key, const char *what, int error)
{
    (void)snprintf(f->detail, sizeof f->detail, "%s/%s: %s: %s", f->path, key, what,
                   strerror(error));
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? PLAT_ERR_FULL : PLAT_ERR_STORE;
}

static plat_result fail_argument(file_kv *f, const char *what)
{
    (void)snprintf(f->detail, sizeof f->detail, "%s: %s", f->path, what);
    return PLAT_ERR_ARG;
}

static bool key_valid(const char *key)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

    if (key == NULL || key[0] == '.') {
        return false;
    }
    const size_t len = strspn(key, allowed);
    return len >= 1 && len <= PLAT_KV_KEY_MAX && key[len] == '\0';
}

/* Adds data to a checksum, which is the CRC-32 of ISO 3309 without its final complement. */
static uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        sum ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            const uint32_t polynomial = (sum & 1) != 0 ? 0xEDB88320u : 0;
            sum = (sum >> 1) ^ polynomial;
        }
    }
    return sum;
}

static void put_head(uint8_t head[HEAD_SIZE], const char *key, const void *data, size_t len)
{
    uint32_t sum = checksum_add(UINT32_MAX, key, strlen(key) + 1);

    sum = ~checksum_add(sum, data, len);
    memcpy(head, MAGIC, MAGIC_SIZE);
    for (int i = 0; i < 4; i++) {
        head[MAGIC_SIZE + i] = (uint8_t)(sum >> (8 * i));
    }
}

/* --- reading --------------------------------------------------------------------- */

/* Reads up to len bytes, and fewer only at the end of the file. Returns -1 with errno after a
 * failure. */
static ssize_t read_all(int fd, void *to, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = read(fd, (uint8_t *)to + got, len - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* Finds the size of the value in an open file. Returns false if the file cannot contain one. */
static bool value_size(int fd, size_t *len)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < HEAD_SIZE ||
        st.st_size > (off_t)HEAD_SIZE + (off_t)PLAT_KV_VALUE_MAX) {
        return false;
    }
    *len = (size_t)st.st_size - HEAD_SIZE;
    return true;
}

static plat_result read_value(file_kv *f, int fd, const char *key, void *buf, size_t cap,
                              size_t *len)
{
    uint8_t head[HEAD_SIZE];
    uint8_t right[HEAD_SIZE];

    if (!value_size(fd, len)) {
        return PLAT_EOF;
    }
    if (*len > cap) {
        (void)fail_argument(f, "the value is larger than the buffer");
        return PLAT_ERR_NO_SPACE;
    }
    const ssize_t got_head = read_all(fd, head, sizeof head);
    const ssize_t got = got_head == HEAD_SIZE ? read_all(fd, buf, *len) : got_head;
    if (got_head < 0 || got < 0) {
        return fail(f, key, "cannot be read", errno);
    }
    if (got_head != HEAD_SIZE || (size_t)got != *len) {
        return PLAT_EOF; /* the file became shorter meanwhile */
    }
    put_head(right, key, buf, *len);
    return memcmp(head, right, sizeof head) == 0 ? PLAT_OK : PLAT_EOF;
}

static plat_result get(plat_kv *kv, const char *key, void *buf, size_t cap, size_t *len)
{
    file_kv *f = self(kv);

    f->detail[0] = '\0';
    if (!key_valid(key)) {
        return fail_argument(f, "not a key of the store");
    }
    const int fd = openat(f->directory, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? PLAT_EOF : fail(f, key, "cannot be opened", errno);
    }
    plat_result r = read_value(f, fd, key, buf, cap, len);
    (void)close(fd);
    return r;
}

/* --- writing --------------------------------------------------------------------- */

static bool write_all(int fd, const void *from, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(fd, (const uint8_t *)from + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* Writes a file and syncs it. Returns false with errno after a failure. */
static bool write_file(int directory, const char *name, const char *key, const void *data,
                       size_t len)
{
    uint8_t head[HEAD_SIZE];

    put_head(head, key, data, len);
    /* A process that was killed may have left such a file, with any mode. */
    (void)unlinkat(directory, name, 0);
    const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool good = write_all(fd, head, sizeof head) && write_all(fd, data, len) && fsync(fd) == 0;
    const int error = errno;
    if (close(fd) != 0 && good) {
        return false;
    }
    errno = error;
    return good;
}

static plat_result put(plat_kv *kv, const char *key, const void *data, size_t len)
{
    file_kv *f = self(kv);
    char name[sizeof NEW_PREFIX + PLAT_KV_KEY_MAX];

    f->detail[0] = '\0';
    if (!key_valid(key) || len > PLAT_KV_VALUE_MAX || (data == NULL && len > 0)) {
        return fail_argument(f, "not a key or value of the store");
    }
    (void)snprintf(name, sizeof name, NEW_PREFIX "%s", key);
    if (!write_file(f->directory, name, key, data, len) ||
        renameat(f->directory, name, f->directory, key) != 0) {
        plat_result r = fail(f, key, "cannot be written", errno);
        (void)unlinkat(f->directory, name, 0);
        return r;
    }
    return fsync(f->directory) == 0 ? PLAT_OK : fail(f, key, "cannot be synced", errno);
}

static plat_result remove_value(plat_kv *kv, const char *key)
{
    file_kv *f = self(kv);

    f->detail[0] = '\0';
    if (!key_valid(key)) {
        return fail_argument(f, "not a key of the store");
    }
    if (unlinkat(f->directory, key, 0) != 0 && errno != ENOENT) {
        return fail(f, key, "cannot be removed", errno);
    }
    return fsync(f->directory) == 0 ? PLAT_OK : fail(f, key, "cannot be synced", errno);
}

static const char *detail_of(const plat_kv *kv)
{
    return ((const file_kv *)(const void *)kv)->detail;
}

static const plat_kv_ops ops = {
    .get = get,
    .put = put,
    .remove = remove_value,
    .detail = detail_of,
};

/* --- opening --------------------------------------------------------------------- */

static plat_result fail_open(char detail[PLAT_KV_DETAIL_SIZE], const char *directory, int error)
{
    (void)snprintf(detail, PLAT_KV_DETAIL_SIZE, "%s: %s", directory, strerror(error));
    return error == ENOMEM ? PLAT_ERR_MEMORY : PLAT_ERR_STORE;
}

/* Syncs the parent, because a new directory must survive a loss of power, too. */
static bool sync_parent(int directory)
{
    const int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0) {
        return false;
    }
    const bool good = fsync(parent) == 0;
    const int error = errno;
    (void)close(parent);
    errno = error;
    return good;
}

/* -1: errno tells why. */
static int open_directory(const char *path)
{
    const bool made = mkdir(path, 0700) == 0;

    if (!made && errno != EEXIST) {
        return -1;
    }
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && made && !sync_parent(fd)) {
        const int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

plat_result plat_file_kv_open(const char *directory, plat_kv **out,
                              char detail[PLAT_KV_DETAIL_SIZE])
{
    *out = NULL;
    detail[0] = '\0';
    if (directory == NULL || directory[0] == '\0') {
        (void)snprintf(detail, PLAT_KV_DETAIL_SIZE, "the directory has no name");
        return PLAT_ERR_ARG;
    }
    const int fd = open_directory(directory);
    if (fd < 0) {
        return fail_open(detail, directory, errno);
    }
    const size_t path_size = strlen(directory) + 1;
    file_kv *f = calloc(1, sizeof *f + path_size);
    if (f == NULL) {
        (void)close(fd);
        return fail_open(detail, directory, ENOMEM);
    }
    f->base.ops = &ops;
    f->directory = fd;
    (void)snprintf(f->path, path_size, "%s", directory);
    *out = &f->base;
    return PLAT_OK;
}

void plat_file_kv_close(plat_kv *kv)
{
    if (kv != NULL) {
        (void)close(self(kv)->directory);
        free(kv);
    }
}
