#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sqlite_private.h"

enum {
    RESERVE = 65536,         /* numbers a time */
    REMOVALS_LATE_MS = 1000, /* without a delay of the user's */
    LARGEST_RECORD = 256 * 1024 * 1024
};

static struct sqlite_store *of(plat_store *base)
{
    return (struct sqlite_store *)(void *)base;
}

static const struct sqlite_store *of_const(const plat_store *base)
{
    return (const struct sqlite_store *)(const void *)base;
}

/* Every call but info and detail: what the last read gave ends here. */
static plat_result enter(struct sqlite_store *s)
{
    sqlite_store_release(s, STORE_READ);
    sqlite_store_forgive(s);
    return s->latched;
}

static void wake_by(struct sqlite_store *s, uint64_t now_ms)
{
    if (s->deadline == 0) {
        s->deadline = now_ms + (s->sync_delay_ms > 0 ? s->sync_delay_ms : REMOVALS_LATE_MS);
    }
}

/*
 * Numbers are given out from a range that the database file itself says is in use, so that
 * a loss of power, or of the -wal file, takes records but never gives their numbers again.
 */
static plat_result reserve(struct sqlite_store *s)
{
    struct store_meta m = s->meta;

    if (m.in_use && s->next_seq < m.reserved) {
        return PLAT_OK;
    }
    m.reserved = s->next_seq + RESERVE;
    plat_result r = sqlite_store_make_room(s, 2);
    if (r == PLAT_OK) {
        r = sqlite_store_write_meta(s, &m); /* now the WAL has a header */
    }
    if (r == PLAT_OK && !sqlite_store_wal_salt(s, &m.wal_salt)) {
        r = sqlite_store_fail(s, PLAT_ERR_STORE, "its -wal file cannot be read");
    }
    if (r == PLAT_OK) {
        m.in_use = true; /* and the salt that goes with it */
        r = sqlite_store_write_meta(s, &m);
    }
    if (r != PLAT_OK) {
        return r;
    }
    s->meta = m;
    r = sqlite_store_checkpoint(s);
    if (r != PLAT_OK) {
        s->meta.reserved = s->next_seq; /* in use, but the file does not say how far: again */
    }
    return r;
}

static void bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t len)
{
    if (len == 0) {
        sqlite3_bind_zeroblob(st, at, 0);
    } else {
        sqlite3_bind_blob(st, at, bytes, (int)len, SQLITE_STATIC);
    }
}

static plat_result insert(struct sqlite_store *s, const struct store_row *row)
{
    const plat_store_record *r = &row->record;
    const uint64_t numbers[] = {
        r->seq, row->number, row->total, row->size, (uint64_t)r->stored_s,
        r->tag, r->id,       r->ttl_ms,  r->flags,  sqlite_store_hash_row(s, row)
    };
    sqlite3_stmt *st = s->statements[STORE_APPEND];
    int at = 1;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sqlite3_bind_int64(st, at++, (sqlite3_int64)numbers[i]);
    }
    bind_blob(st, at++, r->head, r->head_len);
    bind_blob(st, at, r->body, r->body_len);
    int rc = sqlite3_step(st);
    plat_result result = rc == SQLITE_DONE ? PLAT_OK : sqlite_store_from_sqlite(s, rc);
    sqlite3_reset(st);
    return result;
}

static plat_result prepare_append(struct sqlite_store *s, uint64_t size)
{
    plat_result r = reserve(s);

    if (r == PLAT_OK) {
        r = sqlite_store_space_for(s, size);
    }
    return r == PLAT_OK ? sqlite_store_make_room(s, size / (SQLITE_STORE_PAGE - 4) + 12) : r;
}

static plat_result append(plat_store *base, plat_store_record *r, uint64_t now_ms)
{
    struct sqlite_store *s = of(base);
    plat_result result = enter(s);

    if (result != PLAT_OK) {
        return result;
    }
    if (r->head_len > LARGEST_RECORD || r->body_len > LARGEST_RECORD) {
        return sqlite_store_fail(s, PLAT_ERR_ARG, "a record too large");
    }
    struct store_row row = { .record = *r, .size = r->head_len + r->body_len };
    result = prepare_append(s, row.size);
    if (result == PLAT_ERR_FULL && s->removals_wait && sqlite_store_write_removals(s) == PLAT_OK) {
        result = prepare_append(s, row.size); /* into what they have left */
    }
    if (result != PLAT_OK) {
        return result;
    }
    row.record.seq = s->next_seq;
    row.number = s->last.number + 1;
    row.total = s->last.total + row.size;
    result = insert(s, &row);
    if (result != PLAT_OK) {
        return result;
    }
    r->seq = s->next_seq++;
    s->last = row;
    s->count++;
    s->bytes += row.size;
    if (s->sync_delay_ms > 0) {
        s->unsynced = true;
        wake_by(s, now_ms);
    }
    sqlite_store_checkpoint_early(s);
    sqlite_store_forgive(s);
    return PLAT_OK;
}

/* The row after the one that was read last has the next number, or some are gone.  A hole may also
 * stand for what was read before. */
static plat_result check_chain(struct sqlite_store *s, uint64_t seq, plat_result r,
                               const struct store_row *row)
{
    const uint64_t next = s->seen_number + 1;
    bool follows = seq == s->seen_seq + 1;
    bool missing = r == PLAT_EOF ? seq <= s->last.record.seq
                                 : r == PLAT_OK && follows &&
                                       (row->number < next || row->number - row->span > next);

    if (missing) {
        sqlite_store_release(s, STORE_READ);
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "records are missing");
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

    if (seq < s->below) {
        seq = s->below;
    }
    while (r == PLAT_OK) {
        r = check_chain(s, seq, sqlite_store_fetch(s, STORE_READ, seq, &row), &row);
        if (r == PLAT_OK && !row.hole && !sqlite_store_is_removed(s, row.record.seq)) {
            *out = row.record;
            return PLAT_OK;
        }
        sqlite_store_release(s, STORE_READ);
        seq = s->seen_seq + 1;
    }
    return r;
}

static plat_result remove_record(plat_store *base, uint64_t seq, uint64_t now_ms)
{
    struct sqlite_store *s = of(base);
    plat_result r = enter(s);

    if (r == PLAT_OK) {
        r = sqlite_store_remove(s, seq);
    }
    if (s->removals_wait) {
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
    plat_result removed = sqlite_store_write_removals(s);
    r = sqlite_store_sync_wal(s); /* what was appended must not wait for a removal that fails */
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
        return s->latched;
    }
    plat_result r = sync_all(base);
    s->deadline = 0;
    if (r != PLAT_OK && s->latched == PLAT_OK) {
        wake_by(s, now_ms);
    }
    return r;
}

static void info(const plat_store *base, plat_store_info *out)
{
    const struct sqlite_store *s = of_const(base);

    *out = (plat_store_info){
        .id = s->meta.id,
        .next_seq = s->next_seq,
        .count = s->count,
        .bytes = s->bytes,
        .disk = sqlite_store_disk_bytes(s),
    };
}

static const char *detail(const plat_store *base)
{
    return of_const(base)->detail;
}

/* Say in the file that nothing is missing at its end. */
static plat_result write_last_words(struct sqlite_store *s)
{
    struct store_meta m = s->meta;

    if (!m.in_use) {
        return PLAT_OK;
    }
    m.in_use = false;
    m.reserved = s->next_seq;
    m.last = s->last.record.seq;
    plat_result r = sqlite_store_make_room(s, 1);
    if (r == PLAT_OK) {
        r = sqlite_store_write_meta(s, &m);
    }
    return r == PLAT_OK ? sqlite_store_checkpoint(s) : r;
}

static void destroy(struct sqlite_store *s, bool leave_file_alone)
{
    sqlite_store_disconnect(s, leave_file_alone);
    free(s->path);
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
        r = write_last_words(s);
    }
    if (r == PLAT_OK && s->wal_frames > 0) {
        r = sqlite_store_checkpoint(s); /* of removals, or of one who was killed while it closed */
    }
    if (r == PLAT_OK) {
        sqlite_store_space_leave(s);
    }
    destroy(s, r != PLAT_OK); /* SQLite must not take the -wal of a store that is still in use */
    return r;
}

static const plat_store_ops store_ops = {
    append, read, remove_record, sync_all, next_deadline, on_time, info, detail, close_store,
};

/* --- opening ------------------------------------------------------------ */

/* Bytes of a file; -1 when it is not there. */
static int64_t bytes_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static plat_result open_existing(struct sqlite_store *s, const plat_sqlite_options *o,
                                 int64_t *wal_bytes)
{
    plat_result r = sqlite_store_connect(s, o->path);

    if (r != PLAT_OK) {
        return r;
    }
    sqlite3_filename name = sqlite3_db_filename(s->db, "main");
    *wal_bytes = bytes_of(sqlite3_filename_wal(name));
    if (sqlite3_db_readonly(s->db, "main") != 0) {
        return sqlite_store_fail(s, PLAT_ERR_STORE, "cannot be written");
    }
    int64_t bytes = bytes_of(name);
    int limit = sqlite_store_check_limit((uint64_t)(bytes > *wal_bytes ? bytes : *wal_bytes));
    if (limit != 0) {
        return sqlite_store_fail_errno(s, limit);
    }
    if (bytes == 0) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "an empty file");
    }
    /* SQLite would roll it back into the file. */
    if (bytes_of(sqlite3_filename_journal(name)) >= 0) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED,
                                 "beside it lies a -journal that is not its own");
    }
    r = sqlite_store_configure(s, o);
    if (r == PLAT_OK) {
        r = sqlite_store_load(s, o->owner, *wal_bytes);
    }
    return r == PLAT_OK ? sqlite_store_space_open(s, *wal_bytes) : r;
}

static plat_result create_if_missing(struct sqlite_store *s, const plat_sqlite_options *o)
{
    struct stat st;

    if (stat(o->path, &st) == 0) {
        return S_ISREG(st.st_mode) ? PLAT_OK : sqlite_store_fail(s, PLAT_ERR_STORE, "not a file");
    }
    if (errno != ENOENT) {
        return sqlite_store_fail(s, PLAT_ERR_STORE, strerror(errno));
    }
    char *wal = sqlite3_mprintf("%s-wal", o->path);
    if (wal == NULL) {
        return sqlite_store_fail(s, PLAT_ERR_MEMORY, "out of memory");
    }
    bool orphan = bytes_of(wal) > 0 && !sqlite_store_is_reserve(wal);
    sqlite3_free(wal);
    return orphan ? sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "lost, but its -wal file is there")
                  : sqlite_store_create(s, o);
}

static const char *check_options(const plat_sqlite_options *o)
{
    if (o->path == NULL || o->path[0] == '\0') {
        return "no path";
    }
    if (o->owner == NULL) {
        return "no owner";
    }
    bool least = o->max_disk_bytes == 0 || o->max_disk_bytes >= PLAT_SQLITE_STORE_LEAST;
    return least ? NULL : "max_disk_bytes is below PLAT_SQLITE_STORE_LEAST";
}

plat_result plat_sqlite_store_open(const plat_sqlite_options *o, plat_store **out,
                                   char detail_text[PLAT_STORE_DETAIL_SIZE])
{
    int64_t wal_bytes = -1;

    *out = NULL;
    detail_text[0] = '\0';
    const char *fault = check_options(o);
    if (fault != NULL) {
        snprintf(detail_text, PLAT_STORE_DETAIL_SIZE, "store: %s", fault);
        return PLAT_ERR_ARG;
    }
    struct sqlite_store *s = calloc(1, sizeof *s);
    char *path = strdup(o->path);
    if (s == NULL || path == NULL) {
        free(path);
        free(s);
        snprintf(detail_text, PLAT_STORE_DETAIL_SIZE, "store: out of memory");
        return PLAT_ERR_MEMORY;
    }
    s->base.ops = &store_ops;
    s->path = path;
    s->sync_delay_ms = o->sync_delay_ms;
    s->space.file = -1;
    plat_result r = create_if_missing(s, o);
    if (r == PLAT_OK) {
        sqlite_store_enter_files();
        r = open_existing(s, o, &wal_bytes);
        sqlite_store_leave_files();
    }
    if (r != PLAT_OK) {
        memcpy(detail_text, s->detail, sizeof s->detail);
        destroy(s, wal_bytes >= 0);
        return r;
    }
    *out = &s->base;
    return PLAT_OK;
}
