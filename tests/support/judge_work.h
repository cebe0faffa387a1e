#ifndef JUDGE_WORK_H
#define JUDGE_WORK_H

/**
 * @file
 * Counts what the judge of server certificates does, by wrapping the functions that it calls (with
 * the linker's option --wrap). So a test can limit the work by a count instead of by a time.
 */

#include <stddef.h>

typedef struct judge_work {
    size_t signatures; /* checked */
    size_t elements;   /* number of DER elements that were read */
} judge_work;

/**
 * Counts since the start of the program, or since the test last set it to zero. Not thread-safe.
 */
extern judge_work judge_work_done;

/**
 * Limits that are larger than any verdict needs, and still mean only a few milliseconds of work.
 */
enum { JUDGE_WORK_SIGNATURES = 32, JUDGE_WORK_ELEMENTS = 500 * 1000 };

#endif
