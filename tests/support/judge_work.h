#ifndef JUDGE_WORK_H
#define JUDGE_WORK_H

/**
 * @file
 * Counts what the judge of server certificates does, by wrapping (ld's --wrap) what it
 * calls: a bound on work is checked by counting, not by a clock.
 */

#include <stddef.h>

typedef struct judge_work {
    size_t signatures; /* checked */
    size_t elements;   /* of DER that were looked for */
} judge_work;

/** Counted since the start of the program, or since a test set it to zero.  Not for threads. */
extern judge_work judge_work_done;

/** More than any verdict needs; a few milliseconds of work. */
enum { JUDGE_WORK_SIGNATURES = 32, JUDGE_WORK_ELEMENTS = 500 * 1000 };

#endif
