#ifndef SQLITE_WAL_H
#define SQLITE_WAL_H

/**
 * @file
 * The write-ahead log (WAL): its size and limit, which of its frames have blocks on the disk, and
 * which have been synced.
 */

#include "sqlite/sqlite_file.h"

enum {
    SQLITE_WAL_PAGE = 2048,
    SQLITE_WAL_HEADER = 32,
    SQLITE_WAL_FRAME = SQLITE_WAL_PAGE + 24 /* one page with its header in the WAL */
};

/** The WAL of a store. Only sqlite_wal.c writes its members. */
struct sqlite_wal {
    struct sqlite_file *file;
    uint64_t frames;    /* number of frames that a checkpoint has to copy */
    uint64_t cap;       /* most frames that it may have */
    uint64_t allocated; /* number of frames that have blocks on the disk */
    bool sync_each;     /* sync after each commit */
    bool unsynced;      /* the WAL has commits that were not synced */
    bool rewrite;       /* a sync has failed, so it is not known what is on the disk */
};

/**
 * Initialises the struct. Call it before the file is connected. max_disk_bytes is the limit of the
 * whole store; 0: no limit.
 */
void sqlite_wal_init(struct sqlite_wal *w, struct sqlite_file *f, bool sync_each,
                     uint64_t max_disk_bytes);
/** Begins to count frames. Call it once for each connection. */
void sqlite_wal_attach(struct sqlite_wal *w);

uint64_t sqlite_wal_bytes_of(uint64_t frames);
/**
 * Returns the number of complete frames in a WAL of that size; 0 for none, or for a negative size.
 */
uint64_t sqlite_wal_frames_of(int64_t bytes);

/** Call it when the store was opened and the WAL had this size. */
void sqlite_wal_adopt(struct sqlite_wal *w, int64_t bytes);

/**
 * Reads the number in the WAL's header that a restart of the WAL raises by one.
 * @return false: there is no valid header
 */
bool sqlite_wal_salt(const struct sqlite_wal *w, uint64_t *salt);

/** Copies everything into the database file and syncs it. Then the WAL starts at its beginning. */
plat_result sqlite_wal_checkpoint(struct sqlite_wal *w);
/**
 * Makes a checkpoint if half of the WAL's limit is used. A failure is ignored, because it will
 * occur again when the checkpoint is needed.
 */
void sqlite_wal_checkpoint_early(struct sqlite_wal *w);

/** Call it when a transaction was committed. */
void sqlite_wal_note_commit(struct sqlite_wal *w);
/** Syncs all commits to the disk. */
plat_result sqlite_wal_sync(struct sqlite_wal *w);

/**
 * Makes room for a transaction of this number of frames, within the WAL's size limit and its
 * allocated blocks.
 */
plat_result sqlite_wal_make_room(struct sqlite_wal *w, uint64_t frames);
/** Allocates blocks for a WAL of at least this number of frames; usually for more. */
plat_result sqlite_wal_extend(struct sqlite_wal *w, uint64_t frames);
/**
 * Allocates blocks for exactly this number of frames, from the first byte on. Returns false if
 * there is no space.
 */
bool sqlite_wal_allocate(struct sqlite_wal *w, uint64_t frames);
/** Counts the blocks of the WAL again, because some may no longer exist. */
void sqlite_wal_measure(struct sqlite_wal *w);

/**
 * Keeps the WAL file when the store is closed, but only for its blocks: everything in it must be in
 * the database file already.
 */
void sqlite_wal_keep(struct sqlite_wal *w);
/** Returns whether a WAL was kept only for its blocks, or was never written. */
bool sqlite_wal_is_reserve(const char *name);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_wal_valid(const struct sqlite_wal *w);
#endif

#endif
