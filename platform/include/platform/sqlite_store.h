#ifndef PLAT_SQLITE_STORE_H
#define PLAT_SQLITE_STORE_H

/**
 * @file
 * A store in an SQLite file in WAL mode.  Link iothub::platform_sqlite.
 *
 * Beside the file lies one more, with "-wal" at its end; the two belong together and are only
 * moved or copied together.  A store that was closed is the one file.
 *
 * Opening takes the same time however many records there are.  Memory does not grow with them.
 * Counts and bytes are exact.  The file keeps its size while records leave, for those that follow;
 * once it is empty it shrinks.
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
     * 0: never a record, every append waits for the disk; removals still gather for a second.
     * A killed process loses nothing either way.
     */
    uint32_t sync_delay_ms;
    /**
     * Of its files together; a quarter is for the -wal file, which bounds a record to somewhat
     * less.  0: what the disk has; else at least PLAT_SQLITE_STORE_LEAST.
     */
    uint64_t max_disk_bytes;
} plat_sqlite_options;

#define PLAT_SQLITE_STORE_LEAST (1024 * 1024)

/** Enough for any text. */
#define PLAT_STORE_DETAIL_SIZE 160

/**
 * Open or make a store.  A file that is not taken is left as it is, and so is its -wal.  A process
 * that is killed while it makes one leaves path.XXXXXX, six random letters, behind.
 *
 * A byte that was changed inside the -wal cannot be told from a loss of power: the records behind
 * it are gone, without an error.
 * @param[out] out     NULL after a failure
 * @param[out] detail  why it failed, one line that names the file or the option; "" after PLAT_OK
 * @retval PLAT_ERR_STORE_VERSION  made by another version, for another purpose or another owner
 * @retval PLAT_ERR_STORE_DAMAGED  not a store, or a damaged one; the file is left as it is
 * @retval PLAT_ERR_STORE_BUSY     another process has it
 * @retval PLAT_ERR_FULL           no space to make it
 * @retval PLAT_ERR_ARG            path or owner NULL, path empty, max_disk_bytes too small
 * @retval PLAT_ERR_MEMORY
 * @retval PLAT_ERR_STORE          any other failure of the file: path, permission, disk
 */
plat_result plat_sqlite_store_open(const plat_sqlite_options *o, plat_store **out,
                                   char detail[PLAT_STORE_DETAIL_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
