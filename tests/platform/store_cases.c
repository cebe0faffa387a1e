#include "store_cases.h"

#include <stdlib.h>
#include <string.h>

void records_come_back_in_order_and_whole(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);

    store_append_many(f, 1, 300);

    store_expect(f, 1, 300);
    store_reopen(f);
    store_expect(f, 1, 300);
}

void a_removed_record_is_gone_immediately_and_after_reopening(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    store_append_many(f, 1, 20);

    for (uint64_t seq = 1; seq <= 9; seq++) {
        store_remove(f, seq);
        store_expect(f, seq + 1, 20);
    }

    store_reopen(f);
    store_expect(f, 10, 20);
}

void numbers_go_on_when_all_records_are_gone(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    store_append_many(f, 1, 5);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        store_remove(f, seq);
    }

    store_reopen(f);

    assert_int_equal(store_get_info(f).next_seq, 6);
    assert_int_equal(store_get_info(f).count, 0);
    store_append(f, 6);
    store_expect(f, 6, 6);
    store_reopen(f);
    store_expect(f, 6, 6);
}

void removing_what_is_not_there_is_no_error(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    store_append_many(f, 1, 3);

    store_remove(f, 2);
    store_remove(f, 2);
    store_remove(f, 0);
    store_remove(f, 4);
    store_remove(f, UINT64_MAX);

    assert_int_equal(store_get_info(f).count, 2);
}

/* Compares the store with an array of flags, for calls in any order and with occasional new
 * processes. */
void random_use_agrees_with_a_model(void **state)
{
    enum { MOST = 3000 };
    static bool there[MOST + 2];
    struct store_fixture *f = *state;
    uint64_t next = 1;
    uint64_t head = 1;
    uint64_t count = 0;
    uint64_t now = 1000;
    srand(1);
    memset(there, 0, sizeof there);
    store_open(f);

    for (int i = 0; i < 20000; i++) {
        int what = rand() % 100;
        if (what < 40 && next <= MOST) {
            store_append(f, next);
            there[next++] = true;
            count++;
        } else if (what < 75 && head < next) {
            uint64_t seq = rand() % 4 == 0 ? head + (uint64_t)rand() % (next - head) : head;
            store_remove(f, seq);
            count -= there[seq];
            there[seq] = false;
            while (head < next && !there[head]) {
                head++;
            }
        } else if (what < 95) {
            uint64_t from = (uint64_t)rand() % next;
            plat_store_record r;
            plat_result result = f->store->ops->read(f->store, from, &r);
            while (from < next && !there[from]) {
                from++;
            }
            assert_int_equal(result, from < next ? PLAT_OK : PLAT_EOF);
            assert_true(result == PLAT_EOF || (r.seq == from && store_record_is(&r, from)));
        } else if (what < 99) {
            now += 20;
            assert_int_equal(f->store->ops->on_time(f->store, now), PLAT_OK);
        } else if (rand() % 5 == 0) {
            store_reopen(f);
        }
        assert_int_equal(store_get_info(f).count, count);
        assert_int_equal(store_get_info(f).next_seq, next);
    }
}

/* More removals than fit into memory, of every second record, so that they must be written to
 * disk early. */
void any_number_of_records_may_go_out_of_order(void **state)
{
    struct store_fixture *f = *state;
    plat_store_record r;
    store_open(f);
    store_append_many(f, 1, 1000);

    for (uint64_t seq = 2; seq <= 1000; seq += 2) {
        store_remove(f, seq);
    }

    store_reopen(f);
    assert_int_equal(store_get_info(f).count, 500);
    for (uint64_t seq = 1; seq <= 1000; seq += 2) {
        assert_int_equal(f->store->ops->read(f->store, seq - 1, &r), PLAT_OK);
        assert_true(r.seq == seq && store_record_is(&r, seq));
        store_remove(f, seq);
    }
    assert_int_equal(store_get_info(f).count, 0);
    assert_int_equal(store_get_info(f).bytes, 0);
    store_reopen(f);
    assert_int_equal(store_get_info(f).count, 0);
    assert_int_equal(store_get_info(f).bytes, 0);
}
