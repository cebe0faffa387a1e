#ifndef SQLITE_BLOCKS_H
#define SQLITE_BLOCKS_H

/**
 * @file
 * Blocks of the disk, allocated before they are needed.  These functions know files and bytes, but
 * neither SQLite nor the store.
 */

#include <stdbool.h>
#include <stdint.h>

/** EFBIG for a file larger than this process may write (RLIMIT_FSIZE), else 0.  A write beyond that
 * limit would raise SIGXFSZ. */
int sqlite_blocks_check_limit(uint64_t bytes);

/**
 * Gives a file blocks for all bytes up to `end`.  Those before `at` must have theirs.
 * @return  0, or an errno; after a failure the file has its old size
 */
int sqlite_blocks_allocate(int fd, uint64_t at, uint64_t end);

/** Gives blocks to a file that no connection has opened yet, from its first byte on. */
int sqlite_blocks_allocate_file(const char *path, uint64_t bytes);

/** Bytes of a file; -1: there is no such file. */
int64_t sqlite_blocks_size_of(const char *path);

#endif
