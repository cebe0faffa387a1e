#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "text.h"

#define MAX_FILE_BYTES (16u * 1024 * 1024)

void hub_store_open(hub_store *s, const char *dir)
{
    s->dir = hub_strdup(dir);
}

void hub_store_close(hub_store *s)
{
    free(s->dir);
    s->dir = NULL;
}

char *hub_store_path(const hub_store *s, const char *name)
{
    return hub_format("%s/%s", s->dir, name);
}

static hub_result failed(hub_fault *fault, const char *path)
{
    return hub_fail(fault, HUB_ERR_STATE, "%s: %s", path, strerror(errno));
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

hub_result hub_store_write(const hub_store *s, const char *name, const void *data, size_t len,
                           hub_fault *fault)
{
    char *path = hub_store_path(s, name);
    char *fresh = hub_format("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, data, len);

    if (fd >= 0 && close(fd) != 0) {
        ok = false;
    }
    ok = ok && rename(fresh, path) == 0;
    hub_result r = ok ? HUB_OK : failed(fault, path);
    if (!ok && fd >= 0) {
        (void)unlink(fresh); /* on a full disk it would take what the next attempt needs */
    }
    free(fresh);
    free(path);
    return r;
}

hub_result hub_store_write_json(const hub_store *s, const char *name, const cJSON *json,
                                hub_fault *fault)
{
    char *text = hub_json_print(json);
    hub_result r = hub_store_write(s, name, text, strlen(text), fault);
    free(text);
    return r;
}

static char *read_all(FILE *file, size_t *len)
{
    hub_text t = { 0 };
    char piece[8192];
    size_t n;

    hub_text_add(&t, "", 0);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0 && t.len < MAX_FILE_BYTES) {
        hub_text_add(&t, piece, n);
    }
    *len = t.len;
    return t.p;
}

hub_result hub_store_read_json(const hub_store *s, const char *name, cJSON **out, hub_fault *fault)
{
    char *path = hub_store_path(s, name);
    FILE *file = fopen(path, "re");
    hub_result r;

    *out = NULL;
    if (file == NULL) {
        hub_result why = errno == ENOENT ? HUB_ERR_NO_RESOURCE : HUB_ERR_STATE;
        (void)failed(fault, path);
        r = why;
    } else {
        size_t len;
        char *text = read_all(file, &len);
        (void)fclose(file);
        *out = hub_json_read(text, len);
        free(text);
        r = *out != NULL ? HUB_OK
                         : hub_fail(fault, HUB_ERR_STATE, "%s: not a file of hub_emulator", path);
    }
    free(path);
    return r;
}

void hub_store_remove(const hub_store *s, const char *name)
{
    char *path = hub_store_path(s, name);
    (void)unlink(path);
    free(path);
}

static bool wanted(const char *name, const char *prefix)
{
    const char *end = strrchr(name, '.');
    return strncmp(name, prefix, strlen(prefix)) == 0 && end != NULL && strcmp(end, ".json") == 0;
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
        if (r == HUB_OK && wanted(entries[i]->d_name, prefix)) {
            r = visit(user, entries[i]->d_name, fault);
        }
        free(entries[i]);
    }
    free(entries);
    return r;
}
