/* Tests a store on file systems that are really full, filled by the store or by another user.
 *
 *   test_sqlite_full_disk [KILLS [MEGABYTES...]] default: 5 kills, 2 MB; 100 2 8 64 takes
 *   minutes */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small_disk.h"
#include "store_kills.h"

static enum small_disk_kind kind;
static unsigned megabytes;
static int kills = 5;

static int mount_disk(void **state)
{
    if (store_fixture_setup(state) != 0) {
        return 1;
    }
    const struct store_fixture *f = *state;
    return small_disk_mount(kind, megabytes, f->dir) ? 0 : 1;
}

static int unmount_disk(void **state)
{
    struct store_fixture *f = *state;

    if (f->store != NULL) {
        (void)f->store->ops->close(f->store);
        f->store = NULL;
    }
    small_disk_unmount(f->dir);
    return store_fixture_teardown(state);
}

/* --- pieces ----------------------------------------------------------------- */

static uint64_t append_until_full(struct store_fixture *f, uint64_t next)
{
    plat_result r;

    while ((r = store_try_append(f, next)) == PLAT_OK) {
        next++;
    }
    if (r != PLAT_ERR_FULL || strstr(f->store->ops->detail(f->store), "queue.db: ") == NULL) {
        fail_msg("%s: %s", plat_result_str(r), f->store->ops->detail(f->store));
    }
    return next;
}

static void work_off(struct store_fixture *f, plat_result r)
{
    if (r != PLAT_OK) {
        fail_msg("%s: %s", plat_result_str(r), f->store->ops->detail(f->store));
    }
}

/* Removes the first `count` records, which must be in order and begin with the number `first`. */
static uint64_t drain(struct store_fixture *f, uint64_t first, uint64_t count)
{
    plat_store_record r;

    for (; count > 0; count--, first++) {
        work_off(f, f->store->ops->read(f->store, 0, &r));
        assert_true(store_record_is(&r, first));
        work_off(f, f->store->ops->remove(f->store, r.seq, 1000));
    }
    work_off(f, f->store->ops->sync(f->store));
    return first;
}

/* Removed records must not reappear, neither now nor after the store is opened again. */
static void drain_all(struct store_fixture *f, uint64_t first, uint64_t next)
{
    plat_store_record r;

    assert_int_equal(store_get_info(f).count, next - first);
    drain(f, first, next - first);
    assert_int_equal(f->store->ops->read(f->store, 0, &r), PLAT_EOF);
    store_reopen(f);
    assert_int_equal(store_get_info(f).count, 0);
    assert_int_equal(f->store->ops->read(f->store, 0, &r), PLAT_EOF);
}

/* Runs it in a child process that exits without closing the store, as if it were killed. */
static void in_a_process_that_is_killed(struct store_fixture *f,
                                        void (*what)(struct store_fixture *f))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        store_open(f);
        what(f);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* If true, the test's posix_fallocate fails as on a file system that cannot allocate; the C
 * library's function would write zeros instead. */
static bool cannot_allocate;

int posix_fallocate(int fd, off_t at, off_t len)
{
    if (cannot_allocate) {
        return EOPNOTSUPP;
    }
    return fallocate(fd, 0, at, len) == 0 ? 0 : errno;
}

/* --- tests ------------------------------------------------------------------ */

static void a_store_that_filled_the_disk_is_drained_to_the_last_record(void **state)
{
    struct store_fixture *f = *state;
    const uint64_t space = small_disk_left(f->dir);
    store_open(f);
    uint64_t next = append_until_full(f, 1);
    assert_true(store_get_info(f).bytes > space / 5 * 2);

    drain_all(f, 1, next);

    store_append(f, next);
    store_expect(f, next, next);
}

static void another_user_who_takes_the_rest_does_not_stop_removals(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    uint64_t next = append_until_full(f, 1);
    small_disk_fill(f->dir);

    drain_all(f, 1, next);

    small_disk_fill(f->dir);
    store_append(f, next);
    store_expect(f, next, next);
}

static void another_user_may_fill_the_disk_at_any_number_of_records(void **state)
{
    struct store_fixture *f = *state;

    for (uint64_t count = 0; count < 600; count = count * 2 + 1) {
        store_open(f);
        store_append_many(f, 1, count);
        small_disk_fill(f->dir);
        uint64_t next = append_until_full(f, count + 1);
        drain_all(f, 1, next);
        store_append_many(f, 1, 5);
        drain_all(f, 1, 6);
        store_close(f);
        store_fixture_clear(f);
    }
}

static void what_a_closed_store_holds_is_drained_on_a_full_disk(void **state)
{
    struct store_fixture *f = *state;
    for (uint64_t count = 1; count < 600; count = count * 2 + 1) {
        store_open(f);
        store_append_many(f, 1, count);
        store_close(f);
        small_disk_fill(f->dir);

        store_open(f);
        small_disk_fill(f->dir);
        drain_all(f, 1, count + 1);
        store_close(f);
        store_fixture_clear(f);
    }
}

static void a_disk_that_cannot_allocate_is_written_with_zeros(void **state)
{
    struct store_fixture *f = *state;
    cannot_allocate = true;
    another_user_who_takes_the_rest_does_not_stop_removals(state);
    store_close(f);
    store_fixture_clear(f);
    what_a_closed_store_holds_is_drained_on_a_full_disk(state);
    cannot_allocate = false;
}

static void a_full_store_may_be_opened_again_and_again(void **state)
{
    struct store_fixture *f = *state;
    uint64_t first = 1;
    store_open(f);
    uint64_t next = append_until_full(f, 1);

    for (int i = 0; i < 5; i++) {
        small_disk_fill(f->dir);
        store_reopen(f);
        first = drain(f, first, 30);
        small_disk_fill(f->dir);
        store_reopen(f);
        next = append_until_full(f, next);
    }
    store_close(f);
    small_disk_fill(f->dir);
    store_open(f);
    drain_all(f, first, next);
}

/* There is no append in between, since an append would cause a checkpoint. */
static void a_removed_record_is_never_read_again(void **state)
{
    struct store_fixture *f = *state;
    uint64_t first = 1;
    store_open(f);
    uint64_t next = append_until_full(f, 1);

    for (int i = 0; i < 10; i++) {
        small_disk_fill(f->dir);
        store_reopen(f);
        first = drain(f, first, 7);
        assert_int_equal(store_get_info(f).count, next - first);
    }
    store_reopen(f);
    store_expect(f, first, next - 1);
}

static void fill_it(struct store_fixture *f)
{
    (void)append_until_full(f, 1);
}

static void a_process_killed_with_a_full_disk_leaves_what_can_be_drained(void **state)
{
    struct store_fixture *f = *state;
    in_a_process_that_is_killed(f, fill_it);
    small_disk_fill(f->dir);

    store_open(f);

    uint64_t count = store_get_info(f).count;
    assert_true(count > 500);
    drain_all(f, 1, count + 1);
}

/* One record is acknowledged for each that is added, as in a device whose disk stays full. */
static void new_records_fit_where_old_ones_have_left(void **state)
{
    enum { ROUNDS = 1000, MOST_WAITING = 100 };
    struct store_fixture *f = *state;
    store_open(f);
    uint64_t next = append_until_full(f, 1);
    uint64_t first = 1;
    uint64_t refused = 0;
    plat_store_record r;
    small_disk_fill(f->dir);

    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(f->store->ops->read(f->store, 0, &r), PLAT_OK);
        assert_true(store_record_is(&r, first));
        work_off(f, f->store->ops->remove(f->store, r.seq, 1000));
        first++;
        plat_result result = store_try_append(f, next);
        assert_true(result == PLAT_OK || result == PLAT_ERR_FULL);
        refused = result == PLAT_OK ? 0 : refused + 1;
        next += result == PLAT_OK;
        assert_true(refused < MOST_WAITING);
    }
    store_expect(f, first, next - 1);
}

static void large_records_fit_where_small_ones_have_left(void **state)
{
    static uint8_t body[256 * 1024];
    struct store_fixture *f = *state;
    plat_store_record large = { .head = "", .body = body, .body_len = sizeof body };
    plat_store_record r;
    store_open(f);
    (void)append_until_full(f, 1);
    small_disk_fill(f->dir);

    while (f->store->ops->append(f->store, &large, 1000) != PLAT_OK) {
        assert_int_equal(f->store->ops->read(f->store, 0, &r), PLAT_OK);
        work_off(f, f->store->ops->remove(f->store, r.seq, 1000));
    }

    assert_true(store_get_info(f).count > 100);
    assert_int_equal(f->store->ops->read(f->store, large.seq, &r), PLAT_OK);
    assert_int_equal(r.body_len, sizeof body);
    work_off(f, f->store->ops->remove(f->store, large.seq, 1000));
    work_off(f, f->store->ops->sync(f->store));
}

static void no_store_is_made_on_a_full_disk(void **state)
{
    struct store_fixture *f = *state;
    struct stat st;
    small_disk_fill(f->dir);

    assert_int_equal(store_try_open(f), PLAT_ERR_FULL);
    assert_non_null(strstr(f->detail, "queue.db: "));
    assert_int_not_equal(stat(f->path, &st), 0);
    assert_int_not_equal(stat(f->wal, &st), 0);

    small_disk_free(f->dir);
    store_open(f);
    store_append(f, 1);
    small_disk_fill(f->dir);
    drain_all(f, 1, 2);
}

/* --- a limit that the process has, and a disk that cannot be written -------------- */

static void a_limit_on_the_size_of_files_is_a_full_disk(void **state)
{
    struct store_fixture *f = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    store_open(f);
    store_append(f, 1);

    /* The test does not ignore SIGXFSZ, so the process would end if the store exceeded the
     * limit. */
    const struct rlimit limit = { 500000, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint64_t next = append_until_full(f, 2);
    assert_non_null(strstr(f->store->ops->detail(f->store), "File too large"));
    drain_all(f, 1, next);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_true(next > 300);
    store_append(f, next);
}

static void set_limit(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The test does not ignore SIGXFSZ, so the process would end if the store exceeded the limit. */
static void no_store_is_made_or_opened_that_the_limit_has_no_room_for(void **state)
{
    struct store_fixture *f = *state;
    struct rlimit before;
    struct stat st;
    plat_result r = PLAT_ERR_FULL;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);

    for (rlim_t most = 0; r != PLAT_OK; most = most * 2 + 1) {
        set_limit(most);
        r = store_try_open(f);
        set_limit(before.rlim_cur);
        assert_true(r == PLAT_OK || r == PLAT_ERR_FULL);
        assert_true(r == PLAT_OK || strstr(f->detail, "File too large") != NULL);
    }
    store_append(f, 1);
    store_close(f);
    assert_int_equal(stat(f->path, &st), 0);
    for (rlim_t most = 0; most < (rlim_t)st.st_size; most = most * 2 + 1) {
        set_limit(most);
        r = store_try_open(f);
        set_limit(before.rlim_cur);
        assert_int_equal(r, PLAT_ERR_FULL);
    }
    store_open(f);
    drain_all(f, 1, 2);
}

static void a_disk_that_became_read_only_loses_nothing(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    store_append_many(f, 1, 10);
    store_close(f);
    if (!small_disk_read_only(f->dir, true)) {
        skip();
    }

    assert_int_equal(store_try_open(f), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, "queue.db: "));

    assert_true(small_disk_read_only(f->dir, false));
    store_open(f);
    store_expect(f, 1, 10);
}

/* --- kills -------------------------------------------------------------------- */

/* Fills the disk, alone or together with another user, and keeps working when it is full. */
static void work(struct store_fixture *f, struct store_progress done, unsigned seed, int out)
{
    enum { MOST_WAITING = 200 };
    int refused = 0;
    plat_store_record r;

    srand(seed);
    store_open(f);
    for (uint64_t now = 1;; now++) {
        const bool full = refused > 0;
        if ((full || rand() % 5 == 0) && f->store->ops->read(f->store, 0, &r) == PLAT_OK) {
            done.removed = (uint64_t)-r.stored_s;
            store_report(out, &done);
            if (f->store->ops->remove(f->store, r.seq, now) != PLAT_OK) {
                _exit(3);
            }
        }
        plat_result result = store_try_append(f, done.stored + 1);
        if (result == PLAT_OK) {
            done.stored++;
            store_report(out, &done);
            refused = 0;
        } else if (result != PLAT_ERR_FULL || ++refused > MOST_WAITING) {
            _exit(4);
        }
        if (f->store->ops->on_time(f->store, now) != PLAT_OK) {
            _exit(5);
        }
        if (rand() % 1000 == 0) {
            small_disk_fill(f->dir);
        }
    }
}

/* Kills the process while it opens the store, and while it closes it. */
static void kill_while_it_opens(struct store_fixture *f)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            store_open(f);
            store_close(f);
        }
    }
    (void)usleep((unsigned)rand() % 5000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void nothing_is_lost_by_kills_on_a_full_disk(void **state)
{
    struct store_fixture *f = *state;
    struct store_progress done = { 0, 0 };
    srand(megabytes);

    for (int i = 0; i < kills; i++) {
        f->options.sync_delay_ms = i % 2 == 0 ? 50 : 0;
        done = store_work_until_killed(f, done, (unsigned)i, 4000, work);
        if (i % 3 == 0) {
            small_disk_fill(f->dir);
        }
        for (int again = i % 3; again > 0; again--) {
            kill_while_it_opens(f);
        }
        store_open(f);
        done = store_check_after_kill(f, done);
        store_close(f);
        if (i % 7 == 6) {
            small_disk_free(f->dir);
        }
    }
    small_disk_fill(f->dir);
    store_open(f);
    done = store_check_after_kill(f, done);
    drain_all(f, done.removed + 1, done.stored + 1);
    store_append(f, done.stored + 1);
    print_message("%llu records, %d kills\n", (unsigned long long)done.stored, kills);
}

/* --- all of them, on each disk --------------------------------------------------- */

static bool can_be_mounted(void)
{
    char dir[] = "/tmp/test_small_disk.XXXXXX";

    assert_non_null(mkdtemp(dir));
    bool ok = small_disk_mount(kind, megabytes, dir);
    if (ok) {
        small_disk_unmount(dir);
    }
    (void)rmdir(dir);
    return ok;
}

static int test_all(void)
{
#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, mount_disk, unmount_disk)
    const struct CMUnitTest tests[] = {
        WITH_DISK(a_store_that_filled_the_disk_is_drained_to_the_last_record),
        WITH_DISK(another_user_who_takes_the_rest_does_not_stop_removals),
        WITH_DISK(another_user_may_fill_the_disk_at_any_number_of_records),
        WITH_DISK(what_a_closed_store_holds_is_drained_on_a_full_disk),
        WITH_DISK(a_disk_that_cannot_allocate_is_written_with_zeros),
        WITH_DISK(a_full_store_may_be_opened_again_and_again),
        WITH_DISK(a_removed_record_is_never_read_again),
        WITH_DISK(a_process_killed_with_a_full_disk_leaves_what_can_be_drained),
        WITH_DISK(new_records_fit_where_old_ones_have_left),
        WITH_DISK(large_records_fit_where_small_ones_have_left),
        WITH_DISK(no_store_is_made_on_a_full_disk),
        WITH_DISK(a_limit_on_the_size_of_files_is_a_full_disk),
        WITH_DISK(no_store_is_made_or_opened_that_the_limit_has_no_room_for),
        WITH_DISK(a_disk_that_became_read_only_loses_nothing),
        WITH_DISK(nothing_is_lost_by_kills_on_a_full_disk),
    };
    print_message("%s of %u MB\n", kind == SMALL_DISK_TMPFS ? "tmpfs" : "ext4", megabytes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = { "2" };
    const char *const *sizes = argc > 2 ? (const char *const *)argv + 2 : usual;
    const int count = argc > 2 ? argc - 2 : 1;
    int failed = 0;

    kills = argc > 1 ? atoi(argv[1]) : kills;
    if (!small_disk_prepare()) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        megabytes = (unsigned)atoi(sizes[i]);
        for (int k = SMALL_DISK_TMPFS; k <= SMALL_DISK_EXT4; k++) {
            kind = (enum small_disk_kind)k;
            failed += can_be_mounted() ? test_all() : 0;
        }
    }
    return failed == 0 ? 0 : 1;
}
