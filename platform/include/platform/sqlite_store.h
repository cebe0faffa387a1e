#ifndef PLAT_SQLITE_STORE_H
#define PLAT_SQLITE_STORE_H

/**
 * @file
 * A store in an SQLite file in WAL mode.  Link iothub::platform_sqlite.
 *
 * SQLite keeps a second file in the same folder, whose name ends in "-wal".  The two files belong
 * together: move or copy both or none.  A store that was closed is one file, unless the disk was
 * full: then the -wal file stays, but only to keep its blocks.
 *
 * Opening a store takes the same time however many records it contains, and the memory that it uses
 * does not grow with them.  Counts and bytes are exact.  The file keeps its size when records are
 * removed, so that later records can use the space.  Once the store is empty, the file shrinks.
 *
 * If the disk is full: an append is accepted only if the store also has the blocks that it needs to
 * remove all its records.  The store allocates them (posix_fallocate) before the append, at least
 * 0.4 MB.  Therefore remove and sync succeed even if another program filled the disk, and appends
 * succeed again as soon as enough pages are free.  Until then append returns PLAT_ERR_FULL.  The
 * same holds for the limits of a quota and of RLIMIT_FSIZE, and no SIGXFSZ is raised; a store that
 * is larger than RLIMIT_FSIZE, or that cannot be made within it, is not opened (PLAT_ERR_FULL).
 *
 * All this holds on file systems that write blocks in place, such as ext4, XFS and tmpfs.  It does
 * not hold on those that write them elsewhere (btrfs, ZFS, UBIFS, JFFS2), nor on NFS, where a full
 * disk may show only in a sync.  No record is lost there either, but removals may have to wait
 * until there is space.
 */

#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How to open a store. */
typedef struct plat_sqlite_options {
    const char
        *path; /**< The file.  If it does not exist, it is made, readable by its owner only. */
    /**
     * The owner of the records, for example "host/device". A store that was made for another owner
     * is refused, because its records would be sent in the wrong name.
     */
    const char *owner;
    /**
     * Milliseconds: a loss of power may undo what was stored or removed in this time before it. 0:
     * it undoes no append, since each append waits for the disk; removals are still gathered
     * for a second. The end of the process undoes nothing in either case.
     */
    uint32_t sync_delay_ms;
    /**
     * Limit of the sizes of both files together, in bytes.  A quarter of it is for the -wal file,
     * so that a record must be somewhat smaller than that.  While the store is being closed, up to
     * 0.4 MB may exist twice.  0: no limit but the disk; otherwise at least
     * PLAT_SQLITE_STORE_LEAST.
     */
    uint64_t max_disk_bytes;
} plat_sqlite_options;

/** The smallest limit for max_disk_bytes, in bytes. */
#define PLAT_SQLITE_STORE_LEAST (1024 * 1024)

/** Size in bytes of any text that plat_sqlite_store_open writes, with the NUL. */
#define PLAT_STORE_DETAIL_SIZE 160

/**
 * plat_sqlite_store_open for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param o            as there
 * @param struct_size  sizeof *o of the program: a field that it lacks is 0, and one that the
 *                     library does not know must be
 * @param[out] out     as there
 * @param[out] detail  as there
 * @return as there
 */
plat_result plat_sqlite_store_open_sized(const plat_sqlite_options *o, size_t struct_size,
                                         plat_store **out, char detail[PLAT_STORE_DETAIL_SIZE]);

/**
 * Opens a store, or makes one.
 *
 * A file that is refused is left unchanged, and so is its -wal file.  A process that is killed
 * while it makes a store leaves a file behind whose name is the path and six random letters:
 * path.XXXXXX.
 *
 * A byte that was changed inside the -wal file looks like a loss of power: the records
 * behind it are lost without an error.
 *
 * @param o            how to open it
 * @param[out] out     the store; NULL after a failure
 * @param[out] detail  why it failed: one line that names the file or the option; "" after PLAT_OK
 * @retval PLAT_ERR_STORE_VERSION  made by another version, for another purpose or another owner
 * @retval PLAT_ERR_STORE_DAMAGED  the file is not a store, or the store is damaged
 * @retval PLAT_ERR_STORE_BUSY     another process uses the store open
 * @retval PLAT_ERR_FULL           no space to make it; nothing of it is left on the disk
 * @retval PLAT_ERR_ARG            path or owner is NULL, path is empty, or max_disk_bytes is too
 * small
 * @retval PLAT_ERR_MEMORY         no memory is left
 * @retval PLAT_ERR_STORE          any other failure of the file: path, permission, disk
 */
static inline plat_result plat_sqlite_store_open(const plat_sqlite_options *o, plat_store **out,
                                                 char detail[PLAT_STORE_DETAIL_SIZE])
{
    return plat_sqlite_store_open_sized(o, sizeof *o, out, detail);
}

#ifdef __cplusplus
}
#endif
#endif
