#include "sqlite/sqlite_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most characters of a path in an error text. If the path is longer, the text contains its end. */
enum { PATH_SHOWN = 72 };

plat_result sqlite_file_init(struct sqlite_file *f, const char *path)
{
    *f = (struct sqlite_file){ .path = strdup(path) };
    return f->path != NULL ? PLAT_OK : PLAT_ERR_MEMORY;
}

void sqlite_file_deinit(struct sqlite_file *f)
{
    free(f->path);
    f->path = NULL;
}

void sqlite_file_enter(void)
{
    sqlite3_mutex_enter(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP3));
}

void sqlite_file_leave(void)
{
    sqlite3_mutex_leave(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP3));
}

/* --- failures ---------------------------------------------------------------- */

plat_result sqlite_file_fail(struct sqlite_file *f, plat_result r, const char *why)
{
    size_t len = strlen(f->path);
    const char *end = len > PATH_SHOWN ? f->path + len - PATH_SHOWN : f->path;

    snprintf(f->detail, sizeof f->detail, "%s%s: %s", end == f->path ? "" : "...", end, why);
    if (r == PLAT_ERR_STORE_DAMAGED) {
        f->latched = r;
    }
    return r;
}

void sqlite_file_forgive(struct sqlite_file *f)
{
    if (f->latched == PLAT_OK) {
        f->detail[0] = '\0';
    }
}

static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

plat_result sqlite_file_fail_errno(struct sqlite_file *f, int error)
{
    return sqlite_file_fail(f, is_full(error) ? PLAT_ERR_FULL : PLAT_ERR_STORE, strerror(error));
}

static plat_result result_of(int rc, int error)
{
    if (rc == SQLITE_IOERR_NOMEM) {
        return PLAT_ERR_MEMORY;
    }
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return PLAT_ERR_MEMORY;
    case SQLITE_FULL: return PLAT_ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return PLAT_ERR_STORE_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return PLAT_ERR_STORE_DAMAGED;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return is_full(error) ? PLAT_ERR_FULL : PLAT_ERR_STORE;
    default: return PLAT_ERR_STORE;
    }
}

plat_result sqlite_file_fail_sqlite(struct sqlite_file *f, int rc)
{
    bool system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
    int error = system ? sqlite3_system_errno(f->db) : 0;
    char why[PLAT_STORE_DETAIL_SIZE - PATH_SHOWN - 8];

    snprintf(why, sizeof why, "%s%s%s", sqlite3_errstr(rc), error != 0 ? ": " : "",
             error != 0 ? strerror(error) : "");
    return sqlite_file_fail(f, result_of(rc, error), why);
}

plat_result sqlite_file_exec(struct sqlite_file *f, const char *sql)
{
    int rc = sqlite3_exec(f->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? PLAT_OK : sqlite_file_fail_sqlite(f, rc);
}

void sqlite_file_unlatch(struct sqlite_file *f)
{
    f->latched = PLAT_OK;
    sqlite_file_forgive(f);
}

/* --- the connection ---------------------------------------------------------- */

/* In WAL mode with an exclusive lock, SQLite needs no -shm file. A commit is one write to the
 * WAL, which the end of the process cannot undo. With synchronous=NORMAL the store decides when
 * to sync the WAL, and SQLite still syncs before and after each checkpoint. So a loss of power
 * undoes the last transactions and damages nothing. */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA mmap_size=0;"
                               "PRAGMA cache_size=-512;"
                               "PRAGMA cell_size_check=ON;"
                               "PRAGMA trusted_schema=OFF;"
                               "PRAGMA secure_delete=OFF;";

plat_result sqlite_file_connect(struct sqlite_file *f, const char *path)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    /* The prefix "./" prevents SQLite from treating the name as a URI or as ":memory:". */
    char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);

    if (name == NULL) {
        return sqlite_file_fail(f, PLAT_ERR_MEMORY, "out of memory");
    }
    int rc = sqlite3_open_v2(name, &f->db, flags, NULL);
    sqlite3_free(name);
    if (rc != SQLITE_OK) {
        return sqlite_file_fail_sqlite(f, rc);
    }
    sqlite3_extended_result_codes(f->db, 1);
    return PLAT_OK;
}

plat_result sqlite_file_configure(struct sqlite_file *f, bool sync_each)
{
    plat_result r = sqlite_file_exec(f, settings);

    if (r == PLAT_OK) {
        r = sqlite_file_exec(f,
                             sync_each ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    }
    return r;
}

void sqlite_file_disconnect(struct sqlite_file *f, bool leave_alone)
{
    if (leave_alone && f->db != NULL) {
        sqlite3_db_config(f->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite3_close(f->db); /* takes NULL */
    f->db = NULL;
}

const char *sqlite_file_name(const struct sqlite_file *f)
{
    return sqlite3_db_filename(f->db, "main");
}

const char *sqlite_file_wal_name(const struct sqlite_file *f)
{
    return sqlite3_filename_wal(sqlite3_db_filename(f->db, "main"));
}

static uint64_t size_of(const struct sqlite_file *f, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_file_control(f->db, NULL, which, &file) != SQLITE_OK || file->pMethods == NULL ||
        file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
        return 0;
    }
    return (uint64_t)size;
}

uint64_t sqlite_file_disk_bytes(const struct sqlite_file *f)
{
    return size_of(f, SQLITE_FCNTL_FILE_POINTER) + size_of(f, SQLITE_FCNTL_JOURNAL_POINTER);
}
