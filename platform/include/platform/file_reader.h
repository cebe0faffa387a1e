#ifndef PLAT_FILE_READER_H
#define PLAT_FILE_READER_H

/**
 * @file
 * Reads a regular file (platform/reader.h).  Part of iothub::platform_posix.
 *
 * The version of the source is made of the time of the file's last change and of its number in the
 * file system, so that a file that was replaced by another one counts as changed.
 */

#include "platform/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size in bytes of any text that plat_file_reader_open writes, with the NUL. */
#define PLAT_READER_DETAIL_SIZE 160

/**
 * Opens a file for reading.
 *
 * @param path         path of the file; it is used during this call only
 * @param[out] out     the reader, to be closed with plat_file_reader_close; NULL after a failure
 * @param[out] detail  why it failed: one line; "" after PLAT_OK
 * @retval PLAT_ERR_ARG     path is NULL, or this is not a regular file
 * @retval PLAT_ERR_MEMORY  no memory is left
 * @retval PLAT_ERR_STORE   the file cannot be opened
 */
plat_result plat_file_reader_open(const char *path, plat_reader **out,
                                  char detail[PLAT_READER_DETAIL_SIZE]);

/**
 * Closes the file and frees the reader.
 *
 * @param r  the reader, or NULL.  Nothing may use it any more.
 */
void plat_file_reader_close(plat_reader *r);

#ifdef __cplusplus
}
#endif
#endif
