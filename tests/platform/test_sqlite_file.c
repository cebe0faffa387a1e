#include "sqlite_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void each_kind_of_failure_has_its_code_and_its_text(void **state)
{
    (void)state;
    static const struct {
        int rc;
        plat_result r;
    } cases[] = {
        { SQLITE_NOMEM, PLAT_ERR_MEMORY },      { SQLITE_IOERR_NOMEM, PLAT_ERR_MEMORY },
        { SQLITE_FULL, PLAT_ERR_FULL },         { SQLITE_BUSY, PLAT_ERR_STORE_BUSY },
        { SQLITE_LOCKED, PLAT_ERR_STORE_BUSY }, { SQLITE_READONLY, PLAT_ERR_STORE },
        { SQLITE_IOERR_READ, PLAT_ERR_STORE },  { SQLITE_ERROR, PLAT_ERR_STORE },
        { SQLITE_CANTOPEN, PLAT_ERR_STORE },
    };
    assert_int_equal(sqlite_file_connect(&parts.file, ":memory:"), PLAT_ERR_STORE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sqlite_file_fail_sqlite(&parts.file, cases[i].rc), cases[i].r);
        assert_non_null(strstr(parts.file.detail, parts.path));
        assert_int_equal(parts.file.latched, PLAT_OK);
        sqlite_file_forgive(&parts.file);
        assert_string_equal(parts.file.detail, "");
    }
    assert_int_equal(sqlite_file_fail_errno(&parts.file, ENOSPC), PLAT_ERR_FULL);
    assert_int_equal(sqlite_file_fail_errno(&parts.file, EDQUOT), PLAT_ERR_FULL);
    assert_int_equal(sqlite_file_fail_errno(&parts.file, EFBIG), PLAT_ERR_FULL);
    assert_int_equal(sqlite_file_fail_errno(&parts.file, EACCES), PLAT_ERR_STORE);
    assert_non_null(strstr(parts.file.detail, strerror(EACCES)));
    sqlite_file_disconnect(&parts.file, true);
}

static void damage_is_not_forgiven(void **state)
{
    (void)state;
    assert_int_equal(sqlite_file_fail(&parts.file, PLAT_ERR_STORE_DAMAGED, "a hash"),
                     PLAT_ERR_STORE_DAMAGED);
    sqlite_file_forgive(&parts.file);
    assert_int_equal(parts.file.latched, PLAT_ERR_STORE_DAMAGED);
    assert_non_null(strstr(parts.file.detail, "a hash"));
    sqlite_file_unlatch(&parts.file); /* the error of a file that is being created may be cleared */
    assert_int_equal(parts.file.latched, PLAT_OK);
    assert_string_equal(parts.file.detail, "");
}

static void of_a_long_path_the_end_is_shown_and_the_cause_whole(void **state)
{
    (void)state;
    for (size_t len = 70; len <= 200; len += 1) {
        char path[201];
        struct sqlite_file f;
        memset(path, 'a', len);
        memcpy(path + len - 4, "/end", 4);
        path[len] = '\0';
        assert_int_equal(sqlite_file_init(&f, path), PLAT_OK);
        (void)sqlite_file_fail(&f, PLAT_ERR_STORE, "the cause");
        assert_non_null(strstr(f.detail, "/end: the cause"));
        assert_int_equal(strncmp(f.detail, "...", 3) == 0, len > 72);
        sqlite_file_deinit(&f);
    }
}

static void a_name_is_never_taken_for_anything_but_a_file(void **state)
{
    (void)state;
    static const char *const names[] = { ":memory:", "file:x?mode=memory", "" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_not_equal(sqlite_file_connect(&parts.file, names[i]), PLAT_OK);
        sqlite_file_disconnect(&parts.file, true);
    }
}

static void statements_that_fail_say_why(void **state)
{
    (void)state;
    FILE *f = fopen(parts.path, "wb");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(sqlite_file_connect(&parts.file, parts.path), PLAT_OK);
    assert_int_equal(sqlite_file_configure(&parts.file, true), PLAT_OK);
    assert_int_equal(sqlite_file_exec(&parts.file, "SELECT 1"), PLAT_OK);
    assert_int_equal(sqlite_file_exec(&parts.file, "SELECT nothing"), PLAT_ERR_STORE);
    assert_string_not_equal(parts.file.detail, "");
    assert_non_null(strstr(sqlite_file_name(&parts.file), "/store"));
    assert_non_null(strstr(sqlite_file_wal_name(&parts.file), "/store-wal"));
    assert_int_equal(sqlite_file_disk_bytes(&parts.file), 0);
    sqlite_file_disconnect(&parts.file, false);
    sqlite_file_disconnect(&parts.file, false); /* a second call has no effect */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(each_kind_of_failure_has_its_code_and_its_text),
        WITH_DIRECTORY(damage_is_not_forgiven),
        WITH_DIRECTORY(of_a_long_path_the_end_is_shown_and_the_cause_whole),
        WITH_DIRECTORY(a_name_is_never_taken_for_anything_but_a_file),
        WITH_DIRECTORY(statements_that_fail_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
