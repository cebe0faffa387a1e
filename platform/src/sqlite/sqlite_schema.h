#ifndef SQLITE_SCHEMA_H
#define SQLITE_SCHEMA_H

/**
 * @file
 * What is in the database file, and why:
 *
 *   records  One row for each record, and never without a row: the last row stays, because it tells
 *            which number comes next.  `number` counts records and `total` their bytes since the
 *            store was made.  The first and the last row therefore tell how many records there are,
 *            and a missing row is noticed.  A record that was removed while an earlier one is still
 *            stored becomes a gap: a row whose head is NULL, until all rows before it are deleted.
 *            Gaps side by side are one row, that of the last of them.  Its tag is the number of
 *            further records that it stands for, and its size is that of all of them.
 *   meta     One row: what distinguishes this store from others, and what the other rows do not
 *            contain.
 *
 * Rows of both tables carry a hash, because SQLite itself keeps checksums of its WAL only.
 */

#include "sqlite/sqlite_wal.h"

enum {
    SQLITE_SCHEMA_APPLICATION = 0x696f7451, /* "iotQ" */
    SQLITE_SCHEMA_VERSION = 1
};

#define SQLITE_META_TABLE                                                                \
    "CREATE TABLE meta(id INTEGER, owner TEXT, reserved INTEGER, in_use INTEGER,"        \
    " first INTEGER, last INTEGER, holes INTEGER, hole_bytes INTEGER, wal_salt INTEGER," \
    " hash INTEGER)"
#define SQLITE_RECORDS_TABLE                                                                     \
    "CREATE TABLE records(seq INTEGER PRIMARY KEY, number INTEGER, total INTEGER, size INTEGER," \
    " stored_s INTEGER, tag INTEGER, id INTEGER, ttl_ms INTEGER, flags INTEGER, hash INTEGER,"   \
    " head BLOB, body BLOB)"

enum store_statement {
    STORE_APPEND,
    STORE_READ,       /* the first row from a seq on */
    STORE_LAST,       /* the last row, with the columns of STORE_READ */
    STORE_FIRST_LIVE, /* seq and size of the first row from a seq on that is no gap */
    STORE_LIVE,       /* size, number and total of the row of a seq, if it is no gap */
    STORE_NTH,        /* seq and total of the row after n others */
    STORE_GAPS,       /* count and bytes of the removed records before a seq */
    STORE_BEFORE,     /* the row before a seq; the columns are those of sqlite_removals.c */
    STORE_AFTER,
    STORE_DELETE, /* all rows before a seq */
    STORE_DELETE_ONE,
    STORE_MARK_REMOVED, /* makes a gap of a row */
    STORE_META,
    STORE_PAGES,
    STORE_FREE_PAGES,
    STORE_STATEMENTS
};

/** A row of `records`. */
struct store_row {
    plat_store_record record;
    uint64_t number;
    uint64_t total; /* this record's bytes included */
    uint64_t size;
    bool gap;
    uint64_t span; /* of a gap: further records that it stands for; on the disk its tag */
};

/** The row of `meta`. */
struct store_meta {
    uint64_t id;
    uint64_t reserved;  /* no seq from here on was ever given out */
    bool in_use;        /* the store was not closed since the last append */
    uint64_t first;     /* seq of the first row */
    uint64_t last;      /* seq of the last row; of no meaning while in_use */
    uint64_t gaps;      /* the columns holes */
    uint64_t gap_bytes; /* and hole_bytes */
    uint64_t wal_salt;  /* of the WAL when this was written; each restart of the WAL raises it */
};

/** Written by sqlite_schema.c only. */
struct sqlite_schema {
    struct sqlite_file *file;
    struct sqlite_wal *wal;
    sqlite3_stmt *statements[STORE_STATEMENTS]; /* NULL: not prepared */
    struct store_meta meta;                     /* as on the disk */
    struct store_row last;                      /* the last row, without head and body */
};

/** The contents of an opened store. */
struct sqlite_contents {
    uint64_t count;
    uint64_t bytes;
    uint64_t first_seq; /* of the first row */
    uint64_t first_number;
};

void sqlite_schema_init(struct sqlite_schema *c, struct sqlite_wal *w);
/** Finalizes the statements, before the file is disconnected. */
void sqlite_schema_release_all(struct sqlite_schema *c);

/** Whether a connected file is a store of this version. */
plat_result sqlite_schema_check_kind(struct sqlite_file *f);
/**
 * Checks the file, prepares the statements and learns what is in it.
 * wal_bytes: of the WAL before it was connected; -1: there was none.
 */
plat_result sqlite_schema_load(struct sqlite_schema *c, const char *owner, int64_t wal_bytes,
                               struct sqlite_contents *out);

uint64_t sqlite_schema_hash_row(uint64_t store_id, const struct store_row *row);
uint64_t sqlite_schema_hash_meta(const struct store_meta *m);

/** Writes the row of `meta`.  c->meta follows with sqlite_schema_keep_meta, once it is committed.
 */
plat_result sqlite_schema_write_meta(struct sqlite_schema *c, const struct store_meta *m);
void sqlite_schema_keep_meta(struct sqlite_schema *c, const struct store_meta *m);

/** Appends a row, which is the last one then. */
plat_result sqlite_schema_insert(struct sqlite_schema *c, const struct store_row *row);
/** Makes a gap of a row: seq, size, span, number and total count. */
plat_result sqlite_schema_write_gap(struct sqlite_schema *c, const struct store_row *row);

/**
 * Runs one of the statements with up to two numbers.  Its columns can be read until
 * sqlite_schema_release.  PLAT_EOF: it has no row.
 */
plat_result sqlite_schema_run(struct sqlite_schema *c, enum store_statement which, uint64_t a,
                              uint64_t b);
uint64_t sqlite_schema_column(const struct sqlite_schema *c, enum store_statement which,
                              int column);
void sqlite_schema_release(struct sqlite_schema *c, enum store_statement which);
/** One number of a statement without parameters; 0 after a failure. */
plat_result sqlite_schema_ask(struct sqlite_schema *c, enum store_statement which, uint64_t *out);
/** PLAT_OK: STORE_READ or STORE_LAST has run, and the row is what was once stored. */
plat_result sqlite_schema_fetch(struct sqlite_schema *c, enum store_statement which, uint64_t seq,
                                struct store_row *row);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_schema_valid(const struct sqlite_schema *c);
#endif

#endif
