#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/sqlite_store.h"

/* A store in a directory of its own, with records that can be verified one by one, because the
 * content of a record follows from its number. */
struct store_fixture {
    /* Opens the store; sets `store` and `detail`. The setup of each kind of store sets this. */
    plat_result (*try_open)(struct store_fixture *f);
    char dir[64];
    char path[96];
    char wal[104];
    char detail[PLAT_STORE_DETAIL_SIZE];
    plat_sqlite_options options; /* of a store in an SQLite file, like the names above */
    plat_store *store;
};

/* For a store in an SQLite file; these functions are in sqlite_fixture.c. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);
void store_fixture_clear(struct store_fixture *f); /* removes all files of the directory */

plat_result store_try_open(struct store_fixture *f);
void store_open(struct store_fixture *f);
void store_close(struct store_fixture *f);
void store_reopen(struct store_fixture *f);

plat_result store_try_append(struct store_fixture *f, uint64_t number);
void store_append(struct store_fixture *f, uint64_t number);
void store_append_many(struct store_fixture *f, uint64_t first, uint64_t last);
/* Returns whether r is exactly the record with this number. */
bool store_record_is(const plat_store_record *r, uint64_t number);
plat_store_info store_get_info(const struct store_fixture *f);

void store_remove(struct store_fixture *f, uint64_t seq);
/* Reads all records and expects those with the numbers first..last, in this order. */
void store_expect(struct store_fixture *f, uint64_t first, uint64_t last);

/* Whole files; these functions are in sqlite_fixture.c. */
uint8_t *store_file_read(const char *path, size_t *len);
void store_file_write(const char *path, const uint8_t *bytes, size_t len);

#endif
