#ifndef TEST_SQLITE_PARTS_H
#define TEST_SQLITE_PARTS_H

/**
 * @file
 * The parts of a SQLite store, each opened on top of the other in a directory of its own, without
 * the store that normally connects them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sqlite/sqlite_removals.h"

typedef struct sqlite_parts {
    char dir[64];
    char path[96];
    char wal_path[104];
    uint64_t max_disk_bytes; /* 0: no limit */
    struct sqlite_file file;
    struct sqlite_wal wal;
    struct sqlite_schema schema;
    struct sqlite_space space;
    struct sqlite_removals removals;
    uint64_t next_seq;
} sqlite_parts;

extern sqlite_parts parts;

/**
 * Set-up function of a test: makes an empty directory, and a file object that is initialised but
 * not connected.
 */
int make_directory(void **state);
int remove_directory(void **state);

/** Set-up function of a test: makes an empty store and opens its parts. */
int make_parts(void **state);
int remove_parts(void **state);

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
#define WITH_PARTS(test)     cmocka_unit_test_setup_teardown(test, make_parts, remove_parts)

/** Opens or closes the parts, which are then closed or can be opened again. */
void open_parts(void);
void close_parts(void);

/** Appends a record whose head has one byte and whose body has size - 1 bytes. Returns its seq. */
uint64_t append_row(size_t size);

#endif
