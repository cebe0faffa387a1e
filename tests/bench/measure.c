#include "measure.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void bench_fail(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

uint64_t bench_clock_ns(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Returns the counts of count.c, or zeros if it was not loaded. */
static bench_counts counts(void)
{
    const bench_counts *c = dlsym(RTLD_DEFAULT, "bench_count_totals");
    const bench_counts none = { 0 };

    return c != NULL ? *c : none;
}

bench_reading bench_read(void)
{
    return (bench_reading){
        .wall_ns = bench_clock_ns(CLOCK_MONOTONIC),
        .cpu_ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID),
        .counts = counts(),
    };
}

uint64_t bench_memory(void)
{
    char line[128];
    unsigned long kb;
    uint64_t sum = 0;
    FILE *f = fopen("/proc/self/smaps_rollup", "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "Private_Dirty: %lu", &kb) == 1 ||
            sscanf(line, "Private_Clean: %lu", &kb) == 1) {
            sum += kb * 1024;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return sum;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

void bench_sort(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
}
