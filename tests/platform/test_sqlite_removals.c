#include "sqlite_parts.h"

#include <stdio.h>

enum { ROWS = 60 };

static int make_rows(void **state)
{
    (void)make_parts(state);
    for (size_t i = 1; i <= ROWS; i++) {
        assert_int_equal(append_row(i), i);
    }
    return 0;
}

#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, make_rows, remove_parts)

/* Expects rows written as text: the seq and the span of each row, for example "3 7+2 8 ...";
 * gaps have a "+". */
static void expect_rows(const char *wanted)
{
    char got[1024] = "";
    size_t len = 0;
    struct store_row row;
    uint64_t seq = 0;
    while (sqlite_schema_fetch(&parts.schema, STORE_READ, seq, &row) == PLAT_OK) {
        seq = row.record.seq + 1;
        len += (size_t)snprintf(got + len, sizeof got - len, row.gap ? "%s%u+%u" : "%s%u",
                                len > 0 ? " " : "", (unsigned)row.record.seq, (unsigned)row.span);
        sqlite_schema_release(&parts.schema, STORE_READ);
    }
    assert_string_equal(got, wanted);
}

static void remove_rows(uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++) {
        assert_int_equal(sqlite_removals_add(&parts.removals, seq), PLAT_OK);
    }
}

static void removals_count_at_once_and_only_once(void **state)
{
    (void)state;
    const uint64_t bytes = parts.removals.bytes;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(sqlite_removals_add(&parts.removals, 1), PLAT_OK);
        assert_int_equal(sqlite_removals_add(&parts.removals, 10), PLAT_OK);
        /* There is no such record. */
        assert_int_equal(sqlite_removals_add(&parts.removals, ROWS + 1), PLAT_OK);
        assert_int_equal(parts.removals.count, ROWS - 2);
        assert_int_equal(parts.removals.bytes, bytes - 11);
    }
    assert_true(sqlite_removals_has(&parts.removals, 1));
    assert_true(sqlite_removals_has(&parts.removals, 10));
    assert_false(sqlite_removals_has(&parts.removals, 9));
    assert_false(sqlite_removals_has(&parts.removals, 11));
}

static void what_was_removed_out_of_order_joins_once_all_before_it_are_removed(void **state)
{
    (void)state;
    static const uint64_t order[] = { 5, 3, 2, 4 };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sqlite_removals_add(&parts.removals, order[i]), PLAT_OK);
        assert_int_equal(parts.removals.out_of_order_count, i + 1);
    }
    assert_int_equal(sqlite_removals_add(&parts.removals, 1), PLAT_OK);
    assert_int_equal(parts.removals.out_of_order_count, 0);
    assert_int_equal(parts.removals.removed_before, 6);
}

static void nothing_is_written_before_its_time(void **state)
{
    (void)state;
    remove_rows(1, 5);
    assert_true(parts.removals.waiting);
    assert_int_equal(parts.removals.unwritten, 5);
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    assert_false(parts.removals.waiting);
    assert_int_equal(parts.removals.unwritten, 0);
    struct store_row row;
    assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_READ, 0, &row), PLAT_OK);
    assert_int_equal(row.record.seq, 6);
    sqlite_schema_release(&parts.schema, STORE_READ);
    assert_int_equal(parts.schema.meta.first, 6);
}

static void gaps_side_by_side_become_one_row(void **state)
{
    (void)state;
    remove_rows(3, 4); /* records 1 and 2 are still stored */
    remove_rows(7, 7);
    remove_rows(6, 6);
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    remove_rows(5, 5); /* the row between two gaps: all three become one gap */
    remove_rows(9, ROWS);
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    expect_rows("0+0 1 2 7+4 8 60+51");
    assert_int_equal(parts.removals.count, 3);
    assert_int_equal(parts.removals.bytes, 1 + 2 + 8);
    assert_int_equal(parts.schema.meta.gaps, 1 + 5 + 52);
}

static void a_batch_out_of_order_is_written_when_it_is_full(void **state)
{
    (void)state;
    for (uint64_t seq = 2; seq <= ROWS; seq += 2) { /* more gaps than fit into memory */
        assert_int_equal(sqlite_removals_add(&parts.removals, seq), PLAT_OK);
        assert_true(parts.removals.out_of_order_count <= SQLITE_OUT_OF_ORDER_MAX);
    }
    assert_int_equal(parts.removals.count, ROWS / 2);
    for (uint64_t seq = 1; seq <= ROWS; seq++) {
        struct store_row row;
        bool live = sqlite_schema_fetch(&parts.schema, STORE_READ, seq, &row) == PLAT_OK &&
                    row.record.seq == seq && !row.gap && !sqlite_removals_has(&parts.removals, seq);
        sqlite_schema_release(&parts.schema, STORE_READ);
        assert_int_equal(live, seq % 2 == 1);
    }
}

static void the_last_row_stays_as_a_gap(void **state)
{
    (void)state;
    remove_rows(1, ROWS);
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    expect_rows("60+0");
    assert_int_equal(parts.removals.count, 0);
    assert_int_equal(parts.removals.bytes, 0);
    assert_int_equal(append_row(5), ROWS + 1); /* the numbers continue after the last one */
}

static void removals_that_could_not_be_written_wait(void **state)
{
    (void)state;
    remove_rows(1, 3);
    assert_int_equal(sqlite_file_exec(&parts.file, "PRAGMA query_only=1"), PLAT_OK);
    assert_int_not_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    assert_true(parts.removals.waiting);
    assert_true(sqlite_removals_has(&parts.removals, 2));
    assert_int_equal(sqlite_file_exec(&parts.file, "PRAGMA query_only=0"), PLAT_OK);
    assert_int_equal(sqlite_removals_write(&parts.removals), PLAT_OK);
    assert_false(parts.removals.waiting);
    assert_int_equal(parts.schema.meta.first, 4);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    struct sqlite_removals m = parts.removals;
    assert_true(sqlite_removals_valid(&m));
    m.out_of_order_count = SQLITE_OUT_OF_ORDER_MAX + 1;
    m.waiting = true;
    assert_false(sqlite_removals_valid(&m));
    m = parts.removals;
    m.out_of_order_count = 2;
    m.out_of_order[0] = 5;
    m.out_of_order[1] = 6;
    /* Removals must wait for something, but waiting is false. */
    assert_false(sqlite_removals_valid(&m));
    m.waiting = true;
    assert_true(sqlite_removals_valid(&m));
    m.out_of_order[1] = 5;
    assert_false(sqlite_removals_valid(&m));
    m.out_of_order[1] = 6;
    m.removed_before = 6;
    assert_false(sqlite_removals_valid(&m));
    m = parts.removals;
    m.count = 0;
    assert_false(sqlite_removals_valid(&m)); /* the bytes belong to no record */
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
        WITH_ROWS(removals_count_at_once_and_only_once),
        WITH_ROWS(what_was_removed_out_of_order_joins_once_all_before_it_are_removed),
        WITH_ROWS(nothing_is_written_before_its_time),
        WITH_ROWS(gaps_side_by_side_become_one_row),
        WITH_ROWS(a_batch_out_of_order_is_written_when_it_is_full),
        WITH_ROWS(the_last_row_stays_as_a_gap),
        WITH_ROWS(removals_that_could_not_be_written_wait),
        WITH_ROWS(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
