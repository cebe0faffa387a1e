#ifndef SQLITE_BLOCKS_H
#define SQLITE_BLOCKS_H

/**
 * @file
 * Blocks of the disk, allocated before they are needed.  These functions know files and bytes, but
 * neither SQLite nor the store.
 */

#include <stdbool.h>
#include <stdint.h>

/**
 * Returns EFBIG if a file of this size is larger than the process may write (RLIMIT_FSIZE),
 * otherwise 0. A write beyond that limit would raise SIGXFSZ.
 */
int sqlite_blocks_check_limit(uint64_t bytes);

/**
 * Allocates blocks for all bytes of a file up to `end`. The bytes before `at` must already have
 * blocks.
 * @return 0, or an errno; after a failure the file has its old size
 */
int sqlite_blocks_allocate(int fd, uint64_t at, uint64_t end);

/** Allocates blocks for a file from its first byte on. No connection may have opened it yet. */
int sqlite_blocks_allocate_file(const char *path, uint64_t bytes);

/** Returns the size of a file in bytes, or -1 if it does not exist. */
int64_t sqlite_blocks_size_of(const char *path);

#endif
