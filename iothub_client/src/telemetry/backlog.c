#include "telemetry/backlog.h"

#include <assert.h>

#include "context/callbacks.h"
#include "context/result_map.h"
#include "telemetry/record.h"

/*
 * With a store, all telemetry passes through it, and only this file reads it:
 *
 *     store     | removed | taken: in the table; in the lane, or ended and not removed | waiting |
 *                                                                                       next
 */

enum { GIVE_UP_MAX = 64 }; /* most records that are given up in one turn */

/* --- ends ------------------------------------------------------------------------ */

static plat_store *store_of(const backlog *b)
{
    return b->context->options.store;
}

/* Reports the end of a message. Messages of an earlier run of the program have op 0, and are not
 * reported. */
static void report(backlog *b, iothub_op op, void *tag, iothub_result result)
{
    const iothub_done d = {
        .op = op,
        .kind = IOTHUB_OP_TELEMETRY,
        .result = result,
        .tag = tag,
    };

    if (op != 0) {
        callback_done(b->context, &d);
    }
}

static void count_end(backlog *b, iothub_result result)
{
    telemetry_ends_count(&b->ends, result);
    b->open--;
}

void backlog_on_done(backlog *b, const mqc_done *m, iothub_result result)
{
    in_lane *slot = m->tag;
    const in_lane was = *slot;

    assert(backlog_valid(b));
    b->in_lane--;
    /* Ended by a stop; the next start continues with this message. */
    if (m->outcome == MQC_OUTCOME_DISCARDED) {
        b->next = was.seq < b->next ? was.seq : b->next;
        b->front_due = 0;
        in_lane_free(&b->table, slot);
        return;
    }
    if (was.seq == 0 ||
        (!store_health_rests(&b->health) && store_health_remove(&b->health, was.seq))) {
        in_lane_free(&b->table, slot);
    } else {
        in_lane_end(&b->table, slot);
    }
    count_end(b, result);
    assert(backlog_valid(b));
    report(b, m->id, was.tag, result);
}

static bool remove_ended(backlog *b)
{
    uint64_t seq;

    while (in_lane_next_ended(&b->table, &seq)) {
        if (!store_health_remove(&b->health, seq)) {
            return false;
        }
        in_lane_free_ended(&b->table);
    }
    return true;
}

static void report_dropped(backlog *b)
{
    in_lane was;

    while (in_lane_next_dropped(&b->table, &was)) {
        report(b, was.op, was.tag, IOTHUB_ERR_DROPPED);
    }
}

/* --- reading --------------------------------------------------------------------- */

/* Returns whether a record is to be purged. Messages that were in flight at the purge may wait
 * again since a stop; they stay. */
static bool is_purged(const backlog *b, uint64_t seq)
{
    return seq >= b->purge_begin && seq < b->purge_end;
}

static void go_on_at(backlog *b, uint64_t seq)
{
    b->next = seq;
    b->front_due = 0;
    if (seq >= b->purge_end) {
        b->purge_begin = 0;
        b->purge_end = 0;
        b->purging = 0;
    }
}

/* Finds the first waiting record. Returns false if there is none, or the store has failed. */
static bool peek(backlog *b, plat_store_record *r)
{
    plat_store *s = store_of(b);
    const uint64_t end = store_health_info(&b->health).next_seq;

    while (b->next < end) {
        plat_result result = s->ops->read(s, b->next, r);
        if (!store_health_check(&b->health, result)) {
            return false;
        }
        if (result == PLAT_EOF) {
            go_on_at(b, end);
        } else if (in_lane_is_ended(&b->table, r->seq)) {
            go_on_at(b, r->seq + 1);
        } else {
            return true;
        }
    }
    return false;
}

static bool is_own(const backlog *b, const plat_store_record *r)
{
    return r->seq >= b->first_own;
}

static iothub_op op_of(const backlog *b, const plat_store_record *r)
{
    return is_own(b, r) ? r->id : 0;
}

/* Returns when the record expires, or 0 if it never does. */
static mqc_time expiry(const backlog *b, const plat_store_record *r, mqc_time now)
{
    return record_expiry(r, is_own(b, r), context_clock(b->context), now);
}

static void pass(backlog *b, uint64_t seq)
{
    if (is_purged(b, seq) && b->purging > 0) {
        b->purging--;
    }
    go_on_at(b, seq + 1);
}

/* Ends and removes a record. If it cannot be removed, later ones are neither dropped nor sent. */
static bool give_up(backlog *b, const plat_store_record *r, iothub_result result)
{
    const iothub_op op = op_of(b, r);
    void *tag = record_tag(r);
    const uint64_t seq = r->seq;

    if (!store_health_remove(&b->health, seq)) {
        return false;
    }
    pass(b, seq);
    count_end(b, result);
    report(b, op, tag, result);
    return true;
}

static iothub_result verdict(const backlog *b, const plat_store_record *r, mqc_time expires,
                             mqc_time now)
{
    if (is_purged(b, r->seq)) {
        return IOTHUB_ERR_DROPPED;
    }
    return expires != 0 && expires <= now ? IOTHUB_ERR_EXPIRED : IOTHUB_OK;
}

/* Removes purged and expired records at the front, at most a limited number per call. */
static void clear_front(backlog *b, mqc_time now)
{
    plat_store_record r;

    for (int n = 0; n < GIVE_UP_MAX; n++) {
        if (!peek(b, &r)) {
            b->front_due = store_health_rests(&b->health) ? 0 : IOTHUB_NEVER;
            return;
        }
        mqc_time expires = expiry(b, &r, now);
        iothub_result result = verdict(b, &r, expires, now);
        if (result == IOTHUB_OK) {
            go_on_at(b, r.seq); /* ends a purge whose last records were removed before */
            b->front_due = deadline_of(expires);
            return;
        }
        if (!give_up(b, &r, result)) {
            return;
        }
    }
}

/* --- sending --------------------------------------------------------------------- */

static bool may_feed(const backlog *b, bool stopping)
{
    return mqc_get_state(b->context->engine) == MQC_CONNECTED && !store_health_rests(&b->health) &&
           !stopping && !b->context->closing;
}

/* Handles a message that the engine refused. One that does not fit now is sent later. One that
 * can never be sent must not be skipped; it is logged. */
static bool refused(backlog *b, in_lane *t, mqc_result r)
{
    in_lane_free(&b->table, t);
    if (r == MQC_ERR_TOO_BIG || r == MQC_ERR_ARG) {
        store_health_fail(&b->health, PLAT_ERR_ARG,
                          r == MQC_ERR_TOO_BIG
                              ? "the next message is larger than tx_size; it was stored with "
                                "a larger one"
                              : "the next record is not a message of this client");
    }
    return false;
}

/* A client that is assigned to its hub may have stored messages before it knew its device id. */
static mqc_result put_in_lane(const backlog *b, mqc_outgoing *m)
{
    if (b->context->home != NULL && !record_readdress(b->context, m)) {
        return MQC_ERR_TOO_BIG;
    }
    return mqc_publish(b->context->engine, m, NULL);
}

static bool feed_one(backlog *b, const plat_store_record *r, mqc_time expires)
{
    const in_lane record = { .seq = r->seq, .tag = record_tag(r) };
    in_lane *slot = in_lane_take(&b->table, &record);

    if (slot == NULL) {
        return false;
    }
    mqc_outgoing m = record_message(r);
    m.lane = IOTHUB_LANE_TELEMETRY;
    m.kind = IOTHUB_OP_TELEMETRY;
    m.id = op_of(b, r);
    m.tag = slot;
    m.expires = expires;
    mqc_result result = put_in_lane(b, &m);
    if (result != MQC_OK) {
        return refused(b, slot, result);
    }
    b->in_lane++;
    store_health_recover(&b->health);
    pass(b, r->seq);
    return true;
}

/* Sends the record or gives it up. Returns false if neither is possible now. */
static bool settle(backlog *b, const plat_store_record *r, int *given_up, mqc_time now)
{
    mqc_time expires = expiry(b, r, now);
    iothub_result result = verdict(b, r, expires, now);

    if (result == IOTHUB_OK) {
        return feed_one(b, r, expires);
    }
    (*given_up)++;
    return give_up(b, r, result);
}

void backlog_feed(backlog *b, bool stopping, mqc_time now)
{
    plat_store_record r;
    int given_up = 0;

    assert(backlog_valid(b));
    if (!may_feed(b, stopping)) {
        return;
    }
    while (b->in_lane < b->lane_max && peek(b, &r) && settle(b, &r, &given_up, now)) {
        if (given_up == GIVE_UP_MAX) {
            context_poke(b->context);
            return;
        }
    }
    assert(backlog_valid(b));
}

/* --- in -------------------------------------------------------------------------- */

iothub_result backlog_refuse(backlog *b, plat_result r)
{
    if (r != PLAT_ERR_FULL) {
        store_health_count_refusal(&b->health);
    }
    return iothub_fail(context_error(b->context), iothub_from_plat(r), "telemetry: %s",
                       store_health_why(&b->health, r));
}

void backlog_message_id(const backlog *b, iothub_text *t)
{
    static const char digits[] = "0123456789abcdef";
    const plat_store_info info = store_health_info(&b->health);

    for (int shift = 60; shift >= 0; shift -= 4) {
        iothub_text_put_char(t, digits[info.id >> shift & 15]);
    }
    iothub_text_put_char(t, '-');
    iothub_text_put_u64(t, info.next_seq);
}

plat_result backlog_append(backlog *b, const mqc_outgoing *m, uint32_t ttl_ms)
{
    const plat_clock *clock = context_clock(b->context);
    plat_store *s = store_of(b);
    const mqc_time now = context_now(b->context);
    assert(backlog_valid(b));
    plat_store_record r = record_of(m, ttl_ms, context_events(b->context) - RECORD_STAMP_SIZE,
                                    clock->wall_s(clock), now);

    plat_result result = s->ops->append(s, &r, now);
    if (result == PLAT_OK) {
        b->stored++;
        b->open++;
        if (b->open - b->in_lane == 1) { /* it is the first waiting record */
            b->front_due = 0;
        }
    }
    return result;
}

uint64_t backlog_bytes(const backlog *b)
{
    return store_health_info(&b->health).bytes;
}

bool backlog_wants_turn(const backlog *b, bool stopping)
{
    return may_feed(b, stopping) ? b->in_lane < b->lane_max : b->front_due == 0;
}

/* Removes the record of a message whose end the engine will report. */
static void remove_from_store(backlog *b, in_lane *slot)
{
    if (store_health_remove(&b->health, slot->seq)) {
        in_lane_mark_removed(slot);
    }
}

/* Drops the oldest waiting record. Its done callback runs in the next turn. */
static bool drop_waiting(backlog *b, const plat_store_record *r)
{
    const in_lane record = { .seq = r->seq, .op = op_of(b, r), .tag = record_tag(r) };
    in_lane *slot = in_lane_take(&b->table, &record);

    if (slot == NULL) {
        return false;
    }
    if (!store_health_remove(&b->health, slot->seq)) {
        in_lane_free(&b->table, slot);
        return false;
    }
    pass(b, slot->seq);
    count_end(b, IOTHUB_ERR_DROPPED);
    in_lane_drop(&b->table, slot);
    assert(backlog_valid(b));
    return true;
}

bool backlog_drop_oldest(backlog *b, bool *from_lane)
{
    plat_store_record r;
    void *tag;

    assert(backlog_valid(b));
    *from_lane = false;
    if (store_health_rests(&b->health)) {
        return false;
    }
    if (mqc_drop(b->context->engine, IOTHUB_LANE_TELEMETRY, &tag) == MQC_OK) {
        remove_from_store(b, tag);
        *from_lane = true;
        return true;
    }
    return peek(b, &r) && drop_waiting(b, &r);
}

bool backlog_sync(backlog *b)
{
    plat_store *s = store_of(b);
    return !store_health_rests(&b->health) && store_health_check(&b->health, s->ops->sync(s));
}

uint64_t backlog_purge(backlog *b)
{
    uint64_t waiting = b->open - b->in_lane;
    uint64_t count = waiting - b->purging;

    assert(backlog_valid(b));
    b->purge_begin = b->next;
    b->purge_end = store_health_info(&b->health).next_seq;
    b->purging = waiting;
    return count;
}

/* --- life ------------------------------------------------------------------------ */

void backlog_init(backlog *b, iothub_context *context)
{
    *b = (backlog){ .context = context };
    store_health_init(&b->health, context);
}

void backlog_open(backlog *b, void *memory, size_t len, size_t lane_max)
{
    const plat_store_info info = store_health_info(&b->health);

    in_lane_init(&b->table, memory, len);
    b->lane_max = (uint32_t)lane_max;
    b->first_own = info.next_seq;
    b->open = info.count;
    b->found = info.count;
    context_poke(b->context);
}

/* Does the work of the store that is due. Returns false if the store has failed. */
static bool run_store(backlog *b, mqc_time now)
{
    plat_store *s = store_of(b);

    return now < deadline_of(s->ops->next_deadline(s)) ||
           store_health_check(&b->health, s->ops->on_time(s, now));
}

/* Returns when the front must be checked: for the rest of a purge, and, while nothing is sent,
 * for the time at which its first record expires. */
static mqc_time front_deadline(const backlog *b, bool stopping)
{
    if (is_purged(b, b->next)) {
        return 0;
    }
    return may_feed(b, stopping) ? IOTHUB_NEVER : b->front_due;
}

void backlog_on_time(backlog *b, bool stopping, mqc_time now)
{
    assert(backlog_valid(b));
    store_health_log(&b->health);
    report_dropped(b);
    if (!store_health_resume(&b->health, now) || !remove_ended(b) || !run_store(b, now)) {
        return;
    }
    if (now >= front_deadline(b, stopping)) {
        clear_front(b, now);
    }
    assert(backlog_valid(b));
}

mqc_time backlog_deadline(const backlog *b, bool stopping)
{
    plat_store *s = store_of(b);

    if (store_health_rests(&b->health)) {
        return b->health.retry_at;
    }
    return deadline_earlier(deadline_of(s->ops->next_deadline(s)), front_deadline(b, stopping));
}

static void report_kept(backlog *b)
{
    plat_store_record r;

    while (peek(b, &r)) {
        const iothub_op op = op_of(b, &r);
        pass(b, r.seq);
        count_end(b, IOTHUB_KEPT);
        report(b, op, record_tag(&r), IOTHUB_KEPT);
    }
}

void backlog_close(backlog *b)
{
    plat_store *s = store_of(b);

    if (s == NULL) {
        return;
    }
    report_dropped(b);
    (void)remove_ended(b);
    b->next = b->next > b->first_own ? b->next : b->first_own;
    bool heard = b->context->options.callbacks.done != NULL;
    /* Several attempts, because a single failure may not be repeated. */
    for (int tries = 0; heard && tries < 3; tries++) {
        report_kept(b);
        store_health_log(&b->health);
    }
    (void)store_health_check(&b->health, s->ops->sync(s));
    store_health_log(&b->health);
}

#ifndef NDEBUG
/* Returns whether each record that was found or stored is waiting, is in the lane, or has ended. */
static bool counters_agree(const backlog *b)
{
    const telemetry_ends *e = &b->ends;
    const uint64_t ended = e->acknowledged + e->expired + e->dropped + e->cancelled + e->kept;

    return b->found + b->stored == b->open + ended;
}

bool backlog_valid(const backlog *b)
{
    /* The table is empty, apart from the ends of messages that were in no store. */
    if (store_of(b) == NULL) {
        return b->found == 0 && b->stored == 0 && b->open == 0 && b->in_lane == 0;
    }
    if (!counters_agree(b)) {
        return false;
    }
    /* Each message in the lane has a slot, and its end was not counted yet. */
    if (b->in_lane > b->lane_max || b->in_lane > b->table.fresh || b->in_lane > b->open) {
        return false;
    }
    /* No more records are to be dropped than are waiting. */
    if (b->purging > b->open - b->in_lane) {
        return false;
    }
    if (b->purge_begin > b->purge_end || (b->purge_end == 0 && b->purging != 0)) {
        return false;
    }
    return in_lane_valid(&b->table) && store_health_valid(&b->health);
}
#endif
