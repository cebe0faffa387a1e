#ifndef IOTHUB_BACKLOG_H
#define IOTHUB_BACKLOG_H

/**
 * @file
 * Telemetry in the store. backlog_append adds it, backlog_feed moves it into the telemetry lane,
 * and it is removed from the store when it ends. Only for a client with options.store, unless the
 * comment of a function says otherwise.
 */

#include "telemetry/in_lane_table.h"
#include "telemetry/store_health.h"
#include "telemetry/telemetry_ends.h"
#include "text/text_writer.h"

typedef struct backlog {
    iothub_context *context;
    telemetry_ends ends; /* counts messages that were in no store, too */
    in_lane_table table;
    store_health health;
    uint32_t lane_max; /* most messages in the lane */
    uint32_t in_lane;  /* number of messages in the lane */

    uint64_t next; /* sequence number; from this record on, records wait in the store only */
    /* Sequence number; from this record on, records were stored by this client. */
    uint64_t first_own;
    uint64_t open;        /* number of records whose end was not counted */
    uint64_t purge_begin; /* waiting records from this one on are dropped */
    uint64_t purge_end;   /* the first record that is not dropped any more */
    uint64_t purging;     /* number of records that are still to be given up, as far as known */
    mqc_time front_due; /* when the first waiting record expires; 0: unknown, so it must be read */

    uint64_t found;  /* number of records at the beginning */
    uint64_t stored; /* number of records stored since then */
} backlog;

/** Initialises the backlog. Call it also without a store; the backlog then stays empty. */
void backlog_init(backlog *b, iothub_context *context);
/**
 * Begins to use the store. memory is for the table of the records in the lane, which are at most
 * lane_max.
 */
void backlog_open(backlog *b, void *memory, size_t len, size_t lane_max);
/** Ends the open requests, but keeps the records. Does nothing without a store. */
void backlog_close(backlog *b);

/** Returns the id "<id of the store>-<number>" of the message that is appended next. */
void backlog_message_id(const backlog *b, iothub_text *t);
/**
 * Appends a message. Its topic must be at context->events, with RECORD_STAMP_SIZE bytes of room
 * before it (telemetry/record.h).
 */
plat_result backlog_append(backlog *b, const mqc_outgoing *m, uint32_t ttl_ms);
/** Refuses a call because the store has failed with r. */
iothub_result backlog_refuse(backlog *b, plat_result r);
/** Returns the number of bytes in the store. */
uint64_t backlog_bytes(const backlog *b);

/**
 * Drops the oldest message that was not sent. If *from_lane is set, the engine reports its end.
 * Returns false if there is none, or if it cannot be dropped now.
 */
bool backlog_drop_oldest(backlog *b, bool *from_lane);
/** Writes all changes to the disk. Returns false if that is not possible now. */
bool backlog_sync(backlog *b);
/** Marks all waiting messages in the store as dropped. Returns their number. */
uint64_t backlog_purge(backlog *b);

/** Moves records into the lane while there is room. Does nothing after iothub_stop. */
void backlog_feed(backlog *b, bool stopping, mqc_time now);
/** Call it when a message in the lane has ended. */
void backlog_on_done(backlog *b, const mqc_done *m, iothub_result result);
/** Returns true if a turn would send something, or check a time to live. */
bool backlog_wants_turn(const backlog *b, bool stopping);

void backlog_on_time(backlog *b, bool stopping, mqc_time now);
mqc_time backlog_deadline(const backlog *b, bool stopping);

#ifndef NDEBUG
bool backlog_valid(const backlog *b);
#endif

#endif
