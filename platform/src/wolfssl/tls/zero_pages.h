#ifndef PLAT_WOLFSSL_ZERO_PAGES_H
#define PLAT_WOLFSSL_ZERO_PAGES_H

/**
 * @file
 * Gives memory back to the system that holds only zeros.  Once a connection is open, wolfSSL's two
 * large objects of it are mostly zeros: room for certificates, names and buffers that do not exist.
 */

/**
 * Gives the whole pages of a block that hold only zeros back to the system.  They still read as
 * zeros and take memory again when they are written to, so the only visible change is the memory in
 * use. It does nothing if wolfSSL's allocator is not malloc, or if malloc is not that of glibc on
 * Linux.
 * @param block  from wolfSSL's allocator; no other thread may write to it during the call
 */
void plat_zero_pages_give_back(void *block);

#endif
