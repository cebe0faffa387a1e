#ifndef IOTHUB_BACKLOG_H
#define IOTHUB_BACKLOG_H

/**
 * @file
 * Telemetry in the store: in by backlog_append, out by backlog_feed into the telemetry lane, gone
 * with its end.  Only with options.store, where nothing else is said.
 */

#include "internal.h"

/** memory: for the table of what is in the lane, with at most lane_max at a time. */
void backlog_init(iothub_client *c, void *memory, size_t len, size_t lane_max);
/** End what the application still waits for; the records stay.  Nothing without a store. */
void backlog_deinit(iothub_client *c);

/** "<id of the store>-<number>" of the message that is appended next. */
void backlog_message_id(const iothub_client *c, iothub_text *t);
/** The topic of m has to stand at c->context.events, with that much room in front of it. */
#define BACKLOG_TOPIC_AT sizeof(mqc_time)
plat_result backlog_append(iothub_client *c, const mqc_outgoing *m, uint32_t ttl_ms);
/** Of what was appended: whether a turn would send it, or look how long it may wait. */
bool backlog_wants_turn(const iothub_client *c);
/** Refuse a call because the store failed with r. */
iothub_result backlog_refuse(iothub_client *c, plat_result r);

/** Give up the oldest message that has not been sent.  False: none, or not now. */
bool backlog_drop_oldest(iothub_client *c);
/** Everything on the disk, and what was removed no longer there.  False: not now. */
bool backlog_sync(iothub_client *c);
/** Give up what waits in the store, from now on; how many these are. */
uint64_t backlog_purge(iothub_client *c);

/** Move into the lane what it has room for.  Nothing without a store. */
void backlog_feed_lane(iothub_client *c, mqc_time now);
static inline void backlog_feed(iothub_client *c, mqc_time now)
{
    if (c->context.options.store != NULL) {
        backlog_feed_lane(c, now);
    }
}
/** A message in the lane has ended. */
void backlog_on_done(iothub_client *c, const mqc_done *m, iothub_result result);

/** Nothing without a store. */
void backlog_look(iothub_client *c, mqc_time now);
static inline void backlog_on_time(iothub_client *c, mqc_time now)
{
    if (c->context.options.store != NULL) {
        backlog_look(c, now);
    }
}
/** 0: nothing waits for time, or there is no store. */
mqc_time backlog_next_deadline(const iothub_client *c);

#endif
