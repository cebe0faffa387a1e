#include "flash_store/flash_walk.h"

#include <string.h>

uint32_t flash_walk_record_len(const struct flash_medium *m, size_t payload_len)
{
    return flash_medium_round(m, FLASH_RECORD_SIZE + (uint32_t)payload_len) +
           flash_medium_round(m, FLASH_COMMIT_SIZE);
}

void flash_walk_begin(struct flash_walk *w, struct flash_medium *m, uint64_t id, uint32_t serial,
                      uint64_t first_seq, uint64_t limit)
{
    const uint32_t start = flash_medium_round(m, FLASH_HEADER_SIZE);

    *w = (struct flash_walk){
        .medium = m,
        .place = { id, serial, start },
        .base = serial % m->flash->sectors * m->flash->sector_size,
        .end = m->flash->sector_size,
        .limit = limit,
        .next_seq = first_seq,
        .entries_end = start,
        .dirt_end = start,
    };
}

void flash_walk_range(struct flash_walk *w, uint32_t offset, uint32_t end)
{
    w->place.offset = offset;
    w->end = end;
}

/* The length of an entry in the flash; 0: it does not fit into the sector. */
static uint32_t len_of(const struct flash_walk *w, const struct flash_entry *e)
{
    const uint32_t sector_size = w->medium->flash->sector_size;
    const plat_store_record *r = &e->record;
    uint32_t len;

    if (e->kind == FLASH_RECORD) {
        if (r->head_len > sector_size || r->body_len > sector_size) {
            return 0;
        }
        len = flash_walk_record_len(w->medium, r->head_len + r->body_len);
    } else {
        len = flash_medium_round(w->medium, e->kind == FLASH_REMOVAL ? FLASH_REMOVAL_SIZE
                                                                     : FLASH_CHECKPOINT_SIZE);
    }
    return len <= sector_size - w->place.offset ? len : 0;
}

/* The number of erased bytes at the beginning, in whole granules. */
static uint32_t erased_prefix(const struct flash_walk *w, const uint8_t *bytes, uint32_t len)
{
    uint32_t n = 0;

    while (n < len && bytes[n] == 0xFF) {
        n++;
    }
    return n - n % w->medium->granule;
}

/* Reads what is at the position of the walk.  A step of the kind FLASH_NOTHING has the number of
 * bytes to pass over. */
static plat_result parse(struct flash_walk *w, struct flash_step *out)
{
    uint8_t bytes[64];
    const uint32_t left = w->end - w->place.offset;
    const uint32_t n = left < sizeof bytes ? left : (uint32_t)sizeof bytes;

    *out = (struct flash_step){ .offset = w->place.offset, .len = w->medium->granule };
    for (int i = 0; i < FLASH_READINGS; i++) {
        plat_result r = flash_medium_read(w->medium, w->base + w->place.offset, bytes, n);
        if (r != PLAT_OK) {
            return r;
        }
        const uint32_t erased = erased_prefix(w, bytes, n);
        if (erased > 0) {
            out->len = erased;
            return PLAT_OK;
        }
        if (flash_entry_decode(bytes, n, &w->place, &out->entry)) {
            const uint32_t len = len_of(w, &out->entry);
            out->len = len > 0 ? len : w->medium->granule;
            out->entry.kind = len > 0 ? out->entry.kind : FLASH_NOTHING;
            break;
        }
    }
    w->dirt_end = w->place.offset + w->medium->granule;
    return PLAT_OK;
}

static plat_result read_commit(struct flash_walk *w, const struct flash_step *s, bool *fits)
{
    const uint32_t at =
        w->base + s->offset + s->len - flash_medium_round(w->medium, FLASH_COMMIT_SIZE);
    uint8_t bytes[FLASH_COMMIT_SIZE];
    plat_result r = PLAT_OK;

    *fits = false;
    for (int i = 0; i < FLASH_READINGS && !*fits && r == PLAT_OK; i++) {
        r = flash_medium_read(w->medium, at, bytes, sizeof bytes);
        *fits = r == PLAT_OK && flash_commit_fits(bytes, s->entry.crc);
    }
    return r;
}

/* Decides whether the held record counts. */
static bool held_counts(const struct flash_walk *w, bool at_end)
{
    uint64_t limit = w->checked ? w->check.entry.seq : UINT64_MAX;

    if (at_end && w->limit != UINT64_MAX) {
        limit = w->limit;
    }
    return limit == UINT64_MAX ? w->held_commit : w->held.entry.seq < limit;
}

/* Takes out what was read before, now that it is known what follows.  Returns false if nothing of
 * it counts. */
static bool settle(struct flash_walk *w, bool at_end, struct flash_step *out)
{
    const bool counts = w->holding && held_counts(w, at_end);

    w->holding = false;
    if (counts) {
        *out = w->held;
        w->next_seq = w->held.entry.seq + 1;
        return true;
    }
    const bool checked = w->checked && !(at_end && w->limit != UINT64_MAX);
    w->checked = false;
    *out = w->check;
    return checked;
}

static bool same_checkpoint(const struct flash_entry *a, const struct flash_entry *b)
{
    return a->seq == b->seq && a->oldest == b->oldest;
}

static void take_checkpoint(struct flash_walk *w, const struct flash_step *s)
{
    w->twice = w->checked && same_checkpoint(&w->check.entry, &s->entry);
    w->checked = true;
    w->check = *s;
    w->place.offset += s->len;
}

/* The store never writes a number again once its record counts. The held record may count. */
static bool repeats(const struct flash_walk *w, const struct flash_entry *e)
{
    return e->seq < w->next_seq ||
           (w->holding && held_counts(w, false) && e->seq <= w->held.entry.seq);
}

/* Takes the record at the position into the walk, which holds it.  Without a commit mark, the walk
 * does not trust its length. */
static plat_result hold(struct flash_walk *w, const struct flash_step *s)
{
    plat_result r = read_commit(w, s, &w->held_commit);

    w->held = *s;
    w->holding = r == PLAT_OK;
    w->place.offset += w->held_commit ? s->len : w->medium->granule;
    return r;
}

plat_result flash_walk_next(struct flash_walk *w, struct flash_step *out)
{
    struct flash_step s;

    while (w->place.offset < w->end) {
        plat_result r = parse(w, &s);
        if (r != PLAT_OK) {
            return r;
        }
        if (s.entry.kind == FLASH_NOTHING) {
            w->place.offset += s.len;
            continue;
        }
        if (s.entry.kind == FLASH_RECORD && repeats(w, &s.entry)) {
            w->place.offset += w->medium->granule;
            continue;
        }
        const bool checkpoint = s.entry.kind == FLASH_CHECKPOINT;
        if (!checkpoint && settle(w, false, out)) {
            return PLAT_OK; /* the next call reads this entry again */
        }
        w->entries_end = s.offset + s.len > w->entries_end ? s.offset + s.len : w->entries_end;
        if (checkpoint) {
            take_checkpoint(w, &s);
            continue;
        }
        if (s.entry.kind == FLASH_REMOVAL) {
            w->place.offset += s.len;
            *out = s;
            return PLAT_OK;
        }
        r = hold(w, &s);
        if (r != PLAT_OK) {
            return r;
        }
    }
    return settle(w, true, out) ? PLAT_OK : PLAT_EOF;
}
