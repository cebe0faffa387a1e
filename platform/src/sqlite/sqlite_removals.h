#ifndef SQLITE_REMOVALS_H
#define SQLITE_REMOVALS_H

/**
 * @file
 * Knows which records are still stored. Removals are gathered in memory and written in batches.
 */

#include "sqlite/sqlite_space.h"

enum { SQLITE_OUT_OF_ORDER_MAX = 16 };

/** The removals of a store. Only sqlite_removals.c writes its members. */
struct sqlite_removals {
    struct sqlite_schema *schema;
    struct sqlite_wal *wal;
    struct sqlite_space *space;
    uint64_t count; /* number of records that are stored and not removed */
    uint64_t bytes; /* bytes of head and body of these records */

    /* Records that were removed but are still on the disk: all before removed_before, and those
     * in out_of_order, which is sorted and contains no seq before removed_before. */
    uint64_t removed_before;
    uint64_t out_of_order[SQLITE_OUT_OF_ORDER_MAX];
    size_t out_of_order_count;
    /* Number of removals since they were last written, or since an attempt to write them. */
    uint32_t unwritten;
    bool waiting; /* some removals are not on the disk yet */
};

void sqlite_removals_init(struct sqlite_removals *m, struct sqlite_space *p);
/** Call it when the store has been loaded. */
void sqlite_removals_begin(struct sqlite_removals *m, const struct sqlite_contents *contents);
/** Call it when a record of this number of bytes was appended. */
void sqlite_removals_note_append(struct sqlite_removals *m, uint64_t bytes);

/** Removes a record. It is not an error if the record is not stored. */
plat_result sqlite_removals_add(struct sqlite_removals *m, uint64_t seq);
bool sqlite_removals_has(const struct sqlite_removals *m, uint64_t seq);
/** Writes all waiting removals, in one or more transactions. */
plat_result sqlite_removals_write(struct sqlite_removals *m);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_removals_valid(const struct sqlite_removals *m);
#endif

#endif
