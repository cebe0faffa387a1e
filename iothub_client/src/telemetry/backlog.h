#ifndef IOTHUB_BACKLOG_H
#define IOTHUB_BACKLOG_H

/**
 * @file Telemetry in the store: backlog_append stores a message, backlog_feed moves it into the
 * lane, and its end removes it. These functions need options.store, unless they say otherwise.
 */

#include "internal.h"

/** memory: for the table of the records in the lane, at most lane_max at a time. */
void backlog_init(iothub_client *c, void *memory, size_t len, size_t lane_max);
/**
 * Reports the end of all messages of this run; the records stay in the store. Does nothing without
 * a store.
 */
void backlog_deinit(iothub_client *c);

/** Returns the id "<id of the store>-<number>" of the message that is appended next. */
void backlog_message_id(const iothub_client *c, iothub_text *t);
/** The topic of m must be at context_events, with that much room in front of it. */
#define BACKLOG_TOPIC_AT sizeof(mqc_time)
plat_result backlog_append(iothub_client *c, const mqc_outgoing *m, uint32_t ttl_ms);
/**
 * True if the appended message gives a turn something to do: it can be sent, or it has a time to
 * live.
 */
bool backlog_wants_turn(const iothub_client *c);
/** Refuse a call because the store failed with r. */
iothub_result backlog_refuse(iothub_client *c, plat_result r);

/**
 * Drops the oldest message that was not sent. False: there is none, or it cannot be dropped now.
 */
bool backlog_drop_oldest(iothub_client *c);
/** Writes all changes to the disk. False: not possible now. */
bool backlog_sync(iothub_client *c);
/** Marks all waiting messages in the store as dropped. Returns their number. */
uint64_t backlog_purge(iothub_client *c);

/** Moves records into the lane while there is room. Does nothing without a store. */
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
/** 0: there is no deadline, or no store. */
mqc_time backlog_next_deadline(const iothub_client *c);

#endif
