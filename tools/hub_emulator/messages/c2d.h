#ifndef HUB_C2D_H
#define HUB_C2D_H

/**
 * @file Cloud-to-device messages of one device. A message stays here, and on disk, until the device
 * has acknowledged it or its time to live has ended. Over MQTT, the broker holds copies of the few
 * messages in flight, and a message passes these states: queued, handed to the broker, sent under a
 * packet id, acknowledged; the end of the broker's session makes it queued again. Over HTTPS, a
 * queued message becomes locked until the device completes, rejects or abandons it, or the lock
 * expires. Only one of the two ways has a message at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "messages/bag.h"
#include "state/store.h"

#define HUB_C2D_QUEUE_MAX 50
#define HUB_C2D_BYTES_MAX (64 * 1024)
#define HUB_C2D_TTL_MAX_S (48 * 3600)
#define HUB_C2D_TTL_S     3600
/** Largest number of messages in flight to one device. */
#define HUB_C2D_WINDOW 16

/** How long a device may work on a message that it has received over HTTPS: that of the real hub,
 * and the longest time that can be set. */
#define HUB_C2D_LOCK_S     60
#define HUB_C2D_LOCK_MAX_S 300
/** How often a message may be locked before it is dropped. */
#define HUB_C2D_DELIVERIES     10
#define HUB_C2D_DELIVERIES_MAX 100

typedef enum hub_c2d_state {
    HUB_C2D_QUEUED = 0,
    HUB_C2D_HANDED,
    HUB_C2D_SENT,
    HUB_C2D_LOCKED
} hub_c2d_state;

/** How a message has ended. */
typedef enum hub_c2d_outcome {
    HUB_C2D_COMPLETED = 0,
    HUB_C2D_EXPIRED,
    HUB_C2D_DELIVERY_EXCEEDED, /* it was locked too often */
    HUB_C2D_REJECTED,
    HUB_C2D_PURGED
} hub_c2d_outcome;

typedef struct hub_c2d_message {
    uint64_t sequence;
    hub_c2d_state state;
    uint16_t packet_id;       /* when sent */
    uint64_t turn;            /* handed or sent: its place in the order of the broker, from 1 */
    unsigned deliveries;      /* how often it was locked */
    char lock[HUB_UUID_SIZE]; /* the lock token when locked, otherwise "" */
    int64_t lock_ms;          /* when locked: the time of expiry on the monotonic clock */
    int64_t enqueued_ms;
    int64_t expires_ms;  /* the date, for people and for the next run */
    int64_t deadline_ms; /* the time of expiry on the monotonic clock */
    char *bag;           /* wire form */
    char *body;
    size_t body_len;
    hub_c2d_outcome outcome;          /* only after its end */
    struct hub_c2d_message *next_end; /* the next one in the list of those that have ended */
} hub_c2d_message;

/** What a device may do with messages over HTTPS. */
typedef struct hub_c2d_limits {
    int64_t lock_ms;
    unsigned deliveries;
} hub_c2d_limits;

typedef struct hub_c2d {
    unsigned owner; /* number of the identity, which is part of the names of files */
    uint64_t last_sequence;
    uint64_t purged;         /* messages up to this one are deleted, even if their files remain */
    hub_c2d_message **items; /* oldest first */
    size_t count;
    uint64_t turns;         /* number of messages that were passed to the broker */
    hub_c2d_message *ended; /* those of which the sender wants to know the end, newest first */
} hub_c2d;

/**
 * Queues a message and writes it to disk. The bag contains system and application properties. The
 * time to live is measured with the monotonic clock; after a restart the date is used.
 */
hub_result hub_c2d_add(hub_c2d *q, const hub_store *store, const hub_bag *bag, const void *body,
                       size_t len, hub_clock now, int64_t ttl_s, hub_fault *fault);

/**
 * Returns the next message for the broker, or NULL. After passing it on, the caller calls
 * hub_c2d_handed.
 */
hub_c2d_message *hub_c2d_next(hub_c2d *q);
/** Call it when the broker has a copy of the message. */
void hub_c2d_handed(hub_c2d *q, hub_c2d_message *m);
/**
 * Call it when the broker has sent the oldest message that was passed to it. If a message has this
 * packet id already, the broker has sent that message again.
 */
void hub_c2d_sent(hub_c2d *q, uint16_t packet_id);
/** Call it when the device has acknowledged a message. Returns false if no message has this id. */
bool hub_c2d_acknowledged(hub_c2d *q, const hub_store *store, uint16_t packet_id);
/** Call it when the broker has lost its copies. */
void hub_c2d_session_lost(hub_c2d *q);

/**
 * Locks the oldest queued message for a device that asks over HTTPS, and counts a delivery. Returns
 * NULL if none is queued.
 */
const hub_c2d_message *hub_c2d_lock(hub_c2d *q, int64_t up_ms, const hub_c2d_limits *limits);
/** Ends the message with this lock token. Returns false if no message is locked by it. */
bool hub_c2d_settle(hub_c2d *q, const hub_store *store, const char *lock, hub_c2d_outcome outcome);
/**
 * Ends the lock, so that the message is queued again, or dropped if it was delivered too often.
 * Returns false if no message is locked by it.
 */
bool hub_c2d_abandon(hub_c2d *q, const hub_store *store, const char *lock,
                     const hub_c2d_limits *limits);
/** Ends the locks that have expired. Returns whether there were any. */
bool hub_c2d_unlock(hub_c2d *q, const hub_store *store, int64_t up_ms,
                    const hub_c2d_limits *limits);

/**
 * Returns a message that has ended and whose property iothub-ack asks for feedback, which the
 * caller frees with hub_c2d_message_free. NULL: there is none.
 */
hub_c2d_message *hub_c2d_take_ended(hub_c2d *q);
void hub_c2d_message_free(hub_c2d_message *m);

/** Drops queued messages whose time to live has ended. Returns their number. */
size_t hub_c2d_expire(hub_c2d *q, const hub_store *store, int64_t up_ms);
/**
 * Drops all messages. Returns their number. A file that cannot be removed is read again at the next
 * start, unless `purged` was saved or the identity was deleted before.
 */
size_t hub_c2d_drop_all(hub_c2d *q, const hub_store *store);
/** Marks all messages as purged. Files of them that still exist are removed at the next start. */
void hub_c2d_void(hub_c2d *q);
/** Sets `purged` to the saved value; the queue must be empty. */
void hub_c2d_restore(hub_c2d *q, uint64_t purged);

/**
 * Reads one message back from its file, in order of sequence. HUB_ERR_ARGUMENT means that the file
 * is damaged; fault describes how.
 */
hub_result hub_c2d_load(hub_c2d *q, const hub_store *store, const char *name, uint64_t sequence,
                        hub_fault *fault);
/** Starts the time to live of the messages that were read back. */
void hub_c2d_start(hub_c2d *q, hub_clock now);
void hub_c2d_free(hub_c2d *q);

/**
 * Returns whether the parts of the queue agree: sequences increase up to last_sequence; exactly the
 * messages that the broker has have a turn, and those that it has sent had theirs before all
 * others; exactly the locked ones have a lock token; and no more than HUB_C2D_WINDOW are in flight.
 * Debug builds assert it in each function.
 */
bool hub_c2d_valid(const hub_c2d *q);

#endif
