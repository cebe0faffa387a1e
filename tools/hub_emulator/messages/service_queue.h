#ifndef HUB_SERVICE_QUEUE_H
#define HUB_SERVICE_QUEUE_H

/**
 * @file
 * Messages of the hub for services, such as feedback about a cloud-to-device message. A service
 * receives the oldest one under a lock, and then completes or abandons it. They are not kept when
 * the emulator ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/crypto.h"

/** Most messages that wait; the oldest are dropped first. */
#define HUB_SERVICE_QUEUE_MAX 1000
/** How long a service may work on a message, in milliseconds. */
#define HUB_SERVICE_LOCK_MS 60000

typedef struct hub_service_message {
    char *body; /* JSON */
    int64_t enqueued_ms;
    char lock[HUB_UUID_SIZE]; /* the lock token, or "" if it is not locked */
    int64_t lock_ms;          /* time of expiry of the lock, monotonic */
    unsigned deliveries;      /* how often it was locked */
    uint64_t sequence;
    struct hub_service_message *next;
} hub_service_message;

/** { 0 } is an empty queue. */
typedef struct hub_service_queue {
    hub_service_message *first; /* the oldest */
    size_t count;
    uint64_t last_sequence;
} hub_service_queue;

/** Queues a message. The queue becomes the owner of the body, which is on the heap. */
void hub_service_queue_add(hub_service_queue *q, char *body, int64_t now_ms);
/** Locks the oldest message that is not locked, and returns it. NULL: there is none. */
const hub_service_message *hub_service_queue_lock(hub_service_queue *q, int64_t up_ms);
/**
 * Delete the message with this lock token, or end its lock. Return false if no message is locked by
 * it.
 */
bool hub_service_queue_complete(hub_service_queue *q, const char *lock, int64_t up_ms);
bool hub_service_queue_abandon(hub_service_queue *q, const char *lock, int64_t up_ms);
void hub_service_queue_free(hub_service_queue *q);

#endif
