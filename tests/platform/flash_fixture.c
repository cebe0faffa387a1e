#include "flash_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static plat_result open_flash(struct store_fixture *base)
{
    struct flash_fixture *f = (struct flash_fixture *)(void *)base;
    const char *detail;

    /* The store must not depend on what its memory has had before. */
    f->fill = f->fill == 0 ? 0xA5 : f->fill == 0xA5 ? 0xFF : 0;
    memset(&f->memory, f->fill, sizeof f->memory);
    plat_result r =
        plat_flash_store_open(&f->memory.store, &f->flash_options, &base->store, &detail);
    snprintf(base->detail, sizeof base->detail, "%s", detail);
    assert_int_equal(r == PLAT_OK, detail[0] == '\0');
    return r;
}

void flash_fixture_init(struct flash_fixture *f, uint32_t sector_size, uint32_t sectors,
                        uint32_t unit)
{
    memset(f, 0, sizeof *f);
    sim_flash_init(&f->flash, sector_size, sectors, unit);
    f->base.try_open = open_flash;
    f->flash_options = (plat_flash_options){
        .flash = &f->flash.base,
        .owner = "hub/device",
        .index = f->memory.index,
        .index_words = sectors * PLAT_FLASH_STORE_INDEX_WORDS(sector_size),
        .buffer = f->buffer,
        .buffer_size = sizeof f->buffer,
        .new_id = UINT64_C(0x0123456789abcdef),
        .removal_delay_ms = 50,
    };
    assert_true(f->flash_options.index_words <= FLASH_INDEX_WORDS);
}

void flash_fixture_free(struct flash_fixture *f)
{
    sim_flash_free(&f->flash);
}

int flash_fixture_setup(void **state)
{
    struct flash_fixture *f = malloc(sizeof *f);

    assert_non_null(f);
    flash_fixture_init(f, 16384, 64, 8);
    *state = f;
    return 0;
}

int flash_fixture_teardown(void **state)
{
    flash_fixture_free(*state);
    free(*state);
    return 0;
}

void flash_fixture_restart(struct flash_fixture *f)
{
    sim_flash_power_on(&f->flash);
    f->base.store = NULL;
    store_open(&f->base);
}
