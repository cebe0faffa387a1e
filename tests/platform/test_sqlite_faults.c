#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faulty_vfs.h"
#include "store_fixture.h"

enum { MOST = 400 };

/* Records the result of each call. */
struct ledger {
    bool stored[MOST + 1];
    bool removed[MOST + 1];
    uint64_t next;
};

static void append_some(struct store_fixture *f, struct ledger *l, int count)
{
    for (int i = 0; i < count && f->store != NULL; i++) {
        uint64_t n = l->next++;
        plat_result r = store_try_append(f, n);
        l->stored[n] = r == PLAT_OK;
        assert_int_equal(r == PLAT_OK, f->store->ops->detail(f->store)[0] == '\0');
    }
}

static void remove_some(struct store_fixture *f, struct ledger *l, int count)
{
    uint64_t seq = 0;
    plat_store_record r;

    for (int i = 0; i < count && f->store != NULL; i++) {
        if (f->store->ops->read(f->store, seq, &r) != PLAT_OK) {
            continue;
        }
        uint64_t n = (uint64_t)-r.stored_s;
        assert_true(n < l->next && l->stored[n] && store_record_is(&r, n));
        seq = r.seq + (i % 3 == 2 ? 2 : 1);
        if (f->store->ops->remove(f->store, r.seq, 1) == PLAT_OK) {
            l->removed[n] = true;
        }
    }
    if (f->store != NULL) {
        (void)f->store->ops->on_time(f->store, 5000);
    }
}

static void close_if_open(struct store_fixture *f)
{
    if (f->store != NULL) {
        (void)f->store->ops->close(f->store);
        f->store = NULL;
    }
}

/* Calls everything that a store can do, whatever the results are. */
static void live(struct store_fixture *f, struct ledger *l)
{
    for (int i = 0; i < 2; i++) {
        plat_result r = store_try_open(f);
        if (r == PLAT_ERR_STORE_DAMAGED || r == PLAT_ERR_STORE_VERSION) {
            fail_msg("%s", f->detail);
        }
        assert_true(r == PLAT_OK || r == PLAT_ERR_MEMORY || strstr(f->detail, "queue.db") != NULL);
        append_some(f, l, 25);
        remove_some(f, l, 12);
        append_some(f, l, 5);
        if (f->store != NULL) {
            (void)f->store->ops->sync(f->store);
        }
        append_some(f, l, 3);
        close_if_open(f);
    }
}

/* A stored record that was not removed must be there, a refused one must not, and a removed one
 * may be. */
static void check(struct store_fixture *f, const struct ledger *l, bool refused_may_be_there)
{
    plat_store_record r;
    uint64_t seq = 0;
    uint64_t n = 1;
    store_open(f);

    while (f->store->ops->read(f->store, seq, &r) == PLAT_OK) {
        uint64_t found = (uint64_t)-r.stored_s;
        assert_true(found >= n && found < l->next && store_record_is(&r, found));
        for (; n < found; n++) {
            assert_true(!l->stored[n] || l->removed[n]);
        }
        assert_true(l->stored[n] || refused_may_be_there);
        n++;
        seq = r.seq + 1;
    }
    assert_string_equal(f->store->ops->detail(f->store), "");
    for (; n < l->next; n++) {
        assert_true(!l->stored[n] || l->removed[n]);
    }
    store_append(f, MOST);
    store_close(f);
}

static void sweep(struct store_fixture *f, enum fault_kind kind, bool for_good, long step)
{
    bool happened = true;

    for (long n = 1; happened; n += step) {
        struct ledger l = { .next = 1 };
        store_fixture_clear(f);
        faulty_vfs_arm(kind, n, for_good);
        live(f, &l);
        happened = faulty_vfs_disarm();
        check(f, &l, f->options.sync_delay_ms == 0);
        (void)faulty_vfs_disarm();
    }
}

static void no_fault_of_the_disk_loses_a_stored_record(void **state)
{
    sweep(*state, FAULT_IO, false, 1);
    sweep(*state, FAULT_IO, true, 5);
}

static void a_full_disk_loses_no_stored_record(void **state)
{
    sweep(*state, FAULT_FULL, false, 3);
    sweep(*state, FAULT_FULL, true, 7);
}

static void no_fault_loses_a_stored_record_when_each_is_synced(void **state)
{
    struct store_fixture *f = *state;
    f->options.sync_delay_ms = 0;

    sweep(f, FAULT_IO, false, 3);
    sweep(f, FAULT_IO, true, 7);
}

static void no_want_of_memory_loses_a_stored_record(void **state)
{
    sweep(*state, FAULT_MEMORY, false, 41);
    sweep(*state, FAULT_MEMORY, true, 211);
}

static void remove_all(struct store_fixture *f, uint64_t next)
{
    plat_store_record r;
    uint64_t n = next - store_get_info(f).count;

    for (; f->store->ops->read(f->store, 0, &r) == PLAT_OK; n++) {
        assert_true(store_record_is(&r, n));
        if (f->store->ops->remove(f->store, r.seq, 1) != PLAT_OK) {
            fail_msg("%s", f->store->ops->detail(f->store));
        }
    }
    assert_int_equal(n, next);
    assert_int_equal(f->store->ops->sync(f->store), PLAT_OK);
}

/* Also tests a store that is closed and opened while the disk is full, removals out of order,
 * and a killed process. */
static void fill_and_drain(struct store_fixture *f, int how)
{
    uint64_t next = 1;
    plat_store_record r;

    while (next < 2000 && store_try_append(f, next) == PLAT_OK) {
        next++;
    }
    if (how == 1) {
        store_reopen(f);
    }
    for (uint64_t seq = next - 1; how == 2 && seq > 1; seq -= seq < 3 ? 1 : 2) {
        store_remove(f, seq);
    }
    if (how == 2) {
        while (f->store->ops->read(f->store, 0, &r) == PLAT_OK) {
            store_remove(f, r.seq);
        }
    } else {
        remove_all(f, next);
    }
    store_reopen(f);
    assert_int_equal(store_get_info(f).count, 0);
    for (uint64_t i = 0; next > 30 && i < 10; i++) {
        store_append(f, next + i); /* records for which there was room have room again */
    }
    store_close(f);
}

static void a_disk_full_from_any_growth_on_stops_no_removal(void **state)
{
    struct store_fixture *f = *state;

    for (int how = 0; how < 3; how++) {
        bool happened = true;
        for (long n = 1; happened; n++) {
            store_fixture_clear(f);
            faulty_vfs_arm(FAULT_GROWTH, n, true);
            plat_result r = store_try_open(f);
            assert_true(r == PLAT_OK || r == PLAT_ERR_FULL);
            if (r == PLAT_OK) {
                fill_and_drain(f, how);
            }
            happened = faulty_vfs_disarm();
        }
    }
}

/* The power fails after `calls` calls. Everything that was synced before must be there. */
static void lose_power(struct store_fixture *f, int calls, int survivors)
{
    uint64_t synced = 0;
    uint64_t n = 0;
    uint64_t next_seq = 0;
    uint64_t removed = 0;
    plat_store_record r;
    store_fixture_clear(f);
    store_open(f);

    for (int i = 0; i < calls; i++) {
        if (i % 11 == 10) {
            assert_int_equal(f->store->ops->sync(f->store), PLAT_OK);
            synced = n;
        } else if (i % 5 == 4 && f->store->ops->read(f->store, 0, &r) == PLAT_OK) {
            removed = (uint64_t)-r.stored_s;
            store_remove(f, r.seq);
        } else {
            store_append(f, ++n);
            synced = f->options.sync_delay_ms == 0 ? n : synced;
        }
    }
    next_seq = store_get_info(f).next_seq;
    faulty_vfs_cut_power();
    (void)f->store->ops->close(f->store);
    f->store = NULL;
    faulty_vfs_restore_power(survivors);

    store_open(f);
    assert_true(n == 0 || store_get_info(f).next_seq >= next_seq);
    uint64_t seq = 0;
    uint64_t last = 0;
    while (f->store->ops->read(f->store, seq, &r) == PLAT_OK) {
        uint64_t found = (uint64_t)-r.stored_s;
        assert_true(store_record_is(&r, found));
        assert_true(last == 0 ? found <= removed + 1 : found == last + 1);
        last = found;
        seq = r.seq + 1;
    }
    assert_string_equal(f->store->ops->detail(f->store), "");
    assert_true(last >= synced || removed >= synced);
    store_close(f);
    (void)faulty_vfs_disarm();
}

static void what_was_synced_survives_a_loss_of_power(void **state)
{
    struct store_fixture *f = *state;
    srand(3);
    /* The limit keeps the WAL small, so that it restarts often. */
    f->options.max_disk_bytes = 1024 * 1024;

    for (int calls = 0; calls < 330; calls += calls < 30 ? 3 : 31) {
        for (int survivors = 0; survivors <= 100; survivors += 50) {
            f->options.sync_delay_ms = 1000;
            lose_power(f, calls, survivors);
            f->options.sync_delay_ms = 0;
            lose_power(f, calls, survivors);
        }
    }
}

int main(void)
{
#define WITH_STORE(test) \
    cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(no_fault_of_the_disk_loses_a_stored_record),
        WITH_STORE(a_full_disk_loses_no_stored_record),
        WITH_STORE(a_disk_full_from_any_growth_on_stops_no_removal),
        WITH_STORE(no_fault_loses_a_stored_record_when_each_is_synced),
        WITH_STORE(no_want_of_memory_loses_a_stored_record),
        WITH_STORE(what_was_synced_survives_a_loss_of_power),
    };
    faulty_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
