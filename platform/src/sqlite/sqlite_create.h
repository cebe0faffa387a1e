#ifndef SQLITE_CREATE_H
#define SQLITE_CREATE_H

/**
 * @file
 * Makes the file of a new store.
 */

#include "sqlite/sqlite_schema.h"

/**
 * Makes it under another name first, so that a store exists as a whole or not at all.  A store that
 * another process has made meanwhile is left as it is.
 * file: initialised, not connected.  bytes: size of the new file.
 */
plat_result sqlite_create(struct sqlite_file *f, struct sqlite_wal *w, const char *owner,
                          uint64_t bytes);

#endif
