#include "telemetry/telemetry_limits.h"

#include <assert.h>

#include "iothub/memory_size.h"

void limits_init(telemetry_limits *l, iothub_context *context)
{
    l->dropping = 0;
    backlog_init(&l->backlog, context);
}

/* --- how much is waiting ----------------------------------------------------------- */

static mqc_lane_info lane(const telemetry_limits *l)
{
    return mqc_lane(l->backlog.context->engine, IOTHUB_LANE_TELEMETRY);
}

uint64_t limits_waiting(const telemetry_limits *l)
{
    return l->backlog.context->options.store != NULL ? l->backlog.open : lane(l).count;
}

uint64_t limits_bytes(const telemetry_limits *l)
{
    return l->backlog.context->options.store != NULL ? backlog_bytes(&l->backlog) : lane(l).bytes;
}

/* --- making room -------------------------------------------------------------------- */

bool limits_drop_in_lane(telemetry_limits *l)
{
    if (mqc_drop(l->backlog.context->engine, IOTHUB_LANE_TELEMETRY, NULL) != MQC_OK) {
        return false;
    }
    l->dropping++;
    return true;
}

static bool drop_stored(telemetry_limits *l)
{
    bool from_lane;
    bool dropped = backlog_drop_oldest(&l->backlog, &from_lane);

    if (from_lane) {
        l->dropping++;
    }
    return dropped;
}

static bool drop_one(telemetry_limits *l)
{
    if (l->backlog.context->options.when_full != IOTHUB_DROP_OLDEST) {
        return false;
    }
    bool dropped =
        l->backlog.context->options.store != NULL ? drop_stored(l) : limits_drop_in_lane(l);
    if (dropped) { /* the next turn reports its end */
        context_poke(l->backlog.context);
    }
    return dropped;
}

/* Drops messages until there is room. In RAM, a message that waits for its acknowledgement keeps
 * the room of all later ones, too. */
static bool drop_bytes(telemetry_limits *l)
{
    return (l->backlog.context->options.store != NULL || !lane(l).begun) && drop_one(l);
}

/* Returns the limit of messages. Dropped messages keep their entries in the table of the lane
 * until the next iothub_process. */
static uint64_t count_limit(const iothub_options *o)
{
    uint64_t limit = o->queue_max_count != 0 ? o->queue_max_count : UINT64_MAX;
    uint64_t table = IOTHUB_TELEMETRY_ENTRIES(o->tx_size) / 4 * 3;

    return o->store == NULL && o->when_full == IOTHUB_DROP_OLDEST && table < limit ? table : limit;
}

/* Returns whether there are too many messages. Without a limit, which is usual, nothing is
 * counted. */
static bool too_many(const telemetry_limits *l)
{
    const iothub_options *o = &l->backlog.context->options;
    bool limited = o->queue_max_count != 0 || o->when_full == IOTHUB_DROP_OLDEST;

    return limited && limits_waiting(l) - l->dropping >= count_limit(o);
}

static iothub_result make_room(telemetry_limits *l, size_t len)
{
    const iothub_options *o = &l->backlog.context->options;

    if (o->queue_max_bytes != 0 && len > o->queue_max_bytes) {
        return context_refuse(l->backlog.context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: larger than queue_max_bytes");
    }
    while (too_many(l)) {
        if (!drop_one(l)) {
            return context_refuse(l->backlog.context, IOTHUB_ERR_NO_SPACE,
                                  "telemetry: queue_max_count is reached, process and try again");
        }
    }
    while (o->queue_max_bytes != 0 && limits_bytes(l) + len > o->queue_max_bytes) {
        if (!drop_bytes(l)) {
            return context_refuse(l->backlog.context, IOTHUB_ERR_NO_SPACE,
                                  "telemetry: queue_max_bytes is reached, process and try again");
        }
    }
    return IOTHUB_OK;
}

/* --- in ------------------------------------------------------------------------------- */

/* If other programs have filled the disk, at most this much is dropped, and not the whole queue. */
enum { FREE_AT_ONCE = 16384, FREE_ROUNDS = 4 };

/* Drops messages to make room. For a limit by count, one message is enough. A disk frees whole
 * pages, and only after a sync, which is too expensive for each message. */
static bool free_some(telemetry_limits *l, int round, size_t len)
{
    const uint64_t before = limits_bytes(l);
    const uint64_t wanted = round == 0 ? 1 : 2 * len + FREE_AT_ONCE;

    while (before - limits_bytes(l) < wanted && drop_one(l)) {
    }
    return limits_bytes(l) < before && (round == 0 || backlog_sync(&l->backlog));
}

static iothub_result put_in_store(telemetry_limits *l, const mqc_outgoing *m, uint32_t ttl_ms,
                                  size_t len)
{
    plat_result r;

    if (len > l->backlog.context->options.tx_size) {
        return context_refuse_size(l->backlog.context, "telemetry", m->payload.len, "tx_size",
                                   l->backlog.context->options.tx_size);
    }
    for (int round = 0; (r = backlog_append(&l->backlog, m, ttl_ms)) == PLAT_ERR_FULL; round++) {
        if (round == FREE_ROUNDS || !free_some(l, round, len)) {
            break;
        }
    }
    return r == PLAT_OK ? IOTHUB_OK : backlog_refuse(&l->backlog, r);
}

static iothub_result put_in_ring(telemetry_limits *l, const mqc_outgoing *m, size_t len)
{
    mqc_result r;

    while ((r = context_publish(l->backlog.context, m)) == MQC_ERR_NO_SPACE) {
        mqc_lane_info info = lane(l);
        if (info.bytes_cap - info.bytes >= len || !drop_bytes(l)) {
            break;
        }
    }
    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(l->backlog.context, "telemetry", m->payload.len, "tx_size",
                                   l->backlog.context->options.tx_size);
    }
    return r == MQC_OK ? IOTHUB_OK : context_refuse_mqc(l->backlog.context, r, "telemetry");
}

iothub_result limits_put(telemetry_limits *l, mqc_outgoing *m, uint32_t ttl_ms)
{
    const uint32_t max_age_ms = l->backlog.context->options.queue_max_age_s * 1000;
    const size_t len = m->topic.len + m->payload.len + 9; /* 9 is the most bytes that MQTT adds */

    assert(limits_valid(l));
    if (l->backlog.context->closing) {
        return context_refuse_mqc(l->backlog.context, MQC_ERR_STATE, "telemetry");
    }
    if (max_age_ms != 0 && (ttl_ms == 0 || ttl_ms > max_age_ms)) {
        ttl_ms = max_age_ms;
    }
    iothub_result r = make_room(l, len);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (l->backlog.context->options.store != NULL) {
        return put_in_store(l, m, ttl_ms, len);
    }
    m->expires = ttl_ms > 0 ? context_now(l->backlog.context) + ttl_ms : 0;
    return put_in_ring(l, m, len);
}

void limits_on_done(telemetry_limits *l, const mqc_done *m)
{
    /* The lane no longer contains this message. */
    assert(m->outcome == MQC_OUTCOME_DROPPED ? l->dropping > 0 : limits_valid(l));
    if (m->outcome == MQC_OUTCOME_DROPPED) {
        l->dropping--;
    }
    assert(limits_valid(l));
}

/* --- giving up ------------------------------------------------------------------------ */

uint64_t limits_purge(telemetry_limits *l)
{
    uint64_t count = 0;

    assert(limits_valid(l));
    while (mqc_drop(l->backlog.context->engine, IOTHUB_LANE_TELEMETRY, NULL) == MQC_OK) {
        count++;
    }
    l->dropping += (uint32_t)count;
    context_poke(l->backlog.context);
    return l->backlog.context->options.store != NULL ? count + backlog_purge(&l->backlog) : count;
}

#ifndef NDEBUG
bool limits_valid(const telemetry_limits *l)
{
    /* Dropped messages stay in the lane until the engine reports their end. */
    return l->dropping <= lane(l).count && backlog_valid(&l->backlog);
}
#endif
