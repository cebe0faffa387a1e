#include "blobs/blob_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "messages/bag.h"

#define BLOB             "blob-"
#define BLOCK            "block-"
#define BLOCKS           "blocks-"
#define PART             "upload-part-" /* a file that is being written */
#define NAME_MAX_ENCODED 200
#define HASH_HEX         32 /* digits of a hash in the name of a file */

/* --- names ------------------------------------------------------------- */

static void add_hex(hub_text *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hub_text_printf(out, "%02x", bytes[i]);
    }
}

static void add_hash(hub_text *out, const char *blob)
{
    uint8_t hash[HUB_SHA256_SIZE];

    hub_hmac_sha256(BLOB, sizeof BLOB - 1, blob, strlen(blob), hash);
    add_hex(out, hash, HASH_HEX / 2);
}

static char *blob_file(const char *blob)
{
    hub_text name = { 0 };

    hub_text_str(&name, BLOB);
    hub_percent_encode(blob, &name);
    if (name.len > NAME_MAX_ENCODED) {
        hub_text_cut(&name, sizeof BLOB - 1);
        add_hash(&name, blob);
    }
    return name.p;
}

/* The names of all blocks of a blob start with this. */
static char *block_prefix(const char *blob)
{
    hub_text name = { 0 };

    hub_text_str(&name, BLOCK);
    add_hash(&name, blob);
    hub_text_str(&name, "-");
    return name.p;
}

static char *block_file(const char *blob, const hub_block_id *id)
{
    char *prefix = block_prefix(blob);
    hub_text name = { 0 };

    hub_text_str(&name, prefix);
    add_hex(&name, id->bytes, id->len);
    free(prefix);
    return name.p;
}

static char *list_file(const char *blob)
{
    hub_text name = { 0 };

    hub_text_str(&name, BLOCKS);
    add_hash(&name, blob);
    hub_text_str(&name, ".json");
    return name.p;
}

static void remove_file(const hub_store *store, const char *name)
{
    char *path = hub_store_path(store, name);

    (void)unlink(path);
    free(path);
}

static hub_result remove_visited(void *user, const char *name, hub_fault *fault)
{
    (void)fault;
    remove_file(user, name);
    return HUB_OK;
}

static void remove_each(const hub_store *store, const char *prefix)
{
    hub_store own = *store;
    hub_fault fault;

    (void)hub_store_each(store, prefix, remove_visited, &own, &fault);
}

void hub_blob_files_tidy(const hub_store *store)
{
    remove_each(store, BLOCK);
    remove_each(store, PART);
}

void hub_blob_drop_blocks(const hub_store *store, const char *blob)
{
    char *prefix = block_prefix(blob);

    remove_each(store, prefix);
    free(prefix);
}

/* --- writing ----------------------------------------------------------- */

static hub_result disk_failed(const hub_store *store, const char *name, hub_fault *fault)
{
    hub_store_report(store, "%s: %s", name, strerror(errno));
    return hub_fail(fault, HUB_ERR_STATE, "the blob cannot be written");
}

void hub_blob_writer_init(hub_blob_writer *w)
{
    *w = (hub_blob_writer){ .fd = -1 };
}

hub_result hub_blob_writer_open(hub_blob_writer *w, const hub_store *store, hub_fault *fault)
{
    static uint64_t last_number;

    *w = (hub_blob_writer){ .store = store, .fd = -1 };
    w->name = hub_format(PART "%" PRIu64, ++last_number);
    char *path = hub_store_path(store, w->name);
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    free(path);
    if (w->fd < 0) {
        const hub_result r = disk_failed(store, w->name, fault);
        hub_blob_writer_cancel(w);
        return r;
    }
    return HUB_OK;
}

void hub_blob_writer_add(hub_blob_writer *w, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0 && !w->failed) {
        ssize_t n = write(w->fd, at, len);
        if (n < 0 && errno != EINTR) {
            hub_store_report(w->store, "%s: %s", w->name, strerror(errno));
            w->failed = true;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        w->len += n > 0 ? (uint64_t)n : 0;
    }
}

void hub_blob_writer_cancel(hub_blob_writer *w)
{
    if (w->fd >= 0) {
        (void)close(w->fd);
        remove_file(w->store, w->name);
    }
    w->fd = -1;
    free(w->name);
    w->name = NULL;
}

/* Renames the file; a failure drops it. */
static hub_result end_writer(hub_blob_writer *w, const char *name, hub_fault *fault)
{
    char *from = hub_store_path(w->store, w->name);
    char *to = hub_store_path(w->store, name);
    hub_result r = HUB_OK;

    if (w->failed) {
        r = hub_fail(fault, HUB_ERR_STATE, "the blob cannot be written");
    } else if (rename(from, to) != 0) {
        r = disk_failed(w->store, name, fault);
    } else {
        (void)close(w->fd);
        w->fd = -1;
    }
    hub_blob_writer_cancel(w);
    free(from);
    free(to);
    return r;
}

hub_result hub_blob_writer_end_block(hub_blob_writer *w, const char *blob, const hub_block_id *id,
                                     hub_fault *fault)
{
    char *name = block_file(blob, id);
    hub_result r = end_writer(w, name, fault);

    free(name);
    return r;
}

hub_result hub_blob_writer_end_blob(hub_blob_writer *w, const char *blob, hub_fault *fault)
{
    char *name = blob_file(blob);
    char *list = list_file(blob);

    hub_result r = end_writer(w, name, fault);
    if (r == HUB_OK) {
        remove_file(w->store, list);
        hub_blob_drop_blocks(w->store, blob);
    }
    free(name);
    free(list);
    return r;
}

/* Each change makes a new file. */
static hub_blob_info info_of(const struct stat *file)
{
    const uint64_t seconds = (uint64_t)file->st_mtim.tv_sec;
    const uint64_t ns = (uint64_t)file->st_mtim.tv_nsec;

    return (hub_blob_info){
        .size = (uint64_t)file->st_size,
        .changed_ms = (int64_t)(seconds * 1000 + ns / 1000000),
        .version = seconds * 1000000000 + ns + (uint64_t)file->st_ino,
    };
}

int hub_blob_open(const hub_store *store, const char *blob, hub_blob_info *info)
{
    char *name = blob_file(blob);
    char *path = hub_store_path(store, name);
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &file) == 0) {
        *info = info_of(&file);
    }
    free(name);
    free(path);
    return fd;
}

bool hub_blob_look(const hub_store *store, const char *blob, hub_blob_info *info)
{
    char *name = blob_file(blob);
    char *path = hub_store_path(store, name);
    struct stat file;
    const bool found = stat(path, &file) == 0;

    if (found) {
        *info = info_of(&file);
    }
    free(name);
    free(path);
    return found;
}

/* --- a blob of blocks -------------------------------------------------- */

/* Copies bytes of a file to the end of the writer. Returns false if the file is too short. */
static bool copy(hub_blob_writer *w, int from, off_t offset, uint64_t len)
{
    while (len > 0 && !w->failed) {
        ssize_t n = sendfile(w->fd, from, &offset, len < (1u << 30) ? (size_t)len : 1u << 30);
        if (n == 0) {
            return false;
        }
        if (n < 0 && errno != EINTR) {
            hub_store_report(w->store, "%s: %s", w->name, strerror(errno));
            w->failed = true;
        }
        len -= n > 0 ? (uint64_t)n : 0;
        w->len += n > 0 ? (uint64_t)n : 0;
    }
    return true;
}

/* What the blob was made of: [{"id":"hex","size":n},..]; NULL: not of blocks. */
static cJSON *read_committed(const hub_store *store, const char *blob)
{
    char *name = list_file(blob);
    cJSON *json = NULL;
    hub_fault fault;

    if (hub_store_read_json(store, name, &json, &fault) != HUB_OK) {
        json = NULL;
    }
    free(name);
    return json;
}

static const cJSON *committed_blocks(const cJSON *list)
{
    return cJSON_GetObjectItemCaseSensitive(list, "blocks");
}

static uint64_t size_of(const cJSON *block)
{
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(block, "size");
    return cJSON_IsNumber(size) && size->valuedouble >= 0 ? (uint64_t)size->valuedouble : 0;
}

static const char *id_of(const cJSON *block)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(block, "id"));
    return id != NULL ? id : "";
}

/* One run of making a blob. */
typedef struct making {
    const hub_store *store;
    const char *blob;
    hub_blob_writer writer;
    int old; /* file of the blob as it was before; -1: there was none */
    cJSON *committed;
    cJSON *made; /* the new list */
} making;

static void note_block(making *m, const hub_block_id *id, uint64_t size)
{
    cJSON *block = cJSON_CreateObject();
    hub_text hex = { 0 };

    add_hex(&hex, id->bytes, id->len);
    hub_json_add_text(block, "id", hex.p);
    (void)cJSON_AddNumberToObject(block, "size", (double)size);
    (void)cJSON_AddItemToArray(m->made, block);
    hub_text_free(&hex);
}

static bool add_uncommitted(making *m, const hub_block_id *id)
{
    char *name = block_file(m->blob, id);
    char *path = hub_store_path(m->store, name);
    struct stat info = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    free(name);
    free(path);
    if (fd < 0) {
        return false;
    }
    bool ok = fstat(fd, &info) == 0 && copy(&m->writer, fd, 0, (uint64_t)info.st_size);
    (void)close(fd);
    note_block(m, id, (uint64_t)info.st_size);
    return ok;
}

static bool add_committed(making *m, const hub_block_id *id)
{
    hub_text hex = { 0 };
    const cJSON *block;
    off_t offset = 0;
    bool ok = false;

    add_hex(&hex, id->bytes, id->len);
    cJSON_ArrayForEach(block, committed_blocks(m->committed))
    {
        if (strcmp(id_of(block), hex.p) == 0) {
            ok = m->old >= 0 && copy(&m->writer, m->old, offset, size_of(block));
            note_block(m, id, size_of(block));
            break;
        }
        offset += (off_t)size_of(block);
    }
    hub_text_free(&hex);
    return ok;
}

static bool add_block(making *m, const hub_block_item *item)
{
    switch (item->source) {
    case HUB_BLOCK_LATEST: return add_uncommitted(m, &item->id) || add_committed(m, &item->id);
    case HUB_BLOCK_COMMITTED: return add_committed(m, &item->id);
    case HUB_BLOCK_UNCOMMITTED: return add_uncommitted(m, &item->id);
    }
    return false;
}

static hub_result add_all(making *m, const hub_block_list *list, hub_fault *fault)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!add_block(m, &list->items[i])) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "block %zu of the list is missing", i + 1);
        }
    }
    return HUB_OK;
}

/* The list is written last: without it, the blocks of the blob cannot be used again, but nothing is
 * wrong. */
static hub_result finish(making *m, hub_fault *fault)
{
    hub_result r = hub_blob_writer_end_blob(&m->writer, m->blob, fault);

    if (r != HUB_OK) {
        return r;
    }
    char *name = list_file(m->blob);
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(json, "blocks", m->made);
    m->made = NULL;
    (void)hub_store_write_json(m->store, name, json, fault);
    cJSON_Delete(json);
    free(name);
    return HUB_OK;
}

hub_result hub_blob_make(const hub_store *store, const char *blob, const hub_block_list *list,
                         hub_fault *fault)
{
    making m = { .store = store, .blob = blob };
    hub_blob_info info;

    hub_result r = hub_blob_writer_open(&m.writer, store, fault);
    if (r != HUB_OK) {
        return r;
    }
    m.old = hub_blob_open(store, blob, &info);
    m.committed = read_committed(store, blob);
    m.made = cJSON_CreateArray();
    r = add_all(&m, list, fault);
    r = r == HUB_OK ? finish(&m, fault) : r;
    hub_blob_writer_cancel(&m.writer);
    if (m.old >= 0) {
        (void)close(m.old);
    }
    cJSON_Delete(m.committed);
    cJSON_Delete(m.made);
    return r;
}

/* --- lists ------------------------------------------------------------- */

static void add_xml(hub_text *out, const char *hex, uint64_t size)
{
    uint8_t id[HUB_BLOCK_ID_MAX];
    size_t len = 0;

    while (len < sizeof id && isxdigit((unsigned char)hex[2 * len]) != 0 &&
           isxdigit((unsigned char)hex[2 * len + 1]) != 0) {
        const char digits[] = { hex[2 * len], hex[2 * len + 1], '\0' };
        id[len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    char *base64 = hub_base64_encode(id, len);
    hub_text_printf(out, "<Block><Name>%s</Name><Size>%" PRIu64 "</Size></Block>", base64, size);
    free(base64);
}

typedef struct listing {
    const hub_store *store;
    size_t prefix_len;
    hub_text *out;
} listing;

static hub_result list_visited(void *user, const char *name, hub_fault *fault)
{
    const listing *l = user;
    char *path = hub_store_path(l->store, name);
    struct stat info;

    (void)fault;
    if (stat(path, &info) == 0) {
        add_xml(l->out, name + l->prefix_len, (uint64_t)info.st_size);
    }
    free(path);
    return HUB_OK;
}

static void list_committed(const hub_store *store, const char *blob, hub_text *out)
{
    cJSON *committed = read_committed(store, blob);
    const cJSON *block;

    hub_text_str(out, "<CommittedBlocks>");
    cJSON_ArrayForEach(block, committed_blocks(committed))
    {
        add_xml(out, id_of(block), size_of(block));
    }
    hub_text_str(out, "</CommittedBlocks>");
    cJSON_Delete(committed);
}

static void list_uncommitted(const hub_store *store, const char *blob, hub_text *out)
{
    char *prefix = block_prefix(blob);
    listing l = { store, strlen(prefix), out };
    hub_fault fault;

    hub_text_str(out, "<UncommittedBlocks>");
    (void)hub_store_each(store, prefix, list_visited, &l, &fault);
    hub_text_str(out, "</UncommittedBlocks>");
    free(prefix);
}

void hub_blob_list_blocks(const hub_store *store, const char *blob, hub_blob_blocks which,
                          hub_text *out)
{
    hub_text_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    if ((which & HUB_BLOB_COMMITTED) != 0) {
        list_committed(store, blob, out);
    }
    if ((which & HUB_BLOB_UNCOMMITTED) != 0) {
        list_uncommitted(store, blob, out);
    }
    hub_text_str(out, "</BlockList>");
}
