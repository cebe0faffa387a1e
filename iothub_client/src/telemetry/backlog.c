#include "telemetry/backlog.h"

#include "context/callbacks.h"

#include "telemetry/in_lane_table.h"
#include "telemetry/store_health.h"

/*
 * With a store, all telemetry passes through it, and only this file reads it:
 *
 *     store     | removed | taken: in the table; in the lane, or ended and not removed | waiting |
 *                                                                                       next
 */

enum {
    GIVE_UP_MAX = 64, /* records in one go */
    STAMP = sizeof(mqc_time)
};

/* Flags of a record. */
enum { AT_MOST_ONCE = 1 };

/* --- ends ------------------------------------------------------------------------ */

/* Records of an earlier run cause no done callback. */
static void tell(iothub_client *c, iothub_op op, void *tag, iothub_result result)
{
    const iothub_done d = {
        .op = op,
        .kind = IOTHUB_OP_TELEMETRY,
        .result = result,
        .tag = tag,
    };

    if (op != 0) {
        callback_done(&c->context, &d);
    }
}

static void count_end(iothub_client *c, iothub_result result)
{
    telemetry_count_end(c, result);
    c->backlog.open--;
}

void backlog_on_done(iothub_client *c, const mqc_done *m, iothub_result result)
{
    iothub_backlog *b = &c->backlog;
    iothub_in_lane *t = m->tag;
    const iothub_in_lane was = *t;

    b->in_lane--;
    if (m->outcome == MQC_OUTCOME_DISCARDED) { /* at a stop: the next start continues from there */
        b->next = was.seq < b->next ? was.seq : b->next;
        b->front_known = false;
        in_lane_push(b, &b->free, t);
        return;
    }
    if (was.seq == 0 || (!store_rests(c) && store_remove(c, was.seq))) {
        in_lane_push(b, &b->free, t);
    } else {
        in_lane_push(b, &b->ended, t);
    }
    count_end(c, result);
    tell(c, m->id, was.tag, result);
}

static bool remove_ended(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;

    while (b->ended != IN_LANE_NONE) {
        if (!store_remove(c, b->table[b->ended].seq)) {
            return false;
        }
        in_lane_push(b, &b->free, in_lane_pop(b, &b->ended));
    }
    return true;
}

static void tell_untold(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;

    while (b->untold != IN_LANE_NONE) {
        iothub_in_lane *t = in_lane_pop(b, &b->untold);
        const iothub_in_lane was = *t;
        in_lane_push(b, &b->free, t);
        tell(c, was.op, was.tag, IOTHUB_ERR_DROPPED);
    }
}

/* --- reading --------------------------------------------------------------------- */

static void go_on_at(iothub_backlog *b, uint64_t seq)
{
    b->next = seq;
    b->front_known = false;
    if (seq >= b->purge_end) {
        b->purge_end = 0;
        b->purging = 0;
    }
}

/* Finds the first waiting record. False: there is none, or the store failed. */
static bool peek(iothub_client *c, plat_store_record *r)
{
    iothub_backlog *b = &c->backlog;
    plat_store *s = c->context.options.store;
    const uint64_t end = store_info(c).next_seq;

    while (b->next < end) {
        plat_result result = s->ops->read(s, b->next, r);
        if (!store_went_well(c, result)) {
            return false;
        }
        if (result == PLAT_EOF) {
            go_on_at(b, end);
        } else if (in_lane_is_ended(b, r->seq)) {
            go_on_at(b, r->seq + 1);
        } else {
            return true;
        }
    }
    return false;
}

static bool is_own(const iothub_client *c, const plat_store_record *r)
{
    return r->seq >= c->backlog.first_own;
}

static iothub_op op_of(const iothub_client *c, const plat_store_record *r)
{
    return is_own(c, r) ? r->id : 0;
}

static void *tag_of(const plat_store_record *r)
{
    /* backlog_append stored the pointer as a number. */
    return (void *)(uintptr_t)r->tag; /* NOLINT(performance-no-int-to-ptr) */
}

/* Returns the least age of a record: by the monotonic clock if this run stored it, otherwise by
 * the wall clock. If the wall clock is unknown or was set back, the age is 0. */
static uint64_t age_ms(const iothub_client *c, const plat_store_record *r, mqc_time now)
{
    const plat_clock *clock = c->context.options.platform->clock;
    mqc_time stamp = now;

    if (is_own(c, r)) {
        memcpy(&stamp, r->head, r->head_len >= STAMP ? STAMP : 0);
        return now - stamp;
    }
    int64_t wall = clock->wall_s(clock);
    if (wall <= 0 || r->stored_s <= 0 || wall <= r->stored_s) {
        return 0;
    }
    return (uint64_t)(wall - r->stored_s - 1) *
           1000; /* fractions of a second are unknown on both sides */
}

/* Returns when the record expires; 0: never. */
static mqc_time expiry(const iothub_client *c, const plat_store_record *r, mqc_time now)
{
    if (r->ttl_ms == 0) {
        return 0;
    }
    uint64_t age = age_ms(c, r, now);
    return age < r->ttl_ms ? now + (r->ttl_ms - age) : now;
}

static void pass(iothub_backlog *b, uint64_t seq)
{
    b->purging -= seq < b->purge_end && b->purging > 0;
    go_on_at(b, seq + 1);
}

/* If a record cannot be removed, later ones are neither dropped nor sent. */
static bool give_up(iothub_client *c, const plat_store_record *r, iothub_result result)
{
    const iothub_op op = op_of(c, r);
    void *tag = tag_of(r);
    const uint64_t seq = r->seq;

    if (!store_remove(c, seq)) {
        return false;
    }
    pass(&c->backlog, seq);
    count_end(c, result);
    tell(c, op, tag, result);
    return true;
}

static iothub_result verdict(const iothub_client *c, const plat_store_record *r, mqc_time expires,
                             mqc_time now)
{
    if (r->seq < c->backlog.purge_end) {
        return IOTHUB_ERR_DROPPED;
    }
    return expires != 0 && expires <= now ? IOTHUB_ERR_EXPIRED : IOTHUB_OK;
}

/* Removes purged and expired records at the front, a limited number per call. */
static void clear_front(iothub_client *c, mqc_time now)
{
    iothub_backlog *b = &c->backlog;
    plat_store_record r;

    for (int n = 0; n < GIVE_UP_MAX; n++) {
        if (!peek(c, &r)) {
            b->front_known = !store_rests(c);
            b->front_expires = 0;
            return;
        }
        mqc_time expires = expiry(c, &r, now);
        iothub_result result = verdict(c, &r, expires, now);
        if (result == IOTHUB_OK) {
            b->front_known = true;
            b->front_expires = expires;
            return;
        }
        if (!give_up(c, &r, result)) {
            return;
        }
    }
    context_poke(&c->context);
}

/* --- sending --------------------------------------------------------------------- */

static bool may_feed(const iothub_client *c)
{
    return mqc_get_state(c->context.engine) == MQC_CONNECTED && !store_rests(c) &&
           !wish_is_stop(&c->session.wish) && !c->context.closing;
}

/* A message that does not fit now is sent later. One that can never be sent must not be skipped;
 * it is logged. */
static bool refused(iothub_client *c, iothub_in_lane *t, mqc_result r)
{
    in_lane_push(&c->backlog, &c->backlog.free, t);
    if (r == MQC_ERR_TOO_BIG || r == MQC_ERR_ARG) {
        store_failed(c, PLAT_ERR_ARG,
                     r == MQC_ERR_TOO_BIG
                         ? "the next message is larger than tx_size; it was stored with "
                           "a larger one"
                         : "the next record is not a message of this client");
    }
    return false;
}

static bool feed_one(iothub_client *c, const plat_store_record *r, mqc_time expires)
{
    iothub_backlog *b = &c->backlog;
    const size_t stamp = r->head_len >= STAMP ? STAMP : r->head_len;
    iothub_in_lane *t = in_lane_get(b);

    if (t == NULL) {
        return false;
    }
    *t = (iothub_in_lane){ .seq = r->seq, .tag = tag_of(r) };
    const mqc_outgoing m = {
        .topic = mqc_span_of((const uint8_t *)r->head + stamp, r->head_len - stamp),
        .payload = mqc_span_of(r->body_len > 0 ? r->body : NULL, r->body_len),
        .qos = (r->flags & AT_MOST_ONCE) != 0 ? 0 : 1,
        .lane = IOTHUB_LANE_TELEMETRY,
        .kind = IOTHUB_OP_TELEMETRY,
        .id = op_of(c, r),
        .tag = t,
        .expires = expires,
    };
    mqc_result result = mqc_publish(c->context.engine, &m, NULL);
    if (result != MQC_OK) {
        return refused(c, t, result);
    }
    b->in_lane++;
    b->failures = 0;
    pass(b, r->seq);
    return true;
}

void backlog_feed_lane(iothub_client *c, mqc_time now)
{
    iothub_backlog *b = &c->backlog;
    plat_store_record r;

    if (!may_feed(c)) {
        return;
    }
    for (int given_up = 0; b->in_lane < b->lane_max && peek(c, &r);) {
        mqc_time expires = expiry(c, &r, now);
        iothub_result result = verdict(c, &r, expires, now);
        if (result == IOTHUB_OK ? !feed_one(c, &r, expires) : !give_up(c, &r, result)) {
            return;
        }
        given_up += result != IOTHUB_OK;
        if (given_up == GIVE_UP_MAX) {
            context_poke(&c->context);
            return;
        }
    }
}

/* --- in -------------------------------------------------------------------------- */

iothub_result backlog_refuse(iothub_client *c, plat_result r)
{
    c->telemetry_counts.store_errors += r != PLAT_ERR_FULL;
    return iothub_fail(context_error(&c->context), iothub_from_plat(r), "telemetry: %s",
                       store_why(c->context.options.store, r));
}

void backlog_message_id(const iothub_client *c, iothub_text *t)
{
    static const char digits[] = "0123456789abcdef";
    const plat_store_info info = store_info(c);

    for (int shift = 60; shift >= 0; shift -= 4) {
        iothub_text_put_char(t, digits[info.id >> shift & 15]);
    }
    iothub_text_put_char(t, '-');
    iothub_text_put_u64(t, info.next_seq);
}

plat_result backlog_append(iothub_client *c, const mqc_outgoing *m, uint32_t ttl_ms)
{
    const plat_clock *clock = c->context.options.platform->clock;
    plat_store *s = c->context.options.store;
    const mqc_time now = context_now(&c->context);
    char *head = context_events(&c->context) - BACKLOG_TOPIC_AT; /* the stamp, then the topic */
    plat_store_record r = {
        .stored_s = clock->wall_s(clock),
        .tag = (uintptr_t)m->tag,
        .id = m->id,
        .ttl_ms = ttl_ms,
        .flags = m->qos == 0 ? AT_MOST_ONCE : 0,
        .head = head,
        .head_len = STAMP + m->topic.len,
        .body = m->payload.ptr,
        .body_len = m->payload.len,
    };

    memcpy(head, &now, STAMP);
    plat_result result = s->ops->append(s, &r, now);
    if (result == PLAT_OK) {
        c->telemetry_counts.stored++;
        c->backlog.open++;
        c->backlog.front_known = c->backlog.front_known && c->backlog.open - c->backlog.in_lane > 1;
    }
    return result;
}

bool backlog_wants_turn(const iothub_client *c)
{
    const iothub_backlog *b = &c->backlog;

    if (c->context.options.store == NULL) {
        return false;
    }
    return may_feed(c) ? b->in_lane < b->lane_max : !b->front_known;
}

bool backlog_drop_oldest(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;
    plat_store_record r;
    void *tag;

    if (store_rests(c)) {
        return false;
    }
    if (mqc_drop(c->context.engine, IOTHUB_LANE_TELEMETRY, &tag) == MQC_OK) {
        iothub_in_lane *t = tag;
        t->seq = store_remove(c, t->seq) ? 0 : t->seq;
        c->dropping++;
        return true;
    }
    iothub_in_lane *t = peek(c, &r) ? in_lane_get(b) : NULL;
    if (t == NULL) {
        return false;
    }
    *t = (iothub_in_lane){ .seq = r.seq, .op = op_of(c, &r), .tag = tag_of(&r) };
    if (!store_remove(c, t->seq)) {
        in_lane_push(b, &b->free, t);
        return false;
    }
    pass(b, t->seq);
    count_end(c, IOTHUB_ERR_DROPPED);
    in_lane_append(b, t);
    return true;
}

bool backlog_sync(iothub_client *c)
{
    plat_store *s = c->context.options.store;
    return !store_rests(c) && store_went_well(c, s->ops->sync(s));
}

uint64_t backlog_purge(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;
    uint64_t waiting = b->open - b->in_lane;
    uint64_t count = waiting - b->purging;

    b->purge_end = store_info(c).next_seq;
    b->purging = waiting;
    return count;
}

/* --- life ------------------------------------------------------------------------ */

void backlog_init(iothub_client *c, void *memory, size_t len, size_t lane_max)
{
    iothub_backlog *b = &c->backlog;
    const plat_store_info info = store_info(c);

    b->table = memory;
    b->table_len = (uint32_t)(len / sizeof *b->table);
    b->free = b->ended = b->untold = IN_LANE_NONE;
    b->lane_max = lane_max;
    b->first_own = info.next_seq;
    b->open = info.count;
    c->telemetry_counts.found = info.count;
    context_poke(&c->context);
}

void backlog_look(iothub_client *c, mqc_time now)
{
    iothub_backlog *b = &c->backlog;
    plat_store *s = c->context.options.store;

    store_say_failure(c);
    tell_untold(c);
    if (b->retry_at > now) {
        return;
    }
    b->retry_at = 0;
    mqc_time deadline = s->ops->next_deadline(s);
    if (!remove_ended(c) ||
        (deadline != 0 && deadline <= now && !store_went_well(c, s->ops->on_time(s, now)))) {
        return;
    }
    bool look =
        !may_feed(c) && (!b->front_known || (b->front_expires != 0 && b->front_expires <= now));
    if (b->next < b->purge_end || look) {
        clear_front(c, now);
    }
}

mqc_time backlog_next_deadline(const iothub_client *c)
{
    const iothub_backlog *b = &c->backlog;
    plat_store *s = c->context.options.store;

    if (s == NULL || store_rests(c)) {
        return b->retry_at;
    }
    mqc_time deadline = s->ops->next_deadline(s);
    if (!may_feed(c) && b->front_known && b->front_expires != 0 &&
        (deadline == 0 || b->front_expires < deadline)) {
        deadline = b->front_expires;
    }
    return deadline;
}

void backlog_deinit(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;
    plat_store *s = c->context.options.store;
    plat_store_record r;

    if (s == NULL) {
        return;
    }
    tell_untold(c);
    (void)remove_ended(c);
    b->next = b->next > b->first_own ? b->next : b->first_own;
    bool heard = c->context.options.callbacks.done != NULL;
    for (int tries = 0; heard && tries < 3; tries++) { /* a single failure may not be repeated */
        while (peek(c, &r)) {
            const iothub_op op = op_of(c, &r);
            pass(b, r.seq);
            count_end(c, IOTHUB_KEPT);
            tell(c, op, tag_of(&r), IOTHUB_KEPT);
        }
        store_say_failure(c);
    }
    (void)store_went_well(c, s->ops->sync(s));
    store_say_failure(c);
}
