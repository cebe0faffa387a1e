#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_cases.h"

static void the_deadline_is_set_by_what_is_not_on_the_disk(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);

    store_append(f, 1); /* the record was appended at 1000 ms */

    assert_int_equal(f->store->ops->next_deadline(f->store), 1050);
    assert_int_equal(f->store->ops->on_time(f->store, 1049), PLAT_OK);
    assert_int_equal(f->store->ops->next_deadline(f->store), 1050);
    assert_int_equal(f->store->ops->on_time(f->store, 1050), PLAT_OK);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);
    store_remove(f, 1);
    assert_int_equal(f->store->ops->next_deadline(f->store), 1050);
    assert_int_equal(f->store->ops->sync(f->store), PLAT_OK);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);
}

static void without_a_delay_only_removals_wait(void **state)
{
    struct store_fixture *f = *state;
    f->options.sync_delay_ms = 0;
    store_open(f);

    store_append(f, 1);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);

    store_remove(f, 1);
    assert_int_equal(f->store->ops->next_deadline(f->store), 2000);
}

static void each_store_has_an_id_for_life(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    uint64_t id = store_get_info(f).id;
    store_reopen(f);
    assert_int_equal(store_get_info(f).id, id);

    store_close(f);
    store_fixture_clear(f);
    store_open(f);

    assert_int_not_equal(store_get_info(f).id, id);
}

static void only_its_owner_can_read_it(void **state)
{
    struct store_fixture *f = *state;
    struct stat st;
    char shm[128];
    mode_t before = umask(0);
    store_open(f);
    store_append(f, 1);
    umask(before);

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(f->wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(shm, sizeof shm, "%s-shm", f->path);
    assert_int_not_equal(stat(shm, &st), 0);
}

static void a_closed_store_is_one_file(void **state)
{
    struct store_fixture *f = *state;
    struct stat st;
    store_open(f);
    store_append(f, 1);

    store_close(f);

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_not_equal(stat(f->wal, &st), 0);
}

static void a_second_opening_finds_it_busy(void **state)
{
    struct store_fixture *f = *state;
    plat_store *second;
    char detail[PLAT_STORE_DETAIL_SIZE];
    int status;
    store_open(f);
    store_append(f, 1);

    assert_int_equal(plat_sqlite_store_open(&f->options, &second, detail), PLAT_ERR_STORE_BUSY);
    assert_null(second);
    assert_non_null(strstr(detail, "queue.db"));

    pid_t child = fork();
    if (child == 0) {
        _exit(-plat_sqlite_store_open(&f->options, &second, detail));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(-WEXITSTATUS(status), PLAT_ERR_STORE_BUSY);
    store_append(f, 2);
    store_expect(f, 1, 2);
}

static void another_owner_is_refused(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    store_append(f, 1);
    store_close(f);

    f->options.owner = "hub/another";
    assert_int_equal(store_try_open(f), PLAT_ERR_STORE_VERSION);
    assert_non_null(strstr(f->detail, "queue.db: it was made for another owner"));

    f->options.owner = "hub/device";
    store_open(f);
    store_expect(f, 1, 1);
}

static void refused_for(struct store_fixture *f, const char *option)
{
    assert_int_equal(store_try_open(f), PLAT_ERR_ARG);
    assert_non_null(strstr(f->detail, option));
}

static void bad_options_are_refused(void **state)
{
    struct store_fixture *f = *state;
    const plat_sqlite_options good = f->options;

    f->options.path = NULL;
    refused_for(f, "path is not set");
    f->options.path = "";
    refused_for(f, "path is not set");
    f->options = good;
    f->options.owner = NULL;
    refused_for(f, "owner is not set");
    f->options = good;
    f->options.max_disk_bytes = PLAT_SQLITE_STORE_LEAST - 1;
    refused_for(f, "max_disk_bytes");
}

/* The memory is exactly as large as an older struct, so that the sanitizer detects any read
 * after its end. */
static void options_of_programs_of_every_version_are_taken(void **state)
{
    struct store_fixture *f = *state;
    struct {
        plat_sqlite_options known;
        uint64_t more;
    } newer = { .known = f->options };
    const size_t old = offsetof(plat_sqlite_options, max_disk_bytes);
    void *memory = malloc(old);
    const plat_sqlite_options *older = memory;
    assert_non_null(memory);
    memcpy(memory, &f->options, old);

    assert_int_equal(plat_sqlite_store_open_sized(older, old, &f->store, f->detail), PLAT_OK);
    assert_int_equal(f->store->ops->close(f->store), PLAT_OK);
    assert_int_equal(plat_sqlite_store_open_sized(&newer.known, sizeof newer, &f->store, f->detail),
                     PLAT_OK);
    assert_int_equal(f->store->ops->close(f->store), PLAT_OK);
    newer.more = UINT64_C(1) << 63;
    assert_int_equal(plat_sqlite_store_open_sized(&newer.known, sizeof newer, &f->store, f->detail),
                     PLAT_ERR_ARG);
    assert_null(f->store);
    assert_string_equal(f->detail, "store: an option is set that this version does not know");
    free(memory);
}

/* These names would mean a database in memory, or a URI, to SQLite. */
static void any_name_is_the_name_of_a_file(void **state)
{
    static const char *const names[] = { ":memory:", "file:x?mode=memory", "a%20b" };
    struct store_fixture *f = *state;
    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(f->dir), 0);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        f->options.path = names[i];
        store_open(f);
        store_append(f, 1);
        store_reopen(f);
        store_expect(f, 1, 1);
        store_close(f);
        assert_int_equal(access(names[i], F_OK), 0);
    }

    assert_int_equal(chdir(before), 0);
}

static void a_symbolic_link_is_followed(void **state)
{
    struct store_fixture *f = *state;
    char link[128];
    store_open(f);
    store_append(f, 1);
    store_close(f);
    snprintf(link, sizeof link, "%s/link", f->dir);
    assert_int_equal(symlink("queue.db", link), 0);

    f->options.path = link;
    store_open(f);

    store_append(f, 2);
    assert_int_equal(access(f->wal, F_OK), 0);
    store_reopen(f);
    store_expect(f, 1, 2);
}

/* The database and its WAL are measured together, at every step of filling and draining. */
static void its_files_never_take_more_than_the_limit(void **state)
{
    enum { LIMIT = 1024 * 1024 };
    struct store_fixture *f = *state;
    plat_store_record r;
    uint64_t n = 0;
    uint64_t gone = 0;
    f->options.max_disk_bytes = LIMIT;
    store_open(f);

    for (int round = 0; round < 3; round++) {
        while (store_try_append(f, n + 1) == PLAT_OK) {
            n++;
            assert_true(store_get_info(f).disk <= LIMIT);
        }
        assert_int_equal(store_try_append(f, n + 1), PLAT_ERR_FULL);
        assert_non_null(strstr(f->store->ops->detail(f->store), "queue.db: "));
        assert_true(store_get_info(f).bytes > LIMIT / 2);
        for (int i = 0; i < 700; i++) {
            assert_int_equal(f->store->ops->read(f->store, 0, &r), PLAT_OK);
            assert_true(store_record_is(&r, ++gone));
            store_remove(f, r.seq);
            assert_true(store_get_info(f).disk <= LIMIT);
        }
        assert_int_equal(f->store->ops->sync(f->store), PLAT_OK);
        assert_true(store_get_info(f).disk <= LIMIT);
    }
    store_reopen(f);
    store_expect(f, gone + 1, n);
}

int main(void)
{
#define WITH_STORE(test) \
    cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(records_come_back_in_order_and_whole),
        WITH_STORE(a_removed_record_is_gone_immediately_and_after_reopening),
        WITH_STORE(numbers_go_on_when_all_records_are_gone),
        WITH_STORE(removing_what_is_not_there_is_no_error),
        WITH_STORE(random_use_agrees_with_a_model),
        WITH_STORE(any_number_of_records_may_go_out_of_order),
        WITH_STORE(the_deadline_is_set_by_what_is_not_on_the_disk),
        WITH_STORE(without_a_delay_only_removals_wait),
        WITH_STORE(each_store_has_an_id_for_life),
        WITH_STORE(only_its_owner_can_read_it),
        WITH_STORE(a_closed_store_is_one_file),
        WITH_STORE(a_second_opening_finds_it_busy),
        WITH_STORE(another_owner_is_refused),
        WITH_STORE(bad_options_are_refused),
        WITH_STORE(options_of_programs_of_every_version_are_taken),
        WITH_STORE(any_name_is_the_name_of_a_file),
        WITH_STORE(a_symbolic_link_is_followed),
        WITH_STORE(its_files_never_take_more_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
