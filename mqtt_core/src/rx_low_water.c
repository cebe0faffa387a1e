#include "internal.h"

/*
 * When to send and when to wake up, so that many packets share a call: what the server's distance
 * and its way to answer allow.
 */

enum {
    ROUND_TRIP_MS = 64, /* units */
    NEAR = ROUND_TRIP_MS / 4,
    GATHER_MS = 2,
    SHARE = 8, /* of a round trip, and of the past in the mean */
    TOO_LONG_MS = 60000
};

/* --- the round trip --- */

static bool is_near(const mqc_engine *e)
{
    return e->round_trip < NEAR;
}

static void begin_probe(mqc_engine *e, mqc_time now)
{
    const mqc_outbox *lane = e->tx_lane;

    if (e->probe_id == 0 && lane->send > 0) {
        e->probe_id = mqc_outbox_id(lane, lane->send - 1);
        e->probe_at = now;
    }
}

void mqc_pace_end_probe(mqc_engine *e)
{
    mqc_time took = e->last_rx - e->probe_at;
    uint32_t ms = took < TOO_LONG_MS ? (uint32_t)took : TOO_LONG_MS;

    e->probe_id = 0;
    e->round_trip += ms * ROUND_TRIP_MS / SHARE - e->round_trip / SHARE;
}

/* --- what waits for the window --- */

/*
 * How long places of the window may stay free, so that what waits leaves together.  Next to the
 * server that costs hardly anything, the whole window being on its way for less than a
 * millisecond; further away each moment is a loss.
 */
mqc_time mqc_pace_gather_until(const mqc_engine *e)
{
    mqc_time ms = is_near(e) ? GATHER_MS : e->round_trip / (ROUND_TRIP_MS * (unsigned)SHARE);

    return ms > 0 ? e->last_rx + ms : 0;
}

/* --- what is worth waking up for --- */

/*
 * Answers to many publishes are taken together.  How many a server sends without a pause is
 * found out.  With Nagle's algorithm it is one, until that one is acknowledged; in general its
 * congestion window: ten packets at first, each with one answer, if it likes to send them so.
 */
enum {
    ANSWER_LEN = 4, /* PUBACK, PUBREC, PUBCOMP */
    ASK_FIRST = 10 * ANSWER_LEN,
    ASK_LEAST = 2 * ANSWER_LEN,
    ASK_MOST = 4096,
    MISTRUST_MIN = 4, /* 16 batches */
    MISTRUST_MAX = 12
};

static void begin_patience(mqc_engine *e, mqc_time now)
{
    if (e->impatience > 0) {
        e->impatience--;
    }
    if (e->patient_until == MQC_NEVER) {
        e->patient_until = now + GATHER_MS;
    }
}

/* When its time was over, no more had come. */
static void waited_in_vain(mqc_engine *e, size_t len)
{
    e->ask_most = (uint16_t)(len > ASK_LEAST ? len : ASK_LEAST);
    e->impatience = (uint16_t)(1u << e->mistrust);
    if (e->mistrust < MISTRUST_MAX) {
        e->mistrust++;
    }
}

static void was_rewarded(mqc_engine *e)
{
    if (e->impatience > 0) {
        return;
    }
    if (e->asked_for < e->ask_most) { /* for all that is worth it */
        e->mistrust = e->mistrust > MISTRUST_MIN ? (uint8_t)(e->mistrust - 1) : e->mistrust;
    } else if (e->ask_most < ASK_MOST) {
        e->ask_most = (uint16_t)(e->ask_most * 2u);
    }
}

void mqc_pace_bytes_came(mqc_engine *e, size_t len, mqc_time now)
{
    if (e->asked_for > 0 && len >= e->asked_for) {
        was_rewarded(e);
    } else if (e->asked_for > 0 && e->patient_until == 0) {
        waited_in_vain(e, len);
    }
    e->asked_for = 0;
    e->patient_until = now + GATHER_MS;
}

/* Bytes that bring as many answers as are worth waiting for; 0: none are. */
static size_t answers_len(const mqc_engine *e)
{
    size_t least = 0;

    for (size_t i = 0; i < e->lane_count; i++) {
        size_t bytes = ANSWER_LEN * mqc_outbox_awaits(&e->lanes[i], is_near(e));
        if (bytes > 0 && (least == 0 || bytes < least)) {
            least = bytes;
        }
    }
    return least < e->in.cap / 2 ? least : e->in.cap / 2;
}

static uint16_t worth_asking(const mqc_engine *e)
{
    bool in_vain = e->impatience > 0 && e->ask_most <= ASK_LEAST;

    if (e->patient_until == MQC_NEVER || e->state != MQC_CONNECTED || in_vain) {
        return 0;
    }
    size_t bytes = answers_len(e);
    return bytes < e->ask_most ? (uint16_t)bytes : e->ask_most;
}

/* Mostly none is worth waiting for.  Lanes that are not in use are zero. */
static bool awaits_few(const mqc_engine *e)
{
    bool few = true;

    for (size_t i = 0; i < MQC_LANES_MAX && few; i++) {
        few = mqc_outbox_awaits_few(&e->lanes[i]);
    }
    return few;
}

size_t mqc_rx_least(mqc_engine *e, mqc_time *until)
{
    if (e->patient_until != 0 && awaits_few(e)) {
        e->asked_for = 0;
        *until = 0;
        return 1;
    }
    if (e->patient_until == 0) { /* nothing has come at all */
        waited_in_vain(e, 0);
        e->patient_until = MQC_NEVER;
    }
    e->asked_for = worth_asking(e);
    *until = e->asked_for > 0 ? e->patient_until : 0;
    return e->asked_for > 0 ? e->asked_for : 1;
}

/* --- all of it --- */

void mqc_pace_reset(mqc_engine *e)
{
    e->probe_id = 0;
    e->impatience = 0;
    e->mistrust = MISTRUST_MIN;
    e->asked_for = 0;
    e->ask_most = ASK_FIRST;
    e->patient_until = MQC_NEVER;
}

void mqc_pace_batch_left(mqc_engine *e, mqc_time now)
{
    begin_probe(e, now);
    begin_patience(e, now);
}
