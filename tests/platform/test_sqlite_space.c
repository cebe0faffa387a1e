#include "sqlite_parts.h"

#include <sys/stat.h>
#include <unistd.h>

static uint64_t file_size(void)
{
    struct stat st;
    assert_int_equal(stat(parts.path, &st), 0);
    return (uint64_t)st.st_size;
}

static uint64_t blocks_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void an_open_store_has_its_reserve_in_the_wal(void **state)
{
    (void)state;
    assert_true(parts.wal.allocated >= 160);
    assert_true(blocks_of(parts.wal_path) >= sqlite_wal_bytes_of(160));
    assert_int_equal(parts.space.bytes, file_size());
}

static void the_file_has_blocks_before_a_record_is_appended(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 300, 1024, 1025, 5000, 60000 };
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            uint64_t pages;
            assert_int_equal(sqlite_space_for(&parts.space, sizes[i]), PLAT_OK);
            (void)append_row(sizes[i]);
            assert_int_equal(sqlite_schema_ask(&parts.schema, STORE_PAGES, &pages), PLAT_OK);
            assert_true(pages * SQLITE_WAL_PAGE <= parts.space.bytes);
            assert_true(blocks_of(parts.path) >= parts.space.bytes);
        }
    }
}

static void no_append_is_accepted_beyond_the_limit(void **state)
{
    (void)state;
    close_parts();
    parts.max_disk_bytes = PLAT_SQLITE_STORE_LEAST;
    open_parts();
    unsigned accepted = 0;
    plat_result r = PLAT_OK;
    for (; accepted < 10000; accepted++) {
        r = sqlite_space_for(&parts.space, 500);
        if (r != PLAT_OK) {
            break;
        }
        (void)append_row(500);
    }
    assert_int_equal(r, PLAT_ERR_FULL);
    assert_true(accepted > 200);
    assert_true(parts.space.bytes <= parts.space.limit);
    assert_true(file_size() <= PLAT_SQLITE_STORE_LEAST);
    /* All of the accepted records can be removed. */
    for (uint64_t seq = 1; seq <= accepted; seq++) {
        assert_int_equal(sqlite_removals_add(&parts.removals, seq), PLAT_OK);
    }
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    assert_int_equal(sqlite_space_for(&parts.space, 500), PLAT_OK);
}

static void a_closed_store_has_its_reserve_in_the_file(void **state)
{
    (void)state;
    const uint64_t reserve = sqlite_wal_bytes_of(160);
    (void)append_row(100);
    assert_int_equal(sqlite_wal_checkpoint(&parts.wal), PLAT_OK);
    uint64_t pages;
    assert_int_equal(sqlite_schema_ask(&parts.schema, STORE_PAGES, &pages), PLAT_OK);
    sqlite_space_leave(&parts.space);
    assert_true(file_size() >= pages * SQLITE_WAL_PAGE + reserve);
    assert_true(blocks_of(parts.path) >= pages * SQLITE_WAL_PAGE + reserve);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    struct sqlite_space p = parts.space;
    assert_true(sqlite_space_valid(&p));
    p.wal = NULL;
    assert_false(sqlite_space_valid(&p));
    p = parts.space;
    p.limit = p.limit_closed;
    assert_false(sqlite_space_valid(&p));
    p = parts.space;
    p.room = -1;
    assert_false(sqlite_space_valid(&p));
}
#else
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PARTS(an_open_store_has_its_reserve_in_the_wal),
        WITH_PARTS(the_file_has_blocks_before_a_record_is_appended),
        WITH_PARTS(no_append_is_accepted_beyond_the_limit),
        WITH_PARTS(a_closed_store_has_its_reserve_in_the_file),
        WITH_PARTS(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
