#ifndef TEST_ALLOCATIONS_H
#define TEST_ALLOCATIONS_H

/**
 * @file
 * Counts the calls of malloc, calloc and realloc in a program that is linked with --wrap for them.
 * Calls of our own code count, those inside libc and wolfSSL do not. Counts descriptors, too.
 */

unsigned allocations(void);

/** Returns the number of open descriptors of the program, which includes the one of the count. */
unsigned descriptors(void);

#endif
