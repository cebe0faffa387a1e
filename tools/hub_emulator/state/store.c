#include "state/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "state/seal.h"

#define MAX_FILE_BYTES (16u * 1024 * 1024)
#define MAX_ASIDE      1000
#define FRESH          ".new"

void hub_store_open(hub_store *s, const char *dir, hub_notice notice, void *user)
{
    *s = (hub_store){ .dir = hub_strdup(dir), .notice = notice, .user = user };
}

void hub_store_close(hub_store *s)
{
    free(s->dir);
    *s = (hub_store){ 0 };
}

char *hub_store_path(const hub_store *s, const char *name)
{
    return hub_format("%s/%s", s->dir, name);
}

static hub_result failed(hub_fault *fault, const char *path)
{
    hub_result code = errno == ENOENT ? HUB_ERR_NO_RESOURCE : HUB_ERR_STATE;
    return hub_fail(fault, code, "%s: %s", path, strerror(errno));
}

void hub_store_report(const hub_store *s, const char *format, ...)
{
    hub_fault line; /* only for hub_fail, which replaces special characters in the text */
    char text[sizeof line.text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)hub_fail(&line, HUB_ERR_STATE, "%s", text);
    if (s->notice != NULL) {
        s->notice(s->user, line.text);
    }
}

/* The name of the file is reported to people only, since the text of the fault may be sent to a
 * client of the hub. */
static hub_result not_written(const hub_store *s, const char *name, const char *what,
                              hub_fault *fault)
{
    const char *why = strerror(errno);

    hub_store_report(s, "%s: cannot be %s: %s", name, what, why);
    return hub_fail(fault, HUB_ERR_STATE, "the state directory cannot be written: %s", why);
}

/* --- setting aside ----------------------------------------------------- */

static char *aside_path(const hub_store *s, const char *name, int n)
{
    return n == 1 ? hub_format("%s/%s.bad", s->dir, name)
                  : hub_format("%s/%s.bad%d", s->dir, name, n);
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

bool hub_store_has_aside(const hub_store *s, const char *name)
{
    char *path = aside_path(s, name, 1);
    bool there = exists(path);

    free(path);
    return there;
}

static char *free_aside_path(const hub_store *s, const char *name)
{
    for (int n = 1;; n++) {
        char *path = aside_path(s, name, n);
        if (n == MAX_ASIDE || !exists(path)) {
            return path;
        }
        free(path);
    }
}

void hub_store_set_aside(const hub_store *s, const char *name, const char *why)
{
    char *from = hub_store_path(s, name);
    char *to = free_aside_path(s, name);

    if (rename(from, to) == 0) {
        hub_store_report(s, "%s: %s; set aside as %s", name, why, strrchr(to, '/') + 1);
    } else {
        hub_store_report(s, "%s: %s; cannot be renamed: %s", name, why, strerror(errno));
    }
    free(from);
    free(to);
}

/* --- writing ----------------------------------------------------------- */

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_fresh(const char *fresh, const void *data, size_t len)
{
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, data, len);
    int why = errno;
    if (close(fd) != 0 && ok) {
        return false;
    }
    errno = why;
    return ok;
}

/* Renames a directory that has the name of one of our files. */
static bool moved_away(const hub_store *s, const char *name)
{
    if (errno != EISDIR && errno != ENOTEMPTY) {
        return false;
    }
    hub_store_set_aside(s, name, "is a directory");
    return true;
}

hub_result hub_store_write(const hub_store *s, const char *name, const void *data, size_t len,
                           hub_fault *fault)
{
    char *path = hub_store_path(s, name);
    char *fresh_name = hub_format("%s" FRESH, name);
    char *fresh = hub_store_path(s, fresh_name);
    bool ok = write_fresh(fresh, data, len) ||
              (moved_away(s, fresh_name) && write_fresh(fresh, data, len));

    ok = ok && (rename(fresh, path) == 0 || (moved_away(s, name) && rename(fresh, path) == 0));
    hub_result r = ok ? HUB_OK : not_written(s, name, "written", fault);
    if (!ok) {
        (void)unlink(
            /* Removed, since it would take space that the next attempt needs on a full disk. */
            fresh);
    }
    free(fresh);
    free(fresh_name);
    free(path);
    return r;
}

hub_result hub_store_write_json(const hub_store *s, const char *name, const cJSON *json,
                                hub_fault *fault)
{
    hub_text text = { 0 };

    hub_json_put(&text, json);
    hub_seal(&text);
    hub_result r = hub_store_write(s, name, text.p, text.len, fault);
    hub_text_free(&text);
    return r;
}

/* --- reading ----------------------------------------------------------- */

/* Reads at most one byte more than allowed. */
static char *read_all(FILE *file, size_t *len)
{
    hub_text t = { 0 };
    char piece[8192];
    size_t n;

    hub_text_add(&t, "", 0);
    while (t.len <= MAX_FILE_BYTES && (n = fread(piece, 1, sizeof piece, file)) > 0) {
        hub_text_add(&t, piece, n);
    }
    *len = t.len;
    return t.p;
}

static hub_result read_file(const char *path, char **text, size_t *len, hub_fault *fault)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return failed(fault, path);
    }
    *text = read_all(file, len);
    bool broken = ferror(file) != 0;
    int why = errno;
    (void)fclose(file);
    if (!broken) {
        return HUB_OK;
    }
    free(*text);
    *text = NULL;
    if (why == EISDIR) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "is a directory");
    }
    errno = why;
    return failed(fault, path);
}

hub_result hub_store_read_json(const hub_store *s, const char *name, cJSON **out, hub_fault *fault)
{
    char *path = hub_store_path(s, name);
    char *text = NULL;
    size_t len = 0;

    *out = NULL;
    hub_result r = read_file(path, &text, &len, fault);
    free(path);
    if (r != HUB_OK) {
        return r;
    }
    if (len > MAX_FILE_BYTES) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "is larger than any file of hub_emulator");
    } else if (!hub_unseal(text, &len)) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "does not fit its checksum");
    } else {
        *out = hub_json_read(text, len);
        r = cJSON_IsObject(*out) ? HUB_OK
                                 : hub_fail(fault, HUB_ERR_ARGUMENT, "is not a JSON object");
    }
    free(text);
    if (r != HUB_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return r;
}

hub_result hub_store_remove(const hub_store *s, const char *name, hub_fault *fault)
{
    char *path = hub_store_path(s, name);
    hub_result r =
        unlink(path) == 0 || errno == ENOENT ? HUB_OK : not_written(s, name, "removed", fault);

    free(path);
    return r;
}

/* --- the directory ----------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool starts_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

bool hub_store_marks(const char *name)
{
    return starts_with(name, "hub.json") || starts_with(name, "identity-");
}

void hub_store_tidy(const hub_store *s)
{
    DIR *dir = opendir(s->dir);
    const struct dirent *entry;

    if (dir == NULL) {
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".json" FRESH) || ends_with(entry->d_name, ".key" FRESH) ||
            ends_with(entry->d_name, ".crt" FRESH) || strcmp(entry->d_name, "env" FRESH) == 0) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    (void)closedir(dir);
}

hub_result hub_store_each(const hub_store *s, const char *prefix, hub_store_visit visit, void *user,
                          hub_fault *fault)
{
    struct dirent **entries = NULL;
    int count = scandir(s->dir, &entries, NULL, alphasort);
    hub_result r = HUB_OK;

    if (count < 0) {
        return failed(fault, s->dir);
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (r == HUB_OK && starts_with(name, prefix)) {
            r = visit(user, name, fault);
        }
        free(entries[i]);
    }
    free(entries);
    return r;
}
