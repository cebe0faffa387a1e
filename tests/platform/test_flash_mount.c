#include "flash_store/flash_mount.h"

#include <stdlib.h>
#include <string.h>

#include "flash_fixture.h"

enum { SECTOR = 1024, SECTORS = 6 };

static int setup(void **state)
{
    struct flash_fixture *f = malloc(sizeof *f);

    assert_non_null(f);
    flash_fixture_init(f, SECTOR, SECTORS, 8);
    *state = f;
    return 0;
}

/* A store in several sectors, of which the first ones are given up. */
static void fill(struct flash_fixture *f)
{
    store_open(&f->base);
    store_append_many(&f->base, 1, 8);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        store_remove(&f->base, seq);
    }
    store_close(&f->base);
}

static void refused(struct flash_fixture *f, plat_result wanted, const char *detail)
{
    assert_int_equal(store_try_open(&f->base), wanted);
    assert_string_equal(f->base.detail, detail);
}

static void a_blank_flash_becomes_a_store(void **state)
{
    struct flash_fixture *f = *state;

    store_open(&f->base);
    assert_int_equal(store_get_info(&f->base).count, 0);
    assert_int_equal(store_get_info(&f->base).next_seq, 1);
}

/* Whatever the first sector has, if the others are erased: the making of a store was interrupted.
 */
static void leftovers_in_the_first_sector_are_erased(void **state)
{
    struct flash_fixture *f = *state;
    memset(f->flash.bytes, 0x5A, SECTOR);
    memset(f->flash.units, 1, SECTOR / 8);

    store_open(&f->base);
    store_append(&f->base, 1);
    store_reopen(&f->base);
    store_expect(&f->base, 1, 1);
}

static void foreign_content_is_refused_and_stays(void **state)
{
    struct flash_fixture *f = *state;
    f->flash.bytes[SECTOR * SECTORS - 1] = 0x00;

    refused(f, PLAT_ERR_STORE_DAMAGED, "flash store: the flash is neither blank nor a store");
    assert_int_equal(f->flash.writes, 0);

    assert_int_equal(plat_flash_store_erase(&f->flash.base), PLAT_OK);
    store_open(&f->base);
}

static void another_owner_is_refused(void **state)
{
    struct flash_fixture *f = *state;
    fill(f);
    const uint64_t writes = f->flash.writes;

    f->flash_options.owner = "hub/another";
    refused(f, PLAT_ERR_STORE_VERSION, "flash store: it was made for another owner");
    assert_int_equal(f->flash.writes, writes);
    f->flash_options.owner = "hub/device";
    store_open(&f->base);
    store_expect(&f->base, 5, 8);
}

static void another_geometry_is_refused(void **state)
{
    struct flash_fixture *f = *state;
    fill(f);

    f->flash.base.unit = 4;
    refused(f, PLAT_ERR_STORE_VERSION, "flash store: it was made for a flash of another geometry");
    f->flash.base.unit = 8;
    f->flash.base.sectors = SECTORS - 1;
    refused(f, PLAT_ERR_STORE_VERSION, "flash store: it was made for a flash of another geometry");
    f->flash.base.sectors = SECTORS;
    store_open(&f->base);
}

static void a_missing_sector_is_damage(void **state)
{
    struct flash_fixture *f = *state;
    uint32_t damaged = 0;
    uint32_t kept = 0;
    fill(f);
    sim_flash whole;
    sim_flash_init(&whole, SECTOR, SECTORS, 8);
    sim_flash_copy(&whole, &f->flash);

    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        memset(f->flash.bytes + sector * SECTOR, 0xFF, SECTOR);
        plat_result r = store_try_open(&f->base);
        damaged += r == PLAT_ERR_STORE_DAMAGED ? 1 : 0;
        kept += r == PLAT_OK ? 1 : 0;
        sim_flash_copy(&f->flash, &whole);
    }
    sim_flash_free(&whole);
    /* The others are free or given up, or the newest one, whose absence cannot be noticed. */
    assert_true(damaged >= 1 && damaged + kept == SECTORS);
}

/* Every change of a byte ends in a result; records are returned as they were stored or not at all.
 */
static void no_changed_byte_makes_a_wrong_record(void **state)
{
    struct flash_fixture *f = *state;
    uint32_t seen = 0;
    fill(f);
    sim_flash whole;
    sim_flash_init(&whole, SECTOR, SECTORS, 8);
    sim_flash_copy(&whole, &f->flash);

    for (uint32_t at = 0; at < SECTOR * SECTORS; at++) {
        plat_store_record r;
        f->flash.bytes[at] ^= (uint8_t)(1u << at % 8);
        uint64_t seq = 0;
        if (store_try_open(&f->base) == PLAT_OK) {
            while (f->base.store->ops->read(f->base.store, seq, &r) == PLAT_OK) {
                assert_true(store_record_is(&r, r.seq));
                seq = r.seq + 1;
                seen++;
            }
        }
        sim_flash_copy(&f->flash, &whole);
    }
    sim_flash_free(&whole);
    assert_true(seen > SECTOR * SECTORS);
}

static void a_flash_that_cannot_be_read_is_not_a_blank_one(void **state)
{
    struct flash_fixture *f = *state;
    f->flash.off = true;

    refused(f, PLAT_ERR_STORE, "flash store: the flash could not be read");
}

int main(void)
{
#define WITH_FLASH(test) cmocka_unit_test_setup_teardown(test, setup, flash_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FLASH(a_blank_flash_becomes_a_store),
        WITH_FLASH(leftovers_in_the_first_sector_are_erased),
        WITH_FLASH(foreign_content_is_refused_and_stays),
        WITH_FLASH(another_owner_is_refused),
        WITH_FLASH(another_geometry_is_refused),
        WITH_FLASH(a_missing_sector_is_damage),
        WITH_FLASH(no_changed_byte_makes_a_wrong_record),
        WITH_FLASH(a_flash_that_cannot_be_read_is_not_a_blank_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
