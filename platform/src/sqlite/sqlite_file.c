#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sqlite_private.h"

enum {
    WAL_CAP = 4000, /* frames: about 8 MB */
    WAL_MAGIC = 0x377f0683,
    DETAIL_PATH = 72
};

plat_result sqlite_store_fail(struct sqlite_store *s, plat_result r, const char *why)
{
    size_t len = strlen(s->path);
    const char *end = len > DETAIL_PATH ? s->path + len - DETAIL_PATH : s->path;

    snprintf(s->detail, sizeof s->detail, "%s%s: %s", end == s->path ? "" : "...", end, why);
    if (r == PLAT_ERR_STORE_DAMAGED) {
        s->latched = r;
    }
    return r;
}

void sqlite_store_forgive(struct sqlite_store *s)
{
    if (s->latched == PLAT_OK) {
        s->detail[0] = '\0';
    }
}

static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

plat_result sqlite_store_fail_errno(struct sqlite_store *s, int error)
{
    return sqlite_store_fail(s, is_full(error) ? PLAT_ERR_FULL : PLAT_ERR_STORE, strerror(error));
}

static plat_result result_of(int rc, int error)
{
    if (rc == SQLITE_IOERR_NOMEM) {
        return PLAT_ERR_MEMORY;
    }
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return PLAT_ERR_MEMORY;
    case SQLITE_FULL: return PLAT_ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return PLAT_ERR_STORE_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return PLAT_ERR_STORE_DAMAGED;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return is_full(error) ? PLAT_ERR_FULL : PLAT_ERR_STORE;
    default: return PLAT_ERR_STORE;
    }
}

plat_result sqlite_store_from_sqlite(struct sqlite_store *s, int rc)
{
    bool system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
    int error = system ? sqlite3_system_errno(s->db) : 0;
    char why[PLAT_STORE_DETAIL_SIZE - DETAIL_PATH - 8];

    snprintf(why, sizeof why, "%s%s%s", sqlite3_errstr(rc), error != 0 ? ": " : "",
             error != 0 ? strerror(error) : "");
    return sqlite_store_fail(s, result_of(rc, error), why);
}

plat_result sqlite_store_exec(struct sqlite_store *s, const char *sql)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? PLAT_OK : sqlite_store_from_sqlite(s, rc);
}

static int note_wal_frames(void *store, sqlite3 *db, const char *name, int frames)
{
    struct sqlite_store *s = store;

    (void)db;
    (void)name;
    s->wal_frames = frames;
    if ((uint64_t)frames > s->space.wal_frames) {
        s->space.wal_frames = (uint64_t)frames;
    }
    return SQLITE_OK;
}

/* The share of the limit that the WAL may have, and the rest for the database file. */
static void set_limits(struct sqlite_store *s, uint64_t max_bytes)
{
    uint64_t cap = max_bytes / 4 / SQLITE_STORE_FRAME;

    s->wal_cap = max_bytes == 0 || cap > WAL_CAP ? WAL_CAP : (int)cap;
    s->space.limit_closed = max_bytes == 0 ? INT64_MAX : max_bytes;
    s->space.limit =
        s->space.limit_closed - SQLITE_STORE_WAL_HEADER - (uint64_t)s->wal_cap * SQLITE_STORE_FRAME;
}

/*
 * WAL with an exclusive lock: no -shm file.  A commit is one write to the WAL, which the end of the
 * process cannot take back; NORMAL leaves it to us when to sync it, and still syncs around each
 * checkpoint, so that a loss of power takes the last transactions and damages nothing.
 */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA mmap_size=0;"
                               "PRAGMA cache_size=-512;"
                               "PRAGMA cell_size_check=ON;"
                               "PRAGMA trusted_schema=OFF;"
                               "PRAGMA secure_delete=OFF;";

plat_result sqlite_store_connect(struct sqlite_store *s, const char *path)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    /* "./": neither a URI nor ":memory:" */
    char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);

    if (name == NULL) {
        return sqlite_store_fail(s, PLAT_ERR_MEMORY, "out of memory");
    }
    int rc = sqlite3_open_v2(name, &s->db, flags, NULL);
    sqlite3_free(name);
    if (rc != SQLITE_OK) {
        return sqlite_store_from_sqlite(s, rc);
    }
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_wal_hook(s->db, note_wal_frames, s);
    return PLAT_OK;
}

plat_result sqlite_store_configure(struct sqlite_store *s, const plat_sqlite_options *o)
{
    plat_result r = sqlite_store_exec(s, settings);
    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, o->sync_delay_ms == 0 ? "PRAGMA synchronous=FULL"
                                                       : "PRAGMA synchronous=NORMAL");
    }
    set_limits(s, o->max_disk_bytes);
    return r;
}

void sqlite_store_disconnect(struct sqlite_store *s, bool leave_file_alone)
{
    for (int i = 0; i < STORE_STATEMENTS; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    if (leave_file_alone && s->db != NULL) {
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite_store_enter_files();
    sqlite3_close(s->db);
    s->db = NULL;
    if (s->space.file >= 0) {
        (void)close(s->space.file);
        s->space.file = -1;
    }
    sqlite_store_leave_files();
}

plat_result sqlite_store_checkpoint(struct sqlite_store *s)
{
    int in_wal = 0;
    int done = 0;
    int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &done);

    if (rc != SQLITE_OK) {
        return sqlite_store_from_sqlite(s, rc);
    }
    if (done < in_wal) {
        return sqlite_store_fail(s, PLAT_ERR_STORE, "the WAL cannot be emptied");
    }
    s->wal_frames = 0;
    s->unsynced = false;
    s->rewrite = false;
    return PLAT_OK;
}

void sqlite_store_checkpoint_early(struct sqlite_store *s)
{
    if (s->wal_frames > s->wal_cap / 2 && sqlite_store_checkpoint(s) != PLAT_OK) {
        sqlite_store_forgive(s);
    }
}

plat_result sqlite_store_sync_wal(struct sqlite_store *s)
{
    sqlite3_file *wal = NULL;

    if (!s->unsynced) {
        return PLAT_OK;
    }
    if (s->rewrite) {
        return sqlite_store_checkpoint(s);
    }
    int rc = sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (rc == SQLITE_OK) {
        rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    }
    if (rc != SQLITE_OK) {
        /* Linux forgets after one failed fsync what is not on the disk: the next attempt
         * writes everything once more, into the database file. */
        s->rewrite = true;
        return sqlite_store_from_sqlite(s, rc);
    }
    s->unsynced = false;
    return PLAT_OK;
}

plat_result sqlite_store_make_room(struct sqlite_store *s, uint64_t frames)
{
    const uint64_t used = (uint64_t)s->wal_frames;
    const uint64_t cap = (uint64_t)s->wal_cap;

    if (used + frames <= (s->space.wal_frames < cap ? s->space.wal_frames : cap)) {
        return PLAT_OK;
    }
    if (frames > cap) {
        return sqlite_store_fail(s, PLAT_ERR_FULL, "a record too large for max_disk_bytes");
    }
    if (used + frames <= cap && sqlite_store_extend_wal(s, used + frames) == PLAT_OK) {
        return PLAT_OK;
    }
    plat_result r = sqlite_store_checkpoint(s);
    return r == PLAT_OK ? sqlite_store_extend_wal(s, frames) : r;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The WAL header, section 4.1 of SQLite's file format: eight numbers, the last two are the sum of
 * the others; the magic number says in which byte order that was made. */
bool sqlite_store_wal_salt(const struct sqlite_store *s, uint64_t *salt)
{
    uint8_t h[32];
    sqlite3_file *wal = NULL;

    if (sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
        wal->pMethods == NULL || wal->pMethods->xRead(wal, h, sizeof h, 0) != SQLITE_OK) {
        return false;
    }
    uint32_t (*word)(const uint8_t *p) = (h[3] & 1) != 0 ? be32 : le32;
    uint32_t sum[2] = { 0, 0 };
    for (size_t i = 0; i < 24; i += 8) {
        sum[0] += word(h + i) + sum[1];
        sum[1] += word(h + i + 4) + sum[0];
    }
    if ((be32(h) | 1) != WAL_MAGIC || sum[0] != be32(h + 24) || sum[1] != be32(h + 28)) {
        return false;
    }
    *salt = be32(h + 16);
    return true;
}

static uint64_t size_of(const struct sqlite_store *s, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_file_control(s->db, NULL, which, &file) != SQLITE_OK || file->pMethods == NULL ||
        file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
        return 0;
    }
    return (uint64_t)size;
}

uint64_t sqlite_store_disk_bytes(const struct sqlite_store *s)
{
    return size_of(s, SQLITE_FCNTL_FILE_POINTER) + size_of(s, SQLITE_FCNTL_JOURNAL_POINTER);
}
