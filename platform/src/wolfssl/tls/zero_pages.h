#ifndef PLAT_WOLFSSL_ZERO_PAGES_H
#define PLAT_WOLFSSL_ZERO_PAGES_H

/**
 * @file
 * wolfSSL's two large objects of a connection are mostly zeros once it is open: room for
 * certificates, names and buffers that are not there.
 */

/**
 * Give the whole pages inside block that hold nothing but zeros back to the system.  They read
 * as zeros ever after, and take memory again when somebody writes to them: nobody can tell,
 * but by the memory in use.  block is from wolfSSL's allocator, and nobody writes to it meanwhile.
 * Does nothing where that allocator is not malloc, or malloc not that of glibc on Linux.
 */
void plat_zero_pages_give_back(void *block);

#endif
