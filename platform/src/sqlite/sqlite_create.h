#ifndef SQLITE_CREATE_H
#define SQLITE_CREATE_H

/**
 * @file
 * Makes the file of a new store.
 */

#include "sqlite/sqlite_schema.h"

/**
 * Makes the file under a temporary name first, so that a store exists completely or not at all. A
 * store that another process has made meanwhile is not changed. `f` must be initialised and not
 * connected; `bytes` is the size of the new file.
 */
plat_result sqlite_create(struct sqlite_file *f, struct sqlite_wal *w, const char *owner,
                          uint64_t bytes);

#endif
