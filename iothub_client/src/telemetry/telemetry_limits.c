#include "telemetry/telemetry_limits.h"

#include "telemetry/backlog.h"

/* --- how much is waiting ----------------------------------------------------------- */

static mqc_lane_info lane(const iothub_client *c)
{
    return mqc_lane(c->context.engine, IOTHUB_LANE_TELEMETRY);
}

static uint64_t waiting(const iothub_client *c)
{
    return c->context.options.store != NULL ? c->backlog.open : lane(c).count;
}

uint64_t limits_bytes(const iothub_client *c)
{
    plat_store *s = c->context.options.store;
    plat_store_info info;

    if (s == NULL) {
        return lane(c).bytes;
    }
    s->ops->info(s, &info);
    return info.bytes;
}

void limits_count(const iothub_client *c, iothub_stats *out)
{
    out->queued = waiting(c);
    out->queued_bytes = limits_bytes(c);
    out->telemetry_sent = c->telemetry_counts.acknowledged + lane(c).in_flight;
}

/* --- making room -------------------------------------------------------------------- */

static bool drop_in_lane(iothub_client *c)
{
    if (mqc_drop(c->context.engine, IOTHUB_LANE_TELEMETRY, NULL) != MQC_OK) {
        return false;
    }
    c->dropping++;
    return true;
}

static bool drop_one(iothub_client *c)
{
    if (c->context.options.when_full != IOTHUB_DROP_OLDEST) {
        return false;
    }
    bool dropped = c->context.options.store != NULL ? backlog_drop_oldest(c) : drop_in_lane(c);
    if (dropped) { /* its end must be reported */
        context_poke(&c->context);
    }
    return dropped;
}

/* In a ring, a message that waits for its acknowledgement also keeps the room of all later ones. */
static bool drop_bytes(iothub_client *c)
{
    return (c->context.options.store != NULL || !lane(c).begun) && drop_one(c);
}

/* Dropped messages keep their entries in the ring's table until the next iothub_process. */
static uint64_t count_limit(const iothub_options *o)
{
    uint64_t limit = o->queue_max_count != 0 ? o->queue_max_count : UINT64_MAX;
    uint64_t table = IOTHUB_TELEMETRY_ENTRIES(o->tx_size) / 4 * 3;

    return o->store == NULL && o->when_full == IOTHUB_DROP_OLDEST && table < limit ? table : limit;
}

/* Without a limit, which is usual, nothing is counted. */
static bool too_many(const iothub_client *c)
{
    const iothub_options *o = &c->context.options;
    bool limited = o->queue_max_count != 0 || o->when_full == IOTHUB_DROP_OLDEST;

    return limited && waiting(c) - c->dropping >= count_limit(o);
}

static iothub_result make_room(iothub_client *c, size_t len)
{
    const iothub_options *o = &c->context.options;

    if (o->queue_max_bytes != 0 && len > o->queue_max_bytes) {
        return context_refuse(&c->context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: larger than queue_max_bytes");
    }
    while (too_many(c)) {
        if (!drop_one(c)) {
            return context_refuse(&c->context, IOTHUB_ERR_NO_SPACE,
                                  "telemetry: queue_max_count is reached, process and try again");
        }
    }
    while (o->queue_max_bytes != 0 && limits_bytes(c) + len > o->queue_max_bytes) {
        if (!drop_bytes(c)) {
            return context_refuse(&c->context, IOTHUB_ERR_NO_SPACE,
                                  "telemetry: queue_max_bytes is reached, process and try again");
        }
    }
    return IOTHUB_OK;
}

/* --- in ------------------------------------------------------------------------------- */

/* If other programs have filled the disk, not the whole queue is dropped, but at most this much. */
enum { FREE_AT_ONCE = 16384, FREE_ROUNDS = 4 };

/* For a limit by count, one message is enough. A disk frees whole pages, and only after a sync,
 * which is too expensive for each message. */
static bool free_some(iothub_client *c, int round, size_t len)
{
    const uint64_t before = limits_bytes(c);
    const uint64_t wanted = round == 0 ? 1 : 2 * len + FREE_AT_ONCE;

    while (before - limits_bytes(c) < wanted && drop_one(c)) {
    }
    return limits_bytes(c) < before && (round == 0 || backlog_sync(c));
}

static iothub_result put_in_store(iothub_client *c, const mqc_outgoing *m, uint32_t ttl_ms,
                                  size_t len)
{
    plat_result r;

    if (len > c->context.options.tx_size) {
        return context_refuse_size(&c->context, "telemetry", m->payload.len, "tx_size",
                                   c->context.options.tx_size);
    }
    for (int round = 0; (r = backlog_append(c, m, ttl_ms)) == PLAT_ERR_FULL; round++) {
        if (round == FREE_ROUNDS || !free_some(c, round, len)) {
            break;
        }
    }
    return r == PLAT_OK ? IOTHUB_OK : backlog_refuse(c, r);
}

static iothub_result put_in_ring(iothub_client *c, const mqc_outgoing *m, size_t len)
{
    mqc_result r;

    while ((r = context_publish(&c->context, m)) == MQC_ERR_NO_SPACE) {
        mqc_lane_info info = lane(c);
        if (info.bytes_cap - info.bytes >= len || !drop_bytes(c)) {
            break;
        }
    }
    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(&c->context, "telemetry", m->payload.len, "tx_size",
                                   c->context.options.tx_size);
    }
    return r == MQC_OK ? IOTHUB_OK : context_refuse_mqc(&c->context, r, "telemetry");
}

iothub_result limits_put(iothub_client *c, mqc_outgoing *m, uint32_t ttl_ms)
{
    const uint32_t max_age_ms = c->context.options.queue_max_age_s * 1000;
    const size_t len = m->topic.len + m->payload.len + 9; /* the most bytes that MQTT adds */

    if (c->context.closing) {
        return context_refuse_mqc(&c->context, MQC_ERR_STATE, "telemetry");
    }
    if (max_age_ms != 0 && (ttl_ms == 0 || ttl_ms > max_age_ms)) {
        ttl_ms = max_age_ms;
    }
    iothub_result r = make_room(c, len);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (c->context.options.store != NULL) {
        return put_in_store(c, m, ttl_ms, len);
    }
    m->expires = ttl_ms > 0 ? context_now(&c->context) + ttl_ms : 0;
    return put_in_ring(c, m, len);
}

/* --- giving up ------------------------------------------------------------------------ */

uint64_t limits_purge(iothub_client *c)
{
    uint64_t count = 0;

    while (mqc_drop(c->context.engine, IOTHUB_LANE_TELEMETRY, NULL) == MQC_OK) {
        count++;
    }
    c->dropping += (uint32_t)count;
    context_poke(&c->context);
    return c->context.options.store != NULL ? count + backlog_purge(c) : count;
}
