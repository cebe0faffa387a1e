#ifndef FLASH_INDEX_H
#define FLASH_INDEX_H

/* What the store knows about its sectors, in memory of the program: the number of the first record
 * of each, and which of its records are removed.  The memory does not depend on the records.
 *
 * Sectors are named by their serial numbers; those from the oldest to the last one in use are
 * valid. The numbers of their records follow each other without a gap. */

#include "platform/flash_store.h"

struct flash_index {
    uint64_t *words;
    uint32_t sectors;
    uint32_t stride; /* words of a sector: first the number, then bits */
};

void flash_index_init(struct flash_index *x, uint64_t *words, const plat_flash *flash);

/* Begins a sector whose first record has the number first_seq. */
void flash_index_begin(struct flash_index *x, uint32_t serial, uint64_t first_seq);

uint64_t flash_index_first(const struct flash_index *x, uint32_t serial);

/* Returns the sector from oldest to last that has the record seq, which must be at least the first
 * one of the oldest. */
uint32_t flash_index_find(const struct flash_index *x, uint32_t oldest, uint32_t last,
                          uint64_t seq);

/* Marks a record of this sector as removed.  Returns false if it was removed before, or if the
 * record cannot exist, because a sector has room for fewer records. */
bool flash_index_remove(struct flash_index *x, uint32_t serial, uint64_t seq);
bool flash_index_removed(const struct flash_index *x, uint32_t serial, uint64_t seq);

#endif
