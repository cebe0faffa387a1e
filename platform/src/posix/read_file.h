#ifndef PLAT_POSIX_READ_FILE_H
#define PLAT_POSIX_READ_FILE_H

/**
 * @file
 * Reads a small file completely, such as certificates or a key.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

/** The content of a file. */
typedef struct plat_file_content {
    /* Allocated with malloc; the caller frees it, and erases it first if it is secret. */
    uint8_t *bytes;
    size_t len; /* 0 if the file is empty */
} plat_file_content;

/**
 * Reads a regular file. No other copy of the bytes remains in memory.
 * @param path     path of the file
 * @param limit    largest size in bytes
 * @param[out] out the content; empty after a failure
 * @param[out] why after a failure: the reason, one line of static text such as "it is a directory"
 * @retval PLAT_ERR_IO      the file cannot be read, or is larger than limit
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_read_file(const char *path, size_t limit, plat_file_content *out,
                           const char **why);

#endif
