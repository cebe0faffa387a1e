#ifndef HUB_BLOB_FILES_H
#define HUB_BLOB_FILES_H

/**
 * @file
 * Blobs and blocks as files in the state directory. A blob is a file blob-NAME, where NAME is the
 * encoded name of the blob, or a hash of it if it is too long; it is replaced as a whole. Blocks
 * that are not part of a blob yet are files block-*; blocks-*.json says which blocks a blob was
 * made of.
 */

#include "base/text.h"
#include "blobs/block_list.h"
#include "state/store.h"

/** A file that is being written. */
typedef struct hub_blob_writer {
    const hub_store *store;
    char *name; /* name of the file */
    int fd;
    uint64_t len;
    bool failed;
} hub_blob_writer;

/** Removes what an earlier run has left of uploads that were not complete. */
void hub_blob_files_tidy(const hub_store *store);

/** Makes a writer without a file, which may be cancelled as any other. */
void hub_blob_writer_init(hub_blob_writer *w);
/** Opens a new file. Each writer must be ended by one of the functions below. */
hub_result hub_blob_writer_open(hub_blob_writer *w, const hub_store *store, hub_fault *fault);
/** Writes bytes; a failure is reported at the end. */
void hub_blob_writer_add(hub_blob_writer *w, const void *data, size_t len);
/** Drops the file. May be called again. */
void hub_blob_writer_cancel(hub_blob_writer *w);
/** Makes the file the blob of this name; its blocks that were not used are dropped. */
hub_result hub_blob_writer_end_blob(hub_blob_writer *w, const char *blob, hub_fault *fault);
/** Makes the file a block for the blob of this name. */
hub_result hub_blob_writer_end_block(hub_blob_writer *w, const char *blob, const hub_block_id *id,
                                     hub_fault *fault);

/**
 * Makes the blob of these blocks. HUB_ERR_ARGUMENT: one of them is missing; then nothing has
 * changed.
 */
hub_result hub_blob_make(const hub_store *store, const char *blob, const hub_block_list *list,
                         hub_fault *fault);
/** Drops the blocks for this blob that are not part of it. */
void hub_blob_drop_blocks(const hub_store *store, const char *blob);
/** What is known about a blob. */
typedef struct hub_blob_info {
    uint64_t size;
    int64_t changed_ms; /* time of its last change */
    uint64_t version;   /* another one after each change */
} hub_blob_info;

/** Opens a blob for reading. Returns the descriptor, or -1: there is no such blob. */
int hub_blob_open(const hub_store *store, const char *blob, hub_blob_info *info);
/** Returns false if there is no such blob. */
bool hub_blob_look(const hub_store *store, const char *blob, hub_blob_info *info);

/** The blocks in a list: those that the blob was made of, and those that were only put. */
typedef enum hub_blob_blocks {
    HUB_BLOB_COMMITTED = 1,
    HUB_BLOB_UNCOMMITTED = 2,
    HUB_BLOB_ALL = HUB_BLOB_COMMITTED | HUB_BLOB_UNCOMMITTED
} hub_blob_blocks;

/** Appends the answer to Get Block List, an XML document. */
void hub_blob_list_blocks(const hub_store *store, const char *blob, hub_blob_blocks which,
                          hub_text *out);

#endif
