#ifndef SQLITE_WAL_H
#define SQLITE_WAL_H

/**
 * @file
 * The write-ahead log (WAL): how large it is and may become, which of it has blocks on the disk,
 * and what of it has reached the disk.
 */

#include "sqlite/sqlite_file.h"

enum {
    SQLITE_WAL_PAGE = 2048,
    SQLITE_WAL_HEADER = 32,
    SQLITE_WAL_FRAME = SQLITE_WAL_PAGE + 24 /* a page in the WAL */
};

/** Written by sqlite_wal.c only. */
struct sqlite_wal {
    struct sqlite_file *file;
    uint64_t frames;    /* in the WAL that a checkpoint has to copy */
    uint64_t cap;       /* frames that it may have */
    uint64_t allocated; /* frames that have blocks on the disk */
    bool sync_each;     /* each commit syncs */
    bool unsynced;      /* the WAL has commits that may not be on the disk */
    bool rewrite;       /* a sync has failed, and what it left behind is unknown */
};

/** Before the file is connected.  max_disk_bytes: of the whole store; 0: no limit. */
void sqlite_wal_init(struct sqlite_wal *w, struct sqlite_file *f, bool sync_each,
                     uint64_t max_disk_bytes);
/** Begins to count frames.  Once for each connection. */
void sqlite_wal_attach(struct sqlite_wal *w);

uint64_t sqlite_wal_bytes_of(uint64_t frames);
/** Whole frames in a WAL of that size; 0 for none, or for a negative size. */
uint64_t sqlite_wal_frames_of(int64_t bytes);

/** The WAL was found with this size when the store was opened. */
void sqlite_wal_adopt(struct sqlite_wal *w, int64_t bytes);

/**
 * The number in the WAL's header that a restart of the WAL raises by one.
 * @return  false: there is no valid header
 */
bool sqlite_wal_salt(const struct sqlite_wal *w, uint64_t *salt);

/** Copies everything into the database file and onto the disk; the WAL starts again. */
plat_result sqlite_wal_checkpoint(struct sqlite_wal *w);
/** When half of the WAL's share is used.  Nothing depends on it: a failure is met again. */
void sqlite_wal_checkpoint_early(struct sqlite_wal *w);

/** A transaction was committed. */
void sqlite_wal_note_commit(struct sqlite_wal *w);
/** Brings all commits onto the disk. */
plat_result sqlite_wal_sync(struct sqlite_wal *w);

/** Makes room for a transaction of this number of frames, within the WAL's size limit and allocated
 * blocks. */
plat_result sqlite_wal_make_room(struct sqlite_wal *w, uint64_t frames);
/** Allocates blocks for a WAL of at least this number of frames; usually for more. */
plat_result sqlite_wal_extend(struct sqlite_wal *w, uint64_t frames);
/** Allocates blocks for exactly this number of frames, from the first byte on.  False: there is no
 * space. */
bool sqlite_wal_allocate(struct sqlite_wal *w, uint64_t frames);
/** Blocks that no longer exist do not count. */
void sqlite_wal_measure(struct sqlite_wal *w);

/**
 * Keeps the WAL file when the store is closed, but only for its blocks: everything in it must be in
 * the database file already.
 */
void sqlite_wal_keep(struct sqlite_wal *w);
/** Whether a WAL has stayed for its blocks only, or was never written. */
bool sqlite_wal_is_reserve(const char *name);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_wal_valid(const struct sqlite_wal *w);
#endif

#endif
