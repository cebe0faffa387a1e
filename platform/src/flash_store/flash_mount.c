#include "flash_store/flash_mount.h"

struct mount {
    struct flash_medium *medium;
    struct flash_index *index;
    uint64_t owner;
    struct flash_found *found;
    uint32_t serial;        /* of the sector that is being read; the index has those up to it */
    struct flash_step last; /* the last entry of the sector that was read last */
    bool begun;             /* the next sector has a header, which does not count */
    uint32_t dirt_end;      /* offset behind what was programmed in the last sector */
};

static plat_result damaged(struct mount *m, const char *text)
{
    return flash_medium_fail(m->medium, PLAT_ERR_STORE_DAMAGED, text);
}

static plat_result incomplete(struct mount *m)
{
    return damaged(m, "flash store: records are missing");
}

/* --- headers ----------------------------------------------------------------------------- */

static plat_result read_header(struct mount *m, uint32_t sector, struct flash_header *out,
                               enum flash_header_verdict *verdict)
{
    uint8_t bytes[FLASH_HEADER_SIZE];
    plat_result r = PLAT_OK;

    *verdict = FLASH_HEADER_NONE;
    for (int i = 0; i < FLASH_READINGS && *verdict == FLASH_HEADER_NONE && r == PLAT_OK; i++) {
        r = flash_medium_read(m->medium, sector * m->medium->flash->sector_size, bytes,
                              sizeof bytes);
        *verdict = r == PLAT_OK ? flash_header_decode(bytes, out) : FLASH_HEADER_NONE;
    }
    return r;
}

/* Returns PLAT_ERR_STORE_VERSION if the header is one that this store cannot use. */
static plat_result check_header(struct mount *m, const struct flash_header *h,
                                enum flash_header_verdict verdict)
{
    const plat_flash *f = m->medium->flash;

    if (verdict == FLASH_HEADER_FOREIGN) {
        return flash_medium_fail(m->medium, PLAT_ERR_STORE_VERSION,
                                 "flash store: it was made by another version");
    }
    if (h->sector_size != f->sector_size || h->sectors != f->sectors || h->unit != f->unit) {
        return flash_medium_fail(m->medium, PLAT_ERR_STORE_VERSION,
                                 "flash store: it was made for a flash of another geometry");
    }
    if (h->owner != m->owner) {
        return flash_medium_fail(m->medium, PLAT_ERR_STORE_VERSION,
                                 "flash store: it was made for another owner");
    }
    return PLAT_OK;
}

/* Finds the newest sector.  Returns PLAT_EOF if no sector has a header. */
static plat_result find_last(struct mount *m, struct flash_header *last)
{
    struct flash_header h;
    enum flash_header_verdict verdict;
    bool any = false;

    for (uint32_t sector = 0; sector < m->medium->flash->sectors; sector++) {
        plat_result r = read_header(m, sector, &h, &verdict);
        if (r == PLAT_OK && verdict != FLASH_HEADER_NONE) {
            r = check_header(m, &h, verdict);
        }
        if (r != PLAT_OK) {
            return r;
        }
        if (verdict == FLASH_HEADER_NONE) {
            continue;
        }
        if (h.serial % h.sectors != sector || (any && h.id != last->id)) {
            return damaged(m, "flash store: its sectors do not belong together");
        }
        *last = !any || h.serial > last->serial ? h : *last;
        any = true;
    }
    return any ? PLAT_OK : PLAT_EOF;
}

/* Reads the header of a sector that must exist. */
static plat_result header_of(struct mount *m, uint32_t serial, struct flash_header *out)
{
    enum flash_header_verdict verdict;
    plat_result r = read_header(m, serial % m->medium->flash->sectors, out, &verdict);

    if (r == PLAT_OK &&
        (verdict != FLASH_HEADER_VALID || out->serial != serial || out->id != m->found->id)) {
        return damaged(m, "flash store: a sector is missing");
    }
    return r;
}

/* A new store is made in a blank flash only.  The first sector may have what the interrupted making
 * of a store has left. */
static plat_result check_blank(struct mount *m)
{
    const plat_flash *f = m->medium->flash;
    bool erased;

    plat_result r = flash_medium_is_erased(m->medium, f->sector_size,
                                           f->sector_size * (f->sectors - 1), &erased);
    if (r == PLAT_OK && !erased) {
        return damaged(m, "flash store: the flash is neither blank nor a store");
    }
    m->found->blank = true;
    return r;
}

/* --- entries ----------------------------------------------------------------------------- */

static plat_result take_removal(struct mount *m, const struct flash_entry *e)
{
    const struct flash_found *f = m->found;
    const uint64_t end = e->seq + e->count;
    uint64_t seq = flash_index_first(m->index, f->oldest);

    if (end > f->next_seq || end < e->seq) {
        return damaged(m, "flash store: a record is removed that was never stored");
    }
    for (seq = e->seq > seq ? e->seq : seq; seq < end; seq++) {
        const uint32_t serial = flash_index_find(m->index, f->oldest, m->serial, seq);
        (void)flash_index_remove(m->index, serial, seq);
    }
    return PLAT_OK;
}

static plat_result take(struct mount *m, const struct flash_entry *e)
{
    if (e->kind == FLASH_REMOVAL) {
        m->found->removed_from = e->seq;
        m->found->removed_count = e->count;
        return take_removal(m, e);
    }
    if (e->seq != m->found->next_seq) {
        return incomplete(m);
    }
    if (e->kind == FLASH_RECORD) {
        m->found->next_seq++;
        m->found->removed_count = 0;
    }
    return PLAT_OK;
}

static plat_result read_sector(struct mount *m, struct flash_walk *w)
{
    struct flash_step s;
    plat_result r;

    m->last = (struct flash_step){ .len = 0 };
    while ((r = flash_walk_next(w, &s)) == PLAT_OK) {
        r = take(m, &s.entry);
        if (r != PLAT_OK) {
            return r;
        }
        m->last = s;
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* Reads the newest sector for the number of the oldest one.  A sector with a header and no entry
 * does not count, because its header may be in doubt; *opened is false then. */
static plat_result find_oldest(struct mount *m, const struct flash_header *last, bool *opened)
{
    struct flash_walk w;
    struct flash_step s;
    plat_result r;

    m->found->oldest = last->oldest;
    *opened = false;
    flash_walk_begin(&w, m->medium, m->found->id, last->serial, last->next_seq, UINT64_MAX);
    while ((r = flash_walk_next(&w, &s)) == PLAT_OK) {
        *opened = true;
        if (s.entry.kind == FLASH_CHECKPOINT) {
            m->found->oldest = s.entry.oldest;
        }
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* Determines which sectors are in use. */
static plat_result find_sectors(struct mount *m)
{
    struct flash_found *f = m->found;
    struct flash_header last = { 0 };
    bool opened = false;

    plat_result r = find_last(m, &last);
    if (r == PLAT_EOF) {
        return check_blank(m);
    }
    if (r != PLAT_OK) {
        return r;
    }
    f->id = last.id;
    r = find_oldest(m, &last, &opened);
    if (r == PLAT_OK && !opened && last.serial == 0) {
        return check_blank(m);
    }
    m->begun = !opened;
    if (r == PLAT_OK && !opened) {
        r = header_of(m, last.serial - 1, &last);
        if (r == PLAT_OK) {
            r = find_oldest(m, &last, &opened);
        }
    }
    if (r != PLAT_OK) {
        return r;
    }
    f->last = last.serial;
    if (f->oldest > f->last || f->last - f->oldest >= m->medium->flash->sectors - 1) {
        return damaged(m, "flash store: the number of its oldest sector is invalid");
    }
    return PLAT_OK;
}

/* Finds the offset from which on the last sector can be programmed.  The unit that was being
 * programmed when the power failed may read as erased, so the length of a header is left out behind
 * the last byte that does not; and what reads as erased is read several times. */
static plat_result find_tail(struct mount *m)
{
    const plat_flash *f = m->medium->flash;
    const uint32_t base = m->found->last % f->sectors * f->sector_size;
    const uint32_t end = f->sector_size;
    const uint32_t gap = flash_medium_round(m->medium, FLASH_RECORD_SIZE);
    uint32_t dirty = m->dirt_end;
    bool erased = true;
    plat_result r = PLAT_OK;

    for (int i = 0; i < FLASH_READINGS && r == PLAT_OK && dirty < end;) {
        const uint32_t len = end - dirty < 2 * gap ? end - dirty : 2 * gap;
        r = flash_medium_is_erased(m->medium, base + dirty, len, &erased);
        dirty += erased ? 0 : m->medium->granule;
        i = erased ? i + 1 : 0;
    }
    /* If the header of the next sector is in doubt, that sector has to be begun again. */
    m->found->tail = dirty + gap < end && !m->begun ? dirty + gap : end;
    return r;
}

/* Decides whether a checkpoint has to be written before the store can be used.  If the last two
 * entries are the same checkpoint, the first of them was complete when the second one was begun. */
static void find_doubt(struct mount *m, const struct flash_walk *w)
{
    const struct flash_entry *e = &m->last.entry;
    const bool settled =
        e->kind == FLASH_CHECKPOINT && w->twice && m->last.offset + m->last.len == w->entries_end;

    m->found->doubt = !settled;
}

/* Reads all sectors in use, the oldest first. */
static plat_result read_sectors(struct mount *m)
{
    struct flash_found *f = m->found;
    struct flash_header h;
    struct flash_header next = { 0 };
    struct flash_walk w;

    plat_result r = header_of(m, f->oldest, &next);
    f->next_seq = next.next_seq;
    for (uint32_t serial = f->oldest; r == PLAT_OK; serial++) {
        h = next;
        if (h.next_seq != f->next_seq) {
            return incomplete(m);
        }
        flash_index_begin(m->index, serial, h.next_seq);
        m->serial = serial;
        if (serial < f->last) {
            r = header_of(m, serial + 1, &next);
        }
        if (r == PLAT_OK) {
            flash_walk_begin(&w, m->medium, f->id, serial, h.next_seq,
                             serial < f->last ? next.next_seq : UINT64_MAX);
            r = read_sector(m, &w);
        }
        if (serial == f->last) {
            break;
        }
    }
    if (r != PLAT_OK) {
        return r;
    }
    find_doubt(m, &w);
    m->dirt_end = w.entries_end > w.dirt_end ? w.entries_end : w.dirt_end;
    return PLAT_OK;
}

/* --- counts ------------------------------------------------------------------------------ */

static plat_result count_sector(struct mount *m, uint32_t serial)
{
    struct flash_found *f = m->found;
    const uint64_t limit = serial < f->last ? flash_index_first(m->index, serial + 1) : f->next_seq;
    struct flash_walk w;
    struct flash_step s;
    plat_result r;

    flash_walk_begin(&w, m->medium, f->id, serial, flash_index_first(m->index, serial), limit);
    while ((r = flash_walk_next(&w, &s)) == PLAT_OK) {
        if (s.entry.kind != FLASH_RECORD || flash_index_removed(m->index, serial, s.entry.seq)) {
            continue;
        }
        const size_t len = s.entry.record.head_len + s.entry.record.body_len;
        f->count++;
        f->bytes += len;
        f->largest = len > f->largest ? len : f->largest;
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

plat_result flash_mount(struct flash_medium *medium, struct flash_index *x, uint64_t owner,
                        struct flash_found *out)
{
    struct mount m = { .medium = medium, .index = x, .owner = owner, .found = out };

    *out = (struct flash_found){ .blank = false };
    plat_result r = find_sectors(&m);
    if (r != PLAT_OK || out->blank) {
        return r;
    }
    r = read_sectors(&m);
    for (uint32_t serial = out->oldest; r == PLAT_OK && serial <= out->last; serial++) {
        r = count_sector(&m, serial);
    }
    return r == PLAT_OK ? find_tail(&m) : r;
}
