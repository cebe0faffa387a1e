#include "event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static hub_result failed(hub_fault *fault, const char *path)
{
    return hub_fail(fault, HUB_ERR_STATE, "%s: %s", path, strerror(errno));
}

/* The last line may be cut off, by a kill or a full disk: it was never acknowledged, and the next
 * one must not stand behind it. */
static void read_lines(const char *path, hub_event_log_visit visit, void *user)
{
    off_t whole = 0;
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    if (file == NULL) {
        return; /* no earlier run */
    }
    while ((len = getline(&line, &cap, file)) > 0 && line[len - 1] == '\n') {
        line[len - 1] = '\0';
        visit(user, line);
        whole += len;
    }
    free(line);
    (void)fclose(file);
    if (len > 0) {
        (void)!truncate(path, whole);
    }
}

static hub_result open_current(hub_event_log *l, hub_fault *fault)
{
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    off_t end = l->fd >= 0 ? lseek(l->fd, 0, SEEK_END) : -1;

    if (end < 0) {
        return failed(fault, l->path);
    }
    l->bytes = (size_t)end;
    return HUB_OK;
}

static hub_result turn(hub_event_log *l, hub_fault *fault)
{
    (void)close(l->fd);
    l->fd = -1;
    if (rename(l->path, l->old_path) != 0) {
        return failed(fault, l->path);
    }
    return open_current(l, fault);
}

hub_result hub_event_log_open(hub_event_log *l, const hub_store *store, hub_event_log_visit visit,
                              void *user, hub_fault *fault)
{
    *l = (hub_event_log){
        .path = hub_store_path(store, "events.ndjson"),
        .old_path = hub_store_path(store, "events.old.ndjson"),
        .fd = -1,
    };
    read_lines(l->old_path, visit, user);
    read_lines(l->path, visit, user);
    return open_current(l, fault);
}

void hub_event_log_close(hub_event_log *l)
{
    if (l->fd >= 0) {
        (void)close(l->fd);
    }
    free(l->path);
    free(l->old_path);
    *l = (hub_event_log){ .fd = -1 };
}

hub_result hub_event_log_append(hub_event_log *l, const char *line, hub_fault *fault)
{
    size_t len = strlen(line) + 1;
    union { /* writev only reads, but says otherwise */
        const char *text;
        void *bytes;
    } source = { line };
    char end[] = "\n";
    struct iovec parts[] = { { source.bytes, len - 1 }, { end, 1 } };

    if (l->fd < 0) {
        return hub_fail(fault, HUB_ERR_STATE, "%s: not open", l->path);
    }
    if (l->bytes > 0 && l->bytes + len > HUB_EVENT_LOG_BYTES_MAX) {
        hub_result r = turn(l, fault);
        if (r != HUB_OK) {
            return r;
        }
    }
    ssize_t n = writev(l->fd, parts, 2);
    if (n == (ssize_t)len) {
        l->bytes += len;
        return HUB_OK;
    }
    errno = n < 0 ? errno : ENOSPC;
    hub_result r = failed(fault, l->path);
    if (ftruncate(l->fd, (off_t)l->bytes) != 0) { /* what follows would stand behind half a line */
        (void)close(l->fd);
        l->fd = -1;
    }
    return r;
}
