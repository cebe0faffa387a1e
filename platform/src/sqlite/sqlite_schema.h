#ifndef SQLITE_SCHEMA_H
#define SQLITE_SCHEMA_H

/**
 * @file
 * The content of the database file, and the reasons for it:
 *
 *   records  One row for each record. There is always at least one row: the last row stays,
 *            because it shows which number comes next. `number` counts records and `total` their
 *            bytes since the store was made. So the first and the last row show how many records
 *            there are, and a missing row is noticed. If a record is removed while an earlier one
 *            is still stored, its row becomes a gap: its head is NULL, and it is deleted together
 *            with all rows before it. Adjacent gaps are joined into one row, the last of them. Its
 *            tag is the number of further records that it stands for, and its size is the size of
 *            all of them.
 *   meta     One row: what distinguishes this store from others, and what the other rows do not
 *            contain.
 *
 * Rows of both tables contain a hash, because SQLite itself has checksums only for its WAL.
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
    STORE_READ,       /* reads the first row with this seq or a higher one */
    STORE_LAST,       /* reads the last row, with the columns of STORE_READ */
    STORE_FIRST_LIVE, /* reads seq and size of the first row from a seq on that is not a gap */
    STORE_LIVE,       /* reads size, number and total of the row with a seq, if it is not a gap */
    STORE_NTH,        /* reads seq and total of the row after n others */
    STORE_GAPS,       /* reads count and bytes of the removed records before a seq */
    STORE_BEFORE,     /* reads the row before a seq, with the columns of sqlite_removals.c */
    STORE_AFTER,
    STORE_DELETE, /* deletes all rows before a seq */
    STORE_DELETE_ONE,
    STORE_MARK_REMOVED, /* makes a row a gap */
    STORE_META,
    STORE_PAGES,
    STORE_FREE_PAGES,
    STORE_STATEMENTS
};

/** A row of the table `records`. */
struct store_row {
    plat_store_record record;
    uint64_t number;
    uint64_t total; /* bytes of all records up to this one */
    uint64_t size;
    bool gap;
    /* Number of further records that a gap stands for; stored in the column tag. */
    uint64_t span;
};

/** The row of the table `meta`. */
struct store_meta {
    uint64_t id;
    uint64_t reserved;  /* no seq from this one on was ever assigned */
    bool in_use;        /* the store was not closed since the last append */
    uint64_t first;     /* seq of the first row */
    uint64_t last;      /* seq of the last row; meaningless while in_use is set */
    uint64_t gaps;      /* number of gaps, in the column holes */
    uint64_t gap_bytes; /* sum of their sizes, in the column hole_bytes */
    /* Salt of the WAL when this row was written; each restart of the WAL raises it. */
    uint64_t wal_salt;
};

/**
 * The prepared statements and what is known of the rows. Only sqlite_schema.c writes the members.
 */
struct sqlite_schema {
    struct sqlite_file *file;
    struct sqlite_wal *wal;
    sqlite3_stmt *statements[STORE_STATEMENTS]; /* NULL: not prepared yet */
    struct store_meta meta;                     /* the contents of the table meta on the disk */
    struct store_row last;                      /* the last row, without head and body */
};

/** What was found in a store when it was opened. */
struct sqlite_contents {
    uint64_t count;
    uint64_t bytes;
    uint64_t first_seq; /* seq of the first row */
    uint64_t first_number;
};

void sqlite_schema_init(struct sqlite_schema *c, struct sqlite_wal *w);
/** Finalizes all statements. Call it before the file is disconnected. */
void sqlite_schema_release_all(struct sqlite_schema *c);

/** Checks whether a connected file is a store of this version. */
plat_result sqlite_schema_check_kind(struct sqlite_file *f);
/**
 * Checks the file, prepares the statements and finds out what is in it. wal_bytes is the size of
 * the WAL before the connection; -1: there was none.
 */
plat_result sqlite_schema_load(struct sqlite_schema *c, const char *owner, int64_t wal_bytes,
                               struct sqlite_contents *out);

uint64_t sqlite_schema_hash_row(uint64_t store_id, const struct store_row *row);
uint64_t sqlite_schema_hash_meta(const struct store_meta *m);

/** Writes the row of `meta`. After the commit, call sqlite_schema_keep_meta to update c->meta. */
plat_result sqlite_schema_write_meta(struct sqlite_schema *c, const struct store_meta *m);
void sqlite_schema_keep_meta(struct sqlite_schema *c, const struct store_meta *m);

/** Appends a row, which then is the last one. */
plat_result sqlite_schema_insert(struct sqlite_schema *c, const struct store_row *row);
/** Makes a row a gap; only seq, size, span, number and total of `row` are used. */
plat_result sqlite_schema_write_gap(struct sqlite_schema *c, const struct store_row *row);

/**
 * Runs one of the statements with up to two numbers. Its columns can be read until
 * sqlite_schema_release. PLAT_EOF means that it returns no row.
 */
plat_result sqlite_schema_run(struct sqlite_schema *c, enum store_statement which, uint64_t a,
                              uint64_t b);
uint64_t sqlite_schema_column(const struct sqlite_schema *c, enum store_statement which,
                              int column);
void sqlite_schema_release(struct sqlite_schema *c, enum store_statement which);
/** Returns one number of a statement without parameters in *out, which is 0 after a failure. */
plat_result sqlite_schema_ask(struct sqlite_schema *c, enum store_statement which, uint64_t *out);
/** Runs STORE_READ or STORE_LAST. PLAT_OK means that the row is unchanged since it was stored. */
plat_result sqlite_schema_fetch(struct sqlite_schema *c, enum store_statement which, uint64_t seq,
                                struct store_row *row);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_schema_valid(const struct sqlite_schema *c);
#endif

#endif
