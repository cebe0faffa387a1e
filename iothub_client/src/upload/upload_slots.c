#include "upload/upload_slots.h"

#include <stdlib.h>

#include "context/retry.h"
#include "upload/upload_poll.h"

enum {
    HTTP_CREATED = 201,
    READ_AGAIN_MS = 20 /* when to ask a reader again that had no bytes */
};

static uint64_t now_of(const iothub_upload_options *o)
{
    return o->platform->clock->monotonic_ms(o->platform->clock);
}

uint64_t upload_next_attempt(const iothub_upload_options *o, uint32_t *failures,
                             uint32_t retry_after_s)
{
    const plat_crypto *crypto = o->platform->crypto;
    uint32_t random = 0;

    *failures += *failures < UINT32_MAX ? 1 : 0;
    if (crypto->random(crypto, &random, sizeof random) != PLAT_OK) {
        random = UINT32_MAX; /* this makes the longest wait */
    }
    const uint32_t limit = retry_limit_ms(o->retry_min_ms, o->retry_max_ms, *failures);
    const uint64_t asked_ms = (uint64_t)retry_after_s * 1000;
    const uint64_t wait_ms = retry_delay_ms(limit, random, 0);
    return now_of(o) + (wait_ms > asked_ms ? wait_ms : asked_ms);
}

/* --- filling ---------------------------------------------------------------------------------- */

/* Leaves out the blocks that have arrived in an earlier attempt or run. */
static void skip_arrived(upload_source *source, const upload_blocks *have)
{
    while (source->partial == 0 && source->next < upload_source_blocks(source) &&
           source->next < IOTHUB_UPLOAD_BLOCKS_MAX && upload_blocks_have(have, source->next)) {
        upload_source_skip(source);
    }
}

static upload_slots_answer fail_source(const iothub_upload_options *o, iothub_error *why)
{
    const char *detail = o->reader->ops->detail(o->reader);

    (void)iothub_fail(why, IOTHUB_ERR_STORE, "upload: source: %s",
                      detail[0] != '\0' ? detail : "it has become shorter");
    return UPLOAD_SLOTS_BROKEN;
}

static upload_slots_answer fill(upload_slots *all, upload_slot *s, upload_source *source,
                                const upload_blocks *have, iothub_error *why)
{
    if (s->state == UPLOAD_SLOT_FREE) {
        skip_arrived(source, have);
    }
    switch (upload_source_fill(source, s->bytes, &s->number, &s->len)) {
    case UPLOAD_FILLED: s->state = UPLOAD_SLOT_READY; break;
    case UPLOAD_WAITS: s->state = UPLOAD_SLOT_FILLING; break;
    case UPLOAD_NO_MORE: s->state = UPLOAD_SLOT_FREE; break;
    case UPLOAD_BROKEN: return fail_source(all->o, why);
    }
    if (s->state == UPLOAD_SLOT_READY && s->number >= IOTHUB_UPLOAD_BLOCKS_MAX) {
        (void)iothub_fail(why, IOTHUB_ERR_TOO_BIG,
                          "upload: the source has more than 50000 blocks; use a larger "
                          "block_size");
        return UPLOAD_SLOTS_BROKEN;
    }
    return UPLOAD_SLOTS_WAIT;
}

static upload_slots_answer fill_all(upload_slots *all, upload_source *source,
                                    const upload_blocks *have, iothub_error *why)
{
    for (uint32_t i = 0; i < all->o->parallel; i++) {
        upload_slot *s = &all->slots[i];
        if (s->state > UPLOAD_SLOT_FILLING) {
            continue;
        }
        const upload_slots_answer answer = fill(all, s, source, have, why);
        if (answer != UPLOAD_SLOTS_WAIT || s->state != UPLOAD_SLOT_READY) {
            return answer; /* the further slots would wait for the same bytes */
        }
    }
    return UPLOAD_SLOTS_WAIT;
}

/* --- sending ---------------------------------------------------------------------------------- */

static upload_slots_answer repeat(const upload_slots *all, upload_slot *s, uint32_t retry_after_s)
{
    s->state = UPLOAD_SLOT_READY;
    s->due = upload_next_attempt(all->o, &s->failures, retry_after_s);
    return UPLOAD_SLOTS_REPEAT;
}

static upload_slots_answer on_answer(const upload_slots *all, upload_slot *s,
                                     const plat_http_answer *a, upload_slots_event *event,
                                     iothub_error *why)
{
    *event = (upload_slots_event){ .number = s->number, .len = s->len, .status = a->status };
    if (a->status == HTTP_CREATED) {
        s->state = UPLOAD_SLOT_FREE;
        s->failures = 0;
        s->due = 0;
        return all->mode == UPLOAD_MODE_SINGLE ? UPLOAD_SLOTS_WHOLE : UPLOAD_SLOTS_ARRIVED;
    }
    upload_tell_status(why, "the storage", a->status);
    if (upload_status_passes(a->status)) {
        return repeat(all, s, a->retry_after_s);
    }
    s->state = UPLOAD_SLOT_READY;
    return UPLOAD_SLOTS_REFUSED;
}

static upload_slots_answer run_slot(const upload_slots *all, upload_slot *s,
                                    const upload_target *target, upload_slots_event *event,
                                    iothub_error *why)
{
    const upload_piece piece = { .bytes = s->bytes,
                                 .len = s->len,
                                 .number = s->number,
                                 .is_single = all->mode == UPLOAD_MODE_SINGLE };
    plat_http_answer a;

    if (s->state == UPLOAD_SLOT_READY && now_of(all->o) >= s->due) {
        if (upload_start_piece(target, s->http, &piece, why) != PLAT_OK) {
            return repeat(all, s, 0);
        }
        s->state = UPLOAD_SLOT_BUSY;
    }
    if (s->state != UPLOAD_SLOT_BUSY) {
        return UPLOAD_SLOTS_WAIT;
    }
    plat_result r = s->http->ops->progress(s->http, &a);
    if (r == PLAT_WOULD_BLOCK) {
        return UPLOAD_SLOTS_WAIT;
    }
    if (r != PLAT_OK) {
        upload_tell_broken(why, r, s->http, "the storage");
        return repeat(all, s, 0);
    }
    return on_answer(all, s, &a, event, why);
}

static bool is_empty(const upload_slots *all)
{
    for (uint32_t i = 0; i < all->o->parallel; i++) {
        if (all->slots[i].state != UPLOAD_SLOT_FREE) {
            return false;
        }
    }
    return true;
}

/* A stream whose end has not been read yet is sent in blocks. */
static void decide(upload_slots *all, const upload_source *source, const upload_blocks *have)
{
    if (all->mode == UPLOAD_MODE_UNDECIDED && !is_empty(all) &&
        all->slots[0].state != UPLOAD_SLOT_FILLING) {
        all->mode = have->arrived == 0 && upload_source_blocks(source) == 1 ? UPLOAD_MODE_SINGLE
                                                                            : UPLOAD_MODE_BLOCKS;
    }
}

upload_slots_answer upload_slots_run(upload_slots *all, upload_source *source,
                                     const upload_blocks *have, const upload_target *target,
                                     upload_slots_event *event, iothub_error *why)
{
    upload_slots_answer answer = fill_all(all, source, have, why);
    decide(all, source, have);

    for (uint32_t i = 0; answer == UPLOAD_SLOTS_WAIT && i < all->o->parallel; i++) {
        answer = run_slot(all, &all->slots[i], target, event, why);
    }
    return answer == UPLOAD_SLOTS_WAIT && is_empty(all) ? UPLOAD_SLOTS_EMPTY : answer;
}

void upload_slots_stop(upload_slots *all)
{
    for (uint32_t i = 0; i < all->o->parallel; i++) {
        upload_slot *s = &all->slots[i];
        if (s->state == UPLOAD_SLOT_BUSY) {
            s->http->ops->cancel(s->http);
            s->state = UPLOAD_SLOT_READY;
        }
        s->failures = 0;
        s->due = 0;
    }
}

void upload_slots_clear(upload_slots *all)
{
    upload_slots_stop(all);
    for (uint32_t i = 0; i < all->o->parallel; i++) {
        all->slots[i].state = UPLOAD_SLOT_FREE;
    }
    all->mode = UPLOAD_MODE_UNDECIDED;
}

/* --- what to wait for ------------------------------------------------------------------------- */

void upload_slots_poll(const upload_slots *all, uint64_t now, iothub_upload_poll *out)
{
    for (uint32_t i = 0; i < all->o->parallel; i++) {
        const upload_slot *s = &all->slots[i];
        plat_poll *at = out->fds + (size_t)i * PLAT_HTTP_POLLS;
        switch (s->state) {
        case UPLOAD_SLOT_FREE: break;
        case UPLOAD_SLOT_FILLING: upload_wake_in(out, READ_AGAIN_MS); break;
        case UPLOAD_SLOT_READY: upload_wake_at(out, now, s->due); break;
        case UPLOAD_SLOT_BUSY: upload_http_poll(s->http, at, out); break;
        }
    }
}

/* --- life ------------------------------------------------------------------------------------- */

bool upload_slots_init(upload_slots *all, const iothub_upload_options *o,
                       plat_result (*make_http)(plat_http **out))
{
    *all = (upload_slots){ .o = o };
    for (uint32_t i = 0; i < o->parallel; i++) {
        upload_slot *s = &all->slots[i];
        s->bytes = malloc(o->block_size);
        if (s->bytes == NULL || make_http(&s->http) != PLAT_OK) {
            return false;
        }
    }
    return true;
}

void upload_slots_free(upload_slots *all)
{
    for (size_t i = 0; i < IOTHUB_UPLOAD_PARALLEL_MAX; i++) {
        upload_slot *s = &all->slots[i];
        if (s->http != NULL) {
            s->http->ops->free(s->http);
        }
        free(s->bytes);
    }
}
