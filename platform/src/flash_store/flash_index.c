#include "flash_store/flash_index.h"

#include <string.h>

void flash_index_init(struct flash_index *x, uint64_t *words, const plat_flash *flash)
{
    x->words = words;
    x->sectors = flash->sectors;
    x->stride = PLAT_FLASH_STORE_INDEX_WORDS(flash->sector_size);
}

static uint64_t *words_of(const struct flash_index *x, uint32_t serial)
{
    return x->words + (size_t)(serial % x->sectors) * x->stride;
}

void flash_index_begin(struct flash_index *x, uint32_t serial, uint64_t first_seq)
{
    uint64_t *words = words_of(x, serial);

    memset(words, 0, x->stride * sizeof *words);
    words[0] = first_seq;
}

uint64_t flash_index_first(const struct flash_index *x, uint32_t serial)
{
    return words_of(x, serial)[0];
}

uint32_t flash_index_find(const struct flash_index *x, uint32_t oldest, uint32_t last, uint64_t seq)
{
    while (oldest < last) {
        const uint32_t middle = oldest + (last - oldest + 1) / 2;
        if (flash_index_first(x, middle) <= seq) {
            oldest = middle;
        } else {
            last = middle - 1;
        }
    }
    return oldest;
}

bool flash_index_remove(struct flash_index *x, uint32_t serial, uint64_t seq)
{
    uint64_t *words = words_of(x, serial);
    const uint64_t nth = seq - words[0];
    const uint64_t bit = UINT64_C(1) << nth % 64;

    if (nth / 64 + 1 >= x->stride || (words[1 + nth / 64] & bit) != 0) {
        return false;
    }
    words[1 + nth / 64] |= bit;
    return true;
}

bool flash_index_removed(const struct flash_index *x, uint32_t serial, uint64_t seq)
{
    const uint64_t *words = words_of(x, serial);
    const uint64_t nth = seq - words[0];

    return nth / 64 + 1 < x->stride && (words[1 + nth / 64] >> nth % 64 & 1) != 0;
}
