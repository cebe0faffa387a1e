#ifndef STORE_KILLS_H
#define STORE_KILLS_H

/*
 * A child process works on a store until it is killed; the parent then checks that the store
 * holds everything that the child reported as stored.
 */

#include "store_fixture.h"

/*
 * Records are counted from 1, in the order of their storing, since seq skips numbers after a crash.
 * Records above `removed` and up to `stored` are in the store; those up to `removed` may be gone.
 */
struct store_progress {
    uint64_t stored;
    uint64_t removed;
};

/* What the child does, without end: it opens the store, works, and reports each step to `out`. */
typedef void store_work(struct store_fixture *f, struct store_progress done, unsigned seed,
                        int out);

/*
 * Called by the child after it stored a record, and before it removes one, because nobody knows
 * how far a removal gets that is cut short.
 */
void store_report(int out, const struct store_progress *done);

/* Runs `work` in a child and kills it after 1 to `most` reports.  Returns the last report. */
struct store_progress store_work_until_killed(struct store_fixture *f, struct store_progress done,
                                              unsigned seed, int most, store_work *work);

/*
 * The open store holds the records above `done.removed` up to `done.stored`, in order.  It may also
 * hold earlier ones, whose removal was not written yet, and one more, which was stored but not
 * reported.  Returns what it holds.
 */
struct store_progress store_check_after_kill(struct store_fixture *f, struct store_progress done);

#endif
