#include "small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include "store_fixture.h"

/* True for the root user of the machine; false for the root user of a user namespace. */
static bool may_use_loop;

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static bool enter_user_namespace(void)
{
    char map[64];
    unsigned uid = (unsigned)geteuid();
    unsigned gid = (unsigned)getegid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    (void)write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    bool ok = write_text("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    return ok && write_text("/proc/self/gid_map", map);
}

bool small_disk_prepare(void)
{
    may_use_loop = geteuid() == 0 && unshare(CLONE_NEWNS) == 0;
    if (!may_use_loop && !enter_user_namespace()) {
        print_message("skipped: this process may not mount (%s)\n", strerror(errno));
        return false;
    }
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        print_message("skipped: its mounts cannot be kept private (%s)\n", strerror(errno));
        return false;
    }
    return true;
}

static bool mount_ext4(unsigned megabytes, const char *dir)
{
    char image[64];
    char command[512];

    /* Uses /dev/shm if it exists, so that a sync does not have to wait for a real disk. */
    snprintf(image, sizeof image, "%s/test_small_disk.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    int fd = mkstemp(image);

    assert_true(fd >= 0 && ftruncate(fd, (off_t)megabytes << 20) == 0);
    (void)close(fd);
    snprintf(command, sizeof command,
             "PATH=$PATH:/sbin:/usr/sbin; mke2fs -q -t ext4 -m 0 -F %s >/dev/null 2>&1 && "
             "mount -o loop %s %s 2>/dev/null",
             image, image, dir);
    bool ok = may_use_loop && system(command) == 0;
    (void)unlink(image); /* the loop device keeps the file open */
    return ok;
}

bool small_disk_mount(enum small_disk_kind kind, unsigned megabytes, const char *dir)
{
    char options[64];

    snprintf(options, sizeof options, "size=%um", megabytes);
    bool ok = kind == SMALL_DISK_TMPFS ? mount("none", dir, "tmpfs", 0, options) == 0
                                       : mount_ext4(megabytes, dir);
    if (!ok) {
        print_message("skipped: no %s of %u MB can be mounted here\n",
                      kind == SMALL_DISK_TMPFS ? "tmpfs" : "ext4 image", megabytes);
    }
    return ok;
}

void small_disk_unmount(const char *dir)
{
    assert_int_equal(umount2(dir, MNT_DETACH), 0);
}

bool small_disk_read_only(const char *dir, bool read_only)
{
    return mount(NULL, dir, NULL, MS_REMOUNT | (read_only ? MS_RDONLY : 0), NULL) == 0;
}

static void stranger(const char *dir, char path[128])
{
    snprintf(path, 128, "%s/stranger", dir);
}

/* Fills every byte, since a small write may still fit where a large one does not. */
void small_disk_fill(const char *dir)
{
    static const uint8_t bytes[65536] = { 1 };
    char path[128];
    stranger(dir, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    for (size_t len = sizeof bytes; len > 0;) {
        ssize_t n = write(fd, bytes, len);
        assert_true(n > 0 || errno == ENOSPC);
        len = n < 0 ? len / 2 : len;
    }
    (void)fsync(fd);
    (void)close(fd);
}

void small_disk_free(const char *dir)
{
    char path[128];
    stranger(dir, path);
    assert_true(unlink(path) == 0 || errno == ENOENT);
    /* The sync is needed because ext4 reuses freed blocks only after it has written its journal. */
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0 && syncfs(fd) == 0);
    (void)close(fd);
}

uint64_t small_disk_left(const char *dir)
{
    struct statvfs st;

    assert_int_equal(statvfs(dir, &st), 0);
    return (uint64_t)st.f_bavail * st.f_frsize;
}
