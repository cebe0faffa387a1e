#include "sqlite_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sqlite/sqlite_create.h"

sqlite_parts parts;

int make_directory(void **state)
{
    (void)state;
    parts = (sqlite_parts){ .dir = "/tmp/sqlite_parts.XXXXXX" };
    assert_non_null(mkdtemp(parts.dir));
    snprintf(parts.path, sizeof parts.path, "%s/store", parts.dir);
    snprintf(parts.wal_path, sizeof parts.wal_path, "%s-wal", parts.path);
    assert_int_equal(sqlite_file_init(&parts.file, parts.path), PLAT_OK);
    sqlite_wal_init(&parts.wal, &parts.file, false, parts.max_disk_bytes);
    return 0;
}

int remove_directory(void **state)
{
    (void)state;
    sqlite_file_deinit(&parts.file);
    (void)unlink(parts.path);
    (void)unlink(parts.wal_path);
    assert_int_equal(rmdir(parts.dir), 0);
    return 0;
}

void open_parts(void)
{
    struct sqlite_contents contents;
    sqlite_wal_init(&parts.wal, &parts.file, false, parts.max_disk_bytes);
    sqlite_schema_init(&parts.schema, &parts.wal);
    sqlite_space_init(&parts.space, &parts.schema, parts.max_disk_bytes);
    sqlite_removals_init(&parts.removals, &parts.space);
    assert_int_equal(sqlite_file_connect(&parts.file, parts.path), PLAT_OK);
    sqlite_wal_attach(&parts.wal);
    assert_int_equal(sqlite_file_configure(&parts.file, false), PLAT_OK);
    assert_int_equal(sqlite_schema_load(&parts.schema, "owner", -1, &contents), PLAT_OK);
    sqlite_removals_begin(&parts.removals, &contents);
    assert_int_equal(sqlite_space_open(&parts.space, -1), PLAT_OK);
    parts.next_seq = parts.schema.last.record.seq + 1;
}

void close_parts(void)
{
    sqlite_schema_release_all(&parts.schema);
    sqlite_file_disconnect(&parts.file, false);
    sqlite_space_close(&parts.space);
}

int make_parts(void **state)
{
    (void)make_directory(state);
    assert_int_equal(sqlite_create(&parts.file, &parts.wal, "owner", sqlite_space_first_bytes()),
                     PLAT_OK);
    open_parts();
    return 0;
}

int remove_parts(void **state)
{
    close_parts();
    return remove_directory(state);
}

uint64_t append_row(size_t size)
{
    static const char bytes[70000];
    const uint64_t seq = parts.next_seq++;
    const struct store_row row = {
        .record = { .seq = seq,
                    .tag = seq * 3,
                    .head = bytes,
                    .head_len = 1,
                    .body = bytes,
                    .body_len = size - 1 },
        .number = parts.schema.last.number + 1,
        .total = parts.schema.last.total + size,
        .size = size,
    };
    assert_true(size >= 1 && size <= sizeof bytes);
    assert_int_equal(sqlite_schema_insert(&parts.schema, &row), PLAT_OK);
    sqlite_removals_note_append(&parts.removals, size);
    sqlite_wal_note_commit(&parts.wal);
    return seq;
}
