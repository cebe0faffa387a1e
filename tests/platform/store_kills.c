#include "store_kills.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void store_report(int out, const struct store_progress *done)
{
    if (write(out, done, sizeof *done) != sizeof *done) {
        _exit(9);
    }
}

struct store_progress store_work_until_killed(struct store_fixture *f, struct store_progress done,
                                              unsigned seed, int most, store_work *work)
{
    int ends[2];
    int status;
    int reports = 1 + rand() % most;
    struct store_progress last = done;
    struct store_progress next;
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
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        fail_msg("the child ended with status %d", status);
    }
    return last;
}

struct store_progress store_check_after_kill(struct store_fixture *f, struct store_progress done)
{
    plat_store_record r;
    uint64_t seq = 0;
    uint64_t n = 0;
    uint64_t count = 0;

    for (; f->store->ops->read(f->store, seq, &r) == PLAT_OK; count++, seq = r.seq + 1) {
        n = (uint64_t)-r.stored_s;
        assert_true(count > 0 || n <= done.removed + 1); /* several removals are written together */
        done.removed = count == 0 ? n - 1 : done.removed;
        assert_int_equal(n, done.removed + 1 + count);
        assert_true(store_record_is(&r, n));
    }
    assert_string_equal(f->store->ops->detail(f->store), "");
    assert_int_equal(store_get_info(f).count, count);
    if (count == 0) {
        assert_int_equal(done.removed, done.stored);
        return done;
    }
    assert_true(n == done.stored || n == done.stored + 1);
    done.stored = n;
    return done;
}
