#include "messages/telemetry.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

size_t hub_telemetry_size(const hub_bag *bag, size_t body_len)
{
    size_t n = body_len;

    for (size_t i = 0; i < bag->count; i++) {
        const hub_bag_item *item = &bag->items[i];
        n += item->value != NULL ? strlen(item->value) : 0;
        n += hub_event_is_system(item->name) ? 0 : strlen(item->name);
    }
    return n;
}

static bool message_id_valid(const char *id)
{
    size_t len = strlen(id);

    for (const char *p = id; *p != '\0'; p++) {
        if (((unsigned char)*p & 0x80) != 0 ||
            (!isalnum((unsigned char)*p) && strchr("-:.+%_#*?!(),=@;$'", *p) == NULL)) {
            return false;
        }
    }
    return len <= 128;
}

hub_result hub_telemetry_check(const hub_bag *bag, size_t body_len, hub_fault *fault)
{
    const hub_bag_item *id = hub_bag_find(bag, "$.mid");

    if (id != NULL && id->value != NULL && !message_id_valid(id->value)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "message id: longer than 128 characters, or a character is not allowed");
    }
    if (hub_telemetry_size(bag, body_len) > HUB_TELEMETRY_SIZE_MAX) {
        return hub_fail(fault, HUB_ERR_TOO_LARGE, "message of %zu bytes, more than 256 KB",
                        hub_telemetry_size(bag, body_len));
    }
    return HUB_OK;
}

static hub_event *at(const hub_telemetry *t, size_t i)
{
    return &t->ring[(t->first + i) % t->events_max];
}

/* The lengths of a longer ring are not added up, to keep the valid check fast. */
#define ADD_UP_MAX 64

bool hub_telemetry_valid(const hub_telemetry *t)
{
    size_t bytes = 0;

    if (t->count == 0) {
        return t->bytes == 0;
    }
    if (t->count > t->events_max || t->first >= t->events_max ||
        (t->count > 1 && t->bytes > t->bytes_max) ||
        at(t, t->count - 1)->sequence + 1 != t->next_sequence) {
        return false;
    }
    for (size_t i = 0; i < t->count && t->count <= ADD_UP_MAX; i++) {
        bytes += at(t, i)->len;
        if (i > 0 && at(t, i)->sequence <= at(t, i - 1)->sequence) {
            return false;
        }
    }
    return t->count > ADD_UP_MAX || bytes == t->bytes;
}

static void drop_oldest(hub_telemetry *t)
{
    hub_event *oldest = at(t, 0);

    t->bytes -= oldest->len;
    free(oldest->json);
    t->first = (t->first + 1) % t->events_max;
    t->count--;
}

/* Makes an event whose two texts share one block of memory. */
static hub_event make_event(const char *json, size_t len, const char *device, uint64_t sequence)
{
    const size_t device_size = strlen(device) + 1;
    char *copy = hub_realloc(NULL, len + 1 + device_size);

    memcpy(copy, json, len);
    copy[len] = '\0';
    memcpy(copy + len + 1, device, device_size);
    return (hub_event){ .json = copy, .len = len, .device = copy + len + 1, .sequence = sequence };
}

/* Takes ownership of the event; its number is at least next_sequence. */
static void keep(hub_telemetry *t, hub_event event)
{
    while (t->count == t->events_max || (t->count > 0 && t->bytes + event.len > t->bytes_max)) {
        drop_oldest(t);
    }
    *at(t, t->count) = event;
    t->count++;
    t->bytes += event.len;
    t->next_sequence = event.sequence + 1;
}

static void drop_all(hub_telemetry *t)
{
    while (t->count > 0) {
        drop_oldest(t);
    }
}

static void drop_newest(hub_telemetry *t)
{
    hub_event *newest = at(t, t->count - 1);

    t->bytes -= newest->len;
    free(newest->json);
    t->count--;
    t->next_sequence--;
}

/* A number can occur twice if writing the first event failed and its line could not be removed. */
static bool take_event(hub_telemetry *t, const cJSON *event, const char *line, size_t len)
{
    const char *device = hub_json_string(event, "deviceId");
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(event, "sequence");
    int64_t sequence;

    if (device == NULL || !hub_json_whole(number, 1, INT64_C(1) << 52, &sequence)) {
        return false;
    }
    if (t->count > 0 && (uint64_t)sequence + 1 == t->next_sequence) {
        drop_newest(t);
    }
    if ((uint64_t)sequence < t->next_sequence) {
        return false;
    }
    keep(t, make_event(line, len, device, (uint64_t)sequence));
    return true;
}

/* Handles a line of an earlier run. */
static bool take_up(void *user, char *line, size_t len)
{
    cJSON *event = hub_json_read(line, len);
    bool taken = take_event(user, event, line, len);

    cJSON_Delete(event);
    return taken;
}

hub_result hub_telemetry_open(hub_telemetry *t, const hub_store *store, size_t events_max,
                              size_t bytes_max, hub_fault *fault)
{
    *t = (hub_telemetry){
        .ring = hub_calloc(events_max, sizeof *t->ring),
        .events_max = events_max,
        .bytes_max = bytes_max,
        .next_sequence = 1,
    };
    return hub_event_log_open(&t->log, store, take_up, t, fault);
}

void hub_telemetry_close(hub_telemetry *t)
{
    drop_all(t);
    free(t->ring);
    hub_text_free(&t->line);
    hub_event_log_close(&t->log);
    *t = (hub_telemetry){ 0 };
}

hub_result hub_telemetry_add(hub_telemetry *t, const hub_event_input *in, hub_fault *fault)
{
    assert(hub_telemetry_valid(t));
    hub_event_write(&t->line, in, t->next_sequence);
    hub_event event =
        make_event(t->line.p, t->line.len, hub_event_sender_device(in->sender), t->next_sequence);
    hub_result r = hub_event_log_append(&t->log, &t->line, fault);

    if (r == HUB_OK) {
        keep(t, event);
    } else {
        free(event.json);
    }
    return r;
}

/* Returns the index of the first event with this number or a larger one. */
static size_t find_sequence(const hub_telemetry *t, uint64_t sequence)
{
    size_t low = 0;
    size_t high = t->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (at(t, mid)->sequence < sequence) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const hub_event *hub_telemetry_from(const hub_telemetry *t, uint64_t *from, const char *device)
{
    assert(hub_telemetry_valid(t));
    for (size_t i = find_sequence(t, *from); i < t->count; i++) {
        const hub_event *event = at(t, i);
        if (device == NULL || strcmp(event->device, device) == 0) {
            *from = event->sequence;
            return event;
        }
    }
    *from = *from > t->next_sequence ? *from : t->next_sequence;
    return NULL;
}
