#include "sqlite_parts.h"

#include <string.h>

static void each_member_of_a_row_counts_in_its_hash(void **state)
{
    (void)state;
    const struct store_row row = {
        .record = { .seq = 1, .head = "head", .head_len = 4, .body = "body", .body_len = 4 },
        .number = 2,
        .total = 3,
        .size = 8
    };
    const uint64_t hash = sqlite_schema_hash_row(7, &row);
    struct store_row r;
#define DIFFERS(change)                                     \
    do {                                                    \
        r = row;                                            \
        change;                                             \
        assert_true(sqlite_schema_hash_row(7, &r) != hash); \
    } while (0)
    DIFFERS(r.record.seq++);
    DIFFERS(r.record.stored_s++);
    DIFFERS(r.record.tag++);
    DIFFERS(r.record.id++);
    DIFFERS(r.record.ttl_ms++);
    DIFFERS(r.record.flags++);
    DIFFERS(r.number++);
    DIFFERS(r.total++);
    DIFFERS(r.size++);
    DIFFERS(r.gap = true);
    DIFFERS(r.record.head = "heaD");
    DIFFERS(r.record.body_len = 3);
    /* The same bytes, divided differently into head and body. */
    DIFFERS((r.record.head_len = 3, r.record.body_len = 5));
#undef DIFFERS
    /* A row of another store has another hash. */
    assert_true(sqlite_schema_hash_row(8, &row) != hash);
}

static void each_member_of_the_description_counts_in_its_hash(void **state)
{
    (void)state;
    const struct store_meta meta = { .id = 1, .reserved = 2, .in_use = true, .first = 3 };
    uint64_t before = sqlite_schema_hash_meta(&meta);
    struct store_meta m = meta;
    uint64_t *const members[] = { &m.id,   &m.reserved,  &m.first,   &m.last,
                                  &m.gaps, &m.gap_bytes, &m.wal_salt };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (*members[i])++;
        assert_true(sqlite_schema_hash_meta(&m) != before);
        before = sqlite_schema_hash_meta(&m);
    }
    m.in_use = false;
    assert_true(sqlite_schema_hash_meta(&m) != before);
    assert_true(sqlite_schema_hash_meta(&(struct store_meta){ 0 }) != 0);
}

static void a_row_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 100, 2047, 2048, 5000, 70000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct store_row row;
        const uint64_t seq = append_row(sizes[i]);
        assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_READ, seq, &row), PLAT_OK);
        assert_int_equal(row.record.seq, seq);
        assert_int_equal(row.record.tag, seq * 3);
        assert_int_equal(row.record.head_len + row.record.body_len, sizes[i]);
        assert_int_equal(row.size, sizes[i]);
        assert_false(row.gap);
        sqlite_schema_release(&parts.schema, STORE_READ);
        assert_int_equal(parts.schema.last.record.seq, seq);
        assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_LAST, 0, &row), PLAT_OK);
        assert_int_equal(row.record.seq, seq);
        sqlite_schema_release(&parts.schema, STORE_LAST);
        assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_READ, seq + 1, &row), PLAT_EOF);
    }
}

static void a_row_that_was_changed_is_damage(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE records SET tag=tag+1 WHERE seq=1",
        "UPDATE records SET size=size+1 WHERE seq=1",
        "UPDATE records SET body=x'00' WHERE seq=1",
        "UPDATE records SET hash=hash+1 WHERE seq=1",
    };
    (void)append_row(50);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct store_row row;
        assert_int_equal(sqlite_file_exec(&parts.file, "SAVEPOINT before"), PLAT_OK);
        assert_int_equal(sqlite_file_exec(&parts.file, changes[i]), PLAT_OK);
        assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_READ, 1, &row),
                         PLAT_ERR_STORE_DAMAGED);
        assert_int_equal(parts.file.latched, PLAT_ERR_STORE_DAMAGED);
        sqlite_file_unlatch(&parts.file);
        assert_int_equal(sqlite_file_exec(&parts.file, "ROLLBACK TO before"), PLAT_OK);
        assert_int_equal(sqlite_schema_fetch(&parts.schema, STORE_READ, 1, &row), PLAT_OK);
        sqlite_schema_release(&parts.schema, STORE_READ);
        assert_int_equal(sqlite_file_exec(&parts.file, "RELEASE before"), PLAT_OK);
    }
}

/* Writes the description of a store as at its end, and loads it again. */
static plat_result load_again(const struct store_meta *m, struct sqlite_contents *contents)
{
    assert_int_equal(sqlite_schema_write_meta(&parts.schema, m), PLAT_OK);
    sqlite_schema_release_all(&parts.schema);
    sqlite_schema_init(&parts.schema, &parts.wal);
    plat_result r = sqlite_schema_load(&parts.schema, "owner", -1, contents);
    sqlite_file_unlatch(&parts.file);
    return r;
}

static void the_ends_tell_what_is_between(void **state)
{
    (void)state;
    struct sqlite_contents contents;
    uint64_t bytes = 0;
    for (size_t size = 1; size <= 40; size++) {
        (void)append_row(size);
        bytes += size;
    }
    struct store_meta m = parts.schema.meta;
    m.last = 40;
    m.reserved = 41;
    assert_int_equal(load_again(&m, &contents), PLAT_OK);
    assert_int_equal(contents.count, 40);
    assert_int_equal(contents.bytes, bytes);
    assert_int_equal(contents.first_seq, 0); /* the seq of the row with which a new store begins */
}

static void a_description_that_does_not_fit_the_rows_is_damage(void **state)
{
    (void)state;
    struct sqlite_contents contents;
    (void)append_row(10);
    (void)append_row(10);
    struct store_meta good = parts.schema.meta;
    good.last = 2;
    good.reserved = 3;
    struct store_meta bad[5] = { good, good, good, good, good };
    bad[0].last = 3;     /* the last row is missing */
    bad[1].reserved = 2; /* a reserved number that was never used */
    bad[2].first = 1;    /* the first row is a different one */
    bad[3].gaps = 4;     /* more gaps than rows */
    bad[4].gap_bytes = 21;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(load_again(&bad[i], &contents), PLAT_ERR_STORE_DAMAGED);
        sqlite_schema_release_all(&parts.schema);
        sqlite_schema_init(&parts.schema, &parts.wal);
        assert_int_equal(sqlite_schema_load(&parts.schema, "owner", -1, &contents),
                         PLAT_ERR_STORE_DAMAGED);
        sqlite_file_unlatch(&parts.file);
    }
    assert_int_equal(load_again(&good, &contents), PLAT_OK);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    struct sqlite_schema c = parts.schema;
    assert_true(sqlite_schema_valid(&c));
    c.file = NULL;
    assert_false(sqlite_schema_valid(&c));
    c = parts.schema;
    c.meta.gaps = 0;
    c.meta.gap_bytes = 1;
    assert_false(sqlite_schema_valid(&c));
    c = parts.schema;
    c.last.gap = false;
    c.last.span = 1;
    assert_false(sqlite_schema_valid(&c));
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
        cmocka_unit_test(each_member_of_a_row_counts_in_its_hash),
        cmocka_unit_test(each_member_of_the_description_counts_in_its_hash),
        WITH_PARTS(a_row_is_read_as_it_was_written),
        WITH_PARTS(a_row_that_was_changed_is_damage),
        WITH_PARTS(the_ends_tell_what_is_between),
        WITH_PARTS(a_description_that_does_not_fit_the_rows_is_damage),
        WITH_PARTS(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
