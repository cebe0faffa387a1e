#ifndef SQLITE_REMOVALS_H
#define SQLITE_REMOVALS_H

/**
 * @file
 * Which records are still stored: removals gather in memory and are written in batches.
 */

#include "sqlite/sqlite_space.h"

enum { SQLITE_OUT_OF_ORDER_MAX = 16 };

/** Written by sqlite_removals.c only. */
struct sqlite_removals {
    struct sqlite_schema *schema;
    struct sqlite_wal *wal;
    struct sqlite_space *space;
    uint64_t count; /* records that are stored and not removed */
    uint64_t bytes; /* head and body of these */

    /* Removed, but still on the disk: all records before removed_before, and out_of_order, which is
     * sorted and has no seq before removed_before. */
    uint64_t removed_before;
    uint64_t out_of_order[SQLITE_OUT_OF_ORDER_MAX];
    size_t out_of_order_count;
    uint32_t unwritten; /* removals since they were last written, or since that was tried */
    bool waiting;       /* some removals are not on the disk yet */
};

void sqlite_removals_init(struct sqlite_removals *m, struct sqlite_space *p);
/** The store has been loaded. */
void sqlite_removals_begin(struct sqlite_removals *m, const struct sqlite_contents *contents);
/** A record of this number of bytes was appended. */
void sqlite_removals_note_append(struct sqlite_removals *m, uint64_t bytes);

/** Removes a record; one that is not stored is no error. */
plat_result sqlite_removals_add(struct sqlite_removals *m, uint64_t seq);
bool sqlite_removals_has(const struct sqlite_removals *m, uint64_t seq);
/** Writes all waiting removals, in one or more transactions. */
plat_result sqlite_removals_write(struct sqlite_removals *m);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool sqlite_removals_valid(const struct sqlite_removals *m);
#endif

#endif
