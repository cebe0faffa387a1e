#include "messages/service_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Removes the message to which *at points. */
static void drop(hub_service_queue *q, hub_service_message **at)
{
    hub_service_message *m = *at;

    *at = m->next;
    q->count--;
    free(m->body);
    free(m);
}

void hub_service_queue_add(hub_service_queue *q, char *body, int64_t now_ms)
{
    hub_service_message **end = &q->first;
    hub_service_message *m = hub_calloc(1, sizeof *m);

    if (q->count == HUB_SERVICE_QUEUE_MAX) {
        drop(q, &q->first);
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    m->body = body;
    m->enqueued_ms = now_ms;
    m->sequence = ++q->last_sequence;
    *end = m;
    q->count++;
}

static bool is_locked(const hub_service_message *m, int64_t up_ms)
{
    return m->lock[0] != '\0' && up_ms < m->lock_ms;
}

const hub_service_message *hub_service_queue_lock(hub_service_queue *q, int64_t up_ms)
{
    hub_service_message *m = q->first;

    while (m != NULL && is_locked(m, up_ms)) {
        m = m->next;
    }
    if (m != NULL) {
        hub_random_uuid(m->lock);
        m->lock_ms = up_ms + HUB_SERVICE_LOCK_MS;
        m->deliveries++;
    }
    return m;
}

/* Returns the address of the pointer to the message with this lock; it points to NULL if there is
 * none. */
static hub_service_message **find(hub_service_queue *q, const char *lock, int64_t up_ms)
{
    hub_service_message **at = &q->first;

    while (*at != NULL && (!is_locked(*at, up_ms) || strcmp((*at)->lock, lock) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

bool hub_service_queue_complete(hub_service_queue *q, const char *lock, int64_t up_ms)
{
    hub_service_message **at = find(q, lock, up_ms);

    if (*at == NULL) {
        return false;
    }
    drop(q, at);
    return true;
}

bool hub_service_queue_abandon(hub_service_queue *q, const char *lock, int64_t up_ms)
{
    hub_service_message *m = *find(q, lock, up_ms);

    if (m != NULL) {
        m->lock[0] = '\0';
    }
    return m != NULL;
}

void hub_service_queue_free(hub_service_queue *q)
{
    while (q->first != NULL) {
        drop(q, &q->first);
    }
}
