#include "flash_store/flash_find.h"

#include "flash_store/flash_crc.h"

static void begin_walk(const struct flash_log *l, const struct flash_cursor *c, uint32_t serial,
                       uint64_t seq, struct flash_walk *w)
{
    const bool newest = serial == l->last;
    const bool near = c->seq != 0 && c->serial == serial && c->seq <= seq;
    const uint64_t first = near ? c->seq : flash_index_first(l->index, serial);

    flash_walk_begin(w, l->medium, l->id, serial, first,
                     newest ? l->next_seq : flash_index_first(l->index, serial + 1));
    flash_walk_range(w, near ? c->offset : w->place.offset, newest ? l->tail : w->end);
}

plat_result flash_find(const struct flash_log *l, struct flash_cursor *c, uint64_t seq,
                       struct flash_step *out)
{
    const uint32_t serial = flash_index_find(l->index, l->oldest, l->last, seq);
    struct flash_walk w;
    plat_result r;

    begin_walk(l, c, serial, seq, &w);
    while ((r = flash_walk_next(&w, out)) == PLAT_OK) {
        if (out->entry.kind == FLASH_RECORD && out->entry.seq >= seq) {
            break;
        }
    }
    if (r == PLAT_EOF || (r == PLAT_OK && out->entry.seq != seq)) {
        return flash_medium_fail(l->medium, PLAT_ERR_STORE_DAMAGED,
                                 "flash store: records are missing");
    }
    if (r == PLAT_OK) {
        *c = (struct flash_cursor){ seq, serial, out->offset };
    }
    return r;
}

plat_result flash_find_payload(const struct flash_log *l, const struct flash_cursor *c,
                               const struct flash_entry *e, void *to)
{
    const plat_flash *f = l->medium->flash;
    const uint32_t at = c->serial % f->sectors * f->sector_size + c->offset + FLASH_RECORD_SIZE;
    const size_t len = e->record.head_len + e->record.body_len;

    for (int i = 0; i < FLASH_READINGS; i++) {
        plat_result r = len > 0 ? flash_medium_read(l->medium, at, to, len) : PLAT_OK;
        if (r != PLAT_OK || flash_crc(0, to, len) == e->payload_crc) {
            return r;
        }
    }
    return flash_medium_fail(l->medium, PLAT_ERR_STORE_DAMAGED, "flash store: a record is damaged");
}
