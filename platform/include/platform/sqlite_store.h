#ifndef PLAT_SQLITE_STORE_H
#define PLAT_SQLITE_STORE_H

/**
 * @file
 * A store in an SQLite file in WAL mode.  Link iothub::platform_sqlite.
 *
 * Beside the file lies one more, with "-wal" at its end; the two belong together and are only
 * moved or copied together.  A store that was closed is the one file, unless the disk was full:
 * then the -wal stays, for its blocks only.
 *
 * Opening takes the same time however many records there are.  Memory does not grow with them.
 * Counts and bytes are exact.  The file keeps its size while records leave, for those that follow;
 * once it is empty it shrinks.
 *
 * A full disk: an append is accepted only if the store also has the blocks that it takes to remove
 * what it holds.  They are allocated (posix_fallocate) before the append, 0.4 MB at least, so that
 * remove and sync succeed whoever has filled the disk, and appends as soon as removed records have
 * left enough pages.  Otherwise append returns PLAT_ERR_FULL, as it does for the limits of a quota
 * and of RLIMIT_FSIZE, which raises no SIGXFSZ; a store with a file beyond RLIMIT_FSIZE, or that
 * could not be made within it, is not opened (PLAT_ERR_FULL).  This holds on file systems that
 * write blocks in place, such as ext4, XFS and tmpfs; not on those that write elsewhere (btrfs,
 * ZFS, UBIFS, JFFS2) and not on NFS, where a full disk may show in a sync only.  No record is lost
 * there either, but removals may have to wait until there is space.
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
     * less.  While the store is closing, up to 0.4 MB may be there twice.  0: what the disk has;
     * else at least PLAT_SQLITE_STORE_LEAST.
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
 * @retval PLAT_ERR_FULL           no space to make it; nothing of it is left
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
