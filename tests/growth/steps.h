#ifndef GROWTH_STEPS_H
#define GROWTH_STEPS_H

/**
 * @file
 * How the work of a job grows with its size, counted and not timed: the code under test is compiled
 * so that each of its basic blocks reports itself (-fsanitize-coverage=trace-pc), and the counts
 * are the same in every run.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** Basic blocks of the code under test that were executed so far. */
uint64_t steps_now(void);

/** Does the job with n elements and returns the steps of the part that is measured. */
typedef uint64_t steps_job(size_t n);

/**
 * Runs the job with few and with eight times as many elements.  Fails the test when an element
 * then costs more than half as much again as before.
 */
void steps_check(const char *what, steps_job *job, size_t few);

#endif
