#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite_private.h"

/*
 * A removal is a transaction like any other: it takes frames of the WAL, and the checkpoint that
 * empties the WAL writes pages of the database file.  On a full disk both fail, unless these blocks
 * have been allocated before.  So no append is accepted unless
 *
 *   - the database file has a block for each page that it will have after it, and MARGIN more, so
 *     that a checkpoint never makes the file grow, and
 *   - the -wal has blocks for the reserve, which is enough for a batch of removals.
 *
 * With that, a transaction that fits the reserve always succeeds: if the WAL has no room left for
 * it, a checkpoint makes some.  While the store is closed there is no -wal; then the end of the
 * database file has the blocks.
 *
 * The blocks are allocated through a descriptor of our own, because SQLite does not give out its.
 */

enum {
    PAGE = SQLITE_STORE_PAGE,
    WAL_HEADER = SQLITE_STORE_WAL_HEADER,
    RESERVE_FRAMES = 160, /* also enough to append 256 KB, the largest message of a hub */
    MARGIN = 16, /* pages that a balancing of the tree may take: of an append and of a removal */
    FIRST_PAGES = 32, /* of an empty store */
    BLOCKS = 4,       /* pages lost to the borders of blocks where the reserve changes its file */
    STEP_LEAST = 128, /* pages the file grows by; a 32nd of it within these bounds */
    STEP_MOST = 1024,
    STEP_WAL = 128 /* frames */
};

#define CHUNK_MOST ((uint64_t)1 << 30) /* SQLite takes an int */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t wal_bytes_of(uint64_t frames)
{
    return WAL_HEADER + frames * SQLITE_STORE_FRAME;
}

static uint64_t wal_frames_of(int64_t bytes)
{
    return bytes > WAL_HEADER ? ((uint64_t)bytes - WAL_HEADER) / SQLITE_STORE_FRAME : 0;
}

static uint64_t pages_of(uint64_t frames)
{
    return wal_bytes_of(frames) / PAGE + 1 + BLOCKS;
}

static uint64_t reserve_of(const struct sqlite_store *s)
{
    return smaller(RESERVE_FRAMES, (uint64_t)s->wal_cap);
}

void sqlite_store_enter_files(void)
{
    sqlite3_mutex_enter(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP3));
}

void sqlite_store_leave_files(void)
{
    sqlite3_mutex_leave(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP3));
}

/* --- blocks --------------------------------------------------------------- */

int sqlite_store_check_limit(uint64_t bytes)
{
    struct rlimit limit;
    bool beyond = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
                  bytes > limit.rlim_cur;

    return beyond ? EFBIG : 0;
}

/* For a file system, or a C library, that does not allocate: behind the end only. */
static int write_zeros(int fd, uint64_t at, uint64_t end)
{
    static const uint8_t zeros[16384];

    while (at < end) {
        ssize_t n = pwrite(fd, zeros, (size_t)smaller(sizeof zeros, end - at), (off_t)at);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        at += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

/*
 * Let a file have blocks for all bytes up to `end`; those before `at` have theirs.
 * @return  0, or an errno: then the file has its old size
 */
static int allocate(int fd, uint64_t at, uint64_t end)
{
    struct stat st;
    int error = sqlite_store_check_limit(end);

    if (error != 0) {
        return error;
    }
    if (fstat(fd, &st) != 0) {
        return errno;
    }
    const uint64_t size = (uint64_t)st.st_size;
    do {
        error = posix_fallocate(fd, (off_t)at, (off_t)(end - at));
    } while (error == EINTR);
    if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL) {
        error = write_zeros(fd, larger(at, size), end);
    }
    if (error != 0 && size < end && ftruncate(fd, st.st_size) != 0) {
        return errno; /* what was allocated in part stays with the file */
    }
    return error;
}

/* --- the database file ---------------------------------------------------- */

/* Rounded up, so that it can be held. */
static uint64_t size_for(uint64_t pages)
{
    const uint64_t bytes = pages * PAGE;
    const uint64_t unit = ((bytes - 1) / CHUNK_MOST + 1) * PAGE;

    return (bytes + unit - 1) / unit * unit;
}

/* A checkpoint truncates the file to its pages, rounded up to whole chunks: let these give its
 * size. */
static void hold(struct sqlite_store *s, uint64_t bytes)
{
    const uint64_t chunks = bytes > 0 ? (bytes - 1) / CHUNK_MOST + 1 : 1;
    int chunk = (int)((bytes / PAGE + chunks - 1) / chunks * PAGE);

    s->space.bytes = bytes;
    (void)sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
}

static int extend_file(struct sqlite_store *s, uint64_t bytes)
{
    int error = bytes > s->space.limit ? ENOSPC : allocate(s->space.file, s->space.bytes, bytes);

    if (error == 0) {
        hold(s, bytes);
    }
    return error;
}

static void trim_file(struct sqlite_store *s, uint64_t bytes)
{
    if (bytes < s->space.bytes && ftruncate(s->space.file, (off_t)bytes) == 0) {
        hold(s, bytes);
    }
}

static plat_result ask(struct sqlite_store *s, enum store_statement which, uint64_t *out)
{
    plat_result r = sqlite_store_run(s, which, 0, 0);

    *out = 0;
    if (r == PLAT_OK) {
        *out = sqlite_store_column(s, which, 0);
        sqlite_store_release(s, which);
    }
    return r;
}

/* --- the WAL -------------------------------------------------------------- */

static int open_wal(const struct sqlite_store *s)
{
    return open(sqlite3_filename_wal(sqlite3_db_filename(s->db, "main")), O_RDWR | O_CLOEXEC);
}

/* Bytes at the front may be there already, or be a hole that a copy made. */
static int extend_wal_to(struct sqlite_store *s, int fd, uint64_t at, uint64_t frames)
{
    int error = allocate(fd, at, wal_bytes_of(frames));

    if (error == 0) {
        s->space.wal_frames = frames;
    }
    return error;
}

static int extend_wal(struct sqlite_store *s, uint64_t at, uint64_t least, uint64_t goal)
{
    int fd = open_wal(s);

    if (fd < 0) {
        return errno;
    }
    int error = extend_wal_to(s, fd, at, goal);
    if (error != 0 && least < goal) {
        error = extend_wal_to(s, fd, at, least);
    }
    (void)close(fd); /* SQLite has no locks on this file that would go with it */
    return error;
}

plat_result sqlite_store_extend_wal(struct sqlite_store *s, uint64_t frames)
{
    const uint64_t have = s->space.wal_frames;
    const uint64_t cap = (uint64_t)s->wal_cap;

    if (frames <= have) {
        return PLAT_OK;
    }
    const uint64_t goal = larger(frames, smaller(have + STEP_WAL, cap));
    int error = extend_wal(s, have > 0 ? wal_bytes_of(have) : 0, frames, goal);
    return error == 0 ? PLAT_OK : sqlite_store_fail_errno(s, error);
}

/*
 * Blocks of the -wal above the reserve for the database file.  SQLite truncates a WAL with the
 * first transaction after a restart, when no frame behind the end counts any more; it takes
 * something that changes to make one.
 */
static bool give_back_wal(struct sqlite_store *s)
{
    char sql[64];
    struct stat st;
    struct store_meta m = s->meta;

    if (s->space.wal_frames <= reserve_of(s) || !m.in_use) {
        return false;
    }
    m.last++; /* says nothing while it is in use */
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA journal_size_limit=%llu",
                     (unsigned long long)wal_bytes_of(reserve_of(s)));
    plat_result r = sqlite_store_checkpoint(s);
    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, sql);
    }
    if (r == PLAT_OK) {
        r = sqlite_store_write_meta(s, &m);
    }
    s->meta = r == PLAT_OK ? m : s->meta;
    (void)sqlite3_exec(s->db, "PRAGMA journal_size_limit=-1", NULL, NULL, NULL);
    const uint64_t before = s->space.wal_frames;
    if (stat(sqlite3_filename_wal(sqlite3_db_filename(s->db, "main")), &st) == 0) {
        s->space.wal_frames = smaller(before, wal_frames_of(st.st_size));
    }
    return s->space.wal_frames < before;
}

/* --- before an append ----------------------------------------------------- */

/* Bytes of pages that appends may take, free ones inside included; negative: too few. */
static plat_result count_room(struct sqlite_store *s, int64_t wanted, int64_t *room)
{
    uint64_t pages;
    uint64_t unused;
    plat_result r = ask(s, STORE_PAGES, &pages);

    *room = (int64_t)s->space.bytes - (int64_t)((pages + MARGIN) * PAGE);
    if (r == PLAT_OK && *room < wanted) {
        r = ask(s, STORE_FREE_PAGES, &unused);
        *room += (int64_t)(unused * PAGE);
    }
    return r;
}

static plat_result grow_file(struct sqlite_store *s, uint64_t bytes)
{
    const uint64_t pages = (bytes - 1) / PAGE + 1;
    const uint64_t have = s->space.bytes / PAGE;
    const uint64_t step = smaller(larger(have / 32, STEP_LEAST), STEP_MOST);
    const uint64_t most = size_for(smaller(have + larger(pages, step), s->space.limit / PAGE));
    const uint64_t least = size_for(have + pages);

    if (least > s->space.limit) {
        return sqlite_store_fail(s, PLAT_ERR_FULL, "max_disk_bytes is reached");
    }
    /* Where even the least had no space, an attempt with more is only work for the file system. */
    int error = extend_file(s, s->space.tight ? least : larger(least, most));
    if (error != 0 && !s->space.tight && least < most) {
        error = extend_file(s, least);
    }
    if (error != 0 && give_back_wal(s)) {
        error = extend_file(s, least);
    }
    s->space.tight = error != 0;
    return error == 0 ? PLAT_OK : sqlite_store_fail_errno(s, error);
}

/*
 * What a record takes of the file.  A large one: its overflow pages, the page that it is in, and
 * one above that.  Small ones share a page, but what does not fit any more leaves some of it
 * empty, at worst half.
 */
static int64_t bytes_for(uint64_t record_bytes)
{
    return record_bytes <= PAGE / 2 ? (int64_t)(2 * record_bytes + PAGE / 4)
                                    : (int64_t)(record_bytes / (PAGE - 4) + 3) * PAGE;
}

plat_result sqlite_store_space_for(struct sqlite_store *s, uint64_t record_bytes)
{
    const int64_t bytes = bytes_for(record_bytes);
    int64_t room = 0;
    plat_result r = sqlite_store_extend_wal(s, reserve_of(s));

    if (r != PLAT_OK || s->space.room >= bytes) {
        s->space.room -= r == PLAT_OK ? bytes : 0;
        return r;
    }
    r = count_room(s, bytes, &room);
    if (r == PLAT_OK && room < bytes) {
        const uint64_t before = s->space.bytes;
        r = grow_file(s, (uint64_t)(bytes - room));
        room += (int64_t)(s->space.bytes - before);
    }
    s->space.room = r == PLAT_OK ? room - bytes : 0;
    return r;
}

/* --- the life of a store -------------------------------------------------- */

uint64_t sqlite_store_first_bytes(void)
{
    return size_for(FIRST_PAGES + pages_of(RESERVE_FRAMES));
}

int sqlite_store_make_first(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    int error = allocate(fd, 0, sqlite_store_first_bytes());
    (void)close(fd); /* nobody has opened it: it has no locks */
    return error;
}

/* What the file has.  A copy may have holes. */
static int measure_file(struct sqlite_store *s)
{
    struct stat st;

    if (fstat(s->space.file, &st) != 0) {
        return errno;
    }
    bool whole = (uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size ||
                 allocate(s->space.file, 0, (uint64_t)st.st_size) == 0;
    hold(s, whole ? (uint64_t)st.st_size / PAGE * PAGE : 0);
    return 0;
}

static void take_reserve(struct sqlite_store *s, uint64_t wal_frames, uint64_t pages)
{
    const uint64_t wanted = larger(reserve_of(s), wal_frames);
    const uint64_t needed = size_for(pages + MARGIN);

    trim_file(s, larger(needed, s->space.limit));
    int error = extend_wal(s, 0, wanted, wanted);
    if (error != 0 && s->space.bytes > needed) {
        trim_file(s, needed); /* where it was while the store was closed */
        (void)fsync(s->space.file);
        error = extend_wal(s, 0, wanted, wanted);
    }
    if (error != 0) {
        s->space.wal_frames = wal_frames;
    }
}

plat_result sqlite_store_space_open(struct sqlite_store *s, int64_t wal_bytes)
{
    uint64_t pages;
    const uint64_t wal_frames = wal_frames_of(wal_bytes);

    s->space.file = open(sqlite3_db_filename(s->db, "main"), O_RDWR | O_CLOEXEC);
    int error = s->space.file < 0 ? errno : measure_file(s);
    if (error != 0) {
        return sqlite_store_fail_errno(s, error);
    }
    plat_result r = ask(s, STORE_PAGES, &pages);
    if (r == PLAT_OK) {
        /* Nobody says how many of them SQLite has found to be valid: perhaps all. */
        uint64_t salt;
        s->wal_frames = sqlite_store_wal_salt(s, &salt) ? (int)smaller(wal_frames, INT32_MAX) : 0;
        take_reserve(s, wal_frames, pages);
    }
    return r;
}

void sqlite_store_space_shrink(struct sqlite_store *s)
{
    uint64_t pages;

    if (ask(s, STORE_PAGES, &pages) == PLAT_OK) {
        hold(s, smaller(s->space.bytes, size_for(larger(pages, FIRST_PAGES) + MARGIN)));
        s->space.room = 0;
    }
}

bool sqlite_store_is_reserve(const char *wal)
{
    static const uint8_t none[WAL_HEADER];
    uint8_t header[WAL_HEADER];
    int fd = open(wal, O_RDONLY | O_CLOEXEC);
    bool read_all = fd >= 0 && read(fd, header, sizeof header) == (ssize_t)sizeof header;

    if (fd >= 0) {
        (void)close(fd);
    }
    return read_all && memcmp(header, none, sizeof none) == 0;
}

/* All that is in it is in the file as well.  Without a header it cannot be taken for a WAL of
 * another store that is made here later. */
static void keep_wal(struct sqlite_store *s)
{
    static const uint8_t none[WAL_HEADER];
    int yes = 1;
    int fd = open_wal(s);

    (void)sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &yes);
    if (fd >= 0) {
        (void)!pwrite(fd, none, sizeof none, 0); /* a header that stays says what the file says */
        (void)close(fd);
    }
}

static bool move_reserve_to_file(struct sqlite_store *s)
{
    uint64_t pages;

    if (ask(s, STORE_PAGES, &pages) != PLAT_OK) {
        return false;
    }
    const uint64_t wanted = larger(pages + MARGIN, FIRST_PAGES) + pages_of(reserve_of(s));
    const uint64_t bytes = smaller(size_for(wanted), s->space.limit_closed);
    trim_file(s, bytes);
    return s->space.bytes >= bytes || allocate(s->space.file, s->space.bytes, bytes) == 0;
}

void sqlite_store_space_leave(struct sqlite_store *s)
{
    if (!move_reserve_to_file(s)) {
        keep_wal(s);
    }
}
