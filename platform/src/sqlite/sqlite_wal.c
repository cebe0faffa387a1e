#include "sqlite/sqlite_wal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sqlite/sqlite_blocks.h"

enum {
    CAP = 4000, /* most frames, about 8 MB */
    STEP = 128, /* number of frames that are allocated at a time */
    SHARE = 4,  /* the WAL may use a quarter of max_disk_bytes */
    MAGIC = 0x377f0683
};

#ifndef NDEBUG
bool sqlite_wal_valid(const struct sqlite_wal *w)
{
    if (w->file == NULL || w->cap == 0 || w->cap > CAP) {
        return false;
    }
    if (w->frames > w->allocated) { /* a frame that was written has a block */
        return false;
    }
    if (w->sync_each && w->unsynced) {
        return false;
    }
    return w->unsynced || !w->rewrite;
}
#endif

void sqlite_wal_init(struct sqlite_wal *w, struct sqlite_file *f, bool sync_each,
                     uint64_t max_disk_bytes)
{
    const uint64_t share = max_disk_bytes / SHARE / SQLITE_WAL_FRAME;

    *w = (struct sqlite_wal){
        .file = f,
        .cap = max_disk_bytes == 0 || share > CAP ? CAP : share,
        .sync_each = sync_each,
    };
}

static int note_frames(void *wal, sqlite3 *db, const char *name, int frames)
{
    struct sqlite_wal *w = wal;

    (void)db;
    (void)name;
    w->frames = (uint64_t)frames;
    if (w->frames > w->allocated) {
        w->allocated = w->frames;
    }
    return SQLITE_OK;
}

void sqlite_wal_attach(struct sqlite_wal *w)
{
    sqlite3_wal_hook(w->file->db, note_frames, w);
}

uint64_t sqlite_wal_bytes_of(uint64_t frames)
{
    return SQLITE_WAL_HEADER + frames * SQLITE_WAL_FRAME;
}

uint64_t sqlite_wal_frames_of(int64_t bytes)
{
    return bytes > SQLITE_WAL_HEADER ? ((uint64_t)bytes - SQLITE_WAL_HEADER) / SQLITE_WAL_FRAME : 0;
}

/* SQLite does not report how many frames of the WAL are valid, so this assumes that all are. */
void sqlite_wal_adopt(struct sqlite_wal *w, int64_t bytes)
{
    uint64_t salt;

    w->allocated = sqlite_wal_frames_of(bytes);
    w->frames = sqlite_wal_salt(w, &salt) ? w->allocated : 0;
}

/* --- the header -------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Reads the salt from the header of the WAL (SQLite's file format, section 4.1). It consists of
 * eight numbers, of which the last two are a checksum of the others. The magic number gives the
 * byte order of the checksum. */
bool sqlite_wal_salt(const struct sqlite_wal *w, uint64_t *salt)
{
    uint8_t h[SQLITE_WAL_HEADER];
    sqlite3_file *wal = NULL;

    if (sqlite3_file_control(w->file->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
        wal->pMethods == NULL || wal->pMethods->xRead(wal, h, sizeof h, 0) != SQLITE_OK) {
        return false;
    }
    uint32_t (*word)(const uint8_t *p) = (h[3] & 1) != 0 ? be32 : le32;
    uint32_t sum[2] = { 0, 0 };
    for (size_t i = 0; i < 24; i += 8) {
        sum[0] += word(h + i) + sum[1];
        sum[1] += word(h + i + 4) + sum[0];
    }
    if ((be32(h) | 1) != MAGIC || sum[0] != be32(h + 24) || sum[1] != be32(h + 28)) {
        return false;
    }
    *salt = be32(h + 16);
    return true;
}

/* --- what reaches the disk when ----------------------------------------------- */

plat_result sqlite_wal_checkpoint(struct sqlite_wal *w)
{
    int in_wal = 0;
    int done = 0;
    assert(sqlite_wal_valid(w));
    int rc =
        sqlite3_wal_checkpoint_v2(w->file->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &done);

    if (rc != SQLITE_OK) {
        return sqlite_file_fail_sqlite(w->file, rc);
    }
    if (done < in_wal) {
        return sqlite_file_fail(w->file, PLAT_ERR_STORE, "the WAL cannot be emptied");
    }
    w->frames = 0;
    w->unsynced = false;
    w->rewrite = false;
    return PLAT_OK;
}

void sqlite_wal_checkpoint_early(struct sqlite_wal *w)
{
    assert(sqlite_wal_valid(w));
    if (w->frames > w->cap / 2 && sqlite_wal_checkpoint(w) != PLAT_OK) {
        sqlite_file_forgive(w->file);
    }
}

plat_result sqlite_wal_sync(struct sqlite_wal *w)
{
    sqlite3_file *wal = NULL;
    assert(sqlite_wal_valid(w));

    if (!w->unsynced) {
        return PLAT_OK;
    }
    if (w->rewrite) {
        return sqlite_wal_checkpoint(w);
    }
    int rc = sqlite3_file_control(w->file->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (rc == SQLITE_OK) {
        rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    }
    if (rc != SQLITE_OK) {
        /* After a failed fsync, Linux does not know which data are not on the disk. So the next
         * attempt writes everything again, into the database file. */
        w->rewrite = true;
        return sqlite_file_fail_sqlite(w->file, rc);
    }
    w->unsynced = false;
    return PLAT_OK;
}

void sqlite_wal_note_commit(struct sqlite_wal *w)
{
    assert(sqlite_wal_valid(w));
    w->unsynced = !w->sync_each;
}

/* --- blocks ------------------------------------------------------------------ */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static int open_wal(const struct sqlite_wal *w)
{
    return open(sqlite_file_wal_name(w->file), O_RDWR | O_CLOEXEC);
}

/* Allocates blocks from `at` on. These bytes may exist already, or be a hole in a file that was
 * copied. */
static int extend_wal_to(struct sqlite_wal *w, int fd, uint64_t at, uint64_t frames)
{
    int error = sqlite_blocks_allocate(fd, at, sqlite_wal_bytes_of(frames));

    if (error == 0) {
        w->allocated = frames;
    }
    return error;
}

static int extend_wal(struct sqlite_wal *w, uint64_t at, uint64_t least, uint64_t goal)
{
    int fd = open_wal(w);

    if (fd < 0) {
        return errno;
    }
    int error = extend_wal_to(w, fd, at, goal);
    if (error != 0 && least < goal) {
        error = extend_wal_to(w, fd, at, least);
    }
    (void)close(fd); /* SQLite has no locks on this file, so closing it drops none */
    return error;
}

plat_result sqlite_wal_extend(struct sqlite_wal *w, uint64_t frames)
{
    const uint64_t have = w->allocated;
    const uint64_t cap = w->cap;
    assert(sqlite_wal_valid(w));

    if (frames <= have) {
        return PLAT_OK;
    }
    const uint64_t goal = larger(frames, have + STEP < cap ? have + STEP : cap);
    int error = extend_wal(w, have > 0 ? sqlite_wal_bytes_of(have) : 0, frames, goal);
    return error == 0 ? PLAT_OK : sqlite_file_fail_errno(w->file, error);
}

bool sqlite_wal_allocate(struct sqlite_wal *w, uint64_t frames)
{
    return extend_wal(w, 0, frames, frames) == 0;
}

void sqlite_wal_measure(struct sqlite_wal *w)
{
    int64_t bytes = sqlite_blocks_size_of(sqlite_file_wal_name(w->file));

    if (bytes >= 0 && sqlite_wal_frames_of(bytes) < w->allocated) {
        w->allocated = sqlite_wal_frames_of(bytes);
    }
}

plat_result sqlite_wal_make_room(struct sqlite_wal *w, uint64_t frames)
{
    const uint64_t used = w->frames;
    const uint64_t cap = w->cap;
    assert(sqlite_wal_valid(w));

    if (used + frames <= (w->allocated < cap ? w->allocated : cap)) {
        return PLAT_OK;
    }
    if (frames > cap) {
        return sqlite_file_fail(w->file, PLAT_ERR_FULL,
                                "the record is too large for max_disk_bytes");
    }
    if (used + frames <= cap && sqlite_wal_extend(w, used + frames) == PLAT_OK) {
        return PLAT_OK;
    }
    plat_result r = sqlite_wal_checkpoint(w);
    return r == PLAT_OK ? sqlite_wal_extend(w, frames) : r;
}

/* --- a WAL without content ------------------------------------------------------ */

bool sqlite_wal_is_reserve(const char *name)
{
    static const uint8_t none[SQLITE_WAL_HEADER];
    uint8_t header[SQLITE_WAL_HEADER];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool read_all = fd >= 0 && read(fd, header, sizeof header) == (ssize_t)sizeof header;

    if (fd >= 0) {
        (void)close(fd);
    }
    return read_all && memcmp(header, none, sizeof none) == 0;
}

/* Removes the header, so that the file is not mistaken for the WAL of another store that is made
 * here later. */
void sqlite_wal_keep(struct sqlite_wal *w)
{
    static const uint8_t none[SQLITE_WAL_HEADER];
    int yes = 1;
    int fd = open_wal(w);

    (void)sqlite3_file_control(w->file->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &yes);
    if (fd >= 0) {
        (void)!pwrite(fd, none, sizeof none,
                      0); /* if this fails, the header still matches the database file */
        (void)close(fd);
    }
}
