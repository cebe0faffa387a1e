#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sqlite/sqlite_blocks.h"
#include "sqlite/sqlite_create.h"
#include "sqlite/sqlite_removals.h"

enum {
    NUMBERS_A_TIME = 65536,  /* how many sequence numbers are reserved in the file at a time */
    REMOVALS_LATE_MS = 1000, /* delay of removals in milliseconds if each append is synced */
    LARGEST_RECORD = 256 * 1024 * 1024,
    META_FRAMES = 1,    /* frames of the WAL that the row of meta needs */
    FRAMES_BESIDE = 12, /* frames that an append needs in addition to those of its bytes */
    OVERFLOW_BYTES = SQLITE_WAL_PAGE - 4 /* bytes of a large record in one overflow page */
};

struct sqlite_store {
    plat_store base;
    struct sqlite_file file;
    struct sqlite_wal wal;
    struct sqlite_schema schema;
    struct sqlite_space space;
    struct sqlite_removals removals;
    uint64_t next_seq;

    /* The row that was read last; the next row must have the next number, or be a gap that
     * begins before it. */
    uint64_t seen_seq;
    uint64_t seen_number;

    uint32_t sync_delay_ms;
    uint64_t deadline; /* time at which on_time syncs; 0: never */
};

static struct sqlite_store *of(plat_store *base)
{
    return (struct sqlite_store *)(void *)base;
}

static const struct sqlite_store *of_const(const plat_store *base)
{
    return (const struct sqlite_store *)(const void *)base;
}

/* Each call except info and detail begins with this function, which invalidates what the last
 * read has returned. */
static plat_result enter(struct sqlite_store *s)
{
    sqlite_schema_release(&s->schema, STORE_READ);
    sqlite_file_forgive(&s->file);
    return s->file.latched;
}

static void wake_by(struct sqlite_store *s, uint64_t now_ms)
{
    if (s->deadline == 0) {
        s->deadline = now_ms + (s->sync_delay_ms > 0 ? s->sync_delay_ms : REMOVALS_LATE_MS);
    }
}

/* Reserves sequence numbers: a range that is marked as used in the database file itself. A loss
 * of power, or of the -wal file, may lose records, but their numbers are never used again. */
static plat_result reserve(struct sqlite_store *s)
{
    struct store_meta m = s->schema.meta;

    if (m.in_use && s->next_seq < m.reserved) {
        return PLAT_OK;
    }
    m.reserved = s->next_seq + NUMBERS_A_TIME;
    plat_result r = sqlite_wal_make_room(&s->wal, 2 * META_FRAMES);
    if (r == PLAT_OK) {
        r = sqlite_schema_write_meta(&s->schema, &m); /* after this write, the WAL has a header */
    }
    if (r == PLAT_OK && !sqlite_wal_salt(&s->wal, &m.wal_salt)) {
        r = sqlite_file_fail(&s->file, PLAT_ERR_STORE, "its -wal file cannot be read");
    }
    if (r == PLAT_OK) {
        m.in_use = true; /* written together with the salt */
        r = sqlite_schema_write_meta(&s->schema, &m);
    }
    if (r != PLAT_OK) {
        return r;
    }
    r = sqlite_wal_checkpoint(&s->wal);
    if (r != PLAT_OK) {
        m.reserved =
            /* The file may not show which numbers are reserved, so the next append reserves
             * again. */
            s->next_seq;
    }
    sqlite_schema_keep_meta(&s->schema, &m);
    return r;
}

static plat_result prepare_append(struct sqlite_store *s, uint64_t size)
{
    plat_result r = reserve(s);

    if (r == PLAT_OK) {
        r = sqlite_space_for(&s->space, size);
    }
    return r == PLAT_OK ? sqlite_wal_make_room(&s->wal, size / OVERFLOW_BYTES + FRAMES_BESIDE) : r;
}

static plat_result append(plat_store *base, plat_store_record *r, uint64_t now_ms)
{
    struct sqlite_store *s = of(base);
    plat_result result = enter(s);

    if (result != PLAT_OK) {
        return result;
    }
    if (r->head_len > LARGEST_RECORD || r->body_len > LARGEST_RECORD) {
        return sqlite_file_fail(&s->file, PLAT_ERR_ARG, "the record is too large");
    }
    struct store_row row = { .record = *r, .size = r->head_len + r->body_len };
    result = prepare_append(s, row.size);
    if (result == PLAT_ERR_FULL && s->removals.waiting &&
        sqlite_removals_write(&s->removals) == PLAT_OK) {
        /* Writes the removals and uses the pages that become free. */
        result = prepare_append(s, row.size);
    }
    if (result != PLAT_OK) {
        return result;
    }
    row.record.seq = s->next_seq;
    row.number = s->schema.last.number + 1;
    row.total = s->schema.last.total + row.size;
    result = sqlite_schema_insert(&s->schema, &row);
    if (result != PLAT_OK) {
        return result;
    }
    r->seq = s->next_seq++;
    sqlite_removals_note_append(&s->removals, row.size);
    sqlite_wal_note_commit(&s->wal);
    if (s->sync_delay_ms > 0) {
        wake_by(s, now_ms);
    }
    sqlite_wal_checkpoint_early(&s->wal);
    sqlite_file_forgive(&s->file);
    return PLAT_OK;
}

/* Checks that the row after the one that was read last has the next number; otherwise rows are
 * missing. A gap may also stand for rows that were read before. */
static plat_result check_chain(struct sqlite_store *s, uint64_t seq, plat_result r,
                               const struct store_row *row)
{
    const uint64_t next = s->seen_number + 1;
    bool follows = seq == s->seen_seq + 1;
    bool missing = r == PLAT_EOF ? seq <= s->schema.last.record.seq
                                 : r == PLAT_OK && follows &&
                                       (row->number < next || row->number - row->span > next);

    if (missing) {
        sqlite_schema_release(&s->schema, STORE_READ);
        return sqlite_file_fail(&s->file, PLAT_ERR_STORE_DAMAGED, "records are missing");
    }
    if (r == PLAT_OK) {
        s->seen_seq = row->record.seq;
        s->seen_number = row->number;
    }
    return r;
}

static plat_result read(plat_store *base, uint64_t seq, plat_store_record *out)
{
    struct sqlite_store *s = of(base);
    struct store_row row;
    plat_result r = enter(s);

    if (seq < s->removals.removed_before) {
        seq = s->removals.removed_before;
    }
    while (r == PLAT_OK) {
        r = check_chain(s, seq, sqlite_schema_fetch(&s->schema, STORE_READ, seq, &row), &row);
        if (r == PLAT_OK && !row.gap && !sqlite_removals_has(&s->removals, row.record.seq)) {
            *out = row.record;
            return PLAT_OK;
        }
        sqlite_schema_release(&s->schema, STORE_READ);
        seq = s->seen_seq + 1;
    }
    return r;
}

static plat_result remove_record(plat_store *base, uint64_t seq, uint64_t now_ms)
{
    struct sqlite_store *s = of(base);
    plat_result r = enter(s);

    if (r == PLAT_OK) {
        r = sqlite_removals_add(&s->removals, seq);
    }
    if (s->removals.waiting) {
        wake_by(s, now_ms);
    }
    return r;
}

static plat_result sync_all(plat_store *base)
{
    struct sqlite_store *s = of(base);
    plat_result r = enter(s);

    if (r != PLAT_OK) {
        return r;
    }
    plat_result removed = sqlite_removals_write(&s->removals);
    /* A failure of removals must not prevent the sync of appended records. */
    r = sqlite_wal_sync(&s->wal);
    if (r == PLAT_OK && removed == PLAT_OK) {
        s->deadline = 0;
    }
    return r != PLAT_OK ? r : removed;
}

static uint64_t next_deadline(const plat_store *base)
{
    return of_const(base)->deadline;
}

static plat_result on_time(plat_store *base, uint64_t now_ms)
{
    struct sqlite_store *s = of(base);

    if (s->deadline == 0 || now_ms < s->deadline) {
        return s->file.latched;
    }
    plat_result r = sync_all(base);
    s->deadline = 0;
    if (r != PLAT_OK && s->file.latched == PLAT_OK) {
        wake_by(s, now_ms);
    }
    return r;
}

static void info(const plat_store *base, plat_store_info *out)
{
    const struct sqlite_store *s = of_const(base);

    *out = (plat_store_info){
        .id = s->schema.meta.id,
        .next_seq = s->next_seq,
        .count = s->removals.count,
        .bytes = s->removals.bytes,
        .disk = sqlite_file_disk_bytes(&s->file),
    };
}

static const char *detail(const plat_store *base)
{
    return of_const(base)->file.detail;
}

/* Marks the file as closed, so that missing rows at its end are noticed when it is opened. */
static plat_result mark_closed(struct sqlite_store *s)
{
    struct store_meta m = s->schema.meta;

    if (!m.in_use) {
        return PLAT_OK;
    }
    m.in_use = false;
    m.reserved = s->next_seq;
    m.last = s->schema.last.record.seq;
    plat_result r = sqlite_wal_make_room(&s->wal, META_FRAMES);
    if (r == PLAT_OK) {
        r = sqlite_schema_write_meta(&s->schema, &m);
    }
    return r == PLAT_OK ? sqlite_wal_checkpoint(&s->wal) : r;
}

static void destroy(struct sqlite_store *s, bool leave_file_alone)
{
    sqlite_schema_release_all(&s->schema);
    sqlite_file_enter();
    sqlite_file_disconnect(&s->file, leave_file_alone);
    sqlite_space_close(&s->space);
    sqlite_file_leave();
    sqlite_file_deinit(&s->file);
    free(s);
}

static plat_result close_store(plat_store *base)
{
    struct sqlite_store *s = of(base);

    if (base->user != NULL) {
        return PLAT_ERR_STATE;
    }
    plat_result r = sync_all(base);

    if (r == PLAT_OK) {
        r = mark_closed(s);
    }
    if (r == PLAT_OK && s->wal.frames > 0) {
        /* Frames of removals, or of a process that was killed while it closed the store. */
        r = sqlite_wal_checkpoint(&s->wal);
    }
    if (r == PLAT_OK) {
        sqlite_space_leave(&s->space);
    }
    destroy(s, r != PLAT_OK); /* SQLite must not remove the WAL of a store that was not closed */
    return r;
}

static const plat_store_ops store_ops = {
    append, read, remove_record, sync_all, next_deadline, on_time, info, detail, close_store,
};

/* --- opening ------------------------------------------------------------ */

static plat_result open_files(struct sqlite_store *s, const char *owner, int64_t wal_bytes)
{
    struct sqlite_contents contents;
    plat_result r = sqlite_file_configure(&s->file, s->sync_delay_ms == 0);

    if (r == PLAT_OK) {
        r = sqlite_schema_load(&s->schema, owner, wal_bytes, &contents);
    }
    if (r != PLAT_OK) {
        return r;
    }
    sqlite_removals_begin(&s->removals, &contents);
    s->seen_seq = contents.first_seq - 1;
    s->seen_number = contents.first_number - 1;
    /* After a crash it is not known which of the reserved numbers were used. */
    s->next_seq = s->schema.meta.reserved;
    return sqlite_space_open(&s->space, wal_bytes);
}

/* Opens an existing store. wal_bytes has the same meaning as in sqlite_schema_load. */
static plat_result open_existing(struct sqlite_store *s, const char *owner, int64_t *wal_bytes)
{
    plat_result r = sqlite_file_connect(&s->file, s->file.path);

    if (r != PLAT_OK) {
        return r;
    }
    sqlite_wal_attach(&s->wal);
    sqlite3_filename name = sqlite_file_name(&s->file);
    *wal_bytes = sqlite_blocks_size_of(sqlite_file_wal_name(&s->file));
    if (sqlite3_db_readonly(s->file.db, "main") != 0) {
        return sqlite_file_fail(&s->file, PLAT_ERR_STORE, "the file cannot be written");
    }
    int64_t bytes = sqlite_blocks_size_of(name);
    int limit = sqlite_blocks_check_limit((uint64_t)(bytes > *wal_bytes ? bytes : *wal_bytes));
    if (limit != 0) {
        return sqlite_file_fail_errno(&s->file, limit);
    }
    if (bytes == 0) {
        return sqlite_file_fail(&s->file, PLAT_ERR_STORE_DAMAGED, "the file is empty");
    }
    /* SQLite would restore the file from such a journal. */
    if (sqlite_blocks_size_of(sqlite3_filename_journal(name)) >= 0) {
        return sqlite_file_fail(&s->file, PLAT_ERR_STORE_DAMAGED,
                                "there is a -journal file, which a store never has");
    }
    return open_files(s, owner, *wal_bytes);
}

static plat_result create_if_missing(struct sqlite_store *s, const char *owner)
{
    const char *path = s->file.path;
    struct stat st;

    if (stat(path, &st) == 0) {
        return S_ISREG(st.st_mode)
                   ? PLAT_OK
                   : sqlite_file_fail(&s->file, PLAT_ERR_STORE, "it is not a regular file");
    }
    if (errno != ENOENT) {
        return sqlite_file_fail(&s->file, PLAT_ERR_STORE, strerror(errno));
    }
    char *wal = sqlite3_mprintf("%s-wal", path);
    if (wal == NULL) {
        return sqlite_file_fail(&s->file, PLAT_ERR_MEMORY, "out of memory");
    }
    bool orphan = sqlite_blocks_size_of(wal) > 0 && !sqlite_wal_is_reserve(wal);
    sqlite3_free(wal);
    return orphan ? sqlite_file_fail(&s->file, PLAT_ERR_STORE_DAMAGED,
                                     "the file is missing, but its -wal file exists")
                  : sqlite_create(&s->file, &s->wal, owner, sqlite_space_first_bytes());
}

/* Reads options of a program that was compiled with another version of the SDK: an older struct has
 * fewer fields, a newer one more. */
static const char *take_options(plat_sqlite_options *to, const plat_sqlite_options *from,
                                size_t struct_size)
{
    const unsigned char *bytes = (const unsigned char *)from;

    for (size_t i = sizeof *to; i < struct_size; i++) {
        if (bytes[i] != 0) {
            return "an option is set that this version does not know";
        }
    }
    memset(to, 0, sizeof *to);
    memcpy(to, from, struct_size < sizeof *to ? struct_size : sizeof *to);
    return NULL;
}

static const char *check_options(const plat_sqlite_options *o)
{
    if (o->path == NULL || o->path[0] == '\0') {
        return "path is not set";
    }
    if (o->owner == NULL) {
        return "owner is not set";
    }
    bool least = o->max_disk_bytes == 0 || o->max_disk_bytes >= PLAT_SQLITE_STORE_LEAST;
    return least ? NULL : "max_disk_bytes is below PLAT_SQLITE_STORE_LEAST";
}

static struct sqlite_store *new_store(const plat_sqlite_options *o)
{
    struct sqlite_store *s = calloc(1, sizeof *s);

    if (s == NULL || sqlite_file_init(&s->file, o->path) != PLAT_OK) {
        free(s);
        return NULL;
    }
    s->base.ops = &store_ops;
    s->sync_delay_ms = o->sync_delay_ms;
    sqlite_wal_init(&s->wal, &s->file, o->sync_delay_ms == 0, o->max_disk_bytes);
    sqlite_schema_init(&s->schema, &s->wal);
    sqlite_space_init(&s->space, &s->schema, o->max_disk_bytes);
    sqlite_removals_init(&s->removals, &s->space);
    return s;
}

plat_result plat_sqlite_store_open_sized(const plat_sqlite_options *options, size_t struct_size,
                                         plat_store **out, char detail_text[PLAT_STORE_DETAIL_SIZE])
{
    plat_sqlite_options known;
    const plat_sqlite_options *o = &known;
    int64_t wal_bytes = -1;

    *out = NULL;
    detail_text[0] = '\0';
    const char *fault = take_options(&known, options, struct_size);
    fault = fault == NULL ? check_options(o) : fault;
    if (fault != NULL) {
        snprintf(detail_text, PLAT_STORE_DETAIL_SIZE, "store: %s", fault);
        return PLAT_ERR_ARG;
    }
    struct sqlite_store *s = new_store(o);
    if (s == NULL) {
        snprintf(detail_text, PLAT_STORE_DETAIL_SIZE, "store: out of memory");
        return PLAT_ERR_MEMORY;
    }
    plat_result r = create_if_missing(s, o->owner);
    if (r == PLAT_OK) {
        sqlite_file_enter();
        r = open_existing(s, o->owner, &wal_bytes);
        sqlite_file_leave();
    }
    if (r != PLAT_OK) {
        memcpy(detail_text, s->file.detail, sizeof s->file.detail);
        destroy(s, wal_bytes >= 0);
        return r;
    }
    *out = &s->base;
    return PLAT_OK;
}
