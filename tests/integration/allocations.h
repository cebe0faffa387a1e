#ifndef TEST_ALLOCATIONS_H
#define TEST_ALLOCATIONS_H

/**
 * @file
 * Counts malloc, calloc and realloc of a program linked with --wrap for the three: those of
 * our own objects, but not those inside libc and wolfSSL.
 */

unsigned allocations(void);

#endif
