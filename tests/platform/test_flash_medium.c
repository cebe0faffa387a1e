#include "flash_store/flash_medium.h"

#include <string.h>

#include "sim_flash.h"

/* Bytes that are put in pieces of any size are programmed once, in whole units, and padded. */
static void pieces_of_any_size_become_whole_units(void **state)
{
    (void)state;
    uint8_t data[100];
    uint8_t back[128];
    struct flash_medium m;
    struct flash_writer w;

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i + 1);
    }
    for (uint32_t unit = 1; unit <= 32; unit *= 2) {
        for (size_t piece = 1; piece <= sizeof data; piece++) {
            sim_flash f;
            sim_flash_init(&f, 1024, 3, unit);
            assert_int_equal(flash_medium_init(&m, &f.base), PLAT_OK);
            flash_writer_begin(&w, &m, 1024);
            for (size_t i = 0; i < sizeof data; i += piece) {
                const size_t n = sizeof data - i < piece ? sizeof data - i : piece;
                assert_int_equal(flash_writer_put(&w, data + i, n), PLAT_OK);
            }
            assert_int_equal(flash_writer_flush(&w), PLAT_OK);
            assert_int_equal(flash_medium_read(&m, 1024, back, sizeof back), PLAT_OK);
            assert_memory_equal(back, data, sizeof data);
            for (size_t i = sizeof data; i < sizeof back; i++) {
                assert_int_equal(back[i], 0xFF);
            }
            assert_int_equal(w.at, 1024 + flash_medium_round(&m, sizeof data));
            sim_flash_free(&f);
        }
    }
}

static void any_programmed_byte_is_seen(void **state)
{
    (void)state;
    const uint8_t zero = 0;
    struct flash_medium m;
    bool erased;

    for (uint32_t at = 0; at < 200; at++) {
        sim_flash f;
        sim_flash_init(&f, 1024, 3, 1);
        assert_int_equal(flash_medium_init(&m, &f.base), PLAT_OK);
        assert_int_equal(f.base.program(&f.base, at, &zero, 1), PLAT_OK);
        assert_int_equal(flash_medium_is_erased(&m, 0, 200, &erased), PLAT_OK);
        assert_false(erased);
        assert_int_equal(flash_medium_is_erased(&m, at + 1, 200, &erased), PLAT_OK);
        assert_true(erased);
        assert_int_equal(flash_medium_is_erased(&m, 0, at, &erased), PLAT_OK);
        assert_true(erased);
        sim_flash_free(&f);
    }
}

static void failures_have_a_text_and_damage_stays(void **state)
{
    (void)state;
    sim_flash f;
    struct flash_medium m;
    struct flash_writer w;
    uint8_t byte;
    sim_flash_init(&f, 1024, 3, 8);
    assert_int_equal(flash_medium_init(&m, &f.base), PLAT_OK);
    f.off = true;

    assert_int_equal(flash_medium_read(&m, 0, &byte, 1), PLAT_ERR_STORE);
    assert_string_equal(m.detail, "flash store: the flash could not be read");
    assert_int_equal(flash_medium_erase(&m, 1), PLAT_ERR_STORE);
    assert_string_equal(m.detail, "flash store: a sector could not be erased");
    flash_writer_begin(&w, &m, 0);
    assert_int_equal(flash_writer_put(&w, "12345678", 8), PLAT_ERR_STORE);
    assert_string_equal(m.detail, "flash store: the flash could not be programmed");
    flash_medium_forgive(&m);
    assert_string_equal(m.detail, "");
    assert_int_equal(flash_medium_fail(&m, PLAT_ERR_STORE_DAMAGED, "x"), PLAT_ERR_STORE_DAMAGED);
    flash_medium_forgive(&m);
    assert_string_equal(m.detail, "x");
    assert_int_equal(m.latched, PLAT_ERR_STORE_DAMAGED);
    sim_flash_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_become_whole_units),
        cmocka_unit_test(any_programmed_byte_is_seen),
        cmocka_unit_test(failures_have_a_text_and_damage_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
