#include "sqlite/sqlite_create.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sqlite/sqlite_blocks.h"

/* Writes the row of `meta`, and the row before the first record, which is a gap that no number
 * counts. */
static plat_result write_first_rows(struct sqlite_file *f, const char *owner)
{
    struct store_row first = { .gap = true };
    struct store_meta m = { .reserved = 1, .gaps = 1 };

    sqlite3_randomness((int)sizeof m.id, &m.id);
    char *sql =
        sqlite3_mprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;" SQLITE_META_TABLE
                        ";" SQLITE_RECORDS_TABLE ";"
                        "INSERT INTO records VALUES(0,0,0,0,0,0,0,0,0,%lld,NULL,NULL);"
                        "INSERT INTO meta VALUES(%lld,%Q,1,0,0,0,1,0,0,%lld);",
                        SQLITE_SCHEMA_APPLICATION, SQLITE_SCHEMA_VERSION,
                        (long long)sqlite_schema_hash_row(m.id, &first), (long long)m.id, owner,
                        (long long)sqlite_schema_hash_meta(&m));
    plat_result r = sql == NULL ? sqlite_file_fail(f, PLAT_ERR_MEMORY, "out of memory")
                                : sqlite_file_exec(f, sql);
    sqlite3_free(sql);
    return r;
}

static plat_result fill(struct sqlite_file *f, struct sqlite_wal *w, const char *path,
                        const char *owner)
{
    plat_result r = sqlite_file_connect(f, path);

    if (r == PLAT_OK) {
        r = sqlite_file_configure(f, w->sync_each);
    }
    if (r == PLAT_OK) {
        r = sqlite_file_exec(f, "PRAGMA page_size=2048; PRAGMA journal_mode=WAL; BEGIN");
    }
    if (r == PLAT_OK) {
        r = write_first_rows(f, owner);
    }
    if (r == PLAT_OK) {
        r = sqlite_file_exec(f, "COMMIT");
    }
    if (r == PLAT_OK) {
        r = sqlite_wal_checkpoint(w);
    }
    /* Checks the result, because a pragma may fail without an error. */
    if (r == PLAT_OK && sqlite_schema_check_kind(f) != PLAT_OK) {
        sqlite_file_unlatch(f);
        r = sqlite_file_fail(f, PLAT_ERR_STORE, "the file cannot be made");
    }
    sqlite_file_enter();
    sqlite_file_disconnect(f, false);
    sqlite_file_leave();
    return r;
}

static void remove_leftovers(const char *name)
{
    char *wal = sqlite3_mprintf("%s-wal", name);

    (void)unlink(name);
    if (wal != NULL) {
        (void)unlink(wal); /* the file exists only after a failure */
    }
    sqlite3_free(wal);
}

plat_result sqlite_create(struct sqlite_file *f, struct sqlite_wal *w, const char *owner,
                          uint64_t bytes)
{
    int limit = sqlite_blocks_check_limit(bytes);
    if (limit != 0) {
        return sqlite_file_fail_errno(f, limit);
    }
    char *name = sqlite3_mprintf("%s.XXXXXX", f->path);
    int fd = name != NULL ? mkstemp(name) : -1;

    if (fd < 0) {
        plat_result failed = name == NULL ? PLAT_ERR_MEMORY : sqlite_file_fail_errno(f, errno);
        sqlite3_free(name);
        return failed;
    }
    (void)close(fd);
    plat_result r = fill(f, w, name, owner);
    int error = r == PLAT_OK ? sqlite_blocks_allocate_file(name, bytes) : 0;
    if (error != 0) {
        r = sqlite_file_fail_errno(f, error);
    }
    /* Some file systems do not support hard links. */
    if (r == PLAT_OK && link(name, f->path) != 0 && errno != EEXIST) {
        r = rename(name, f->path) == 0 ? PLAT_OK : sqlite_file_fail_errno(f, errno);
    }
    remove_leftovers(name);
    sqlite3_free(name);
    return r;
}
