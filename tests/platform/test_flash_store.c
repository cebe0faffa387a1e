#include <stdlib.h>
#include <string.h>

#include "flash_fixture.h"
#include "store_cases.h"

static void use_geometry(struct flash_fixture *f, uint32_t sector_size, uint32_t sectors,
                         uint32_t unit)
{
    flash_fixture_free(f);
    flash_fixture_init(f, sector_size, sectors, unit);
}

/* Appends a record with a body of this size, all bytes of which are the number's. */
static plat_result append_sized(struct store_fixture *f, uint32_t number, size_t len)
{
    static uint8_t body[FLASH_BUFFER_SIZE];
    plat_store_record r = { .tag = number, .body = body, .body_len = len };

    memset(body, (int)(number & 0xFF), len);
    return f->store->ops->append(f->store, &r, 1000);
}

static bool sized_is(const plat_store_record *r, uint32_t number, size_t len)
{
    const uint8_t *body = r->body;

    for (size_t i = 0; i < r->body_len; i++) {
        if (body[i] != (number & 0xFF)) {
            return false;
        }
    }
    return r->tag == number && r->body_len == len && r->head_len == 0;
}

static void only_removals_wait_for_the_deadline(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);

    store_append(f, 1);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);

    store_remove(f, 1); /* at 1000 ms */
    assert_int_equal(f->store->ops->next_deadline(f->store), 1050);
    assert_int_equal(f->store->ops->on_time(f->store, 1049), PLAT_OK);
    assert_int_equal(f->store->ops->next_deadline(f->store), 1050);
    assert_int_equal(f->store->ops->on_time(f->store, 1050), PLAT_OK);
    assert_int_equal(f->store->ops->next_deadline(f->store), 0);
}

static void a_store_keeps_its_id(void **state)
{
    struct flash_fixture *f = *state;
    store_open(&f->base);

    f->flash_options.new_id++;
    store_reopen(&f->base);

    assert_int_equal(store_get_info(&f->base).id, UINT64_C(0x0123456789abcdef));
}

static void a_removal_is_undone_by_a_loss_of_power_before_its_deadline_only(void **state)
{
    struct flash_fixture *f = *state;
    store_open(&f->base);
    store_append_many(&f->base, 1, 5);

    store_remove(&f->base, 1);
    flash_fixture_restart(f);
    store_expect(&f->base, 1, 5);

    store_remove(&f->base, 1);
    assert_int_equal(f->base.store->ops->on_time(f->base.store, 1050), PLAT_OK);
    flash_fixture_restart(f);
    store_expect(&f->base, 2, 5);
}

static void consecutive_removals_are_one_entry(void **state)
{
    struct flash_fixture *f = *state;
    store_open(&f->base);
    store_append_many(&f->base, 1, 22);
    const uint64_t before = f->flash.writes;

    for (uint64_t seq = 1; seq <= 21; seq++) {
        store_remove(&f->base, seq);
    }
    assert_int_equal(f->flash.writes, before);
    assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_OK);

    assert_int_equal(f->flash.writes, before + 2); /* 16 bytes, in units of 8 */
}

static void a_client_keeps_it_open(void **state)
{
    struct store_fixture *f = *state;
    store_open(f);
    f->store->user = f;

    assert_int_equal(f->store->ops->close(f->store), PLAT_ERR_STATE);

    f->store->user = NULL;
    store_append(f, 1);
    store_close(f);
}

static void refused(struct flash_fixture *f, plat_result wanted, const char *detail)
{
    assert_int_equal(store_try_open(&f->base), wanted);
    assert_string_equal(f->base.detail, detail);
}

static void bad_options_are_refused(void **state)
{
    struct flash_fixture *f = *state;
    const plat_flash_options good = f->flash_options;

    f->flash_options.owner = NULL;
    refused(f, PLAT_ERR_ARG, "flash store: owner is not set");
    f->flash_options = good;
    f->flash_options.index = NULL;
    refused(f, PLAT_ERR_ARG, "flash store: index_words is too small");
    f->flash_options = good;
    f->flash_options.index_words--;
    refused(f, PLAT_ERR_ARG, "flash store: index_words is too small");
    f->flash_options = good;
    f->flash_options.buffer = NULL;
    refused(f, PLAT_ERR_ARG, "flash store: buffer is not set");
    assert_int_equal(f->flash.writes, 0);
}

static void bad_geometries_are_refused(void **state)
{
    static const struct {
        uint32_t sector_size, sectors, unit;
    } bad[] = {
        { 0, 4, 8 },       { 512, 4, 8 },  { 4095, 4, 8 }, { 512 * 1024, 4, 8 }, { 4096, 2, 8 },
        { 4096, 4097, 8 }, { 4096, 4, 0 }, { 4096, 4, 3 }, { 4096, 4, 64 },
    };
    struct flash_fixture *f = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->flash.base.sector_size = bad[i].sector_size;
        f->flash.base.sectors = bad[i].sectors;
        f->flash.base.unit = bad[i].unit;
        refused(f, PLAT_ERR_ARG, "flash store: the geometry of the flash is invalid");
        assert_int_equal(plat_flash_store_erase(&f->flash.base), PLAT_ERR_ARG);
        assert_int_equal(plat_flash_store_record_max(&f->flash.base), 0);
    }
}

static void the_buffer_limits_a_record(void **state)
{
    struct flash_fixture *f = *state;
    f->flash_options.buffer_size = 100;
    store_open(&f->base);

    assert_int_equal(append_sized(&f->base, 1, 101), PLAT_ERR_ARG);
    assert_int_equal(append_sized(&f->base, 1, 100), PLAT_OK);
    store_close(&f->base);

    f->flash_options.buffer_size = 99;
    refused(f, PLAT_ERR_ARG, "flash store: buffer_size is smaller than a record of the store");
}

/* Every geometry saves the record that it promises, wherever the log stands, and no larger one. */
static void the_largest_record_fits_into_an_empty_store(void **state)
{
    struct flash_fixture *f = *state;
    plat_store_record r;

    for (uint32_t unit = 1; unit <= 32; unit *= 2) {
        for (uint32_t sectors = 3; sectors <= 5; sectors++) {
            use_geometry(f, 1024, sectors, unit);
            const size_t max = plat_flash_store_record_max(&f->flash.base);
            assert_in_range(max, 700, 1024);
            store_open(&f->base);
            assert_int_equal(append_sized(&f->base, 1, max + 1), PLAT_ERR_ARG);
            for (uint32_t n = 1; n < 40; n++) {
                const size_t len = n % 2 == 0 ? max : n * 13;
                assert_int_equal(append_sized(&f->base, n, len), PLAT_OK);
                if (n % 3 == 0) {
                    flash_fixture_restart(f);
                }
                assert_int_equal(f->base.store->ops->read(f->base.store, 0, &r), PLAT_OK);
                assert_true(sized_is(&r, n, len));
                store_remove(&f->base, r.seq);
                assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_OK);
            }
        }
    }
}

/* Fills the flash, empties it in an order, and expects that every removal reaches the flash. */
static void fill_and_empty(struct flash_fixture *f, size_t len, uint32_t stride)
{
    uint32_t n = 0;
    uint32_t first = (uint32_t)store_get_info(&f->base).next_seq;

    while (append_sized(&f->base, n, len) == PLAT_OK) {
        n++;
    }
    assert_string_equal(f->base.store->ops->detail(f->base.store),
                        "flash store: the flash is full");
    assert_int_equal(store_get_info(&f->base).count, n);
    for (uint32_t begin = 0; begin < stride; begin++) {
        for (uint32_t i = begin; i < n; i += stride) {
            store_remove(&f->base, first + i);
        }
    }
    assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_OK);
    flash_fixture_restart(f);
    assert_int_equal(store_get_info(&f->base).count, 0);
    assert_int_equal(store_get_info(&f->base).bytes, 0);
}

static void everything_can_be_removed_from_a_full_flash_in_any_order(void **state)
{
    struct flash_fixture *f = *state;

    for (uint32_t unit = 1; unit <= 32; unit *= 2) {
        for (uint32_t sectors = 3; sectors < 9; sectors += 3) {
            use_geometry(f, 2048, sectors, unit);
            store_open(&f->base);
            for (uint32_t stride = 1; stride < 5; stride++) {
                fill_and_empty(f, 0, stride);
                fill_and_empty(f, 100, stride);
                fill_and_empty(f, 500, stride);
            }
        }
    }
}

/* A full store takes a new record as soon as one sector is free. */
static void space_is_reused_from_the_oldest_sector_on(void **state)
{
    enum { LEN = 150, STRIDE = 216 }; /* bytes of a record in the flash */
    struct flash_fixture *f = *state;
    uint32_t n = 0;
    uint32_t gone = 0;
    plat_store_record r;
    use_geometry(f, 4096, 6, 8);
    store_open(&f->base);

    while (n < 20000) {
        if (append_sized(&f->base, n, LEN) == PLAT_OK) {
            n++;
            continue;
        }
        assert_true(n - gone > 3 * 4096 / STRIDE);
        for (uint32_t i = 0; i < 4096 / STRIDE; i++) {
            assert_int_equal(f->base.store->ops->read(f->base.store, 0, &r), PLAT_OK);
            assert_true(sized_is(&r, gone, LEN));
            store_remove(&f->base, r.seq);
            gone++;
        }
        assert_int_equal(append_sized(&f->base, n, LEN), PLAT_OK);
        n++;
    }
    assert_in_range(sim_flash_wear(&f->flash), 0, 1);
}

static void restarts_alone_do_not_use_up_the_flash(void **state)
{
    struct flash_fixture *f = *state;
    use_geometry(f, 1024, 3, 8);
    store_open(&f->base);
    store_append_many(&f->base, 1, 1);

    flash_fixture_restart(f);
    flash_fixture_restart(f);
    const uint64_t writes = f->flash.writes;
    for (int i = 0; i < 1000; i++) {
        flash_fixture_restart(f);
        store_expect(&f->base, 1, 1);
    }
    assert_int_equal(f->flash.writes, writes);
}

static void erase_counts_differ_by_one_after_100000_messages(void **state)
{
    enum { MESSAGES = 100000, WAITING = 20 };
    struct flash_fixture *f = *state;
    use_geometry(f, 4096, 16, 8);
    store_open(&f->base);

    for (uint32_t n = 0; n < MESSAGES; n++) {
        assert_int_equal(append_sized(&f->base, n, 150 + n % 100), PLAT_OK);
        if (n >= WAITING) {
            store_remove(&f->base, n + 1 - WAITING);
            assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_OK);
        }
        if (n % 1000 == 999) {
            flash_fixture_restart(f);
        }
    }
    assert_int_equal(store_get_info(&f->base).count, WAITING);
    assert_in_range(sim_flash_wear(&f->flash), 0, 1);
    print_message("%u messages, %u erases of each sector\n", (unsigned)MESSAGES,
                  f->flash.erases[0]);
}

static void a_wrong_bit_while_reading_is_read_again(void **state)
{
    struct flash_fixture *f = *state;
    store_open(&f->base);
    store_append_many(&f->base, 1, 300);

    f->flash.bad_reads = 10;
    for (int i = 0; i < 20; i++) {
        store_expect(&f->base, 1, 300);
    }
}

static void a_record_that_has_changed_is_damage_and_nothing_is_written_any_more(void **state)
{
    struct flash_fixture *f = *state;
    plat_store_record r;
    store_open(&f->base);
    store_append_many(&f->base, 1, 3);
    for (size_t i = 0; i < sim_flash_size(&f->flash); i++) {
        f->flash.bytes[i] ^= f->flash.units[i / 8] != 0 && i > 400 && i < 500 ? 1 : 0;
    }
    const uint64_t writes = f->flash.writes;

    assert_int_equal(f->base.store->ops->read(f->base.store, 2, &r), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(store_try_append(&f->base, 4), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->base.store->ops->remove(f->base.store, 1, 0), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_ERR_STORE_DAMAGED);
    assert_int_equal(f->base.store->ops->read(f->base.store, 1, &r), PLAT_ERR_STORE_DAMAGED);
    assert_true(strstr(f->base.store->ops->detail(f->base.store), "flash store: ") != NULL);
    assert_int_equal(f->flash.writes, writes);
}

/* After a failed append the record is not in the store, and the next one has its number. */
static void an_append_that_fails_leaves_no_record(void **state)
{
    enum { WAITING = 20 };
    struct flash_fixture *f = *state;
    plat_result r;
    plat_store_record found;
    uint32_t failures = 0;
    use_geometry(f, 4096, 8, 4);
    store_open(&f->base);

    for (uint32_t n = 0; n < 2000; n++) {
        f->flash.fail_programs = n % 5 == 0 ? 1 + n % 2 : 0;
        f->flash.fail_erases = n % 7 == 0 ? 1 : 0;
        while ((r = append_sized(&f->base, n, n % 300)) == PLAT_ERR_STORE) {
            assert_string_not_equal(f->base.store->ops->detail(f->base.store), "");
            failures++;
        }
        assert_int_equal(r, PLAT_OK);
        assert_int_equal(store_get_info(&f->base).next_seq, n + 2);
        f->flash.fail_programs = 0;
        f->flash.fail_erases = 0;
        if (n % 50 == 0) {
            flash_fixture_restart(f);
        }
        if (n >= WAITING) {
            assert_int_equal(f->base.store->ops->read(f->base.store, 0, &found), PLAT_OK);
            assert_int_equal(found.seq, n + 1 - WAITING);
            assert_true(sized_is(&found, n - WAITING, (n - WAITING) % 300));
            store_remove(&f->base, found.seq);
            assert_int_equal(f->base.store->ops->sync(f->base.store), PLAT_OK);
        }
    }
    assert_true(failures > 400);
}

static void a_flash_that_is_worn_out_loses_nothing(void **state)
{
    struct flash_fixture *f = *state;
    plat_store_record r;
    uint32_t n = 0;
    plat_result result;
    use_geometry(f, 1024, 4, 8);
    f->flash.worn_after = 20;
    store_open(&f->base);

    while ((result = append_sized(&f->base, n, 100)) == PLAT_OK) {
        n++;
        if (n > 3) {
            store_remove(&f->base, n - 3);
        }
    }
    assert_int_equal(result, PLAT_ERR_STORE);
    assert_string_equal(f->base.store->ops->detail(f->base.store),
                        "flash store: a sector could not be erased");
    flash_fixture_restart(f);
    for (uint32_t i = n - 3; i < n; i++) {
        assert_int_equal(f->base.store->ops->read(f->base.store, i + 1, &r), PLAT_OK);
        assert_true(sized_is(&r, i, 100));
    }
}

int main(void)
{
#define WITH_FLASH(test) \
    cmocka_unit_test_setup_teardown(test, flash_fixture_setup, flash_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FLASH(records_come_back_in_order_and_whole),
        WITH_FLASH(a_removed_record_is_gone_immediately_and_after_reopening),
        WITH_FLASH(numbers_go_on_when_all_records_are_gone),
        WITH_FLASH(removing_what_is_not_there_is_no_error),
        WITH_FLASH(random_use_agrees_with_a_model),
        WITH_FLASH(any_number_of_records_may_go_out_of_order),
        WITH_FLASH(only_removals_wait_for_the_deadline),
        WITH_FLASH(a_store_keeps_its_id),
        WITH_FLASH(a_removal_is_undone_by_a_loss_of_power_before_its_deadline_only),
        WITH_FLASH(consecutive_removals_are_one_entry),
        WITH_FLASH(a_client_keeps_it_open),
        WITH_FLASH(bad_options_are_refused),
        WITH_FLASH(bad_geometries_are_refused),
        WITH_FLASH(the_buffer_limits_a_record),
        WITH_FLASH(the_largest_record_fits_into_an_empty_store),
        WITH_FLASH(everything_can_be_removed_from_a_full_flash_in_any_order),
        WITH_FLASH(space_is_reused_from_the_oldest_sector_on),
        WITH_FLASH(restarts_alone_do_not_use_up_the_flash),
        WITH_FLASH(erase_counts_differ_by_one_after_100000_messages),
        WITH_FLASH(a_wrong_bit_while_reading_is_read_again),
        WITH_FLASH(a_record_that_has_changed_is_damage_and_nothing_is_written_any_more),
        WITH_FLASH(an_append_that_fails_leaves_no_record),
        WITH_FLASH(a_flash_that_is_worn_out_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
