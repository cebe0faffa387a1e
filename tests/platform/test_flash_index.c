#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash_store/flash_index.h"

enum { SECTORS = 5, SIZE = 8192 };

static uint64_t words[SECTORS * PLAT_FLASH_STORE_INDEX_WORDS(SIZE)];

static struct flash_index new_index(void)
{
    const plat_flash flash = { .sector_size = SIZE, .sectors = SECTORS, .unit = 8 };
    struct flash_index x;

    flash_index_init(&x, words, &flash);
    return x;
}

/* The ring is anywhere, some sectors have no record, and each record is in one sector. */
static void a_record_is_found_in_its_sector(void **state)
{
    (void)state;
    static const uint64_t firsts[SECTORS] = { 10, 10, 14, 14, 20 };
    static const uint32_t wanted[] = { 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 4, 4 };
    struct flash_index x = new_index();

    for (uint32_t oldest = 0; oldest < 20; oldest++) {
        for (uint32_t i = 0; i < SECTORS; i++) {
            flash_index_begin(&x, oldest + i, firsts[i]);
        }
        for (uint64_t seq = 10; seq < 22; seq++) {
            assert_int_equal(flash_index_find(&x, oldest, oldest + SECTORS - 1, seq),
                             oldest + wanted[seq - 10]);
        }
    }
}

static void a_record_is_removed_once(void **state)
{
    (void)state;
    struct flash_index x = new_index();
    flash_index_begin(&x, 7, 1000);

    for (uint64_t seq = 1000; seq < 1000 + SIZE / 64; seq += 3) {
        assert_true(flash_index_remove(&x, 7, seq));
        assert_false(flash_index_remove(&x, 7, seq));
    }
    for (uint64_t seq = 1000; seq < 1000 + SIZE / 64; seq++) {
        assert_int_equal(flash_index_removed(&x, 7, seq), (seq - 1000) % 3 == 0);
    }
    flash_index_begin(&x, 12, 2000); /* the same sector of the flash */
    assert_false(flash_index_removed(&x, 12, 2000));
}

static void no_number_reaches_beyond_its_sector(void **state)
{
    (void)state;
    struct flash_index x = new_index();
    flash_index_begin(&x, 0, 1000);
    flash_index_begin(&x, 1, 5000);

    assert_false(flash_index_remove(&x, 0, 1000 + SIZE / 64));
    assert_false(flash_index_remove(&x, 0, 999));
    assert_false(flash_index_removed(&x, 0, UINT64_MAX));
    assert_int_equal(flash_index_first(&x, 1), 5000);
    assert_false(flash_index_removed(&x, 1, 5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_found_in_its_sector),
        cmocka_unit_test(a_record_is_removed_once),
        cmocka_unit_test(no_number_reaches_beyond_its_sector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
