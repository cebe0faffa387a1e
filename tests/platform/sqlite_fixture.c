#include "store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static plat_result open_sqlite(struct store_fixture *f)
{
    return plat_sqlite_store_open(&f->options, &f->store, f->detail);
}

int store_fixture_setup(void **state)
{
    struct store_fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    /* Uses /dev/shm if it exists, since no test needs a real disk. */
    snprintf(f->dir, sizeof f->dir, "%s/test_store.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/queue.db", f->dir);
    snprintf(f->wal, sizeof f->wal, "%s-wal", f->path);
    f->try_open = open_sqlite;
    f->options =
        (plat_sqlite_options){ .path = f->path, .owner = "hub/device", .sync_delay_ms = 50 };
    *state = f;
    return 0;
}

void store_fixture_clear(struct store_fixture *f)
{
    DIR *d = opendir(f->dir);
    char path[400];

    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
            if (unlink(path) != 0) {
                (void)rmdir(path);
            }
        }
    }
    (void)closedir(d);
}

int store_fixture_teardown(void **state)
{
    struct store_fixture *f = *state;

    if (f->store != NULL) {
        (void)f->store->ops->close(f->store);
    }
    store_fixture_clear(f);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

uint8_t *store_file_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    (void)fclose(file);
    return bytes;
}

void store_file_write(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(len == 0 || fwrite(bytes, 1, len, file) == len);
    assert_int_equal(fclose(file), 0);
}
