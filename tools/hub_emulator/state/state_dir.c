#include "state/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "state/store.h"

/* Several attempts, because the broker of a killed emulator needs a moment to end. */
#define LOCK_TRIES    40
#define LOCK_PAUSE_NS 50000000

static hub_result failed(hub_fault *fault, const char *path)
{
    return hub_fail(fault, HUB_ERR_STATE, "%.200s: %s", path, strerror(errno));
}

static char *private_path(void)
{
    const char *tmp = getenv("TMPDIR");
    char *path = hub_format("%s/hub_emulator.XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : P_tmpdir);

    if (mkdtemp(path) == NULL) {
        free(path);
        return NULL;
    }
    return path;
}

/* Accepts a state directory or an empty one. An interrupted first start may leave a part of
 * hub.json. */
static hub_result check_content(const char *path, hub_fault *fault)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool ours = false;
    bool empty = true;

    if (dir == NULL) {
        return failed(fault, path);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        empty = empty && strcmp(entry->d_name, "lock") == 0;
        ours = ours || hub_store_marks(entry->d_name);
    }
    (void)closedir(dir);
    if (!ours && !empty) {
        return hub_fail(fault, HUB_ERR_STATE,
                        "%.180s: not empty and not a state directory of hub_emulator", path);
    }
    return access(path, R_OK | W_OK | X_OK) == 0 ? HUB_OK : failed(fault, path);
}

static hub_result make_or_check(const char *path, hub_fault *fault)
{
    if (strpbrk(path, "\n\r") != NULL) {
        return hub_fail(fault, HUB_ERR_STATE, "a state directory with a line end in its name");
    }
    if (mkdir(path, 0700) == 0) {
        return HUB_OK;
    }
    return errno == EEXIST ? check_content(path, fault) : failed(fault, path);
}

static int open_lock(const hub_state_dir *s)
{
    char *file = hub_format("%s/lock", s->path);
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    int why = errno;

    free(file);
    errno = why;
    return fd;
}

/* The broker inherits the descriptor, so the lock ends when both processes have ended. */
static hub_result lock(hub_state_dir *s, hub_fault *fault)
{
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

    s->lock_fd = open_lock(s);
    if (s->lock_fd < 0 && errno == EISDIR) {
        hub_store store;
        hub_store_open(&store, s->path, NULL, NULL);
        hub_store_set_aside(&store, "lock", "is a directory");
        hub_store_close(&store);
        s->lock_fd = open_lock(s);
    }
    if (s->lock_fd < 0) {
        return failed(fault, s->path);
    }
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0) {
            return HUB_OK;
        }
        (void)nanosleep(&pause, NULL);
    }
    return hub_fail(fault, HUB_ERR_STATE, "%.180s: in use by another hub_emulator", s->path);
}

hub_result hub_state_dir_open(hub_state_dir *s, const char *wanted, hub_fault *fault)
{
    char *made = NULL;

    *s = (hub_state_dir){ .private_dir = wanted == NULL, .lock_fd = -1 };
    if (wanted == NULL) {
        made = private_path();
        if (made == NULL) {
            return failed(fault, "a temporary directory");
        }
        wanted = made;
    }
    hub_result r = made != NULL ? HUB_OK : make_or_check(wanted, fault);
    if (r == HUB_OK) {
        s->path = realpath(wanted, NULL);
        r = s->path != NULL ? lock(s, fault) : failed(fault, wanted);
    }
    free(made);
    if (r != HUB_OK) {
        hub_state_dir_close(s);
    }
    return r;
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)rmdir(path);
}

void hub_state_dir_close(hub_state_dir *s)
{
    if (s->private_dir && s->path != NULL) {
        remove_all(s->path);
    }
    if (s->lock_fd >= 0) {
        (void)close(s->lock_fd);
    }
    free(s->path);
    *s = (hub_state_dir){ .lock_fd = -1 };
}
