#include "flash_store/flash_log.h"

#include "flash_store/flash_crc.h"

enum {
    /* The share of a sector that is kept for openings of a full store: each opening after a power
     * failure writes an entry and leaves some bytes alone. */
    RESERVE_SHARE = 4
};

/* --- room -------------------------------------------------------------------------------- */

static uint32_t checkpoint_len(const struct flash_medium *m)
{
    return flash_medium_round(m, FLASH_CHECKPOINT_SIZE);
}

static uint32_t removal_len(const struct flash_medium *m)
{
    return flash_medium_round(m, FLASH_REMOVAL_SIZE);
}

/* Where the entries of a new sector begin, behind its header and its first checkpoint. */
static uint32_t start_of(const struct flash_medium *m)
{
    return flash_medium_round(m, FLASH_HEADER_SIZE) + checkpoint_len(m);
}

/* Where the entries of a sector end.  Behind it there is room for the last checkpoint. */
static uint32_t end_of(const struct flash_medium *m)
{
    return m->flash->sector_size - checkpoint_len(m);
}

static uint32_t room_from(const struct flash_medium *m, uint32_t offset)
{
    return offset < end_of(m) ? end_of(m) - offset : 0;
}

static uint32_t removals_of_sector(const struct flash_medium *m)
{
    return room_from(m, start_of(m)) / removal_len(m);
}

static uint32_t removals_kept(const struct flash_medium *m)
{
    return removals_of_sector(m) / RESERVE_SHARE;
}

/* One sector is always kept out of use, so that the next one can be begun without a note in the
 * last one, which may be full. */
static uint32_t free_sectors(const struct flash_log *l)
{
    const uint32_t most = l->medium->flash->sectors - 1;
    const uint32_t used = l->last - l->oldest + 1;

    return used < most ? most - used : 0;
}

/* Reports whether an entry of this length fits, and afterwards the removals of all records. */
static bool has_room(const struct flash_log *l, uint32_t len)
{
    const struct flash_medium *m = l->medium;
    uint32_t room = room_from(m, l->tail);
    uint32_t sectors = free_sectors(l);

    if (room < len || l->unsettled) {
        if (sectors == 0) {
            return false;
        }
        /* If there are no records, the new sector will be the only one in use. */
        sectors = l->count == 0 ? m->flash->sectors - 2 : sectors - 1;
        room = room_from(m, start_of(m));
    }
    const uint64_t removals =
        (room - len) / removal_len(m) + (uint64_t)sectors * removals_of_sector(m);
    return removals >= l->count + 1 + removals_kept(m);
}

size_t flash_log_payload_max(const struct flash_medium *m)
{
    /* A record may fill its sector, because another one is free for the removals then.  The payload
     * is padded to whole granules. */
    return room_from(m, start_of(m)) - flash_walk_record_len(m, 0) - (m->granule - 1);
}

/* --- what is removed ---------------------------------------------------------------------- */

static uint32_t sector_of(const struct flash_log *l, uint64_t seq)
{
    return flash_index_find(l->index, l->oldest, l->last, seq);
}

bool flash_log_has(const struct flash_log *l, uint64_t seq)
{
    return seq >= l->first_seq && seq < l->next_seq &&
           !flash_index_removed(l->index, sector_of(l, seq), seq);
}

/* Passes over removed records, and sectors that have none but these. */
static void advance(struct flash_log *l)
{
    while (l->first_seq < l->next_seq && !flash_log_has(l, l->first_seq)) {
        l->first_seq++;
    }
    while (l->oldest < l->last && flash_index_first(l->index, l->oldest + 1) <= l->first_seq) {
        l->oldest++;
    }
}

/* --- entries ----------------------------------------------------------------------------- */

static uint32_t address(const struct flash_log *l, uint32_t serial, uint32_t offset)
{
    const plat_flash *f = l->medium->flash;

    return serial % f->sectors * f->sector_size + offset;
}

/* Programs an entry at an offset of a sector.  A record is followed by its payload. */
static plat_result program_entry(struct flash_log *l, uint32_t serial, uint32_t offset,
                                 const struct flash_entry *e)
{
    const struct flash_place place = { l->id, serial, offset };
    const plat_store_record *p = &e->record;
    uint8_t bytes[FLASH_ENTRY_MAX];
    uint8_t commit[FLASH_COMMIT_SIZE];
    struct flash_writer w;

    flash_writer_begin(&w, l->medium, address(l, serial, offset));
    plat_result r = flash_writer_put(&w, bytes, flash_entry_encode(e, &place, bytes));
    if (e->kind != FLASH_RECORD) {
        return r == PLAT_OK ? flash_writer_flush(&w) : r;
    }
    if (r == PLAT_OK) {
        r = flash_writer_put(&w, p->head, p->head_len);
    }
    if (r == PLAT_OK) {
        r = flash_writer_put(&w, p->body, p->body_len);
    }
    if (r == PLAT_OK) {
        r = flash_writer_flush(&w);
    }
    if (r == PLAT_OK) {
        flash_commit_encode(flash_entry_crc(bytes), commit);
        r = flash_writer_put(&w, commit, sizeof commit);
    }
    return r == PLAT_OK ? flash_writer_flush(&w) : r;
}

static struct flash_entry checkpoint_of(const struct flash_log *l)
{
    return (
        struct flash_entry){ .kind = FLASH_CHECKPOINT, .seq = l->next_seq, .oldest = l->oldest };
}

static plat_result full(struct flash_log *l)
{
    return flash_medium_fail(l->medium, PLAT_ERR_FULL, "flash store: the flash is full");
}

/* Writes an entry behind the last one, where the caller has found room.  If that fails, the rest of
 * the sector is not used, except for a last checkpoint. */
static plat_result put(struct flash_log *l, const struct flash_entry *e, uint32_t len)
{
    plat_result r = program_entry(l, l->last, l->tail, e);

    if (r == PLAT_OK) {
        l->tail += len;
        return PLAT_OK;
    }
    l->tail = l->tail < end_of(l->medium) ? end_of(l->medium) : l->medium->flash->sector_size;
    l->unsettled = true;
    return r;
}

/* Uses the room that every sector keeps for it.  Only failures use up that room. */
static plat_result put_checkpoint(struct flash_log *l)
{
    const struct flash_entry e = checkpoint_of(l);
    const uint32_t len = checkpoint_len(l->medium);

    if (l->tail + len > l->medium->flash->sector_size) {
        return full(l);
    }
    plat_result r = put(l, &e, len);
    if (r == PLAT_OK) {
        l->saved_oldest = l->oldest;
        l->unsettled = false;
    }
    return r;
}

/* Erases and begins a sector, which is not in use. */
static plat_result begin_sector(struct flash_log *l, uint32_t serial)
{
    const plat_flash *f = l->medium->flash;
    const struct flash_entry e = checkpoint_of(l);
    const struct flash_header h = { f->sector_size, f->sectors, f->unit,     serial,
                                    l->id,          l->owner,   l->next_seq, l->oldest };
    uint8_t bytes[FLASH_HEADER_SIZE];
    struct flash_writer w;

    plat_result r = flash_medium_erase(l->medium, serial % f->sectors);
    if (r != PLAT_OK) {
        return r;
    }
    flash_header_encode(&h, bytes);
    flash_writer_begin(&w, l->medium, address(l, serial, 0));
    r = flash_writer_put(&w, bytes, sizeof bytes);
    if (r == PLAT_OK) {
        r = flash_writer_flush(&w);
    }
    if (r == PLAT_OK) {
        r = program_entry(l, serial, flash_medium_round(l->medium, FLASH_HEADER_SIZE), &e);
    }
    if (r != PLAT_OK) {
        return r;
    }
    flash_index_begin(l->index, serial, l->next_seq);
    l->last = serial;
    l->saved_oldest = l->oldest;
    l->tail = start_of(l->medium);
    l->unsettled = false;
    return PLAT_OK;
}

static plat_result begin_next_sector(struct flash_log *l)
{
    const uint32_t next = l->last + 1;

    if (free_sectors(l) == 0) {
        return full(l);
    }
    const uint32_t oldest = l->oldest;
    l->oldest = l->count == 0 ? next : oldest; /* nothing in the sectors before is needed */
    plat_result r = begin_sector(l, next);
    l->oldest = r == PLAT_OK ? l->oldest : oldest;
    return r;
}

/* Makes sure that an entry can be written at the tail. */
static plat_result make_room(struct flash_log *l, uint32_t len)
{
    if (l->unsettled && room_from(l->medium, l->tail) >= len + checkpoint_len(l->medium)) {
        return put_checkpoint(l);
    }
    if (l->unsettled || room_from(l->medium, l->tail) < len) {
        return begin_next_sector(l); /* its header settles as well */
    }
    return PLAT_OK;
}

plat_result flash_log_append(struct flash_log *l, plat_store_record *p)
{
    struct flash_medium *m = l->medium;
    const size_t max = flash_log_payload_max(m);

    if (p->head_len > max || p->body_len > max - p->head_len) {
        return flash_medium_fail(m, PLAT_ERR_ARG, "flash store: the record is too large");
    }
    const uint32_t len = flash_walk_record_len(m, p->head_len + p->body_len);
    /* What becomes free must be free after a loss of power, too. */
    plat_result r = flash_log_put_oldest(l);
    if (r != PLAT_OK) {
        return r;
    }
    if (!has_room(l, len)) {
        return full(l);
    }
    const uint32_t head_crc = flash_crc(0, p->head, p->head_len);
    const struct flash_entry e = { .kind = FLASH_RECORD,
                                   .seq = l->next_seq,
                                   .record = *p,
                                   .payload_crc = flash_crc(head_crc, p->body, p->body_len) };
    r = make_room(l, len);
    if (r == PLAT_OK) {
        r = put(l, &e, len);
    }
    if (r != PLAT_OK) {
        return r;
    }
    p->seq = l->next_seq++;
    l->count++;
    l->bytes += p->head_len + p->body_len;
    return PLAT_OK;
}

/* --- removals ---------------------------------------------------------------------------- */

void flash_log_forget(struct flash_log *l, uint64_t seq, size_t len)
{
    (void)flash_index_remove(l->index, sector_of(l, seq), seq);
    l->count--;
    l->bytes -= len;
    advance(l);
}

plat_result flash_log_put_removal(struct flash_log *l, uint64_t seq, uint32_t count)
{
    const struct flash_entry e = { .kind = FLASH_REMOVAL, .seq = seq, .count = count };
    const uint32_t len = removal_len(l->medium);
    plat_result r;

    if (seq + count <= flash_index_first(l->index, l->oldest)) {
        return PLAT_OK; /* all of them are in sectors that are given up */
    }
    r = make_room(l, len);
    return r == PLAT_OK ? put(l, &e, len) : r;
}

plat_result flash_log_put_oldest(struct flash_log *l)
{
    const uint32_t end = l->medium->flash->sector_size;

    if (l->oldest == l->saved_oldest) {
        return PLAT_OK;
    }
    return l->tail + checkpoint_len(l->medium) <= end ? put_checkpoint(l) : begin_next_sector(l);
}

/* --- opening ----------------------------------------------------------------------------- */

plat_result flash_log_create(struct flash_log *l, struct flash_medium *m, struct flash_index *x,
                             uint64_t owner, uint64_t id)
{
    *l = (struct flash_log){
        .medium = m, .index = x, .id = id, .owner = owner, .next_seq = 1, .first_seq = 1
    };
    return begin_sector(l, 0);
}

static plat_result settle(struct flash_log *l)
{
    if (room_from(l->medium, l->tail) < checkpoint_len(l->medium)) {
        return begin_next_sector(l);
    }
    return put_checkpoint(l);
}

void flash_log_resume(struct flash_log *l, struct flash_medium *m, struct flash_index *x,
                      uint64_t owner, const struct flash_found *f)
{
    *l = (struct flash_log){
        .medium = m,
        .index = x,
        .id = f->id,
        .owner = owner,
        .oldest = f->oldest,
        .last = f->last,
        .saved_oldest = f->oldest,
        .tail = f->tail,
        .next_seq = f->next_seq,
        .first_seq = flash_index_first(x, f->oldest),
        .count = f->count,
        .bytes = f->bytes,
    };
    advance(l);
    /* Without a doubt, a checkpoint is needed nevertheless before anything else is written: an
     * entry may have been begun that reads as erased now. */
    l->unsettled = true;
    if (f->doubt) {
        /* If this fails, the records of a flash that is full or worn out can still be read. */
        (void)settle(l);
        flash_medium_forgive(m);
    }
}
