#ifndef STORE_KILLS_H
#define STORE_KILLS_H

/*
 * A child process works on a store until it is killed; the parent then checks that the store
 * holds everything that the child reported as stored.
 */

#include "store_fixture.h"

/* Records are counted from 1 in the order in which they are stored (not by seq, which skips
 * numbers after a crash). The records after `removed` up to `stored` must be in the store;
 * earlier ones may be missing. */
struct store_progress {
    uint64_t stored;
    uint64_t removed;
};

/* The work of the child process, which never ends: it opens the store, works, and reports each
 * step to `out`. */
typedef void store_work(struct store_fixture *f, struct store_progress done, unsigned seed,
                        int out);

/* The child calls this after it has stored a record and before it removes one, since a removal
 * that is interrupted may have had its effect or not. */
void store_report(int out, const struct store_progress *done);

/* Runs `work` in a child and kills it after 1 to `most` reports.  Returns the last report. */
struct store_progress store_work_until_killed(struct store_fixture *f, struct store_progress done,
                                              unsigned seed, int most, store_work *work);

/* Expects the open store to hold the records after `done.removed` up to `done.stored`, in order.
 * It may also hold earlier ones whose removal was not written, and one more that was stored but
 * not reported. Returns the progress that matches the store. */
struct store_progress store_check_after_kill(struct store_fixture *f, struct store_progress done);

#endif
