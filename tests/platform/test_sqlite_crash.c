/* A process appends, removes and syncs until it is killed. Everything that it has stored must
 * still be there afterwards.
 *
 *   test_sqlite_crash [ROUNDS] default: 20 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store_kills.h"

static int rounds = 20;

static void work(struct store_fixture *f, struct store_progress done, unsigned seed, int out)
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
            store_report(out, &done);
            if (f->store->ops->remove(f->store, r.seq, now) != PLAT_OK) {
                _exit(3);
            }
        } else {
            if (store_try_append(f, done.stored + 1) != PLAT_OK) {
                _exit(4);
            }
            done.stored++;
            store_report(out, &done);
        }
        if (f->store->ops->on_time(f->store, now) != PLAT_OK) {
            _exit(6);
        }
    }
}

static void no_stored_record_is_lost_by_a_kill(void **state)
{
    struct store_fixture *f = *state;
    struct store_progress done = { 0, 0 };

    for (int i = 0; i < rounds; i++) {
        f->options.sync_delay_ms = i % 2 == 0 ? 50 : 0;
        done = store_work_until_killed(f, done, (unsigned)i, 3000, work);
        store_open(f);
        done = store_check_after_kill(f, done);
        store_close(f);
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
