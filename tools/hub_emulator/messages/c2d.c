#include "messages/c2d.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"

static char *file_name(const hub_c2d *q, uint64_t sequence)
{
    return hub_format("c2d-%06u-%012" PRIu64 ".json", q->owner, sequence);
}

static void free_message(hub_c2d_message *m)
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

static void drop_at(hub_c2d *q, const hub_store *store, size_t i)
{
    char *name = file_name(q, q->items[i]->sequence);
    hub_fault fault;

    (void)hub_store_remove(store, name, &fault);
    free(name);
    free_message(q->items[i]);
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
        free_message(m);
        return r;
    }
    q->last_sequence = m->sequence;
    append(q, m);
    return HUB_OK;
}

hub_c2d_message *hub_c2d_next(hub_c2d *q)
{
    size_t under_way = 0;

    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_QUEUED) {
            return under_way < HUB_C2D_WINDOW ? q->items[i] : NULL;
        }
        under_way++;
    }
    return NULL;
}

void hub_c2d_handed(hub_c2d_message *m)
{
    assert(m->state == HUB_C2D_QUEUED);
    m->state = HUB_C2D_HANDED;
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

void hub_c2d_sent(hub_c2d *q, uint16_t packet_id)
{
    assert(hub_c2d_valid(q));
    if (packet_id != 0 && is_sent(q, packet_id)) {
        return; /* repeated */
    }
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_HANDED) {
            q->items[i]->state = HUB_C2D_SENT;
            q->items[i]->packet_id = packet_id;
            return;
        }
    }
}

bool hub_c2d_acknowledged(hub_c2d *q, const hub_store *store, uint16_t packet_id)
{
    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i]->state == HUB_C2D_SENT && q->items[i]->packet_id == packet_id) {
            drop_at(q, store, i);
            return true;
        }
    }
    return false;
}

void hub_c2d_session_lost(hub_c2d *q)
{
    assert(hub_c2d_valid(q));
    for (size_t i = 0; i < q->count; i++) {
        q->items[i]->state = HUB_C2D_QUEUED;
    }
}

size_t hub_c2d_expire(hub_c2d *q, const hub_store *store, int64_t up_ms)
{
    size_t dropped = 0;

    assert(hub_c2d_valid(q));
    for (size_t i = q->count; i-- > 0;) {
        if (q->items[i]->state == HUB_C2D_QUEUED && q->items[i]->deadline_ms <= up_ms) {
            drop_at(q, store, i);
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
        drop_at(q, store, q->count - 1);
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
        free_message(m);
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
    for (size_t i = 0; i < q->count; i++) {
        free_message(q->items[i]);
    }
    free(q->items);
    *q = (hub_c2d){ .owner = q->owner };
}

bool hub_c2d_valid(const hub_c2d *q)
{
    size_t under_way = 0;

    for (size_t i = 0; i < q->count; i++) {
        const hub_c2d_message *m = q->items[i];
        const hub_c2d_message *earlier = i > 0 ? q->items[i - 1] : NULL;
        if (m->sequence > q->last_sequence ||
            (earlier != NULL && (earlier->sequence >= m->sequence || earlier->state < m->state))) {
            return false;
        }
        under_way += m->state != HUB_C2D_QUEUED ? 1 : 0;
    }
    return q->purged <= q->last_sequence && under_way <= HUB_C2D_WINDOW;
}
