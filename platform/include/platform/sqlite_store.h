#ifndef PLAT_SQLITE_STORE_H
#define PLAT_SQLITE_STORE_H

/**
 * @file
 * A store in an SQLite file in WAL mode.  Link iothub::platform_sqlite.
 */

#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plat_sqlite_options {
    const char *path; /* made when it is not there, readable by its owner only */
    /**
     * Whose records these are, e.g. "host/device".  A store made for another owner is
     * refused: its records would be sent in the wrong name.
     */
    const char *owner;
    /**
     * Until when a loss of power may take back what was stored or removed last.
     * 0: never; every append waits for the disk.  A killed process loses nothing either way.
     */
    uint32_t sync_delay_ms;
    uint64_t max_disk_bytes; /* of its files together; 0: what the disk has */
} plat_sqlite_options;

/** Enough for any text. */
#define PLAT_STORE_DETAIL_SIZE 160

/**
 * Open or make a store.
 * @param[out] out     NULL after a failure
 * @param[out] detail  why it failed, one line that names the file; "" after PLAT_OK
 * @retval PLAT_ERR_STORE_VERSION  made by another version, for another purpose or another owner
 * @retval PLAT_ERR_STORE_DAMAGED  not a store, or a damaged one; the file is left as it is
 * @retval PLAT_ERR_STORE_BUSY     another process has it
 * @retval PLAT_ERR_FULL           no space to make it
 * @retval PLAT_ERR_STORE          any other failure of the file: path, permission, disk
 */
plat_result plat_sqlite_store_open(const plat_sqlite_options *o, plat_store **out,
                                   char detail[PLAT_STORE_DETAIL_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
