#include "keep_alive.h"

#include "control.h"
#include "input.h"
#include "outbox.h"
#include "outbox_find.h"

/* Keep-alive. Received bytes, and bytes that the peer accepts, are signs of life: the answer to
 * a PINGREQ follows everything that the peer is sending, and the PINGREQ follows everything that
 * we are sending. So the time for the answer runs only after the PINGREQ was sent and while
 * nothing arrives. A stream that accepts bytes long before the peer does, such as a kernel,
 * reports their delivery: mqc_report_flow. */

enum {
    MS_PER_S = 1000,
    PATIENCE_MS = 30000, /* time for PINGRESP, unless the keep-alive is shorter */
    LOOKS = 16,          /* flow reports per keep-alive, or per ack_timeout_ms */
    MS_PER_BYTE = 16     /* speed of the slowest supported link: 62.5 bytes/s */
};

static bool keeps_alive(const mqc_engine *e)
{
    return e->connection.state == MQC_CONNECTED && e->keep_alive.interval_ms != 0;
}

/* Returns how long a peer may neither send nor accept anything. */
static mqc_time silence_ms(const mqc_engine *e)
{
    return e->keep_alive.interval_ms + e->keep_alive.interval_ms / 2;
}

/* Returns which part of that time is left for the answer to a PINGREQ. */
static mqc_time answer_ms(const mqc_engine *e)
{
    return mqc_later(e->keep_alive.interval_ms / 2,
                     mqc_earlier(e->keep_alive.interval_ms, PATIENCE_MS));
}

/* Returns how long a slow link may need for a packet of this length. */
static mqc_time transit_ms(size_t len)
{
    return len > MQC_LARGE_PACKET ? (mqc_time)len * MS_PER_BYTE : 0;
}

static mqc_time alive_at(const mqc_engine *e)
{
    return mqc_later(e->keep_alive.last_rx, e->keep_alive.moved_at);
}

/* --- PINGREQ and PINGRESP --- */

void mqc_keep_alive_reset(mqc_engine *e, mqc_time now)
{
    e->keep_alive.ping = MQC_PING_NONE;
    e->keep_alive.ping_wanted = false;
    e->keep_alive.ping_ahead = 0;
    e->keep_alive.peer_owes = true;
    e->keep_alive.stream_full = false;
    e->keep_alive.last_rx = now;
    e->keep_alive.last_tx = now;
    e->keep_alive.moved_at = 0;
    e->keep_alive.moved = 0;
    e->keep_alive.quiet_until = 0;
    e->keep_alive.looked_at = 0;
}

void mqc_keep_alive_connect(mqc_engine *e, const mqc_connect_options *o, mqc_time now)
{
    e->keep_alive.interval_ms = o->keep_alive_s * MS_PER_S;
    e->keep_alive.timed.connack_by = o->timeout_ms != 0 ? now + o->timeout_ms : MQC_NEVER;
    e->keep_alive.reports_flow = o->reports_flow;
    mqc_keep_alive_reset(e, now);
}

void mqc_ping_encoded(mqc_engine *e)
{
    e->keep_alive.ping_wanted = false;
    e->keep_alive.ping_ahead = (uint32_t)mqc_control_pending(&e->control);
}

/* A stream with an empty buffer accepts bytes even without a peer. If its buffer was full, it
 * accepts bytes only after the peer has accepted some. After the PINGREQ was sent, only its
 * answer is a sign of life. */
void mqc_ping_taken(mqc_engine *e, bool refused, mqc_time now)
{
    if (e->keep_alive.stream_full && !e->keep_alive.reports_flow &&
        e->keep_alive.ping != MQC_PING_SENT) {
        e->keep_alive.moved_at = now;
    }
    e->keep_alive.stream_full = refused;
}

void mqc_ping_bytes_sent(mqc_engine *e, size_t len, mqc_time now)
{
    e->keep_alive.ping_ahead -=
        len < e->keep_alive.ping_ahead ? (uint32_t)len : e->keep_alive.ping_ahead;
    if (e->keep_alive.ping_ahead == 0 && e->keep_alive.ping == MQC_PING_QUEUED) {
        e->keep_alive.ping = e->keep_alive.reports_flow ? MQC_PING_LEFT : MQC_PING_SENT;
        e->keep_alive.timed.ping_at = now;
    }
}

void mqc_ping_large_sent(mqc_engine *e, mqc_outbox *lane, mqc_time now)
{
    size_t len = (mqc_outbox_take_large_kb(lane) + (size_t)1) * MQC_KB;

    if (e->keep_alive.ping <= MQC_PING_QUEUED) { /* bytes after the PINGREQ do not delay it */
        e->keep_alive.quiet_until = mqc_later(e->keep_alive.quiet_until, now + transit_ms(len));
    }
}

/* Returns when to send a PINGREQ. It is also needed while we do not read, and while an
 * unanswered one waits for a large packet, because the server expects signs of life from us. */
static mqc_time ping_due(const mqc_engine *e)
{
    if (!keeps_alive(e) || e->keep_alive.ping_wanted || e->keep_alive.ping_ahead > 0) {
        return MQC_NEVER;
    }
    mqc_time due = e->keep_alive.last_tx + e->keep_alive.interval_ms;
    if (e->in.flow == MQC_INPUT_STALLED || e->keep_alive.ping != MQC_PING_NONE) {
        return due;
    }
    return mqc_earlier(due, alive_at(e) + silence_ms(e) - answer_ms(e));
}

void mqc_ping_begin(mqc_engine *e)
{
    if (e->keep_alive.ping == MQC_PING_NONE) {
        e->keep_alive.ping = MQC_PING_QUEUED;
        e->keep_alive.ping_wanted = true;
    }
}

void mqc_ping_again(mqc_engine *e)
{
    mqc_ping_begin(e);
    e->keep_alive.ping_wanted = true;
}

/* --- the flow below the engine --- */

mqc_time mqc_flow_report_due(const mqc_engine *e)
{
    bool short_wait =
        e->waits.ack_timeout_ms != 0 && e->waits.ack_timeout_ms < e->keep_alive.interval_ms;
    mqc_time ms = short_wait ? e->waits.ack_timeout_ms : e->keep_alive.interval_ms;

    return e->keep_alive.looked_at + ms / LOOKS;
}

bool mqc_wants_flow(const mqc_engine *e, mqc_time now)
{
    return now >= mqc_flow_due(e);
}

/* Returns whether the count has reached the mark; both are modulo 2^32. */
static bool reached(uint32_t count, uint32_t mark)
{
    return count - mark <= UINT32_MAX / 2;
}

/* A change since the last report is assumed to have happened directly after that report, so that
 * a lost peer is detected as early as without reports. */
void mqc_report_flow(mqc_engine *e, const mqc_flow *f, mqc_time now)
{
    const uint32_t delivered = (uint32_t)f->delivered;
    const uint32_t moved =
        (uint32_t)f->received + (e->keep_alive.ping == MQC_PING_SENT ? 0 : delivered);

    if (moved != e->keep_alive.moved) {
        e->keep_alive.moved_at = e->keep_alive.looked_at;
    }
    if (e->keep_alive.ping == MQC_PING_LEFT) {
        e->keep_alive.ping_mark = delivered + (uint32_t)f->pending;
        e->keep_alive.ping = MQC_PING_UNDER_WAY;
    }
    e->keep_alive.moved = moved;
    if (e->keep_alive.ping == MQC_PING_UNDER_WAY && reached(delivered, e->keep_alive.ping_mark)) {
        e->keep_alive.ping = MQC_PING_SENT;
        e->keep_alive.timed.ping_at =
            mqc_later(e->keep_alive.timed.ping_at, e->keep_alive.looked_at);
        e->keep_alive.moved =
            (uint32_t)f->received; /* from now on only received bytes are signs of life */
    }
    e->keep_alive.peer_owes = f->awaited;
    e->keep_alive.looked_at = now;
}

/* --- loss --- */

/* Returns how long a slow link may need for what the server must receive before it can answer:
 * one packet of each lane. */
mqc_time mqc_transit_ahead_ms(const mqc_engine *e)
{
    mqc_time ms = 0;

    for (size_t i = 0; i < e->lane_count; i++) {
        ms += transit_ms(mqc_outbox_unanswered_len(&e->lanes[i]));
    }
    return ms;
}

/* Returns when the peer counts as lost while the PINGREQ was not sent or not delivered yet. If
 * the peer's system answers but has closed its window, the peer counts as slow for as long as a
 * large packet can explain it. */
static mqc_time lost_before_ping(const mqc_engine *e)
{
    mqc_time alive = alive_at(e);
    mqc_time silent = alive + silence_ms(e);

    if (e->keep_alive.peer_owes) {
        return silent;
    }
    return mqc_later(silent, mqc_later(alive + mqc_transit_ahead_ms(e), e->keep_alive.quiet_until));
}

/* Returns when the peer counts as lost after the PINGREQ was sent, so that its answer is
 * expected. */
static mqc_time lost_after_ping(const mqc_engine *e)
{
    mqc_time arrives =
        mqc_later(alive_at(e), e->keep_alive.timed.ping_at) + mqc_transit_ahead_ms(e);
    mqc_time answered =
        mqc_later(e->keep_alive.timed.ping_at + answer_ms(e), e->keep_alive.quiet_until);

    return mqc_later(alive_at(e) + silence_ms(e), mqc_later(arrives, answered));
}

/* Returns when the peer counts as lost. */
static mqc_time lost_at(const mqc_engine *e)
{
    if (e->connection.state == MQC_CONNECTING) {
        return e->keep_alive.timed.connack_by;
    }
    if (!keeps_alive(e) || e->in.flow == MQC_INPUT_STALLED) {
        return MQC_NEVER;
    }
    switch ((mqc_ping_state)e->keep_alive.ping) {
    case MQC_PING_QUEUED:
    case MQC_PING_LEFT:
    case MQC_PING_UNDER_WAY: return lost_before_ping(e);
    case MQC_PING_SENT: return lost_after_ping(e);
    case MQC_PING_NONE: break;
    }
    return alive_at(e) + silence_ms(e);
}

/* Returns a time that is not later than lost_at and ping_due. Without a PINGREQ, ping_due is the
 * earlier one. */
mqc_time mqc_keep_alive_due(const mqc_engine *e)
{
    mqc_time due = ping_due(e);

    return e->keep_alive.ping == MQC_PING_NONE && due != MQC_NEVER ? due
                                                                   : mqc_earlier(due, lost_at(e));
}

mqc_alive_verdict mqc_keep_alive_judge(const mqc_engine *e, mqc_time now)
{
    if (now < mqc_keep_alive_due(e)) {
        return MQC_ALIVE_QUIET;
    }
    if (now >= lost_at(e)) {
        return MQC_ALIVE_LOST;
    }
    return now >= ping_due(e) ? MQC_ALIVE_PING : MQC_ALIVE_QUIET;
}
