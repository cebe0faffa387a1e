#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/in_lane_table.h"

enum { SLOTS = 5 };

static in_lane slots[SLOTS];

static in_lane_table table(void)
{
    in_lane_table t;
    /* The memory is one byte too small for another slot. */
    in_lane_init(&t, slots, sizeof slots + sizeof slots[0] - 1);
    return t;
}

static const in_lane other = { .seq = 99 };

static in_lane *take(in_lane_table *t, uint64_t seq)
{
    const in_lane record = { .seq = seq, .op = (iothub_op)seq };
    in_lane *slot = in_lane_take(t, &record);

    assert_non_null(slot);
    assert_int_equal(slot->seq, seq);
    return slot;
}

static void each_slot_is_taken_once(void **state)
{
    (void)state;
    in_lane_table t = table();
    bool taken[SLOTS] = { false };

    for (int i = 0; i < SLOTS; i++) {
        const ptrdiff_t at = take(&t, 1) - slots;
        assert_true(at >= 0 && at < SLOTS && !taken[at]);
        taken[at] = true;
    }
    assert_null(in_lane_take(&t, &other));
    in_lane_free(&t, &slots[3]);
    assert_ptr_equal(in_lane_take(&t, &other), &slots[3]);
    assert_null(in_lane_take(&t, &other));
}

static void without_memory_there_is_no_slot(void **state)
{
    (void)state;
    in_lane_table t;
    in_lane_init(&t, slots, sizeof slots[0] - 1);
    assert_null(in_lane_take(&t, &other));
}

static void an_ended_record_is_found_until_it_was_removed(void **state)
{
    (void)state;
    in_lane_table t = table();
    uint64_t seq;
    assert_false(in_lane_next_ended(&t, &seq));
    for (uint64_t n = 1; n <= 3; n++) {
        in_lane_end(&t, take(&t, n));
    }
    for (uint64_t n = 0; n <= 4; n++) {
        assert_int_equal(in_lane_is_ended(&t, n), n >= 1 && n <= 3);
    }
    for (unsigned left = 3; left > 0; left--) {
        assert_true(in_lane_next_ended(&t, &seq));
        assert_true(in_lane_is_ended(&t, seq));
        in_lane_free_ended(&t);
        assert_false(in_lane_is_ended(&t, seq));
    }
    assert_false(in_lane_next_ended(&t, &seq));
    for (int i = 0; i < SLOTS; i++) {
        (void)take(&t, 9);
    }
}

static void dropped_records_are_reported_in_their_order(void **state)
{
    (void)state;
    in_lane_table t = table();
    in_lane out;
    assert_false(in_lane_next_dropped(&t, &out));

    for (uint64_t round = 0; round < 10; round++) {
        for (uint64_t n = 1; n <= SLOTS; n++) {
            in_lane_drop(&t, take(&t, 100 * round + n));
        }
        assert_null(in_lane_take(&t, &other));
        for (uint64_t n = 1; n <= SLOTS; n++) {
            assert_true(in_lane_next_dropped(&t, &out));
            assert_int_equal(out.seq, 100 * round + n);
        }
        assert_false(in_lane_next_dropped(&t, &out));
    }
}

/* Compares the table with simple counters while all its lists are in use. */
static void no_slot_is_lost_in_any_order_of_calls(void **state)
{
    (void)state;
    in_lane_table t = table();
    in_lane *in_use[SLOTS];
    unsigned used = 0;
    unsigned ended = 0;
    unsigned dropped = 0;
    in_lane out;
    uint64_t seq;
    srand(5);

    for (unsigned n = 0; n < 20000; n++) {
        switch (rand() % 6) {
        case 0:
        case 1: {
            in_lane *slot = in_lane_take(&t, &other);
            assert_int_equal(slot == NULL, used + ended + dropped == SLOTS);
            if (slot != NULL) {
                in_use[used++] = slot;
            }
            break;
        }
        case 2:
            if (used > 0) {
                in_lane_end(&t, in_use[--used]);
                ended++;
            }
            break;
        case 3:
            if (used > 0) {
                in_lane_drop(&t, in_use[--used]);
                dropped++;
            }
            break;
        case 4:
            assert_int_equal(in_lane_next_ended(&t, &seq), ended > 0);
            if (ended > 0) {
                in_lane_free_ended(&t);
                ended--;
            }
            break;
        default:
            assert_int_equal(in_lane_next_dropped(&t, &out), dropped > 0);
            dropped -= dropped > 0 ? 1 : 0;
        }
#ifndef NDEBUG
        assert_true(in_lane_valid(&t));
#endif
    }
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    in_lane_table t = table();
    in_lane_drop(&t, take(&t, 1));
    in_lane_end(&t, take(&t, 2));
    const in_lane_table good = t;
    assert_true(in_lane_valid(&t));

    t.fresh = SLOTS + 1;
    assert_false(in_lane_valid(&t));
    t = good;
    for (t.free = t.fresh; t.free <= SLOTS; t.free++) { /* never used */
        assert_false(in_lane_valid(&t));
    }
    t = good;
    t.dropped_last = 1;
    t.slots[1].next = 0;
    assert_false(in_lane_valid(&t));
    t.slots[1].next = IN_LANE_NONE;
    t = good;
    t.free = t.ended; /* wrong, because the slots are then in two lists */
    t.dropped = IN_LANE_NONE;
    t.fresh = 1;
    assert_false(in_lane_valid(&t));
}

/* The lists of a long table are not walked, but their heads are checked. */
static void a_wrong_head_is_seen_in_a_table_of_any_length(void **state)
{
    (void)state;
    enum { MANY = 100 };
    in_lane many[MANY];
    in_lane_table t;
    in_lane_init(&t, many, sizeof many);

    for (uint32_t fresh = 0; fresh < MANY; fresh++) {
        uint32_t *const heads[] = { &t.free, &t.ended, &t.dropped };
        for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
            assert_true(in_lane_valid(&t));
            *heads[i] = fresh; /* the number of the first slot that was never used */
            assert_false(in_lane_valid(&t));
            *heads[i] = IN_LANE_NONE;
        }
        assert_non_null(take(&t, fresh + 1));
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_slot_is_taken_once),
        cmocka_unit_test(without_memory_there_is_no_slot),
        cmocka_unit_test(an_ended_record_is_found_until_it_was_removed),
        cmocka_unit_test(dropped_records_are_reported_in_their_order),
        cmocka_unit_test(no_slot_is_lost_in_any_order_of_calls),
#ifndef NDEBUG
        cmocka_unit_test(members_that_disagree_are_seen),
        cmocka_unit_test(a_wrong_head_is_seen_in_a_table_of_any_length),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
