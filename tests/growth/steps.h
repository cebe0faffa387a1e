#ifndef GROWTH_STEPS_H
#define GROWTH_STEPS_H

/**
 * @file
 * Measures how the work of a job grows with its size. It counts work instead of measuring time: the
 * code under test is compiled so that each of its basic blocks reports itself
 * (-fsanitize-coverage=trace-pc), and the counts are the same in every run.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** Returns the number of basic blocks of the code under test that were executed so far. */
uint64_t steps_now(void);

/** Does the job with n elements. Returns the number of steps of the part that is measured. */
typedef uint64_t steps_job(size_t n);

/**
 * Runs the job with `few` elements and with eight times as many. The test fails if an element then
 * costs more than 1.5 times as much.
 */
void steps_check(const char *what, steps_job *job, size_t few);

#endif
