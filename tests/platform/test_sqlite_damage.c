#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "skip.h"
#include "store_fixture.h"

enum { FIRST = 3, LAST = 48, PAGE = 2048, WAL_HEADER = 32, FRAME = PAGE + 24 };

struct image {
    uint8_t *db;
    size_t db_len;
    uint8_t *wal; /* NULL: none */
    size_t wal_len;
};

/* Appends records and removes some, so that FIRST..LAST remain with a few gaps. */
static void fill(struct store_fixture *f)
{
    store_open(f);
    store_append_many(f, 1, LAST);
    store_remove(f, 1);
    store_remove(f, 2);
    assert_int_equal(f->store->ops->sync(f->store), PLAT_OK);
}

/* Returns the number of pages by SQLite's header (offset 28); the reserve lies after these
 * pages. */
static size_t pages_len(const struct image *image)
{
    const uint8_t *p = image->db + 28;

    return ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]) * PAGE;
}

/* Returns the file of a closed store without its reserve, whose bytes nothing depends on. */
static struct image closed_store(struct store_fixture *f)
{
    struct image image = { 0 };

    fill(f);
    store_close(f);
    image.db = store_file_read(f->path, &image.db_len);
    assert_true(pages_len(&image) < image.db_len);
    image.db_len = pages_len(&image);
    return image;
}

/* Returns the files that a killed process leaves. */
static struct image killed_store(struct store_fixture *f)
{
    struct image image;

    fill(f);
    image.db = store_file_read(f->path, &image.db_len);
    image.wal = store_file_read(f->wal, &image.wal_len);
    store_close(f);
    return image;
}

static void image_free(struct image *image)
{
    free(image->db);
    free(image->wal);
}

static void lay_out(struct store_fixture *f, const struct image *image)
{
    store_fixture_clear(f);
    store_file_write(f->path, image->db, image->db_len);
    if (image->wal != NULL) {
        store_file_write(f->wal, image->wal, image->wal_len);
    }
}

static bool file_is(const char *path, const uint8_t *bytes, size_t len)
{
    size_t now_len;
    uint8_t *now = store_file_read(path, &now_len);
    bool same = now_len == len && memcmp(now, bytes, len) == 0;

    free(now);
    return same;
}

/* Expects that the store is refused with a text that names the file, and that the file is not
 * changed. */
static void assert_refused(struct store_fixture *f, const struct image *image, plat_result r)
{
    assert_true(r == PLAT_ERR_STORE || r == PLAT_ERR_STORE_DAMAGED || r == PLAT_ERR_STORE_VERSION);
    assert_non_null(strstr(f->detail, "queue.db: "));
    assert_true(file_is(f->path, image->db, image->db_len));
    if (image->wal != NULL) {
        assert_true(file_is(f->wal, image->wal, image->wal_len));
    }
}

/* Reads records and expects each to be the next one that was stored. Returns their number. */
static uint64_t read_all(struct store_fixture *f, plat_result *end)
{
    plat_store_record r;
    uint64_t count = 0;
    uint64_t seq = 0;

    for (;; count++) {
        *end = f->store->ops->read(f->store, seq, &r);
        if (*end != PLAT_OK) {
            return count;
        }
        assert_true(count == 0 ? r.seq <= FIRST : r.seq == seq);
        assert_true(store_record_is(&r, r.seq));
        seq = r.seq + 1;
    }
}

/* No stored record may be missing without an error. Damage is reported until the store is
 * closed, and the file is kept. */
static void assert_told(struct store_fixture *f, const struct image *image)
{
    plat_store_record unused;
    plat_result end;
    plat_result r = store_try_open(f);

    if (r != PLAT_OK) {
        assert_refused(f, image, r);
        return;
    }
    uint64_t count = read_all(f, &end);
    if (end == PLAT_EOF) {
        assert_int_equal(count, LAST + 1 - FIRST);
        store_close(f);
        return;
    }
    assert_int_equal(end, PLAT_ERR_STORE_DAMAGED);
    assert_non_null(strstr(f->store->ops->detail(f->store), "queue.db: "));
    assert_int_equal(store_try_append(f, 1), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->store->ops->read(f->store, 0, &unused), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->store->ops->remove(f->store, FIRST, 1), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->store->ops->on_time(f->store, 1), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->store->ops->close(f->store), PLAT_ERR_STORE_DAMAGED);
    f->store = NULL;
    assert_true(file_is(f->path, image->db, image->db_len));
}

static void any_flipped_byte_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image image = closed_store(f);

    for (size_t i = 0; i < image.db_len; i += i % PAGE < 110 ? 1 : 29) {
        uint8_t was = image.db[i];
        image.db[i] ^= (uint8_t)(i % 3 == 0 ? 0xff : 1u << i % 8);
        lay_out(f, &image);
        assert_told(f, &image);
        image.db[i] = was;
    }
    image_free(&image);
}

static void any_page_of_zeros_or_of_another_position_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image image = closed_store(f);
    uint8_t was[PAGE];

    for (size_t at = 0; at < image.db_len; at += PAGE) {
        memcpy(was, image.db + at, PAGE);
        memset(image.db + at, 0, PAGE);
        lay_out(f, &image);
        assert_told(f, &image);
        memcpy(image.db + at, image.db + (at + 3 * PAGE) % image.db_len, PAGE);
        lay_out(f, &image);
        assert_told(f, &image);
        memcpy(image.db + at, was, PAGE);
    }
    image_free(&image);
}

static void a_truncated_file_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image image = closed_store(f);

    for (size_t len = 0; len < image.db_len; len += len % PAGE == 0 ? 1 : PAGE / 2 - 1) {
        struct image shorter = { .db = image.db, .db_len = len };
        lay_out(f, &shorter);
        assert_told(f, &shorter);
    }
    image_free(&image);
}

static void what_is_behind_the_pages_does_not_count(void **state)
{
    struct store_fixture *f = *state;
    struct image image = closed_store(f);
    size_t len = image.db_len + 100 * PAGE + 3;
    image.db = realloc(image.db, len);
    assert_non_null(image.db);
    memset(image.db + image.db_len, 0xa5, len - image.db_len);

    for (; len >= image.db_len; len -= 7 * PAGE / 2) {
        struct image longer = { .db = image.db, .db_len = len };
        lay_out(f, &longer);
        store_open(f);
        store_expect(f, FIRST, LAST);
        store_append_many(f, LAST + 1, LAST + 100);
        store_reopen(f);
        store_expect(f, FIRST, LAST + 100);
        store_close(f);
    }
    image_free(&image);
}

static void a_killed_process_leaves_all_and_takes_no_number_again(void **state)
{
    struct store_fixture *f = *state;
    struct image image = killed_store(f);
    lay_out(f, &image);

    store_open(f);

    store_expect(f, FIRST, LAST);
    assert_true(store_get_info(f).next_seq > LAST);
    store_append(f, LAST + 1);
    store_reopen(f);
    store_expect(f, FIRST, LAST + 1);
    image_free(&image);
}

static void a_lost_wal_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image image = killed_store(f);
    struct image without = { .db = image.db, .db_len = image.db_len };

    lay_out(f, &without);
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE_DAMAGED);
    assert_refused(f, &without, PLAT_ERR_STORE_DAMAGED);
    assert_non_null(strstr(f->detail, "-wal"));

    for (without.wal_len = 0; without.wal_len < WAL_HEADER + FRAME; without.wal_len += 59) {
        without.wal = image.wal;
        lay_out(f, &without);
        assert_int_equal(store_try_open(f), PLAT_ERR_STORE_DAMAGED);
    }
    image_free(&image);
}

/* Expects what is allowed after a loss of power: the records are genuine and in order, and no
 * number is used twice. */
static void assert_beginning(struct store_fixture *f, const struct image *image)
{
    plat_result end;
    plat_result r = store_try_open(f);

    if (r != PLAT_OK) {
        assert_refused(f, image, r);
        return;
    }
    (void)read_all(f, &end);
    assert_true(end == PLAT_EOF || end == PLAT_ERR_STORE_DAMAGED);
    assert_true(store_get_info(f).next_seq > LAST);
    (void)f->store->ops->close(f->store);
    f->store = NULL;
}

static void a_truncated_or_damaged_wal_leaves_the_beginning(void **state)
{
    struct store_fixture *f = *state;
    struct image image = killed_store(f);
    size_t len = image.wal_len;

    for (size_t i = WAL_HEADER + FRAME; i < len; i += 1409) {
        image.wal_len = i;
        lay_out(f, &image);
        assert_beginning(f, &image);
    }
    image.wal_len = len;
    for (size_t i = 0; i < len; i += i % FRAME < 26 ? 1 : 499) {
        image.wal[i] ^= 0x10;
        lay_out(f, &image);
        assert_beginning(f, &image);
        image.wal[i] ^= 0x10;
    }
    image_free(&image);
}

/* Returns the files of a store whose WAL holds only the last pages that were written, not the
 * complete store. */
static struct image killed_once_more(struct store_fixture *f)
{
    struct image image;

    fill(f);
    store_reopen(f);
    store_append(f, LAST + 1);
    image.db = store_file_read(f->path, &image.db_len);
    image.wal = store_file_read(f->wal, &image.wal_len);
    store_close(f);
    return image;
}

static void the_wal_of_another_store_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image another = killed_once_more(f);
    store_fixture_clear(f);
    struct image used = killed_store(f);
    store_fixture_clear(f);
    struct image closed = closed_store(f);
    const struct image mixed[] = {
        { used.db, used.db_len, another.wal, another.wal_len },
        { closed.db, closed.db_len, another.wal, another.wal_len },
    };

    for (size_t i = 0; i < 2; i++) {
        lay_out(f, &mixed[i]);
        assert_int_equal(store_try_open(f), PLAT_ERR_STORE_DAMAGED);
        assert_refused(f, &mixed[i], PLAT_ERR_STORE_DAMAGED);
    }

    image_free(&another);
    image_free(&used);
    image_free(&closed);
}

static void a_wal_without_its_file_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct image image = killed_store(f);
    store_fixture_clear(f);
    store_file_write(f->wal, image.wal, image.wal_len);

    assert_int_equal(store_try_open(f), PLAT_ERR_STORE_DAMAGED);

    assert_int_not_equal(access(f->path, F_OK), 0);
    assert_true(file_is(f->wal, image.wal, image.wal_len));
    image_free(&image);
}

static void a_journal_beside_it_is_not_rolled_back(void **state)
{
    struct store_fixture *f = *state;
    struct image image = closed_store(f);
    char journal[128];
    lay_out(f, &image);
    snprintf(journal, sizeof journal, "%s-journal", f->path);
    store_file_write(journal, image.db, image.db_len);

    assert_int_equal(store_try_open(f), PLAT_ERR_STORE_DAMAGED);

    assert_refused(f, &image, PLAT_ERR_STORE_DAMAGED);
    assert_true(file_is(journal, image.db, image.db_len));
    image_free(&image);
}

static void what_is_not_a_store_is_refused_and_kept(void **state)
{
    struct store_fixture *f = *state;
    static const struct {
        const char *why;
        /* Statement that damages the store; NULL: the bytes below are the content of the file. */
        const char *sql;
        const char *bytes;
        size_t len;
        plat_result wanted;
    } cases[] = {
        { "empty", NULL, "", 0, PLAT_ERR_STORE_DAMAGED },
        { "a short text", NULL, "hello\n", 6, PLAT_ERR_STORE_DAMAGED },
        { "no tables", "PRAGMA user_version=1", NULL, 0, PLAT_ERR_STORE_VERSION },
        { "other tables", "CREATE TABLE t(x); INSERT INTO t VALUES(1)", NULL, 0,
          PLAT_ERR_STORE_VERSION },
        { "a WAL database", "PRAGMA journal_mode=WAL; CREATE TABLE t(x)", NULL, 0,
          PLAT_ERR_STORE_VERSION },
        { "our id, nothing else", "PRAGMA application_id=1768911953", NULL, 0,
          PLAT_ERR_STORE_VERSION },
        { "another version", "PRAGMA application_id=1768911953; PRAGMA user_version=2", NULL, 0,
          PLAT_ERR_STORE_VERSION },
        { "our names, no WAL", "PRAGMA application_id=1768911953; PRAGMA user_version=1", NULL, 0,
          PLAT_ERR_STORE_DAMAGED },
        { "our names, no tables",
          "PRAGMA journal_mode=WAL; PRAGMA application_id=1768911953; PRAGMA user_version=1", NULL,
          0, PLAT_ERR_STORE_DAMAGED },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct image image = { 0 };
        store_fixture_clear(f);
        if (cases[i].sql != NULL) {
            sqlite3 *db;
            assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
            assert_int_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL), SQLITE_OK);
            assert_int_equal(sqlite3_close(db), SQLITE_OK);
        } else {
            store_file_write(f->path, (const uint8_t *)cases[i].bytes, cases[i].len);
        }
        image.db = store_file_read(f->path, &image.db_len);

        plat_result r = store_try_open(f);

        if (r != cases[i].wanted) {
            fail_msg("%s: %s (%s)", cases[i].why, plat_result_str(r), f->detail);
        }
        assert_refused(f, &image, r);
        image_free(&image);
    }
}

static void an_impossible_path_says_why(void **state)
{
    struct store_fixture *f = *state;
    char path[128];
    f->options.path = path;

    snprintf(path, sizeof path, "%s", f->dir);
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, "it is not a regular file"));

    snprintf(path, sizeof path, "%s/nowhere/queue.db", f->dir);
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, "No such file"));

    snprintf(path, sizeof path, "%s/dangling", f->dir);
    assert_int_equal(symlink("/nowhere/x", path), 0);
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, "dangling"));

    snprintf(path, sizeof path, "/proc/queue.db"); /* no user can create a file there */
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, "/proc/queue.db: "));
}

static void a_file_that_cannot_be_written_is_refused(void **state)
{
    struct store_fixture *f = *state;
    if (geteuid() == 0) {
        skip_because("root may write any file");
    }
    struct image image = closed_store(f);
    lay_out(f, &image);
    assert_int_equal(chmod(f->path, 0400), 0);

    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);

    assert_refused(f, &image, PLAT_ERR_STORE);
    image_free(&image);
}

int main(void)
{
#define WITH_STORE(test) \
    cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(any_flipped_byte_is_reported),
        WITH_STORE(any_page_of_zeros_or_of_another_position_is_reported),
        WITH_STORE(a_truncated_file_is_reported),
        WITH_STORE(what_is_behind_the_pages_does_not_count),
        WITH_STORE(a_killed_process_leaves_all_and_takes_no_number_again),
        WITH_STORE(a_lost_wal_is_reported),
        WITH_STORE(a_truncated_or_damaged_wal_leaves_the_beginning),
        WITH_STORE(the_wal_of_another_store_is_reported),
        WITH_STORE(a_wal_without_its_file_is_reported),
        WITH_STORE(a_journal_beside_it_is_not_rolled_back),
        WITH_STORE(what_is_not_a_store_is_refused_and_kept),
        WITH_STORE(an_impossible_path_says_why),
        WITH_STORE(a_file_that_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
