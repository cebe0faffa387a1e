#ifndef FLASH_MEDIUM_H
#define FLASH_MEDIUM_H

/* The flash, with the rules of its driver kept: whole units, ranges inside a sector.  It also has
 * the failure of the last call. */

#include "platform/flash_store.h"

enum { FLASH_READINGS = 3 }; /* how often bytes are read before they count as damaged or erased */

struct flash_medium {
    const plat_flash *flash;
    uint32_t granule;    /* header and entries begin at multiples of this */
    plat_result latched; /* PLAT_ERR_STORE_DAMAGED once damage was found; PLAT_OK before */
    const char *detail;  /* text of the last failure; "" without one */
};

/* Returns PLAT_ERR_ARG if the geometry is not one that flash_store.h allows. */
plat_result flash_medium_init(struct flash_medium *m, const plat_flash *flash);

/* Sets the text of a failure, and returns the code.  Damage is latched. */
plat_result flash_medium_fail(struct flash_medium *m, plat_result r, const char *text);

/* Begins a call: removes the text of the last failure unless it is latched. */
void flash_medium_forgive(struct flash_medium *m);

/* Rounds a number of bytes up to whole granules. */
uint32_t flash_medium_round(const struct flash_medium *m, uint32_t bytes);

plat_result flash_medium_read(struct flash_medium *m, uint32_t at, void *to, size_t len);
plat_result flash_medium_erase(struct flash_medium *m, uint32_t sector);

/* Reports whether a range reads as erased. */
plat_result flash_medium_is_erased(struct flash_medium *m, uint32_t at, uint32_t len, bool *out);

/* Collects bytes and programs them as whole granules. */
struct flash_writer {
    struct flash_medium *medium;
    uint32_t at;   /* address of the next granule */
    uint32_t fill; /* bytes in rest */
    uint8_t rest[PLAT_FLASH_UNIT_MAX];
};

void flash_writer_begin(struct flash_writer *w, struct flash_medium *m, uint32_t at);
plat_result flash_writer_put(struct flash_writer *w, const void *data, size_t len);
/* Fills the last granule with 0xFF and programs it. */
plat_result flash_writer_flush(struct flash_writer *w);

#endif
