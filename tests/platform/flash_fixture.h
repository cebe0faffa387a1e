#ifndef FLASH_FIXTURE_H
#define FLASH_FIXTURE_H

#include "sim_flash.h"
#include "store_fixture.h"

/* A store in a simulated flash. Its memory is a plain copy, so that a test can go back to an
 * earlier state together with the flash. */
enum { FLASH_INDEX_WORDS = 4096, FLASH_BUFFER_SIZE = 16384 };

struct flash_memory {
    plat_flash_store store;
    uint64_t index[FLASH_INDEX_WORDS];
};

struct flash_fixture {
    struct store_fixture base; /* first */
    sim_flash flash;
    plat_flash_options flash_options;
    struct flash_memory memory;
    int fill; /* what the memory had before the store was opened */
    uint8_t buffer[FLASH_BUFFER_SIZE];
};

/* A flash that has been erased. */
void flash_fixture_init(struct flash_fixture *f, uint32_t sector_size, uint32_t sectors,
                        uint32_t unit);
void flash_fixture_free(struct flash_fixture *f);

/* For the cases of every store: 64 sectors of 16 KB, units of 8 bytes. */
int flash_fixture_setup(void **state);
int flash_fixture_teardown(void **state);

/* What a restart after a loss of power does: the store's memory is lost. */
void flash_fixture_restart(struct flash_fixture *f);

#endif
