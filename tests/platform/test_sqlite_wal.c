#include "sqlite_parts.h"

#include <fcntl.h>
#include <unistd.h>

static void frames_and_bytes_agree(void **state)
{
    (void)state;
    for (uint64_t frames = 0; frames < 5000; frames += 13) {
        const int64_t bytes = (int64_t)sqlite_wal_bytes_of(frames);
        assert_int_equal(sqlite_wal_frames_of(bytes), frames);
        assert_int_equal(sqlite_wal_frames_of(bytes + SQLITE_WAL_FRAME - 1), frames);
        assert_int_equal(sqlite_wal_frames_of(bytes - 1), frames > 0 ? frames - 1 : 0);
    }
    assert_int_equal(sqlite_wal_frames_of(-1), 0);
}

static void a_quarter_of_the_limit_is_for_the_wal(void **state)
{
    (void)state;
    static const uint64_t limits[] = { 0, 1 << 20, 4 << 20, 1 << 30 };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct sqlite_wal w;
        sqlite_wal_init(&w, &parts.file, false, limits[i]);
        assert_int_equal(w.file == &parts.file, true);
        assert_true(limits[i] == 0 || sqlite_wal_bytes_of(w.cap) <= limits[i] / 4 + 32);
        assert_true(w.cap >= 100 && w.cap <= 4000);
    }
}

static void commits_are_unsynced_until_a_sync_or_a_checkpoint(void **state)
{
    (void)state;
    assert_false(parts.wal.unsynced);
    (void)append_row(100);
    assert_true(parts.wal.unsynced);
    assert_true(parts.wal.frames > 0);
    assert_int_equal(sqlite_wal_sync(&parts.wal), PLAT_OK);
    assert_false(parts.wal.unsynced);
    assert_true(parts.wal.frames > 0);
    (void)append_row(100);
    assert_int_equal(sqlite_wal_checkpoint(&parts.wal), PLAT_OK);
    assert_false(parts.wal.unsynced);
    assert_int_equal(parts.wal.frames, 0);
    parts.wal.sync_each = true;
    sqlite_wal_note_commit(&parts.wal);
    assert_false(parts.wal.unsynced);
}

static void each_restart_raises_the_salt_by_one(void **state)
{
    (void)state;
    uint64_t salt, next;
    (void)append_row(10);
    assert_true(sqlite_wal_salt(&parts.wal, &salt));
    (void)append_row(10);
    assert_true(sqlite_wal_salt(&parts.wal, &next));
    assert_int_equal(next, salt);
    for (uint64_t n = 1; n < 20; n++) {
        assert_int_equal(sqlite_wal_checkpoint(&parts.wal), PLAT_OK);
        (void)append_row(10);
        assert_true(sqlite_wal_salt(&parts.wal, &next));
        assert_int_equal((uint32_t)next, (uint32_t)(salt + n));
    }
}

static void a_changed_byte_of_the_header_makes_it_no_wal(void **state)
{
    (void)state;
    uint64_t salt;
    uint8_t header[SQLITE_WAL_HEADER];
    (void)append_row(10);
    int fd = open(parts.wal_path, O_RDWR);
    assert_int_equal(pread(fd, header, sizeof header, 0), sizeof header);
    for (off_t i = 0; i < SQLITE_WAL_HEADER; i++) {
        const uint8_t other = header[i] ^ 0x40;
        assert_int_equal(pwrite(fd, &other, 1, i), 1);
        assert_false(sqlite_wal_salt(&parts.wal, &salt));
        assert_int_equal(pwrite(fd, &header[i], 1, i), 1);
    }
    assert_true(sqlite_wal_salt(&parts.wal, &salt));
    assert_int_equal(close(fd), 0);
}

static void room_is_made_by_blocks_and_then_by_a_checkpoint(void **state)
{
    (void)state;
    const uint64_t cap = parts.wal.cap;
    (void)append_row(100);
    assert_int_equal(sqlite_wal_make_room(&parts.wal, cap - parts.wal.frames), PLAT_OK);
    assert_true(parts.wal.frames > 0); /* the record fits without a checkpoint */
    assert_int_equal(parts.wal.allocated, cap);
    assert_int_equal(sqlite_wal_make_room(&parts.wal, cap), PLAT_OK);
    assert_int_equal(parts.wal.frames, 0);
    assert_int_equal(sqlite_wal_make_room(&parts.wal, cap + 1), PLAT_ERR_FULL);
}

static void blocks_that_are_gone_do_not_count(void **state)
{
    (void)state;
    assert_true(sqlite_wal_allocate(&parts.wal, 500));
    assert_int_equal(parts.wal.allocated, 500);
    assert_int_equal(truncate(parts.wal_path, (off_t)sqlite_wal_bytes_of(200)), 0);
    sqlite_wal_measure(&parts.wal);
    assert_int_equal(parts.wal.allocated, 200);
}

static void a_wal_that_stays_for_its_blocks_has_no_header(void **state)
{
    (void)state;
    (void)append_row(100);
    assert_false(sqlite_wal_is_reserve(parts.wal_path));
    assert_false(sqlite_wal_is_reserve("/nonexistent"));
    assert_int_equal(sqlite_wal_checkpoint(&parts.wal), PLAT_OK);
    sqlite_wal_keep(&parts.wal);
    assert_true(sqlite_wal_is_reserve(parts.wal_path));
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    struct sqlite_wal w = parts.wal;
    assert_true(sqlite_wal_valid(&w));
    w.file = NULL;
    assert_false(sqlite_wal_valid(&w));
    w = parts.wal;
    w.cap = 0;
    assert_false(sqlite_wal_valid(&w));
    w = parts.wal;
    w.frames = w.allocated + 1;
    assert_false(sqlite_wal_valid(&w));
    w = parts.wal;
    w.sync_each = w.unsynced = true;
    assert_false(sqlite_wal_valid(&w));
    w = parts.wal;
    w.unsynced = false;
    w.rewrite = true;
    assert_false(sqlite_wal_valid(&w));
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
        cmocka_unit_test(frames_and_bytes_agree),
        WITH_PARTS(a_quarter_of_the_limit_is_for_the_wal),
        WITH_PARTS(commits_are_unsynced_until_a_sync_or_a_checkpoint),
        WITH_PARTS(each_restart_raises_the_salt_by_one),
        WITH_PARTS(a_changed_byte_of_the_header_makes_it_no_wal),
        WITH_PARTS(room_is_made_by_blocks_and_then_by_a_checkpoint),
        WITH_PARTS(blocks_that_are_gone_do_not_count),
        WITH_PARTS(a_wal_that_stays_for_its_blocks_has_no_header),
        WITH_PARTS(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
