#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H

/**
 * @file
 * The connection to the database file, and the text of its latest failure.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/sqlite_store.h"

/** Written by sqlite_file.c only. */
struct sqlite_file {
    sqlite3 *db; /* NULL: not connected */
    char *path;
    char detail[PLAT_STORE_DETAIL_SIZE];
    plat_result latched; /* PLAT_ERR_STORE_DAMAGED for good, once the file has been found damaged */
};

/** Copies path.  PLAT_ERR_MEMORY. */
plat_result sqlite_file_init(struct sqlite_file *f, const char *path);
void sqlite_file_deinit(struct sqlite_file *f);

/** Opens path, which may differ from that of init.  Reads nothing yet. */
plat_result sqlite_file_connect(struct sqlite_file *f, const char *path);
/** Sets what is the same for each store.  sync_each: a commit waits for the disk. */
plat_result sqlite_file_configure(struct sqlite_file *f, bool sync_each);
/** Takes a connection that is not there.  leave_alone: do not write to the file any more. */
void sqlite_file_disconnect(struct sqlite_file *f, bool leave_alone);

/**
 * Closing a descriptor drops all locks that this process has on its file.  So one thread at a time
 * opens or closes files of stores: between connecting and the lock, and while it closes them.
 */
void sqlite_file_enter(void);
void sqlite_file_leave(void);

/** Keeps the text for people and returns r. */
plat_result sqlite_file_fail(struct sqlite_file *f, plat_result r, const char *why);
plat_result sqlite_file_fail_errno(struct sqlite_file *f, int error);
/** The failure that a result code of SQLite stands for. */
plat_result sqlite_file_fail_sqlite(struct sqlite_file *f, int rc);
/** Clears a failure after another attempt succeeded. Damage is never cleared. */
void sqlite_file_forgive(struct sqlite_file *f);
/** Forgets damage as well: the file is one that is just being made. */
void sqlite_file_unlatch(struct sqlite_file *f);

plat_result sqlite_file_exec(struct sqlite_file *f, const char *sql);

/** The names of the files, valid as long as the connection. */
const char *sqlite_file_name(const struct sqlite_file *f);
const char *sqlite_file_wal_name(const struct sqlite_file *f);

/** Bytes of the database file and of the WAL together. */
uint64_t sqlite_file_disk_bytes(const struct sqlite_file *f);

#endif
