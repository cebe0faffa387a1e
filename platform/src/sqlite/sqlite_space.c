#include "sqlite/sqlite_space.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/sqlite_blocks.h"

/* A removal is a transaction like any other: it writes frames of the WAL, and the checkpoint
 * that empties the WAL writes pages of the database file. On a full disk both fail, unless their
 * blocks were allocated before. So an append is accepted only if
 *
 *   - the database file has a block for each page that it will have after the append, and for
 *     MARGIN further pages, so that a checkpoint never makes the file grow, and
 *   - the -wal file has blocks for the reserve, which is enough for a batch of removals.
 *
 * Then a transaction that fits into the reserve always succeeds: if the WAL has no room for it,
 * a checkpoint makes room. While the store is closed there is no -wal file; then the blocks of
 * the reserve are at the end of the database file.
 *
 * The blocks are allocated through a separate descriptor, because SQLite does not reveal its
 * own. */

enum {
    PAGE = SQLITE_WAL_PAGE,
    RESERVE_FRAMES = 160, /* enough to append 256 KB, too, the largest message of a hub */
    MARGIN = 16,          /* pages that an append and a removal may need to balance the tree */
    FIRST_PAGES = 32,     /* number of pages of an empty store */
    /* Most pages that are lost at the borders of blocks when the reserve moves to the other
     * file. */
    BLOCKS = 4,
    /* The file grows by a 32nd of its size, but at least and at most by these numbers of pages. */
    STEP_LEAST = 128,
    STEP_MOST = 1024,
    STAT_BLOCK = 512 /* size of the blocks that struct stat counts */
};

#define CHUNK_MOST ((uint64_t)1 << 30) /* SQLite stores the size of a chunk in an int */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t pages_of(uint64_t frames)
{
    return sqlite_wal_bytes_of(frames) / PAGE + 1 + BLOCKS;
}

static uint64_t reserve_of(const struct sqlite_space *p)
{
    return smaller(RESERVE_FRAMES, p->wal->cap);
}

#ifndef NDEBUG
bool sqlite_space_valid(const struct sqlite_space *p)
{
    if (p->schema == NULL || p->wal == NULL || p->wal != p->schema->wal) {
        return false;
    }
    return p->limit < p->limit_closed && p->room >= 0;
}
#endif

void sqlite_space_init(struct sqlite_space *p, struct sqlite_schema *c, uint64_t max_disk_bytes)
{
    const uint64_t limit = max_disk_bytes == 0 ? INT64_MAX : max_disk_bytes;

    *p = (struct sqlite_space){
        .schema = c,
        .wal = c->wal,
        .file = -1,
        .limit = limit - sqlite_wal_bytes_of(c->wal->cap),
        .limit_closed = limit,
    };
}

/* --- the database file ---------------------------------------------------- */

/* Returns the bytes of a file with this number of pages, rounded up to a size that hold can set. */
static uint64_t size_for(uint64_t pages)
{
    const uint64_t bytes = pages * PAGE;
    const uint64_t unit = ((bytes - 1) / CHUNK_MOST + 1) * PAGE;

    return (bytes + unit - 1) / unit * unit;
}

/* Keeps the size of the file. A checkpoint truncates it to its pages, rounded up to whole
 * chunks, so this function sets the size of a chunk. */
static void hold(struct sqlite_space *p, uint64_t bytes)
{
    const uint64_t chunks = bytes > 0 ? (bytes - 1) / CHUNK_MOST + 1 : 1;
    int chunk = (int)((bytes / PAGE + chunks - 1) / chunks * PAGE);

    p->bytes = bytes;
    (void)sqlite3_file_control(p->schema->file->db, NULL, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
}

static int extend_file(struct sqlite_space *p, uint64_t bytes)
{
    int error = bytes > p->limit ? ENOSPC : sqlite_blocks_allocate(p->file, p->bytes, bytes);

    if (error == 0) {
        hold(p, bytes);
    }
    return error;
}

static void trim_file(struct sqlite_space *p, uint64_t bytes)
{
    if (bytes < p->bytes && ftruncate(p->file, (off_t)bytes) == 0) {
        hold(p, bytes);
    }
}

/* Frees the blocks of the WAL above the reserve, so that the database file can have them. SQLite
 * truncates a WAL at the first transaction after a restart, when the frames after its new end
 * are no longer needed. A transaction must change something, so this one changes a number that
 * has no meaning. */
static bool give_back_wal(struct sqlite_space *p)
{
    char sql[64];
    struct store_meta m = p->schema->meta;

    if (p->wal->allocated <= reserve_of(p) || !m.in_use) {
        return false;
    }
    m.last++; /* this number has no meaning while the store is in use */
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA journal_size_limit=%llu",
                     (unsigned long long)sqlite_wal_bytes_of(reserve_of(p)));
    plat_result r = sqlite_wal_checkpoint(p->wal);
    if (r == PLAT_OK) {
        r = sqlite_file_exec(p->schema->file, sql);
    }
    if (r == PLAT_OK) {
        r = sqlite_schema_write_meta(p->schema, &m);
    }
    if (r == PLAT_OK) {
        sqlite_schema_keep_meta(p->schema, &m);
    }
    (void)sqlite3_exec(p->schema->file->db, "PRAGMA journal_size_limit=-1", NULL, NULL, NULL);
    const uint64_t before = p->wal->allocated;
    sqlite_wal_measure(p->wal);
    return p->wal->allocated < before;
}

/* --- before an append ----------------------------------------------------- */

/* Computes the bytes of pages that appends may use, including free pages inside the file. A
 * negative number means that pages are missing. */
static plat_result count_room(struct sqlite_space *p, int64_t wanted, int64_t *room)
{
    uint64_t pages;
    uint64_t unused;
    plat_result r = sqlite_schema_ask(p->schema, STORE_PAGES, &pages);

    *room = (int64_t)p->bytes - (int64_t)((pages + MARGIN) * PAGE);
    if (r == PLAT_OK && *room < wanted) {
        r = sqlite_schema_ask(p->schema, STORE_FREE_PAGES, &unused);
        *room += (int64_t)(unused * PAGE);
    }
    return r;
}

static plat_result grow_file(struct sqlite_space *p, uint64_t bytes)
{
    const uint64_t pages = (bytes - 1) / PAGE + 1;
    const uint64_t have = p->bytes / PAGE;
    const uint64_t step = smaller(larger(have / 32, STEP_LEAST), STEP_MOST);
    const uint64_t most = size_for(smaller(have + larger(pages, step), p->limit / PAGE));
    const uint64_t least = size_for(have + pages);

    if (least > p->limit) {
        return sqlite_file_fail(p->schema->file, PLAT_ERR_FULL, "max_disk_bytes is reached");
    }
    /* If there was no space for the smallest amount, trying a larger one would only cost time. */
    int error = extend_file(p, p->tight ? least : larger(least, most));
    if (error != 0 && !p->tight && least < most) {
        error = extend_file(p, least);
    }
    if (error != 0 && give_back_wal(p)) {
        error = extend_file(p, least);
    }
    p->tight = error != 0;
    return error == 0 ? PLAT_OK : sqlite_file_fail_errno(p->schema->file, error);
}

/* Returns the bytes that a record needs in the file. A large record needs its overflow pages,
 * the page that it is in, and one page above that. Small records share a page, but up to half of
 * a page stays empty if the next record does not fit. */
static int64_t bytes_for(uint64_t record_bytes)
{
    return record_bytes <= PAGE / 2 ? (int64_t)(2 * record_bytes + PAGE / 4)
                                    : (int64_t)(record_bytes / (PAGE - 4) + 3) * PAGE;
}

plat_result sqlite_space_for(struct sqlite_space *p, uint64_t record_bytes)
{
    const int64_t bytes = bytes_for(record_bytes);
    int64_t room = 0;
    plat_result r = sqlite_wal_extend(p->wal, reserve_of(p));
    assert(sqlite_space_valid(p));

    if (r != PLAT_OK) {
        return r;
    }
    if (p->room >= bytes) {
        p->room -= bytes;
        return PLAT_OK;
    }
    r = count_room(p, bytes, &room);
    if (r == PLAT_OK && room < bytes) {
        const uint64_t before = p->bytes;
        r = grow_file(p, (uint64_t)(bytes - room));
        room += (int64_t)(p->bytes - before);
    }
    p->room = r == PLAT_OK ? room - bytes : 0;
    return r;
}

/* --- the life of a store -------------------------------------------------- */

uint64_t sqlite_space_first_bytes(void)
{
    return size_for(FIRST_PAGES + pages_of(RESERVE_FRAMES));
}

/* Finds out how many blocks the file has.  A file that was copied may have holes. */
static int measure_file(struct sqlite_space *p)
{
    struct stat st;

    if (fstat(p->file, &st) != 0) {
        return errno;
    }
    bool whole = (uint64_t)st.st_blocks * STAT_BLOCK >= (uint64_t)st.st_size ||
                 sqlite_blocks_allocate(p->file, 0, (uint64_t)st.st_size) == 0;
    hold(p, whole ? (uint64_t)st.st_size / PAGE * PAGE : 0);
    return 0;
}

static void take_reserve(struct sqlite_space *p, uint64_t pages)
{
    const uint64_t wanted = larger(reserve_of(p), p->wal->allocated);
    const uint64_t needed = size_for(pages + MARGIN);

    trim_file(p, larger(needed, p->limit));
    if (!sqlite_wal_allocate(p->wal, wanted) && p->bytes > needed) {
        /* Removes the part of the reserve that was needed only while the store was closed. */
        trim_file(p, needed);
        (void)fsync(p->file);
        (void)sqlite_wal_allocate(p->wal, wanted); /* after a failure the next append tries again */
    }
}

plat_result sqlite_space_open(struct sqlite_space *p, int64_t wal_bytes)
{
    uint64_t pages;

    p->file = open(sqlite_file_name(p->schema->file), O_RDWR | O_CLOEXEC);
    int error = p->file < 0 ? errno : measure_file(p);
    if (error != 0) {
        return sqlite_file_fail_errno(p->schema->file, error);
    }
    plat_result r = sqlite_schema_ask(p->schema, STORE_PAGES, &pages);
    if (r == PLAT_OK) {
        sqlite_wal_adopt(p->wal, wal_bytes);
        take_reserve(p, pages);
    }
    return r;
}

void sqlite_space_close(struct sqlite_space *p)
{
    assert(sqlite_space_valid(p));
    if (p->file >= 0) {
        (void)close(p->file);
        p->file = -1;
    }
}

void sqlite_space_shrink(struct sqlite_space *p)
{
    uint64_t pages;
    assert(sqlite_space_valid(p));

    if (sqlite_schema_ask(p->schema, STORE_PAGES, &pages) == PLAT_OK) {
        hold(p, smaller(p->bytes, size_for(larger(pages, FIRST_PAGES) + MARGIN)));
        p->room = 0;
    }
}

static bool move_reserve_to_file(struct sqlite_space *p)
{
    uint64_t pages;

    if (sqlite_schema_ask(p->schema, STORE_PAGES, &pages) != PLAT_OK) {
        return false;
    }
    const uint64_t wanted = larger(pages + MARGIN, FIRST_PAGES) + pages_of(reserve_of(p));
    const uint64_t bytes = smaller(size_for(wanted), p->limit_closed);
    trim_file(p, bytes);
    return p->bytes >= bytes || sqlite_blocks_allocate(p->file, p->bytes, bytes) == 0;
}

void sqlite_space_leave(struct sqlite_space *p)
{
    assert(sqlite_space_valid(p));
    if (!move_reserve_to_file(p)) {
        sqlite_wal_keep(p->wal);
    }
}
