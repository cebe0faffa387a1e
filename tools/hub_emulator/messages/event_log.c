#include "messages/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/text.h"
#include "state/seal.h"

#define CURRENT "events.ndjson"
#define OLD     "events.old.ndjson"
/* The longest line: an event of 256 KB with each byte written as \u00xx, and its properties. */
#define LINE_MAX_ (8u * 1024 * 1024)

static hub_result failed(hub_fault *fault, const char *path)
{
    return hub_fail(fault, HUB_ERR_STATE, "%s: %s", path, strerror(errno));
}

/* --- reading ----------------------------------------------------------- */

/* Reads the lines of one file. Lines that are longer than any event are skipped. */
typedef struct reader {
    hub_event_log_visit visit;
    void *user;
    hub_text line;
    bool too_long;
    size_t damaged;
    off_t whole; /* number of bytes up to the last line end */
    off_t read;
} reader;

static void end_line(reader *r)
{
    hub_text_add(&r->line, "", 0);
    size_t len = r->line.len;
    if (r->too_long || !hub_unseal(r->line.p, &len) || !r->visit(r->user, r->line.p, len)) {
        r->damaged++;
    }
    hub_text_cut(&r->line, 0);
    r->too_long = false;
}

static void take_piece(reader *r, const char *piece, size_t len)
{
    const char *end = memchr(piece, '\n', len);

    while (end != NULL) {
        size_t line_len = (size_t)(end - piece);
        hub_text_add(&r->line, piece, line_len);
        r->read += (off_t)line_len + 1;
        r->whole = r->read;
        end_line(r);
        piece += line_len + 1;
        len -= line_len + 1;
        end = memchr(piece, '\n', len);
    }
    r->too_long = r->too_long || r->line.len + len > LINE_MAX_;
    if (r->too_long) {
        hub_text_cut(&r->line, 0);
    } else {
        hub_text_add(&r->line, piece, len);
    }
    r->read += (off_t)len;
}

/* Removes an incomplete last line, as it is left by a kill or a full disk. It was never
 * acknowledged, and the next line must not be appended to it. */
static void cut_tail(const hub_store *store, const char *name, const char *path, const reader *r)
{
    if (r->read > r->whole && truncate(path, r->whole) == 0) {
        hub_store_report(store, "%s: the last line is incomplete; %lld bytes were cut off", name,
                         (long long)(r->read - r->whole));
    }
}

static hub_result read_lines(hub_event_log *l, const char *name, const char *path, reader *r,
                             hub_fault *fault)
{
    char piece[65536];
    size_t n;
    struct stat info;
    FILE *file = fopen(path, "re");

    r->damaged = 0;
    r->whole = r->read = 0;
    if (file == NULL) {
        return errno == ENOENT ? HUB_OK : failed(fault, path);
    }
    if (fstat(fileno(file), &info) == 0 && !S_ISREG(info.st_mode)) {
        (void)fclose(file);
        hub_store_set_aside(l->store, name, "is not a file");
        return HUB_OK;
    }
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        take_piece(r, piece, n);
    }
    (void)fclose(file);
    hub_text_cut(&r->line, 0);
    r->too_long = false;
    if (r->damaged > 0) {
        hub_store_report(l->store, "%s: %zu damaged lines were skipped", name, r->damaged);
    }
    cut_tail(l->store, name, path, r);
    return HUB_OK;
}

/* --- writing ----------------------------------------------------------- */

static int open_current(const hub_event_log *l, size_t *bytes)
{
    int fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;

    if (end < 0 && fd >= 0) {
        (void)close(fd);
        return -1;
    }
    *bytes = (size_t)end;
    return fd;
}

/* Starts a new file. A failure does no harm, since the present file then just grows longer. */
static void turn(hub_event_log *l)
{
    size_t bytes;

    /* The file is missing if it was renamed before and the new one could not be opened. */
    if (rename(l->path, l->old_path) != 0 && errno != ENOENT) {
        return;
    }
    int fd = open_current(l, &bytes);
    if (fd >= 0) {
        (void)close(l->fd);
        l->fd = fd;
        l->bytes = bytes;
    }
}

hub_result hub_event_log_open(hub_event_log *l, const hub_store *store, hub_event_log_visit visit,
                              void *user, hub_fault *fault)
{
    reader r = { .visit = visit, .user = user };

    *l = (hub_event_log){
        .store = store,
        .path = hub_store_path(store, CURRENT),
        .old_path = hub_store_path(store, OLD),
        .fd = -1,
    };
    hub_result result = read_lines(l, OLD, l->old_path, &r, fault);
    if (result == HUB_OK) {
        result = read_lines(l, CURRENT, l->path, &r, fault);
    }
    hub_text_free(&r.line);
    if (result != HUB_OK) {
        return result;
    }
    l->fd = open_current(l, &l->bytes);
    if (l->fd < 0) {
        return failed(fault, l->path);
    }
    l->torn = (off_t)l->bytes > r.whole;
    l->bytes = (size_t)r.whole;
    return HUB_OK;
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

/* Removes the partial line of a failed write. If that fails, too, the next event starts on a new
 * line, and readers skip the partial one. */
static void take_back(hub_event_log *l)
{
    l->torn = ftruncate(l->fd, (off_t)l->bytes) != 0;
}

static size_t end_of(const hub_event_log *l)
{
    off_t end = lseek(l->fd, 0, SEEK_END);
    return end > (off_t)l->bytes ? (size_t)end : l->bytes;
}

hub_result hub_event_log_append(hub_event_log *l, hub_text *line, hub_fault *fault)
{
    if (l->fd < 0) {
        return hub_fail(fault, HUB_ERR_STATE, "%s: is not open", l->path);
    }
    hub_seal(line);
    hub_text_add(line, "\n", 1);
    if (l->bytes > 0 && l->bytes + line->len > HUB_EVENT_LOG_BYTES_MAX) {
        turn(l);
    }
    if (l->torn) {
        take_back(l);
    }
    char separator[] = "\n";
    const struct iovec parts[] = { { separator, l->torn ? 1 : 0 }, { line->p, line->len } };
    const size_t all = parts[0].iov_len + line->len;
    ssize_t n = writev(l->fd, parts, 2);
    if (n == (ssize_t)all) {
        l->bytes = l->torn ? end_of(l) : l->bytes + all;
        l->torn = false;
        return HUB_OK;
    }
    errno = n < 0 ? errno : ENOSPC;
    hub_result r = failed(fault, l->path);
    take_back(l);
    return r;
}
