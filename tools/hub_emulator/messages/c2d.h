#ifndef HUB_C2D_H
#define HUB_C2D_H

/**
 * @file
 * Cloud-to-device messages of one device.  A message stays here, and on disk,
 * until the device has acknowledged it or its time is over; the broker only
 * ever holds copies of the few that are on their way.
 *
 *     queued -> handed to the broker -> sent under a packet id -> acknowledged
 *        ^------------- the broker's session is gone ---------|
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
/** How many may be on their way to one device. */
#define HUB_C2D_WINDOW 16

typedef enum hub_c2d_state { HUB_C2D_QUEUED = 0, HUB_C2D_HANDED, HUB_C2D_SENT } hub_c2d_state;

typedef struct hub_c2d_message {
    uint64_t sequence;
    hub_c2d_state state;
    uint16_t packet_id; /* when sent */
    int64_t enqueued_ms;
    int64_t expires_ms;  /* the date, for people and for the next run */
    int64_t deadline_ms; /* the same by the clock that nobody sets */
    char *bag;           /* wire form */
    char *body;
    size_t body_len;
} hub_c2d_message;

typedef struct hub_c2d {
    unsigned owner; /* number of the identity; names the files */
    uint64_t last_sequence;
    uint64_t purged;         /* messages up to here are gone, whatever is left of them on disk */
    hub_c2d_message **items; /* oldest first */
    size_t count;
} hub_c2d;

/**
 * Queue and write to disk.  The bag holds system and application properties.  The time to live runs
 * on the monotonic clock; only a restart goes by the date, since nothing else lasts that long.
 */
hub_result hub_c2d_add(hub_c2d *q, const hub_store *store, const hub_bag *bag, const void *body,
                       size_t len, hub_clock now, int64_t ttl_s, hub_fault *fault);

/** The next message to hand to the broker, or NULL; the caller marks it HANDED. */
hub_c2d_message *hub_c2d_next(hub_c2d *q);
/** The broker has put the oldest handed message on the wire. */
void hub_c2d_sent(hub_c2d *q, uint16_t packet_id);
/** The device has acknowledged; false when no message goes by that id. */
bool hub_c2d_acknowledged(hub_c2d *q, const hub_store *store, uint16_t packet_id);
/** The broker has forgotten its copies. */
void hub_c2d_session_lost(hub_c2d *q);
/** Drop what is queued and over its time; how many. */
size_t hub_c2d_expire(hub_c2d *q, const hub_store *store, int64_t up_ms);
/**
 * Drop everything; how many.  A file that cannot be removed comes back at the next start, unless
 * `purged` was saved or the identity is gone before.
 */
size_t hub_c2d_drop_all(hub_c2d *q, const hub_store *store);

/**
 * Read one message back from its file; in order of sequence.  HUB_ERR_ARGUMENT: it is damaged, and
 * fault says how.
 */
hub_result hub_c2d_load(hub_c2d *q, const hub_store *store, const char *name, uint64_t sequence,
                        hub_fault *fault);
/** The deadlines of what was read back begin to run. */
void hub_c2d_start(hub_c2d *q, hub_clock now);
void hub_c2d_free(hub_c2d *q);

#endif
