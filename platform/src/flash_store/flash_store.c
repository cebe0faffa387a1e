#include "platform/flash_store.h"

#include "flash_store/flash_find.h"

enum {
    REMOVAL_DELAY_MS = 1000, /* if the options have 0 */
    REMOVALS_MAX = 65535     /* that one entry can name */
};

struct flash_store {
    plat_store base;
    struct flash_medium medium;
    struct flash_index index;
    struct flash_log log;
    struct flash_cursor reader;
    struct flash_cursor remover;
    uint8_t *buffer;
    size_t buffer_size;

    /* A range of records that are removed in memory and not in the flash yet.  A record in it may
     * have been removed earlier. */
    uint64_t removed_from;
    uint32_t removed_count;
    bool inherited; /* the range is one that the flash has, but a loss of power may undo it */
    bool unwritten; /* other removals could not be written, because the flash was full */
    uint32_t removal_delay_ms;
    uint64_t deadline; /* time at which on_time writes the range; 0: never */
};

/* NOLINTNEXTLINE(bugprone-sizeof-expression) */
typedef char flash_store_fits[sizeof(struct flash_store) <= sizeof(plat_flash_store) ? 1 : -1];

static struct flash_store *of(plat_store *base)
{
    return (struct flash_store *)(void *)base;
}

static const struct flash_store *of_const(const plat_store *base)
{
    return (const struct flash_store *)(const void *)base;
}

/* Each call except info and detail begins with this function. */
static plat_result enter(struct flash_store *s)
{
    flash_medium_forgive(&s->medium);
    return s->medium.latched;
}

/* --- removals ---------------------------------------------------------------------------- */

/* Writes all removals once more, after some could not be written. */
static plat_result write_all_removals(struct flash_store *s)
{
    struct flash_log *l = &s->log;
    uint64_t seq = flash_index_first(l->index, l->oldest);

    while (seq < l->next_seq) {
        uint32_t count = 0;
        while (count < REMOVALS_MAX && seq + count < l->next_seq &&
               !flash_log_has(l, seq + count)) {
            count++;
        }
        plat_result r = count > 0 ? flash_log_put_removal(l, seq, count) : PLAT_OK;
        if (r != PLAT_OK) {
            return r;
        }
        seq += count + 1;
    }
    s->unwritten = false;
    return PLAT_OK;
}

static plat_result write_removals(struct flash_store *s)
{
    plat_result r = flash_log_put_oldest(&s->log);

    if (r == PLAT_OK && s->unwritten) {
        r = write_all_removals(s);
    } else if (r == PLAT_OK && s->removed_count > 0) {
        r = flash_log_put_removal(&s->log, s->removed_from, s->removed_count);
    }
    if (r != PLAT_OK) {
        return r;
    }
    s->inherited = false;
    s->removed_count = 0;
    s->deadline = 0;
    return PLAT_OK;
}

/* Extends the range over records behind it that were removed before. */
static void extend_range(struct flash_store *s)
{
    uint64_t next = s->removed_from + s->removed_count;

    while (s->removed_count < REMOVALS_MAX && next < s->log.next_seq &&
           !flash_log_has(&s->log, next)) {
        s->removed_count++;
        next++;
    }
}

static plat_result note_removal(struct flash_store *s, uint64_t seq, uint64_t now_ms)
{
    if (s->removed_count > 0 &&
        (seq != s->removed_from + s->removed_count || s->removed_count == REMOVALS_MAX)) {
        plat_result r = write_removals(s);
        if (r != PLAT_OK && r != PLAT_ERR_FULL) {
            return r;
        }
        s->unwritten = s->unwritten || r == PLAT_ERR_FULL;
        s->removed_count = 0;
        flash_medium_forgive(&s->medium);
    }
    if (s->removed_count == 0) {
        s->removed_from = seq;
        s->deadline = now_ms + s->removal_delay_ms;
    }
    return PLAT_OK;
}

static plat_result remove_record(plat_store *base, uint64_t seq, uint64_t now_ms)
{
    struct flash_store *s = of(base);
    struct flash_step step;
    plat_result r = enter(s);

    if (r != PLAT_OK || !flash_log_has(&s->log, seq)) {
        return r;
    }
    r = flash_find(&s->log, &s->remover, seq, &step);
    if (r == PLAT_OK) {
        r = note_removal(s, seq, now_ms);
    }
    if (r != PLAT_OK) {
        return r;
    }
    flash_log_forget(&s->log, seq, step.entry.record.head_len + step.entry.record.body_len);
    s->removed_count++;
    extend_range(s);
    return PLAT_OK;
}

/* --- the other functions ----------------------------------------------------------------- */

static plat_result append(plat_store *base, plat_store_record *r, uint64_t now_ms)
{
    struct flash_store *s = of(base);
    plat_result result = enter(s);

    (void)now_ms;
    if (result != PLAT_OK) {
        return result;
    }
    if (r->head_len > s->buffer_size || r->body_len > s->buffer_size - r->head_len) {
        return flash_medium_fail(&s->medium, PLAT_ERR_ARG,
                                 "flash store: the record is larger than buffer_size");
    }
    if (s->inherited) {
        (void)write_removals(s);
        flash_medium_forgive(&s->medium);
    }
    result = flash_log_append(&s->log, r);
    if (result == PLAT_ERR_FULL && (s->removed_count > 0 || s->unwritten) &&
        write_removals(s) == PLAT_OK) {
        flash_medium_forgive(&s->medium);
        result = flash_log_append(&s->log, r);
    }
    return result;
}

static plat_result read_record(plat_store *base, uint64_t seq, plat_store_record *out)
{
    struct flash_store *s = of(base);
    struct flash_step step;
    plat_result r = enter(s);

    if (r != PLAT_OK) {
        return r;
    }
    seq = seq < s->log.first_seq ? s->log.first_seq : seq;
    while (seq < s->log.next_seq && !flash_log_has(&s->log, seq)) {
        seq++;
    }
    if (seq >= s->log.next_seq) {
        return PLAT_EOF;
    }
    r = flash_find(&s->log, &s->reader, seq, &step);
    if (r == PLAT_OK) {
        r = flash_find_payload(&s->log, &s->reader, &step.entry, s->buffer);
    }
    if (r != PLAT_OK) {
        return r;
    }
    *out = step.entry.record;
    out->head = s->buffer;
    out->body = s->buffer + out->head_len;
    return PLAT_OK;
}

static plat_result sync_all(plat_store *base)
{
    struct flash_store *s = of(base);
    plat_result r = enter(s);

    return r == PLAT_OK ? write_removals(s) : r;
}

static uint64_t next_deadline(const plat_store *base)
{
    return of_const(base)->deadline;
}

static plat_result on_time(plat_store *base, uint64_t now_ms)
{
    struct flash_store *s = of(base);

    if (s->deadline == 0 || now_ms < s->deadline) {
        return s->medium.latched;
    }
    plat_result r = sync_all(base);
    if (r != PLAT_OK) { /* tries again later */
        s->deadline = s->medium.latched == PLAT_OK ? now_ms + s->removal_delay_ms : 0;
    }
    return r;
}

static void info(const plat_store *base, plat_store_info *out)
{
    const struct flash_store *s = of_const(base);
    const uint64_t sectors = s->log.last - s->log.oldest + 1;

    *out = (plat_store_info){
        .id = s->log.id,
        .next_seq = s->log.next_seq,
        .count = s->log.count,
        .bytes = s->log.bytes,
        .disk = sectors * s->medium.flash->sector_size,
    };
}

static const char *detail(const plat_store *base)
{
    return of_const(base)->medium.detail;
}

static plat_result close_store(plat_store *base)
{
    return base->user != NULL ? PLAT_ERR_STATE : sync_all(base);
}

static const plat_store_ops store_ops = {
    append, read_record, remove_record, sync_all, next_deadline, on_time, info, detail, close_store,
};

/* --- opening ----------------------------------------------------------------------------- */

static plat_result check_options(struct flash_store *s, const plat_flash_options *o)
{
    const plat_flash *f = o->flash;

    if (o->owner == NULL) {
        return flash_medium_fail(&s->medium, PLAT_ERR_ARG, "flash store: owner is not set");
    }
    if (o->index == NULL ||
        o->index_words / PLAT_FLASH_STORE_INDEX_WORDS(f->sector_size) < f->sectors) {
        return flash_medium_fail(&s->medium, PLAT_ERR_ARG, "flash store: index_words is too small");
    }
    if (o->buffer == NULL) {
        return flash_medium_fail(&s->medium, PLAT_ERR_ARG, "flash store: buffer is not set");
    }
    return PLAT_OK;
}

static plat_result open_log(struct flash_store *s, const plat_flash_options *o)
{
    const uint64_t owner = flash_owner_hash(o->owner);
    struct flash_found found;

    plat_result r = flash_mount(&s->medium, &s->index, owner, &found);
    if (r != PLAT_OK) {
        return r;
    }
    if (found.blank) {
        return flash_log_create(&s->log, &s->medium, &s->index, owner, o->new_id);
    }
    if (found.largest > o->buffer_size) {
        return flash_medium_fail(&s->medium, PLAT_ERR_ARG,
                                 "flash store: buffer_size is smaller than a record of the store");
    }
    flash_log_resume(&s->log, &s->medium, &s->index, owner, &found);
    s->inherited = found.removed_count > 0;
    s->removed_from = found.removed_from;
    s->removed_count = found.removed_count;
    s->deadline = s->inherited ? 1 : 0; /* as soon as possible */
    return PLAT_OK;
}

plat_result plat_flash_store_open(plat_flash_store *memory, const plat_flash_options *o,
                                  plat_store **out, const char **detail_text)
{
    struct flash_store *s = (struct flash_store *)(void *)memory;

    *out = NULL;
    *s = (struct flash_store){ .base = { .ops = &store_ops }, .buffer = o->buffer };
    s->buffer_size = o->buffer_size;
    s->removal_delay_ms = o->removal_delay_ms > 0 ? o->removal_delay_ms : REMOVAL_DELAY_MS;
    plat_result r = flash_medium_init(&s->medium, o->flash);
    if (r == PLAT_OK) {
        r = check_options(s, o);
    }
    if (r == PLAT_OK) {
        flash_index_init(&s->index, o->index, o->flash);
        r = open_log(s, o);
    }
    *detail_text = s->medium.detail;
    *out = r == PLAT_OK ? &s->base : NULL;
    return r;
}

plat_result plat_flash_store_erase(const plat_flash *flash)
{
    struct flash_medium m;
    plat_result r = flash_medium_init(&m, flash);

    for (uint32_t sector = 0; r == PLAT_OK && sector < flash->sectors; sector++) {
        r = flash_medium_erase(&m, sector);
    }
    return r;
}

size_t plat_flash_store_record_max(const plat_flash *flash)
{
    struct flash_medium m;

    return flash_medium_init(&m, flash) == PLAT_OK ? flash_log_payload_max(&m) : 0;
}
