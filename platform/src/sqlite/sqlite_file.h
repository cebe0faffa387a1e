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

/** A connection to a file. Only sqlite_file.c writes its members. */
struct sqlite_file {
    sqlite3 *db; /* NULL if not connected */
    char *path;
    char detail[PLAT_STORE_DETAIL_SIZE];
    /* PLAT_ERR_STORE_DAMAGED after damage was found in the file; it is never cleared. */
    plat_result latched;
};

/** Initialises the struct and copies path. Returns PLAT_ERR_MEMORY if there is no memory. */
plat_result sqlite_file_init(struct sqlite_file *f, const char *path);
void sqlite_file_deinit(struct sqlite_file *f);

/** Opens path, which may differ from that of init. It reads nothing from the file yet. */
plat_result sqlite_file_connect(struct sqlite_file *f, const char *path);
/** Sets the pragmas that every store needs. sync_each: each commit waits for the disk. */
plat_result sqlite_file_configure(struct sqlite_file *f, bool sync_each);
/** Closes the connection, if there is one. leave_alone: without writing to the file. */
void sqlite_file_disconnect(struct sqlite_file *f, bool leave_alone);

/**
 * Enter and leave a section in which only one thread at a time opens or closes files of stores:
 * from connecting to taking the lock, and while it closes them. This is necessary because closing a
 * descriptor drops all locks that the process has on the file.
 */
void sqlite_file_enter(void);
void sqlite_file_leave(void);

/** Stores the text for people. Returns r. */
plat_result sqlite_file_fail(struct sqlite_file *f, plat_result r, const char *why);
plat_result sqlite_file_fail_errno(struct sqlite_file *f, int error);
/** Stores the failure that a result code of SQLite stands for. Returns the result. */
plat_result sqlite_file_fail_sqlite(struct sqlite_file *f, int rc);
/** Clears a failure after another attempt succeeded. Damage is never cleared. */
void sqlite_file_forgive(struct sqlite_file *f);
/** Clears even damage. Only for a file that is just being made. */
void sqlite_file_unlatch(struct sqlite_file *f);

plat_result sqlite_file_exec(struct sqlite_file *f, const char *sql);

/** Returns the names of the files, valid as long as the connection. */
const char *sqlite_file_name(const struct sqlite_file *f);
const char *sqlite_file_wal_name(const struct sqlite_file *f);

/** Returns the size in bytes of the database file and the WAL together. */
uint64_t sqlite_file_disk_bytes(const struct sqlite_file *f);

#endif
