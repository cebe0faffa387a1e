#ifndef PLAT_WOLFSSL_ZERO_PAGES_H
#define PLAT_WOLFSSL_ZERO_PAGES_H

/**
 * @file
 * Returns memory that contains only zeros to the system. When a connection is open, the two large
 * objects that wolfSSL allocates for it are mostly zeros: room for certificates, names and buffers
 * that do not exist.
 */

/**
 * Returns the whole pages of a block that contain only zeros to the system. They still read as
 * zeros, and occupy memory again when they are written to, so the only visible change is the memory
 * in use. It does nothing if wolfSSL's allocator is not malloc, or if malloc is not that of glibc
 * on Linux.
 * @param block from wolfSSL's allocator; no other thread may write to it during the call
 */
void plat_zero_pages_give_back(void *block);

#endif
