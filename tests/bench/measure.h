#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

/**
 * @file
 * Functions with which the programs of the bench measure their own process.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "count.h"

typedef struct bench_reading {
    uint64_t wall_ns;
    uint64_t cpu_ns; /* user and system time of all threads */
    bench_counts counts;
} bench_reading;

uint64_t bench_clock_ns(clockid_t clock);

/** Reads the counters. Those of count.c are 0 unless it was loaded before the C library. */
bench_reading bench_read(void);

/** Returns the private memory of this process in bytes. */
uint64_t bench_memory(void);

void bench_sort(uint64_t *values, size_t count);

/** Prints the error and ends the program. */
void bench_fail(const char *what, const char *why) __attribute__((noreturn));

#endif
