#include "faulty_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "store_fixture.h"

enum { FILES = 8 };

/* A write since the last sync. A change without bytes truncates the file to the length `at`. */
struct change {
    struct change *next;
    size_t at;
    size_t len;
    uint8_t *bytes;
};

struct disk_file {
    char name[256];
    uint8_t *synced;
    size_t synced_len;
    size_t room; /* size of the allocation; 0 means synced_len */
    struct change *first;
    struct change **end;
};

struct faulty_file {
    sqlite3_file base;
    struct disk_file *disk;
    sqlite3_file *real;
};

static struct disk_file files[FILES];
static sqlite3_vfs *real_vfs;
static sqlite3_mem_methods real_memory;
static bool power_is_off;

static enum fault_kind kind;
static long countdown; /* number of calls until the fault; 0: no fault is planned */
static bool for_good;
static bool happened;
static uint64_t space; /* bytes of space left for all files, set when a growth has failed */

static bool fails(bool memory)
{
    if (countdown == 0 || memory != (kind == FAULT_MEMORY)) {
        return false;
    }
    if (countdown > 1) {
        countdown--;
        return false;
    }
    happened = true;
    countdown = for_good ? 1 : 0;
    return true;
}

static bool disk_fails(void)
{
    return power_is_off || (kind != FAULT_GROWTH && fails(false));
}

static uint64_t size_of_all(void)
{
    struct stat st;
    uint64_t all = 0;

    for (size_t i = 0; i < FILES; i++) {
        bool there = files[i].name[0] != '\0' && stat(files[i].name, &st) == 0;
        all += there ? (uint64_t)st.st_size : 0;
    }
    return all;
}

/* Once the disk is full, no space is left except what a file frees. */
static bool growth_fails(uint64_t bytes)
{
    if (happened && for_good && countdown > 0) {
        return size_of_all() + bytes > space;
    }
    if (!fails(false)) {
        return false;
    }
    space = size_of_all();
    return true;
}

static bool write_fails(sqlite3_file *real, sqlite3_int64 end)
{
    sqlite3_int64 size = 0;

    if (kind != FAULT_GROWTH || power_is_off) {
        return disk_fails();
    }
    return real->pMethods->xFileSize(real, &size) == SQLITE_OK && end > size &&
           growth_fails((uint64_t)(end - size));
}

static int full_or(int io_error)
{
    return (kind == FAULT_FULL || kind == FAULT_GROWTH) && !power_is_off ? SQLITE_FULL : io_error;
}

/* Replaces the function of the C library, because the store allocates through a descriptor of
 * its own. */
int posix_fallocate(int fd, off_t at, off_t len)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return errno;
    }
    const bool grows = at + len > st.st_size;
    if (kind == FAULT_GROWTH && !power_is_off) {
        if (grows && growth_fails((uint64_t)(at + len - st.st_size))) {
            return ENOSPC;
        }
    } else if (disk_fails()) {
        return kind == FAULT_IO ? EIO : ENOSPC;
    }
    return fallocate(fd, 0, at, len) == 0 ? 0 : errno;
}

/* --- what survives ------------------------------------------------------ */

static void forget_changes(struct disk_file *d)
{
    while (d->first != NULL) {
        struct change *c = d->first;
        d->first = c->next;
        free(c->bytes);
        free(c);
    }
    d->end = &d->first;
}

static void forget_file(struct disk_file *d)
{
    forget_changes(d);
    free(d->synced);
    memset(d, 0, sizeof *d);
}

static struct disk_file *track(const char *name)
{
    struct disk_file *unused = NULL;

    for (size_t i = 0; i < FILES; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return &files[i];
        }
        unused = files[i].name[0] == '\0' ? &files[i] : unused;
    }
    assert_non_null(unused);
    snprintf(unused->name, sizeof unused->name, "%s", name);
    unused->end = &unused->first;
    FILE *file = fopen(name, "rb");
    if (file != NULL) {
        /* Closed before SQLite opens the file, since closing it later would drop SQLite's locks. */
        (void)fclose(file);
        unused->synced = store_file_read(name, &unused->synced_len);
    }
    return unused;
}

static void note_change(struct disk_file *d, size_t at, const void *bytes, size_t len)
{
    struct change *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->at = at;
    c->len = len;
    if (bytes != NULL) {
        c->bytes = malloc(len);
        assert_non_null(c->bytes);
        memcpy(c->bytes, bytes, len);
    }
    *d->end = c;
    d->end = &c->next;
}

static void resize(struct disk_file *d, size_t len)
{
    if (len + 1 > d->room) {
        d->room = 2 * (len + 1);
        d->synced = realloc(d->synced, d->room);
        assert_non_null(d->synced);
    }
    if (len > d->synced_len) {
        memset(d->synced + d->synced_len, 0, len - d->synced_len);
    }
    d->synced_len = len;
}

static void apply(struct disk_file *d, int survivors)
{
    for (const struct change *c = d->first; c != NULL; c = c->next) {
        if (rand() % 100 >= survivors) {
            continue;
        }
        if (c->bytes == NULL) {
            resize(d, c->at);
            continue;
        }
        if (c->at + c->len > d->synced_len) {
            resize(d, c->at + c->len);
        }
        memcpy(d->synced + c->at, c->bytes, c->len);
    }
    forget_changes(d);
}

/* --- files -------------------------------------------------------------- */

static struct faulty_file *of(sqlite3_file *file)
{
    return (struct faulty_file *)(void *)file;
}

static int file_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    if (disk_fails()) {
        return SQLITE_IOERR_READ;
    }
    return of(file)->real->pMethods->xRead(of(file)->real, out, len, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct faulty_file *f = of(file);

    if (write_fails(f->real, at + len)) {
        /* Writes half of the bytes, as a full disk does; but a sector is written completely or
         * not at all. */
        (void)f->real->pMethods->xWrite(f->real, bytes, power_is_off || len < 512 ? 0 : len / 2,
                                        at);
        return full_or(SQLITE_IOERR_WRITE);
    }
    note_change(f->disk, (size_t)at, bytes, (size_t)len);
    return f->real->pMethods->xWrite(f->real, bytes, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct faulty_file *f = of(file);

    if (disk_fails()) {
        return SQLITE_IOERR_TRUNCATE;
    }
    note_change(f->disk, (size_t)size, NULL, 0);
    return f->real->pMethods->xTruncate(f->real, size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (disk_fails()) {
        return SQLITE_IOERR_FSYNC;
    }
    apply(of(file)->disk, 100);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    if (disk_fails()) {
        return SQLITE_IOERR_FSTAT;
    }
    return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int file_lock(sqlite3_file *file, int level)
{
    if (disk_fails()) {
        return SQLITE_IOERR_LOCK;
    }
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int file_characteristics(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct faulty_file *f = of(file);

    (void)vfs;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(void *)(f + 1);
    if (disk_fails()) {
        return SQLITE_CANTOPEN;
    }
    f->disk = track(name);
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out);
    f->base.pMethods = rc == SQLITE_OK ? &file_methods : NULL;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    if (disk_fails()) {
        return SQLITE_IOERR_DELETE;
    }
    int rc = real_vfs->xDelete(real_vfs, name, sync);
    if (rc == SQLITE_OK) {
        forget_file(track(name));
    }
    return rc;
}

/* --- memory ------------------------------------------------------------- */

static void *memory_get(int len)
{
    return fails(true) ? NULL : real_memory.xMalloc(len);
}

static void *memory_resize(void *old, int len)
{
    return fails(true) ? NULL : real_memory.xRealloc(old, len);
}

/* --- for the tests ------------------------------------------------------ */

void faulty_vfs_install(void)
{
    static sqlite3_vfs vfs;
    sqlite3_mem_methods memory;

    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), SQLITE_OK);
    memory = real_memory;
    memory.xMalloc = memory_get;
    memory.xRealloc = memory_resize;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory), SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    assert_non_null(real_vfs);
    vfs = *real_vfs;
    vfs.zName = "faulty";
    vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

void faulty_vfs_arm(enum fault_kind what, long nth, bool stays)
{
    kind = what;
    countdown = nth;
    for_good = stays;
    happened = false;
}

bool faulty_vfs_disarm(void)
{
    countdown = 0;
    for (size_t i = 0; i < FILES; i++) {
        forget_file(&files[i]);
    }
    return happened;
}

void faulty_vfs_cut_power(void)
{
    power_is_off = true;
}

void faulty_vfs_restore_power(int survivors)
{
    for (size_t i = 0; i < FILES; i++) {
        /* A file that was created under a temporary name has its final name by now. */
        bool ours =
            strstr(files[i].name, "queue.db") != NULL && strstr(files[i].name, "queue.db.") == NULL;
        if (ours) {
            apply(&files[i], survivors);
            store_file_write(files[i].name, files[i].synced, files[i].synced_len);
        }
        forget_file(&files[i]);
    }
    power_is_off = false;
}
