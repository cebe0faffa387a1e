#ifndef IOTHUB_BACKLOG_H
#define IOTHUB_BACKLOG_H

/**
 * @file
 * Telemetry in the store: it enters by backlog_append, moves into the telemetry lane by
 * backlog_feed, and leaves the store with its end.  Only for a client with options.store, unless a
 * function says otherwise.
 */

#include "telemetry/in_lane_table.h"
#include "telemetry/store_health.h"
#include "telemetry/telemetry_ends.h"
#include "text/text_writer.h"

typedef struct backlog {
    iothub_context *context;
    telemetry_ends ends; /* also of messages that were in no store */
    in_lane_table table;
    store_health health;
    uint32_t lane_max; /* largest number of messages in the lane */
    uint32_t in_lane;  /* number of messages in the lane */

    uint64_t next;        /* records from here on wait in the store only */
    uint64_t first_own;   /* records from here on were stored by this client */
    uint64_t open;        /* records whose end was not counted */
    uint64_t purge_begin; /* waiting records from here on are dropped, */
    uint64_t purge_end;   /* up to the one before this */
    uint64_t purging;     /* the number of records to give up, as far as known */
    mqc_time front_due;   /* when the first record that waits expires; 0: unknown, look at it */

    uint64_t found;  /* records at the beginning */
    uint64_t stored; /* records since then */
} backlog;

/** Call it also without a store; the backlog then stays empty. */
void backlog_init(backlog *b, iothub_context *context);
/** memory: for the table of what is in the lane, of which at most lane_max at a time. */
void backlog_open(backlog *b, void *memory, size_t len, size_t lane_max);
/** Ends the open requests; the records stay. Does nothing without a store. */
void backlog_close(backlog *b);

/** Returns the id "<id of the store>-<number>" of the message that is appended next. */
void backlog_message_id(const backlog *b, iothub_text *t);
/** The topic of m has to stand at context->events, with RECORD_STAMP_SIZE bytes of room in front of
 * it (telemetry/record.h). */
plat_result backlog_append(backlog *b, const mqc_outgoing *m, uint32_t ttl_ms);
/** Refuse a call because the store failed with r. */
iothub_result backlog_refuse(backlog *b, plat_result r);
/** Bytes in the store. */
uint64_t backlog_bytes(const backlog *b);

/**
 * Drops the oldest message that was not sent; *from_lane: the engine reports its end. False: there
 * is none, or it cannot be dropped now.
 */
bool backlog_drop_oldest(backlog *b, bool *from_lane);
/** Writes all changes to the disk. False: not possible now. */
bool backlog_sync(backlog *b);
/** Marks all waiting messages in the store as dropped. Returns their number. */
uint64_t backlog_purge(backlog *b);

/** Moves records into the lane while there is room. Does nothing after iothub_stop. */
void backlog_feed(backlog *b, bool stopping, mqc_time now);
/** A message in the lane has ended. */
void backlog_on_done(backlog *b, const mqc_done *m, iothub_result result);
/** True if a turn would send something, or check its time to live. */
bool backlog_wants_turn(const backlog *b, bool stopping);

void backlog_on_time(backlog *b, bool stopping, mqc_time now);
mqc_time backlog_deadline(const backlog *b, bool stopping);

#ifndef NDEBUG
bool backlog_valid(const backlog *b);
#endif

#endif
