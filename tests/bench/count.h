#ifndef COUNT_H
#define COUNT_H

/** What count.c counts: allocations on the heap, and system calls that move bytes or sleep. */
typedef struct bench_counts {
    unsigned long allocations;
    unsigned long calls;
} bench_counts;

#endif
