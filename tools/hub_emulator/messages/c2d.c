#include "messages/c2d.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"

#define ACK_PROPERTY "iothub-ack="

static char *file_name(const hub_c2d *q, uint64_t sequence)
{
    return hub_format("c2d-%06u-%012" PRIu64 ".json", q->owner, sequence);
}

void hub_c2d_message_free(hub_c2d_message *m)
{
    free(m->bag);
    free(m->body);
    free(m);
}

static void append(hub_c2d *q, hub_c2d_message *m)
{
    q->items = hub_realloc(q->items, (q->count + 1) * sizeof *q->items);
    q->items[q->count++] = m;
}

/* Frees the message, unless its sender has asked for feedback. Only messages with that property
 * can answer. */
static void end_message(hub_c2d *q, hub_c2d_message *m, hub_c2d_outcome outcome)
{
    if (strstr(m->bag, ACK_PROPERTY) == NULL) {
        hub_c2d_message_free(m);
        return;
    }
    m->outcome = outcome;
    m->next_end = q->ended;
    q->ended = m;
}

static void drop_at(hub_c2d *q, const hub_store *store, size_t i, hub_c2d_outcome outcome)
{
    char *name = file_name(q, q->items[i]->sequence);
    hub_fault fault;

    (void)hub_store_remove(store, name, &fault);
    free(name);
    end_message(q, q->items[i], outcome);
    q->count--;
    memmove(q->items + i, q->items + i + 1, (q->count - i) * sizeof *q->items);
}

static hub_result save(const hub_c2d *q, const hub_store *store, const hub_c2d_message *m,
                       hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();
    char *body = hub_base64_encode(m->body, m->body_len);
    char *name = file_name(q, m->sequence);

    (void)cJSON_AddNumberToObject(json, "owner", q->owner);
    (void)cJSON_AddNumberToObject(json, "sequence", (double)m->sequence);
    (void)cJSON_AddNumberToObject(json, "enqueued", (double)m->enqueued_ms);
    (void)cJSON_AddNumberToObject(json, "expires", (double)m->expires_ms);
    hub_json_add_text(json, "bag", m->bag);
    hub_json_add_text(json, "body", body);
    hub_result r = hub_store_write_json(store, name, json, fault);
    cJSON_Delete(json);
    free(body);
    free(name);
    return r;
}

static size_t bag_bytes(const hub_bag *bag)
{
    size_t n = 0;

    for (size_t i = 0; i < bag->count; i++) {
        n += strlen(bag->items[i].name);
        n += bag->items[i].value != NULL ? strlen(bag->items[i].value) : 0;
    }
    return n;
}

static hub_result check_new(const hub_c2d *q, const hub_bag *bag, size_t len, hub_fault *fault)
{
    if (q->count >= HUB_C2D_QUEUE_MAX) {
        return hub_fail(fault, HUB_ERR_QUEUE_FULL, "the device has %d messages waiting already",
                        HUB_C2D_QUEUE_MAX);
    }
    if (len + bag_bytes(bag) > HUB_C2D_BYTES_MAX) {
        return hub_fail(fault, HUB_ERR_TOO_LARGE, "body and properties exceed 64 KB");
    }
    return HUB_OK;
}

hub_result hub_c2d_add(hub_c2d *q, const hub_store *store, const hub_bag *bag, const void *body,
                       size_t len, hub_clock now, int64_t ttl_s, hub_fault *fault)
{
    hub_text wire = { 0 };

    assert(hub_c2d_valid(q));
    hub_result r = check_new(q, bag, len, fault);
    if (r != HUB_OK) {
        return r;
    }
    hub_text_str(&wire, "");
    hub_bag_format(bag, &wire);
    if (wire.len > 65000) { /* with the device id, the topic must fit into 65535 bytes */
        hub_text_free(&wire);
        return hub_fail(fault, HUB_ERR_TOO_LARGE, "the properties do not fit an MQTT topic");
    }

    hub_c2d_message *m = hub_calloc(1, sizeof *m);
    *m = (hub_c2d_message){
        .sequence = q->last_sequence + 1,
        .enqueued_ms = now.wall_ms,
        .expires_ms = now.wall_ms + ttl_s * 1000,
        .deadline_ms = now.up_ms + ttl_s * 1000,
        .bag = wire.p,
        .body = hub_memdup(body, len),
        .body_len = len,
    };
    r = save(q, store, m, fault);
    if (r != HUB_OK) {
        hub_c2d_message_free(m);
        return r;
    }
    q->last_sequence = m->sequence;
    append(q, m);
    return HUB_OK;
}

/* Returns whether the broker has a copy of the message. */
static bool is_under_way(const hub_c2d_message *m)
{
    return m->state == HUB_C2D_HANDED || m->state == HUB_C2D_SENT;
}

static hub_c2d_message *first_queued(const hub_c2d *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_QUEUED) {
            return q->items[i];
        }
    }
    return NULL;
}

hub_c2d_message *hub_c2d_next(hub_c2d *q)
{
    size_t under_way = 0;

    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        under_way += is_under_way(q->items[i]) ? 1 : 0;
    }
    return under_way < HUB_C2D_WINDOW ? first_queued(q) : NULL;
}

void hub_c2d_handed(hub_c2d *q, hub_c2d_message *m)
{
    assert(m->state == HUB_C2D_QUEUED);
    m->state = HUB_C2D_HANDED;
    m->turn = ++q->turns;
}

static bool is_sent(const hub_c2d *q, uint16_t packet_id)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_SENT && q->items[i]->packet_id == packet_id) {
            return true;
        }
    }
    return false;
}

/* The order of the turns can differ from that of the queue, since a message whose lock has ended
 * is passed to the broker after younger ones. */
static hub_c2d_message *first_handed(const hub_c2d *q)
{
    hub_c2d_message *first = NULL;

    for (size_t i = 0; i < q->count; i++) {
        hub_c2d_message *m = q->items[i];
        if (m->state == HUB_C2D_HANDED && (first == NULL || m->turn < first->turn)) {
            first = m;
        }
    }
    return first;
}

void hub_c2d_sent(hub_c2d *q, uint16_t packet_id)
{
    assert(hub_c2d_valid(q));
    hub_c2d_message *m = first_handed(q);
    if (m == NULL || (packet_id != 0 && is_sent(q, packet_id))) {
        return; /* repeated */
    }
    m->state = HUB_C2D_SENT;
    m->packet_id = packet_id;
}

bool hub_c2d_acknowledged(hub_c2d *q, const hub_store *store, uint16_t packet_id)
{
    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_SENT && q->items[i]->packet_id == packet_id) {
            drop_at(q, store, i, HUB_C2D_COMPLETED);
            return true;
        }
    }
    return false;
}

void hub_c2d_session_lost(hub_c2d *q)
{
    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        if (is_under_way(q->items[i])) {
            q->items[i]->state = HUB_C2D_QUEUED;
            q->items[i]->turn = 0;
        }
    }
}

/* --- over HTTPS -------------------------------------------------------- */

const hub_c2d_message *hub_c2d_lock(hub_c2d *q, int64_t up_ms, const hub_c2d_limits *limits)
{
    assert(hub_c2d_valid(q));
    hub_c2d_message *m = first_queued(q);
    if (m != NULL) {
        m->state = HUB_C2D_LOCKED;
        m->deliveries++;
        m->lock_ms = up_ms + limits->lock_ms;
        hub_random_uuid(m->lock);
    }
    return m;
}

/* Returns the index of the message that is locked by this token, or q->count. */
static size_t find_lock(const hub_c2d *q, const char *lock)
{
    size_t i = 0;

    while (i < q->count &&
           (q->items[i]->state != HUB_C2D_LOCKED || strcmp(q->items[i]->lock, lock) != 0)) {
        i++;
    }
    return i;
}

bool hub_c2d_settle(hub_c2d *q, const hub_store *store, const char *lock, hub_c2d_outcome outcome)
{
    assert(hub_c2d_valid(q));
    const size_t i = find_lock(q, lock);
    if (i == q->count) {
        return false;
    }
    drop_at(q, store, i, outcome);
    return true;
}

static void end_lock(hub_c2d *q, const hub_store *store, size_t i, const hub_c2d_limits *limits)
{
    hub_c2d_message *m = q->items[i];

    if (m->deliveries >= limits->deliveries) {
        drop_at(q, store, i, HUB_C2D_DELIVERY_EXCEEDED);
        return;
    }
    m->state = HUB_C2D_QUEUED;
    m->lock[0] = '\0';
}

bool hub_c2d_abandon(hub_c2d *q, const hub_store *store, const char *lock,
                     const hub_c2d_limits *limits)
{
    assert(hub_c2d_valid(q));
    const size_t i = find_lock(q, lock);
    if (i == q->count) {
        return false;
    }
    end_lock(q, store, i, limits);
    return true;
}

bool hub_c2d_unlock(hub_c2d *q, const hub_store *store, int64_t up_ms, const hub_c2d_limits *limits)
{
    bool any = false;

    assert(hub_c2d_valid(q));
    for (size_t i = q->count; i-- > 0;) {
        if (q->items[i]->state == HUB_C2D_LOCKED && q->items[i]->lock_ms <= up_ms) {
            end_lock(q, store, i, limits);
            any = true;
        }
    }
    return any;
}

/* --- the end ----------------------------------------------------------- */

hub_c2d_message *hub_c2d_take_ended(hub_c2d *q)
{
    hub_c2d_message *m = q->ended;

    if (m != NULL) {
        q->ended = m->next_end;
        m->next_end = NULL;
    }
    return m;
}

size_t hub_c2d_expire(hub_c2d *q, const hub_store *store, int64_t up_ms)
{
    size_t dropped = 0;

    assert(hub_c2d_valid(q));
    for (size_t i = q->count; i-- > 0;) {
        if (q->items[i]->state == HUB_C2D_QUEUED && q->items[i]->deadline_ms <= up_ms) {
            drop_at(q, store, i, HUB_C2D_EXPIRED);
            dropped++;
        }
    }
    return dropped;
}

size_t hub_c2d_drop_all(hub_c2d *q, const hub_store *store)
{
    size_t dropped = q->count;

    assert(hub_c2d_valid(q));
    while (q->count > 0) {
        drop_at(q, store, q->count - 1, HUB_C2D_PURGED);
    }
    return dropped;
}

void hub_c2d_void(hub_c2d *q)
{
    assert(hub_c2d_valid(q));
    q->purged = q->last_sequence;
}

void hub_c2d_restore(hub_c2d *q, uint64_t purged)
{
    assert(q->count == 0);
    q->purged = purged;
    q->last_sequence = purged;
}

static bool message_from_json(const hub_c2d *q, hub_c2d_message *m, const cJSON *json)
{
    const int64_t max = INT64_C(1) << 52;
    const char *bag = hub_json_string(json, "bag");
    const char *body = hub_json_string(json, "body");
    int64_t sequence;
    int64_t owner;

    if (bag == NULL || body == NULL ||
        !hub_json_whole(cJSON_GetObjectItemCaseSensitive(json, "owner"), 1, max, &owner) ||
        !hub_json_whole(cJSON_GetObjectItemCaseSensitive(json, "sequence"), 1, max, &sequence) ||
        !hub_json_whole(cJSON_GetObjectItemCaseSensitive(json, "enqueued"), 0, max,
                        &m->enqueued_ms) ||
        !hub_json_whole(cJSON_GetObjectItemCaseSensitive(json, "expires"), 0, max,
                        &m->expires_ms) ||
        owner != q->owner || (uint64_t)sequence != m->sequence) {
        return false;
    }
    m->bag = hub_strdup(bag);
    m->body = (char *)hub_base64_decode(body, &m->body_len);
    return m->body != NULL;
}

hub_result hub_c2d_load(hub_c2d *q, const hub_store *store, const char *name, uint64_t sequence,
                        hub_fault *fault)
{
    cJSON *json;

    hub_result r = hub_store_read_json(store, name, &json, fault);
    if (r != HUB_OK) {
        return r;
    }
    hub_c2d_message *m = hub_calloc(1, sizeof *m);
    m->sequence = sequence;
    if (message_from_json(q, m, json)) {
        append(q, m);
        q->last_sequence = sequence > q->last_sequence ? sequence : q->last_sequence;
    } else {
        hub_c2d_message_free(m);
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "is not a complete message");
    }
    cJSON_Delete(json);
    return r;
}

/* The date may have been changed, so no message gets more than its original time to live. */
void hub_c2d_start(hub_c2d *q, hub_clock now)
{
    for (size_t i = 0; i < q->count; i++) {
        hub_c2d_message *m = q->items[i];
        int64_t life = m->expires_ms - m->enqueued_ms;
        int64_t left = m->expires_ms - now.wall_ms;
        m->deadline_ms = now.up_ms + (left < life ? left : life);
    }
}

void hub_c2d_free(hub_c2d *q)
{
    hub_c2d_message *m;

    for (size_t i = 0; i < q->count; i++) {
        hub_c2d_message_free(q->items[i]);
    }
    free(q->items);
    while ((m = hub_c2d_take_ended(q)) != NULL) {
        hub_c2d_message_free(m);
    }
    *q = (hub_c2d){ .owner = q->owner };
}

static bool message_valid(const hub_c2d *q, const hub_c2d_message *m)
{
    return m->sequence <= q->last_sequence && is_under_way(m) == (m->turn != 0) &&
           m->turn <= q->turns && (m->state == HUB_C2D_LOCKED) == (m->lock[0] != '\0');
}

bool hub_c2d_valid(const hub_c2d *q)
{
    const hub_c2d_message *handed = first_handed(q);
    size_t under_way = 0;

    for (size_t i = 0; i < q->count; i++) {
        const hub_c2d_message *m = q->items[i];
        if (!message_valid(q, m) || (i > 0 && q->items[i - 1]->sequence >= m->sequence) ||
            (m->state == HUB_C2D_SENT && handed != NULL && m->turn > handed->turn)) {
            return false;
        }
        under_way += is_under_way(m) ? 1 : 0;
    }
    return q->purged <= q->last_sequence && under_way <= HUB_C2D_WINDOW;
}
