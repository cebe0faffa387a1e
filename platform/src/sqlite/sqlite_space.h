#ifndef SQLITE_SPACE_H
#define SQLITE_SPACE_H

/**
 * @file
 * Keeps enough blocks of the disk allocated that all appended records can be removed again, even
 * if another program fills the rest of the disk.
 */

#include "sqlite/sqlite_schema.h"

/** Written by sqlite_space.c only. */
struct sqlite_space {
    struct sqlite_schema *schema;
    struct sqlite_wal *wal;
    int file;       /* a descriptor of the database file; -1: none */
    uint64_t limit; /* bytes that file may grow to while there is a WAL */
    uint64_t limit_closed;
    uint64_t bytes; /* of it that are allocated */
    int64_t room;   /* bytes of pages that appends may still take, at least */
    bool tight;     /* the last attempt to let the file grow has failed */
};

/** max_disk_bytes: of the whole store; 0: no limit. */
void sqlite_space_init(struct sqlite_space *p, struct sqlite_schema *c, uint64_t max_disk_bytes);

/** Bytes of the file of a new store. */
uint64_t sqlite_space_first_bytes(void);

/** The store is locked and loaded: takes the reserve.  PLAT_OK also when the disk has no space for
 * it.  wal_bytes as in sqlite_schema_load. */
plat_result sqlite_space_open(struct sqlite_space *p, int64_t wal_bytes);
/** Closes the descriptor. */
void sqlite_space_close(struct sqlite_space *p);

/** Takes what an append needs, so that it can be removed again whatever happens to the disk. */
plat_result sqlite_space_for(struct sqlite_space *p, uint64_t record_bytes);

/** Before the checkpoint that makes the file smaller. */
void sqlite_space_shrink(struct sqlite_space *p);
/** At the end, when everything is in the file: the reserve moves there, or else the WAL stays. */
void sqlite_space_leave(struct sqlite_space *p);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_space_valid(const struct sqlite_space *p);
#endif

#endif
