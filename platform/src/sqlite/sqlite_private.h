#ifndef SQLITE_PRIVATE_H
#define SQLITE_PRIVATE_H

/*
 * What is in the file, and why:
 *
 *   records  one row each, never without one: the last row stays, for it says what comes next.
 *            `number` counts records and `total` their bytes since the store was made, so that
 *            the first and the last row tell how many there are, and a missing one is noticed.
 *            A removed record inside or at the end becomes a hole, a row without head, until all
 *            before it are gone as well. Holes side by side are one row, that of the last, whose
 *            tag says how many it stands for besides, and whose size is that of all of them.
 *   meta     one row: what tells this store from others, and what the rows cannot say.
 *
 * Both carry a hash: SQLite itself keeps checksums of its WAL only.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/sqlite_store.h"

enum {
    SQLITE_STORE_APPLICATION = 0x696f7451, /* "iotQ" */
    SQLITE_STORE_VERSION = 1,
    SQLITE_STORE_PAGE = 2048,
    SQLITE_STORE_FRAME = SQLITE_STORE_PAGE + 24, /* of the WAL */
    SQLITE_STORE_WAL_HEADER = 32,
    SQLITE_STORE_OUTLIERS = 16
};

enum store_statement {
    STORE_APPEND,
    STORE_READ,       /* the first row from a seq on */
    STORE_LAST,       /* the last row, with the columns of STORE_READ */
    STORE_FIRST_LIVE, /* seq and size of the first from a seq on that is no hole */
    STORE_LIVE,       /* size, number and total of this one, when it is no hole */
    STORE_NTH,        /* seq and total of the row after n others */
    STORE_HOLES,      /* count and bytes of the removed records before a seq */
    STORE_BEFORE,     /* the row before a seq, the columns as in sqlite_removals.c */
    STORE_AFTER,
    STORE_DELETE, /* all before a seq */
    STORE_DELETE_ONE,
    STORE_DIG, /* make a hole of this one */
    STORE_META,
    STORE_PAGES,
    STORE_FREE_PAGES,
    STORE_STATEMENTS
};

struct store_row {
    plat_store_record record;
    uint64_t number;
    uint64_t total; /* this record's bytes included */
    uint64_t size;
    bool hole;
    uint64_t span; /* of a hole: records that it stands for, itself not counted; its tag */
};

/* As on the disk. */
struct store_meta {
    uint64_t id;
    uint64_t reserved; /* no seq from here on was ever given out */
    bool in_use;       /* not closed since the last append */
    uint64_t first;    /* seq of the first row */
    uint64_t last;     /* seq of the last row; says nothing while in_use */
    uint64_t holes;
    uint64_t hole_bytes;
    uint64_t wal_salt; /* of the WAL when this was written; it goes up by one with each restart */
};

/* What its files have on the disk, whoever fills the rest of it. */
struct store_space {
    int file;       /* a descriptor of the database file; -1: none */
    uint64_t limit; /* bytes that file may grow to while there is a -wal */
    uint64_t limit_closed;
    uint64_t bytes;      /* of it that are allocated */
    uint64_t wal_frames; /* of the -wal that are allocated */
    int64_t room;        /* bytes of pages that appends may still take, at least */
    bool tight;          /* the last attempt to let the file grow has failed */
};

struct sqlite_store {
    plat_store base;
    sqlite3 *db;
    sqlite3_stmt *statements[STORE_STATEMENTS];
    char *path;
    char detail[PLAT_STORE_DETAIL_SIZE];
    plat_result latched;

    struct store_meta meta;
    struct store_row last; /* without head and body */
    uint64_t next_seq;
    uint64_t count;
    uint64_t bytes;

    /* What read saw last: the next one has the next number, or is a hole that begins before it. */
    uint64_t seen_seq;
    uint64_t seen_number;

    /* Removed, but on the disk still: all before below, and the outliers, in order. */
    uint64_t below;
    uint64_t outliers[SQLITE_STORE_OUTLIERS];
    size_t outlier_count;
    uint32_t removals;
    bool removals_wait;

    uint32_t sync_delay_ms;
    uint64_t deadline; /* 0: none */
    bool unsynced;
    bool rewrite; /* a sync failed: who knows what it left */
    int wal_frames;
    int wal_cap;
    struct store_space space;
};

/* sqlite_file.c: the connection, its errors, what reaches the disk when. */

plat_result sqlite_store_connect(struct sqlite_store *s, const char *path); /* reads nothing yet */
plat_result sqlite_store_configure(struct sqlite_store *s, const plat_sqlite_options *o);
void sqlite_store_disconnect(struct sqlite_store *s, bool leave_file_alone);
plat_result sqlite_store_fail(struct sqlite_store *s, plat_result r, const char *why);
plat_result sqlite_store_fail_errno(struct sqlite_store *s, int error);
/* A failure that another way has made good. */
void sqlite_store_forgive(struct sqlite_store *s);
plat_result sqlite_store_from_sqlite(struct sqlite_store *s, int rc);
plat_result sqlite_store_exec(struct sqlite_store *s, const char *sql);

/* All into the database file and onto the disk; the WAL starts again. */
plat_result sqlite_store_checkpoint(struct sqlite_store *s);
/* When half of the WAL's share is used.  Nothing depends on it: a failure is met again. */
void sqlite_store_checkpoint_early(struct sqlite_store *s);
plat_result sqlite_store_sync_wal(struct sqlite_store *s);
/* Make room for a transaction, so that the WAL keeps within its cap and its blocks. */
plat_result sqlite_store_make_room(struct sqlite_store *s, uint64_t frames);
/* The number in the header of the WAL: false when there is no valid one. */
bool sqlite_store_wal_salt(const struct sqlite_store *s, uint64_t *salt);
uint64_t sqlite_store_disk_bytes(const struct sqlite_store *s);

/* sqlite_space.c: blocks of the disk, allocated before they are needed. */

/* Between connecting and the lock, and while a connection and our descriptor are closed: closing a
 * descriptor drops all locks that the process has on its file. */
void sqlite_store_enter_files(void);
void sqlite_store_leave_files(void);

/* EFBIG for a file larger than this process may write, else 0: a write beyond that raises SIGXFSZ.
 */
int sqlite_store_check_limit(uint64_t bytes);
/* A new file, before it has its name.  0, or an errno. */
uint64_t sqlite_store_first_bytes(void);
int sqlite_store_make_first(const char *path);
/* The store is locked and loaded: take the reserve.  wal_bytes: of the -wal before, -1 for none.
 * PLAT_OK also when the disk has no space for it. */
plat_result sqlite_store_space_open(struct sqlite_store *s, int64_t wal_bytes);
/* What an append needs, so that it can be removed again whatever happens to the disk. */
plat_result sqlite_store_space_for(struct sqlite_store *s, uint64_t record_bytes);
plat_result sqlite_store_extend_wal(struct sqlite_store *s, uint64_t frames);
/* Before the checkpoint that makes the file smaller. */
void sqlite_store_space_shrink(struct sqlite_store *s);
/* At the end, when all is in the file: it gets the reserve too, or else the -wal stays. */
void sqlite_store_space_leave(struct sqlite_store *s);
/* Whether a -wal has stayed for its blocks only, or was never written. */
bool sqlite_store_is_reserve(const char *wal);

/* sqlite_schema.c: what is in the file. */

plat_result sqlite_store_create(struct sqlite_store *s, const plat_sqlite_options *o);
/* Prepare the statements, check the file, learn what is in it. */
plat_result sqlite_store_load(struct sqlite_store *s, const char *owner, int64_t wal_bytes);
plat_result sqlite_store_write_meta(struct sqlite_store *s, const struct store_meta *meta);
uint64_t sqlite_store_hash_row(const struct sqlite_store *s, const struct store_row *row);

/* Run one of the statements with up to two numbers: PLAT_EOF when it has no row.  Its columns
 * can be read until sqlite_store_release. */
plat_result sqlite_store_run(struct sqlite_store *s, enum store_statement which, uint64_t a,
                             uint64_t b);
uint64_t sqlite_store_column(const struct sqlite_store *s, enum store_statement which, int column);
void sqlite_store_release(struct sqlite_store *s, enum store_statement which);
/* PLAT_OK: STORE_READ or STORE_LAST ran, and the row is what was once stored. */
plat_result sqlite_store_fetch(struct sqlite_store *s, enum store_statement which, uint64_t seq,
                               struct store_row *row);

/* sqlite_removals.c */

plat_result sqlite_store_remove(struct sqlite_store *s, uint64_t seq);
bool sqlite_store_is_removed(const struct sqlite_store *s, uint64_t seq);
plat_result sqlite_store_write_removals(struct sqlite_store *s);

#endif
