#include "flash_store/flash_medium.h"

#include <string.h>

#include "flash_store/flash_format.h"

enum { CHUNK = 64 }; /* bytes that are read together to find out whether they are erased */

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool geometry_valid(const plat_flash *f)
{
    if (!is_power_of_two(f->sector_size) || f->sector_size < PLAT_FLASH_SECTOR_MIN ||
        f->sector_size > PLAT_FLASH_SECTOR_MAX) {
        return false;
    }
    if (f->sectors < 3 || f->sectors > PLAT_FLASH_SECTORS_MAX) {
        return false;
    }
    return is_power_of_two(f->unit) && f->unit <= PLAT_FLASH_UNIT_MAX;
}

plat_result flash_medium_init(struct flash_medium *m, const plat_flash *flash)
{
    *m = (struct flash_medium){ .flash = flash, .detail = "" };
    if (!geometry_valid(flash)) {
        return flash_medium_fail(m, PLAT_ERR_ARG,
                                 "flash store: the geometry of the flash is invalid");
    }
    m->granule = flash->unit > FLASH_GRANULE_MIN ? flash->unit : FLASH_GRANULE_MIN;
    return PLAT_OK;
}

plat_result flash_medium_fail(struct flash_medium *m, plat_result r, const char *text)
{
    m->detail = text;
    if (r == PLAT_ERR_STORE_DAMAGED) {
        m->latched = r;
    }
    return r;
}

void flash_medium_forgive(struct flash_medium *m)
{
    if (m->latched == PLAT_OK) {
        m->detail = "";
    }
}

uint32_t flash_medium_round(const struct flash_medium *m, uint32_t bytes)
{
    return (bytes + m->granule - 1) & ~(m->granule - 1);
}

plat_result flash_medium_read(struct flash_medium *m, uint32_t at, void *to, size_t len)
{
    if (m->flash->read(m->flash, at, to, len) != PLAT_OK) {
        return flash_medium_fail(m, PLAT_ERR_STORE, "flash store: the flash could not be read");
    }
    return PLAT_OK;
}

plat_result flash_medium_erase(struct flash_medium *m, uint32_t sector)
{
    if (m->flash->erase(m->flash, sector) != PLAT_OK) {
        return flash_medium_fail(m, PLAT_ERR_STORE, "flash store: a sector could not be erased");
    }
    return PLAT_OK;
}

plat_result flash_medium_is_erased(struct flash_medium *m, uint32_t at, uint32_t len, bool *out)
{
    uint8_t chunk[CHUNK];

    *out = true;
    for (uint32_t done = 0; done < len;) {
        const uint32_t n = len - done < CHUNK ? len - done : CHUNK;
        plat_result r = flash_medium_read(m, at + done, chunk, n);
        if (r != PLAT_OK) {
            return r;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (chunk[i] != 0xFF) {
                *out = false;
                return PLAT_OK;
            }
        }
        done += n;
    }
    return PLAT_OK;
}

/* --- programming ------------------------------------------------------------------------- */

static plat_result program(struct flash_writer *w, const void *from, size_t len)
{
    struct flash_medium *m = w->medium;

    if (m->flash->program(m->flash, w->at, from, len) != PLAT_OK) {
        return flash_medium_fail(m, PLAT_ERR_STORE,
                                 "flash store: the flash could not be programmed");
    }
    w->at += (uint32_t)len;
    return PLAT_OK;
}

void flash_writer_begin(struct flash_writer *w, struct flash_medium *m, uint32_t at)
{
    w->medium = m;
    w->at = at;
    w->fill = 0;
}

plat_result flash_writer_put(struct flash_writer *w, const void *data, size_t len)
{
    const uint32_t granule = w->medium->granule;
    const uint8_t *from = data;
    plat_result r = PLAT_OK;

    while (r == PLAT_OK && len > 0) {
        size_t n = len - len % granule; /* whole granules need no copy */
        if (w->fill > 0 || n == 0) {
            n = granule - w->fill < len ? granule - w->fill : len;
            memcpy(w->rest + w->fill, from, n);
            w->fill += (uint32_t)n;
            r = w->fill == granule ? flash_writer_flush(w) : PLAT_OK;
        } else {
            r = program(w, from, n);
        }
        from += n;
        len -= n;
    }
    return r;
}

plat_result flash_writer_flush(struct flash_writer *w)
{
    const uint32_t granule = w->medium->granule;

    if (w->fill == 0) {
        return PLAT_OK;
    }
    memset(w->rest + w->fill, 0xFF, granule - w->fill);
    w->fill = 0;
    return program(w, w->rest, granule);
}
