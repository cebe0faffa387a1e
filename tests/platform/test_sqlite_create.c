#include "sqlite_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/sqlite_create.h"

static plat_result create(uint64_t bytes)
{
    return sqlite_create(&parts.file, &parts.wal, "owner", bytes);
}

static unsigned files_in_directory(void)
{
    unsigned count = 0;
    DIR *d = opendir(parts.dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            count++;
        }
    }
    assert_int_equal(closedir(d), 0);
    return count;
}

static void a_new_store_is_one_file_of_the_size_that_was_wanted(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(create(sqlite_space_first_bytes()), PLAT_OK);
    assert_null(parts.file.db);
    assert_int_equal(stat(parts.path, &st), 0);
    assert_int_equal(st.st_size, sqlite_space_first_bytes());
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(files_in_directory(), 1);
    open_parts();
    assert_int_equal(parts.removals.count, 0);
    assert_true(parts.schema.meta.id != 0);
    close_parts();
}

static void a_store_that_exists_meanwhile_is_left_as_it_is(void **state)
{
    (void)state;
    char text[8] = { 0 };
    FILE *f = fopen(parts.path, "w+b");
    assert_non_null(f);
    assert_true(fputs("another", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(create(sqlite_space_first_bytes()), PLAT_OK);
    f = fopen(parts.path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, 7, f), 7);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, "another");
    assert_int_equal(files_in_directory(), 1);
}

static void a_failure_leaves_nothing_behind(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = { .rlim_cur = 10000, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    plat_result r = create(sqlite_space_first_bytes());
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, PLAT_ERR_FULL);
    assert_int_equal(files_in_directory(), 0);
    struct sqlite_file nowhere;
    assert_int_equal(sqlite_file_init(&nowhere, "/nonexistent/store"), PLAT_OK);
    struct sqlite_wal w;
    sqlite_wal_init(&w, &nowhere, false, 0);
    assert_int_equal(sqlite_create(&nowhere, &w, "owner", 1 << 20), PLAT_ERR_STORE);
    assert_non_null(strstr(nowhere.detail, "/nonexistent/store"));
    sqlite_file_deinit(&nowhere);
}

static void two_stores_have_two_ids_and_their_owners(void **state)
{
    (void)state;
    uint64_t ids[2];
    struct sqlite_contents contents;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(create(sqlite_space_first_bytes()), PLAT_OK);
        open_parts();
        ids[i] = parts.schema.meta.id;
        sqlite_schema_release_all(&parts.schema);
        sqlite_schema_init(&parts.schema, &parts.wal);
        assert_int_equal(sqlite_schema_load(&parts.schema, "another", -1, &contents),
                         PLAT_ERR_STORE_VERSION);
        close_parts();
        assert_int_equal(unlink(parts.path), 0);
    }
    assert_true(ids[0] != ids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(a_new_store_is_one_file_of_the_size_that_was_wanted),
        WITH_DIRECTORY(a_store_that_exists_meanwhile_is_left_as_it_is),
        WITH_DIRECTORY(a_failure_leaves_nothing_behind),
        WITH_DIRECTORY(two_stores_have_two_ids_and_their_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
