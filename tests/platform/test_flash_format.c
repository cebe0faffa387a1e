#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash_store/flash_format.h"

static const struct flash_place place = { UINT64_C(0x1122334455667788), 7, 512 };

static const struct flash_entry entries[] = {
    { .kind = FLASH_RECORD,
      .seq = UINT64_MAX - 1,
      .record = { .seq = UINT64_MAX - 1,
                  .head_len = 17,
                  .body_len = 1000,
                  .stored_s = -5,
                  .tag = UINT64_C(0xFEDCBA9876543210),
                  .id = 3,
                  .ttl_ms = 4,
                  .flags = 5 },
      .payload_crc = 0x89ABCDEF },
    { .kind = FLASH_REMOVAL, .seq = 99, .count = 65535 },
    { .kind = FLASH_CHECKPOINT, .seq = 100, .oldest = 6 },
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void entries_are_read_as_they_were_written(void **state)
{
    (void)state;
    uint8_t bytes[FLASH_ENTRY_MAX];
    uint8_t again[FLASH_ENTRY_MAX];
    struct flash_entry e;

    for (size_t i = 0; i < ENTRIES; i++) {
        const size_t len = flash_entry_encode(&entries[i], &place, bytes);
        assert_true(flash_entry_decode(bytes, len, &place, &e));
        assert_int_equal(e.kind, entries[i].kind);
        assert_int_equal(e.crc, flash_entry_crc(bytes));
        assert_int_equal(e.seq, entries[i].seq);
        assert_int_equal(e.count, entries[i].count);
        assert_int_equal(e.oldest, entries[i].oldest);
        assert_int_equal(e.payload_crc, entries[i].payload_crc);
        assert_int_equal(flash_entry_encode(&e, &place, again), len);
        assert_memory_equal(again, bytes, len);
        assert_int_equal(e.record.stored_s, entries[i].record.stored_s);
        assert_int_equal(e.record.body_len, entries[i].record.body_len);
    }
}

/* Another place, a changed bit or a missing byte: this is no entry. */
static void nothing_else_is_an_entry(void **state)
{
    (void)state;
    uint8_t bytes[FLASH_ENTRY_MAX];
    struct flash_entry e;
    struct flash_place other;

    for (size_t i = 0; i < ENTRIES; i++) {
        const size_t len = flash_entry_encode(&entries[i], &place, bytes);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(flash_entry_decode(bytes, len, &place, &e));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t n = 0; n < len; n++) {
            assert_false(flash_entry_decode(bytes, n, &place, &e));
        }
        other = place;
        other.id++;
        assert_false(flash_entry_decode(bytes, len, &other, &e));
        other = place;
        other.serial++;
        assert_false(flash_entry_decode(bytes, len, &other, &e));
        other = place;
        other.offset += 8;
        assert_false(flash_entry_decode(bytes, len, &other, &e));
    }
}

static void a_header_is_read_as_it_was_written_and_nothing_else_is_one(void **state)
{
    (void)state;
    const struct flash_header h = { 4096, 16, 8, 5, UINT64_C(1) << 63, 77, 1000, 3 };
    struct flash_header out;
    uint8_t bytes[FLASH_HEADER_SIZE];
    uint8_t again[FLASH_HEADER_SIZE];

    flash_header_encode(&h, bytes);
    assert_int_equal(flash_header_decode(bytes, &out), FLASH_HEADER_VALID);
    flash_header_encode(&out, again);
    assert_memory_equal(again, bytes, sizeof bytes);
    assert_int_equal(out.id, h.id);
    assert_int_equal(out.oldest, h.oldest);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(flash_header_decode(bytes, &out), FLASH_HEADER_NONE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_commit_mark_belongs_to_one_record(void **state)
{
    (void)state;
    uint8_t bytes[FLASH_COMMIT_SIZE];
    static const uint32_t values[] = { 0, 1, 0x12345678, 0xFFFFFFFF };

    for (size_t i = 0; i < 4; i++) {
        flash_commit_encode(values[i], bytes);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(flash_commit_fits(bytes, values[k]), i == k);
        }
    }
    memset(bytes, 0xFF, sizeof bytes);
    assert_false(flash_commit_fits(bytes, 0xFFFFFFFF));
}

static void owners_have_different_hashes(void **state)
{
    (void)state;
    assert_int_equal(flash_owner_hash(""), UINT64_C(0xcbf29ce484222325)); /* FNV-1a's own value */
    assert_int_equal(flash_owner_hash("a"), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_not_equal(flash_owner_hash("hub/a"), flash_owner_hash("hub/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read_as_they_were_written),
        cmocka_unit_test(nothing_else_is_an_entry),
        cmocka_unit_test(a_header_is_read_as_it_was_written_and_nothing_else_is_one),
        cmocka_unit_test(a_commit_mark_belongs_to_one_record),
        cmocka_unit_test(owners_have_different_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
