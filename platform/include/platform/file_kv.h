#ifndef PLAT_FILE_KV_H
#define PLAT_FILE_KV_H

/**
 * @file
 * A store of named values (platform/kv.h) in a directory: one file for each value.  Part of
 * iothub::platform_posix.
 *
 * Each file carries a checksum, so that a damaged one counts as absent.  A new value is written to
 * a file of its own, synced, and renamed over the old one, and then the directory is synced.
 * Directory and files are made for their owner only (modes 0700 and 0600).  A process that is
 * killed while it writes may leave the file ".new-KEY" behind, which the next write of that key
 * replaces.
 *
 * Several stores, also of several processes, may use one directory if they write different keys.
 */

#include "platform/kv.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size in bytes of any text that plat_file_kv_open writes, with the NUL. */
#define PLAT_KV_DETAIL_SIZE 160

/**
 * Opens the store in a directory, which is made if it does not exist; its parent must exist.
 *
 * @param directory    path of the directory; it is copied
 * @param[out] out     the store, to be closed with plat_file_kv_close; NULL after a failure
 * @param[out] detail  why it failed: one line that names the directory; "" after PLAT_OK
 * @retval PLAT_ERR_ARG     directory is NULL or empty
 * @retval PLAT_ERR_MEMORY  no memory is left
 * @retval PLAT_ERR_STORE   any other failure: path, permission, disk
 */
plat_result plat_file_kv_open(const char *directory, plat_kv **out,
                              char detail[PLAT_KV_DETAIL_SIZE]);

/**
 * Closes the store and gives back its memory.  The values stay on the disk.
 *
 * @param kv  the store, or NULL.  No client may use it any more.
 */
void plat_file_kv_close(plat_kv *kv);

#ifdef __cplusplus
}
#endif
#endif
