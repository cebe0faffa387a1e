#ifndef SQLITE_SPACE_H
#define SQLITE_SPACE_H

/**
 * @file
 * Keeps enough blocks of the disk allocated, so that all appended records can be removed again,
 * even if another program fills the rest of the disk.
 */

#include "sqlite/sqlite_schema.h"

/** The reserved space of a store. Only sqlite_space.c writes its members. */
struct sqlite_space {
    struct sqlite_schema *schema;
    struct sqlite_wal *wal;
    int file;       /* a descriptor of the database file; -1: none */
    uint64_t limit; /* largest size in bytes of that file while there is a WAL */
    uint64_t limit_closed;
    uint64_t bytes; /* how many of its bytes have blocks */
    int64_t room;   /* bytes of pages that appends may still use, as a lower bound */
    bool tight;     /* the last attempt to enlarge the file has failed */
};

/** Initialises the struct. max_disk_bytes is the limit of the whole store; 0: no limit. */
void sqlite_space_init(struct sqlite_space *p, struct sqlite_schema *c, uint64_t max_disk_bytes);

/** Returns the size in bytes of the file of a new store. */
uint64_t sqlite_space_first_bytes(void);

/**
 * Allocates the reserve. Call it when the store is locked and loaded. It returns PLAT_OK even if
 * the disk has no space for the reserve. wal_bytes has the same meaning as in sqlite_schema_load.
 */
plat_result sqlite_space_open(struct sqlite_space *p, int64_t wal_bytes);
/** Closes the descriptor. */
void sqlite_space_close(struct sqlite_space *p);

/**
 * Allocates what an append needs, so that the record can be removed again whatever happens to the
 * disk.
 */
plat_result sqlite_space_for(struct sqlite_space *p, uint64_t record_bytes);

/** Call it before the checkpoint that makes the file smaller. */
void sqlite_space_shrink(struct sqlite_space *p);
/**
 * Call it at the end, when everything is in the database file. It moves the reserve there; if that
 * fails, the WAL is kept.
 */
void sqlite_space_leave(struct sqlite_space *p);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_space_valid(const struct sqlite_space *p);
#endif

#endif
