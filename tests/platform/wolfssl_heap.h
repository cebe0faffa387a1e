#ifndef TEST_WOLFSSL_HEAP_H
#define TEST_WOLFSSL_HEAP_H

/**
 * @file
 * The heap of wolfSSL for tests: it counts the blocks in use, and one allocation can fail.
 */

#include <stdbool.h>
#include <stddef.h>

/** From now on wolfSSL uses this heap. */
void wolfssl_heap_begin(void);
/** Lets allocation number nth fail, counted from 1; 0: none fails. Counts blocks from 0. */
void wolfssl_heap_fail(unsigned nth);
/** Lets no allocation fail any more. Returns whether one has failed since wolfssl_heap_fail. */
bool wolfssl_heap_failed(void);
/** Returns the number of blocks that were allocated since wolfssl_heap_fail and not freed. */
size_t wolfssl_heap_blocks(void);
/** wolfSSL uses the heap of C again. */
void wolfssl_heap_end(void);

#endif
