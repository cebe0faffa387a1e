/*
 * A process appends, removes and syncs until it is killed.  What it was told to be stored is there.
 *
 *   test_sqlite_crash [ROUNDS]     default: 20
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

static int rounds = 20;

/* What a child reports: all below `removed` may be gone, all to `stored` are stored. */
struct report {
    uint64_t stored;
    uint64_t removed;
};

/* Records carry their own count, not the seq, which leaves numbers out after a crash. */
static void work(struct store_fixture *f, struct report done, unsigned seed, int out)
{
    uint64_t now = 1;
    uint64_t seq = 0;
    plat_store_record r;

    srand(seed);
    store_open(f);
    for (;; now++) {
        if (rand() % 3 == 0 && done.removed + 50 < done.stored) {
            if (f->store->ops->read(f->store, seq, &r) != PLAT_OK) {
                _exit(2);
            }
            seq = r.seq + 1;
            done.removed = (uint64_t)-r.stored_s;
            /* Reported before: nobody knows how far the remove gets. */
            if (write(out, &done, sizeof done) != sizeof done ||
                f->store->ops->remove(f->store, r.seq, now) != PLAT_OK) {
                _exit(3);
            }
        } else {
            if (store_try_append(f, done.stored + 1) != PLAT_OK) {
                _exit(4);
            }
            done.stored++;
            if (write(out, &done, sizeof done) != sizeof done) {
                _exit(5);
            }
        }
        if (f->store->ops->on_time(f->store, now) != PLAT_OK) {
            _exit(6);
        }
    }
}

/* Let it report some hundred times, and kill it in the middle of whatever it does. */
static struct report run_and_kill(struct store_fixture *f, struct report done, unsigned seed)
{
    int ends[2];
    int status;
    int reports = 1 + rand() % 3000;
    struct report last = done;
    struct report next;
    assert_int_equal(pipe(ends), 0);

    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        work(f, done, seed, ends[1]);
    }
    (void)close(ends[1]);
    while (read(ends[0], &next, sizeof next) == sizeof next) {
        last = next;
        if (--reports == 0) {
            assert_int_equal(kill(child, SIGKILL), 0);
        }
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

/* Everything from the first removed to the last stored, in order; at most one more, unreported. */
static void check(struct store_fixture *f, struct report *done)
{
    plat_store_record r;
    uint64_t seq = 0;
    uint64_t count = 0;
    uint64_t n = 0;
    store_open(f);

    while (f->store->ops->read(f->store, seq, &r) == PLAT_OK) {
        n = (uint64_t)-r.stored_s;
        assert_true(count > 0 || n <= done->removed + 1);
        done->removed = count == 0 ? n - 1 : done->removed;
        assert_int_equal(n, done->removed + 1 + count);
        assert_true(store_record_is(&r, n));
        seq = r.seq + 1;
        count++;
    }
    assert_string_equal(f->store->ops->detail(f->store), "");
    assert_true(n == done->stored || n == done->stored + 1);
    assert_int_equal(store_get_info(f).count, count);
    done->stored = n;
    store_close(f);
}

static void no_stored_record_is_lost_by_a_kill(void **state)
{
    struct store_fixture *f = *state;
    struct report done = { 0, 0 };

    for (int i = 0; i < rounds; i++) {
        f->options.sync_delay_ms = i % 2 == 0 ? 50 : 0;
        done = run_and_kill(f, done, (unsigned)i);
        check(f, &done);
    }
    print_message("%llu records, %d kills\n", (unsigned long long)done.stored, rounds);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_stored_record_is_lost_by_a_kill, store_fixture_setup,
                                        store_fixture_teardown),
    };
    if (argc > 1) {
        rounds = atoi(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
