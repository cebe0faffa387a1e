#include "telemetry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "json.h"

/* Wire name of a system property and the name event consumers know it by. */
static const struct {
    const char *wire;
    const char *name;
} system_names[] = {
    { "$.mid", "message-id" },
    { "$.cid", "correlation-id" },
    { "$.uid", "user-id" },
    { "$.ct", "content-type" },
    { "$.ce", "content-encoding" },
    { "$.ctime", "iothub-creation-time-utc" },
    { "$.exp", "absolute-expiry-time" },
    { "$.to", "to" },
    { "$.on", "iothub-output-name" },
    { "$.sub", "dt-subject" },
    { "$.ifid", "iothub-interface-id" },
    { "$.cdid", NULL }, /* the hub says itself who has sent it */
    { "$.cmid", NULL },
};

static bool is_system(const char *name)
{
    return strncmp(name, "$.", 2) == 0;
}

/* NULL: not for a device to set. */
static const char *system_name(const char *wire)
{
    for (size_t i = 0; i < sizeof system_names / sizeof system_names[0]; i++) {
        if (strcmp(wire, system_names[i].wire) == 0) {
            return system_names[i].name;
        }
    }
    return wire;
}

size_t hub_telemetry_size(const hub_bag *bag, size_t body_len)
{
    size_t n = body_len;

    for (size_t i = 0; i < bag->count; i++) {
        const hub_bag_item *item = &bag->items[i];
        n += item->value != NULL ? strlen(item->value) : 0;
        n += is_system(item->name) ? 0 : strlen(item->name);
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
                        "message id: longer than 128 or with a character it may not have");
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

static void drop_oldest(hub_telemetry *t)
{
    hub_event *oldest = at(t, 0);

    t->bytes -= strlen(oldest->json);
    free(oldest->json);
    free(oldest->device);
    t->first = (t->first + 1) % t->events_max;
    t->count--;
}

/* Takes text over; sequence is next_sequence or above. */
static void keep(hub_telemetry *t, char *text, const char *device, uint64_t sequence)
{
    size_t len = strlen(text);

    while (t->count == t->events_max || (t->count > 0 && t->bytes + len > t->bytes_max)) {
        drop_oldest(t);
    }
    *at(t, t->count) =
        (hub_event){ .json = text, .device = hub_strdup(device), .sequence = sequence };
    t->count++;
    t->bytes += len;
    t->next_sequence = sequence + 1;
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

    t->bytes -= strlen(newest->json);
    free(newest->json);
    free(newest->device);
    t->count--;
    t->next_sequence--;
}

/* A number that is there twice: the first was refused, and could not be taken back. */
static bool take_event(hub_telemetry *t, const cJSON *event, const char *line)
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
    keep(t, hub_strdup(line), device, (uint64_t)sequence);
    return true;
}

/* A line of an earlier run. */
static bool take_up(void *user, char *line, size_t len)
{
    cJSON *event = hub_json_read(line, len);
    bool taken = take_event(user, event, line);

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
    hub_event_log_close(&t->log);
    *t = (hub_telemetry){ 0 };
}

/* With these the hub says who has sent the message and how it has logged in. */
static void add_stamps(cJSON *system, const hub_telemetry_input *in)
{
    char *method = hub_format("{\"scope\":\"%s\",\"type\":\"sas\",\"issuer\":\"iothub\","
                              "\"acceptingIpFilterRule\":null}",
                              in->auth_scope);

    hub_json_add_text(system, "iothub-connection-device-id", in->device);
    if (in->module != NULL) {
        hub_json_add_text(system, "iothub-connection-module-id", in->module);
    }
    hub_json_add_text(system, "iothub-connection-auth-method", method);
    hub_json_add_text(system, "iothub-connection-auth-generation-id", in->generation_id);
    hub_json_add_time(system, "iothub-enqueuedtime", in->now_ms);
    hub_json_add_text(system, "iothub-message-source", "Telemetry");
    if (in->model_id[0] != '\0') {
        hub_json_add_text(system, "dt-dataschema", in->model_id);
    }
    free(method);
}

static void add_properties(cJSON *event, const hub_telemetry_input *in)
{
    cJSON *system = cJSON_AddObjectToObject(event, "systemProperties");
    cJSON *application = cJSON_AddObjectToObject(event, "properties");

    for (size_t i = 0; i < in->bag->count; i++) {
        const hub_bag_item *item = &in->bag->items[i];
        if (!is_system(item->name)) {
            hub_json_add_text(application, item->name, item->value);
        } else if (system_name(item->name) != NULL) {
            hub_json_add_text(system, system_name(item->name), item->value);
        }
    }
    add_stamps(system, in);
}

static void add_body(cJSON *event, const hub_telemetry_input *in)
{
    if (hub_utf8_valid(in->body, in->len)) {
        char *text = hub_memdup(in->body, in->len);
        hub_json_add_text(event, "body", text);
        free(text);
    } else {
        char *text = hub_base64_encode(in->body, in->len);
        hub_json_add_text(event, "bodyBase64", text);
        free(text);
    }
}

static char *event_text(const hub_telemetry *t, const hub_telemetry_input *in)
{
    cJSON *event = cJSON_CreateObject();

    (void)cJSON_AddNumberToObject(event, "sequence", (double)t->next_sequence);
    hub_json_add_time(event, "enqueuedTime", in->now_ms);
    hub_json_add_text(event, "deviceId", in->device);
    if (in->module != NULL) {
        hub_json_add_text(event, "moduleId", in->module);
    }
    add_properties(event, in);
    add_body(event, in);
    (void)cJSON_AddNumberToObject(event, "bodyLength", (double)in->len);
    (void)cJSON_AddNumberToObject(event, "qos", in->qos);
    char *text = hub_json_print(event);
    cJSON_Delete(event);
    return text;
}

hub_result hub_telemetry_add(hub_telemetry *t, const hub_telemetry_input *in, hub_fault *fault)
{
    char *text = event_text(t, in);
    hub_result r = hub_event_log_append(&t->log, text, fault);

    if (r == HUB_OK) {
        keep(t, text, in->device, t->next_sequence);
    } else {
        free(text);
    }
    return r;
}

/* Index of the first event numbered so or later. */
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
