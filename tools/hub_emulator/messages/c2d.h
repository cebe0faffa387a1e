#ifndef HUB_C2D_H
#define HUB_C2D_H

/**
 * @file Cloud-to-device messages of one device. A message stays here, and on disk, until the device
 * has acknowledged it or its time to live has ended. The broker holds only copies of the few
 * messages in flight. Each message passes these states: queued, handed to the broker, sent under a
 * packet id, acknowledged; the end of the broker's session makes it queued again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "messages/bag.h"
#include "state/store.h"

#define HUB_C2D_QUEUE_MAX 50
#define HUB_C2D_BYTES_MAX (64 * 1024)
#define HUB_C2D_TTL_MAX_S (48 * 3600)
#define HUB_C2D_TTL_S     3600
/** Largest number of messages in flight to one device. */
#define HUB_C2D_WINDOW 16

typedef enum hub_c2d_state { HUB_C2D_QUEUED = 0, HUB_C2D_HANDED, HUB_C2D_SENT } hub_c2d_state;

typedef struct hub_c2d_message {
    uint64_t sequence;
    hub_c2d_state state;
    uint16_t packet_id; /* when sent */
    int64_t enqueued_ms;
    int64_t expires_ms;  /* the date, for people and for the next run */
    int64_t deadline_ms; /* the time of expiry on the monotonic clock */
    char *bag;           /* wire form */
    char *body;
    size_t body_len;
} hub_c2d_message;

typedef struct hub_c2d {
    unsigned owner; /* number of the identity, which is part of the names of files */
    uint64_t last_sequence;
    uint64_t purged;         /* messages up to this one are deleted, even if their files remain */
    hub_c2d_message **items; /* oldest first */
    size_t count;
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
void hub_c2d_handed(hub_c2d_message *m);
/**
 * Call it when the broker has sent the oldest message that was passed to it. If a message has this
 * packet id already, the broker has sent that message again.
 */
void hub_c2d_sent(hub_c2d *q, uint16_t packet_id);
/** Call it when the device has acknowledged a message. Returns false if no message has this id. */
bool hub_c2d_acknowledged(hub_c2d *q, const hub_store *store, uint16_t packet_id);
/** Call it when the broker has lost its copies. */
void hub_c2d_session_lost(hub_c2d *q);
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
 * Returns whether the parts of the queue agree: sequences increase up to last_sequence; messages
 * that were sent come first, then those that were passed to the broker, then those that are queued;
 * and no more than HUB_C2D_WINDOW are in flight. Debug builds assert it in each function.
 */
bool hub_c2d_valid(const hub_c2d *q);

#endif
