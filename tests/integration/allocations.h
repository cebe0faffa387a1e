#ifndef TEST_ALLOCATIONS_H
#define TEST_ALLOCATIONS_H

/**
 * @file
 * Counts the calls of malloc, calloc and realloc in a program that is linked with --wrap for them.
 * Calls of our own code count, those inside libc and wolfSSL do not.
 */

unsigned allocations(void);

#endif
