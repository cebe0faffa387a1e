#include "telemetry/record.h"

#include <string.h>

/* The flags of a record. */
enum { AT_MOST_ONCE = 1 };

plat_store_record record_of(const mqc_outgoing *m, uint32_t ttl_ms, char *head, int64_t wall_s,
                            mqc_time now)
{
    const plat_store_record r = {
        .stored_s = wall_s,
        .tag = (uintptr_t)m->tag,
        .id = m->id,
        .ttl_ms = ttl_ms,
        .flags = m->qos == 0 ? AT_MOST_ONCE : 0,
        .head = head,
        .head_len = RECORD_STAMP_SIZE + m->topic.len,
        .body = m->payload.ptr,
        .body_len = m->payload.len,
    };

    memcpy(head, &now, RECORD_STAMP_SIZE);
    return r;
}

mqc_outgoing record_message(const plat_store_record *r)
{
    const size_t stamp = r->head_len >= RECORD_STAMP_SIZE ? RECORD_STAMP_SIZE : r->head_len;
    const mqc_outgoing m = {
        .topic = mqc_span_of((const uint8_t *)r->head + stamp, r->head_len - stamp),
        .payload = mqc_span_of(r->body_len > 0 ? r->body : NULL, r->body_len),
        .qos = (r->flags & AT_MOST_ONCE) != 0 ? 0 : 1,
    };

    return m;
}

bool record_readdress(const iothub_context *context, mqc_outgoing *m)
{
    char *own = context_events(context);
    const size_t own_len = context->events_len;
    mqc_span bag;

    if (m->topic.len >= own_len && memcmp(m->topic.ptr, own, own_len) == 0) {
        return true;
    }
    if (!topic_events_bag(m->topic, &bag)) {
        return true; /* the engine checks such a topic */
    }
    if (bag.len > context->scratch_len) {
        return false;
    }
    if (bag.len > 0) {
        memcpy(context->scratch, bag.ptr, bag.len);
    }
    m->topic = mqc_span_of(own, own_len + bag.len);
    return true;
}

void *record_tag(const plat_store_record *r)
{
    /* record_of has converted the pointer to a number. */
    return (void *)(uintptr_t)r->tag; /* NOLINT(performance-no-int-to-ptr) */
}

/* Returns the smallest possible age of a record: by the monotonic clock if this run stored it,
 * otherwise by the wall clock. If the wall clock is unknown or was set back, the age is 0. */
static uint64_t age_ms(const plat_store_record *r, bool own, const plat_clock *clock, mqc_time now)
{
    mqc_time stamp = now;

    if (own) {
        memcpy(&stamp, r->head, r->head_len >= RECORD_STAMP_SIZE ? RECORD_STAMP_SIZE : 0);
        return now - stamp;
    }
    int64_t wall = clock->wall_s(clock);
    if (wall <= 0 || r->stored_s <= 0 || wall <= r->stored_s) {
        return 0;
    }
    return (uint64_t)(wall - r->stored_s - 1) *
           1000; /* both times are whole seconds, so up to a second less may have passed */
}

mqc_time record_expiry(const plat_store_record *r, bool own, const plat_clock *clock, mqc_time now)
{
    if (r->ttl_ms == 0) {
        return 0;
    }
    uint64_t age = age_ms(r, own, clock, now);
    return age < r->ttl_ms ? now + (r->ttl_ms - age) : now;
}
