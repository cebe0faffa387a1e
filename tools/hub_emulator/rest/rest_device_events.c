#include "rest/rest_device_events.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "hub/hub_publish.h"

#define APP_PREFIX "iothub-app-"
#define BATCH_TYPE "application/vnd.microsoft.iothub.json"
/* The log of events has a quality of service, which HTTPS does not have. A message that was
 * answered is stored, as one with QoS 1. */
#define STORED_QOS 1

/* Each entry has the name of a header, and the name in a property bag. */
static const struct {
    const char *header;
    const char *wire;
} system_headers[] = {
    { "iothub-messageid", "$.mid" },     { "iothub-correlationid", "$.cid" },
    { "iothub-userid", "$.uid" },        { "iothub-to", "$.to" },
    { "iothub-expiry", "$.exp" },        { "iothub-creationtimeutc", "$.ctime" },
    { "iothub-contenttype", "$.ct" },    { "iothub-contentencoding", "$.ce" },
    { "iothub-interface-id", "$.ifid" }, { "dt-subject", "$.sub" },
};

/* --- properties -------------------------------------------------------- */

static const char *wire_name(const char *name)
{
    for (size_t i = 0; i < sizeof system_headers / sizeof system_headers[0]; i++) {
        if (strcasecmp(name, system_headers[i].header) == 0) {
            return system_headers[i].wire;
        }
    }
    return NULL;
}

static hub_result add_once(hub_bag *bag, const char *name, const char *value, hub_fault *fault)
{
    if (hub_bag_find(bag, name) != NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "property %.60s is given twice", name);
    }
    hub_bag_add(bag, name, value);
    return HUB_OK;
}

/* Adds an application property or a system property. Other names, such as those of HTTP itself,
 * are no properties and are ignored. */
static hub_result add_property(hub_bag *bag, const char *name, const char *value, hub_fault *fault)
{
    const size_t prefix = strlen(APP_PREFIX);
    const char *wire = wire_name(name);

    if (wire != NULL) {
        return add_once(bag, wire, value, fault);
    }
    if (strncasecmp(name, APP_PREFIX, prefix) != 0) {
        return HUB_OK;
    }
    if (name[prefix] == '\0' || hub_event_is_system(name + prefix)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "the name of an application property is empty or starts with $.");
    }
    return add_once(bag, name + prefix, value, fault);
}

/* --- one message ------------------------------------------------------- */

typedef struct reading {
    hub_bag bag;
    hub_bag
        seen;   /* the names of the properties in lower case, since case means nothing in headers */
    bool batch; /* the content type is that of a batch */
    hub_result result;
    hub_fault *fault;
} reading;

static bool is_printable_ascii(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

/* libmicrohttpd accepts a space before the colon as a part of the name. */
static bool is_header_name(const char *name)
{
    while (*name > ' ' && *name <= '~' && *name != ':') {
        name++;
    }
    return *name == '\0';
}

static hub_result note_name(reading *r, const char *name)
{
    char *lower = hub_strdup(name);

    for (char *p = lower; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    const hub_result result = add_once(&r->seen, lower, "", r->fault);
    free(lower);
    return result;
}

static hub_result check_header(reading *r, const char *name, const char *value)
{
    if (!is_header_name(name) || !is_printable_ascii(value)) {
        return hub_fail(r->fault, HUB_ERR_ARGUMENT,
                        "a property has a character that is not printable ASCII");
    }
    return note_name(r, name);
}

static bool visit(void *user, const char *name, const char *value)
{
    reading *r = user;

    if (strcasecmp(name, "content-type") == 0) {
        r->batch = strncasecmp(value, BATCH_TYPE, strlen(BATCH_TYPE)) == 0;
        return true;
    }
    const size_t before = r->bag.count;
    r->result = add_property(&r->bag, name, value, r->fault);
    if (r->result == HUB_OK && r->bag.count > before) {
        r->result = check_header(r, name, value);
    }
    return r->result == HUB_OK;
}

static hub_event_sender *make_sender(const hub_identity *id, const rest_request *r)
{
    const hub_event_login login = {
        .device = id->device,
        .generation_id = id->generation_id,
        .auth_scope = r->auth_scope,
        .auth_type = r->auth_type,
        .model_id = "", /* a request names none */
    };
    return hub_event_sender_new(&login);
}

static hub_result take_one(hub *h, const hub_event_sender *sender, const hub_bag *bag,
                           const void *body, size_t len, hub_fault *fault)
{
    const hub_event_input in = {
        .sender = sender,
        .bag = bag,
        .body = len > 0 ? body : "",
        .len = len,
        .qos = STORED_QOS,
        .now_ms = hub_now(h),
    };
    return hub_accept_event(h, &in, fault);
}

/* --- a batch ----------------------------------------------------------- */

/* A message of a batch. */
typedef struct entry {
    hub_bag bag;
    char *body;
    size_t len;
} entry;

static hub_result read_entry_body(const cJSON *json, entry *e, hub_fault *fault)
{
    const char *body = hub_json_string(json, "body");
    const bool plain = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "base64Encoded")) != 0;

    if (body != NULL && plain) {
        e->len = strlen(body);
        e->body = hub_memdup(body, e->len);
    } else if (body != NULL) {
        e->body = (char *)hub_base64_decode(body, &e->len);
    }
    return e->body != NULL ? HUB_OK
                           : hub_fail(fault, HUB_ERR_ARGUMENT,
                                      "a message of the batch has no body, or it is not base64");
}

static hub_result read_entry_properties(const cJSON *properties, entry *e, hub_fault *fault)
{
    const cJSON *item;
    hub_result r = HUB_OK;

    if (properties != NULL && !cJSON_IsObject(properties)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "properties: not an object");
    }
    cJSON_ArrayForEach(item, properties)
    {
        if (!cJSON_IsString(item) || !hub_utf8_plain(item->valuestring)) {
            return hub_fail(fault, HUB_ERR_ARGUMENT,
                            "a property of the batch is not text without control characters");
        }
        r = r == HUB_OK ? add_property(&e->bag, item->string, item->valuestring, fault) : r;
    }
    return r;
}

static hub_result read_entry(const cJSON *json, entry *e, hub_fault *fault)
{
    hub_result r = read_entry_body(json, e, fault);

    if (r == HUB_OK) {
        r = read_entry_properties(cJSON_GetObjectItemCaseSensitive(json, "properties"), e, fault);
    }
    return r == HUB_OK ? hub_telemetry_check(&e->bag, e->len, fault) : r;
}

static hub_result read_entries(const cJSON *list, entry *entries, hub_fault *fault)
{
    const cJSON *json;
    entry *next = entries;
    size_t bytes = 0;

    cJSON_ArrayForEach(json, list)
    {
        hub_result r = read_entry(json, next, fault);
        if (r != HUB_OK) {
            return r;
        }
        bytes += hub_telemetry_size(&next->bag, next->len);
        next++;
    }
    return bytes <= HUB_TELEMETRY_SIZE_MAX
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_TOO_LARGE, "batch of %zu bytes, more than 256 KB", bytes);
}

static void free_entries(entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hub_bag_free(&entries[i].bag);
        free(entries[i].body);
    }
    free(entries);
}

/* All messages are checked before the first one is stored. */
static hub_result take_list(hub *h, const hub_event_sender *sender, const cJSON *list,
                            hub_fault *fault)
{
    const size_t count = (size_t)cJSON_GetArraySize(list);

    if (!cJSON_IsArray(list) || count == 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "the batch is not a list of messages");
    }
    entry *entries = hub_calloc(count, sizeof *entries);
    hub_result r = read_entries(list, entries, fault);
    for (size_t i = 0; r == HUB_OK && i < count; i++) {
        r = take_one(h, sender, &entries[i].bag, entries[i].body, entries[i].len, fault);
    }
    free_entries(entries, count);
    return r;
}

static hub_result take_batch(hub *h, const hub_event_sender *sender, const rest_request *r,
                             hub_fault *fault)
{
    cJSON *list = hub_json_read(r->body, r->body_len);
    const hub_result result = list != NULL
                                  ? take_list(h, sender, list, fault)
                                  : hub_fail(fault, HUB_ERR_ARGUMENT, "the batch is not JSON");

    cJSON_Delete(list);
    return result;
}

/* --- the request ------------------------------------------------------- */

static hub_result take(hub *h, const hub_event_sender *sender, const rest_request *r,
                       hub_fault *fault)
{
    reading headers = { .fault = fault };

    rest_request_each_header(r, visit, &headers);
    hub_result result = headers.result;
    if (result == HUB_OK && headers.batch) {
        result = take_batch(h, sender, r, fault);
    } else if (result == HUB_OK) {
        result = hub_telemetry_check(&headers.bag, r->body_len, fault);
        if (result == HUB_OK) {
            result = take_one(h, sender, &headers.bag, r->body, r->body_len, fault);
        }
    }
    hub_bag_free(&headers.bag);
    hub_bag_free(&headers.seen);
    return result;
}

static rest_outcome send_events(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = hub_registry_find(&h->registry, r->args[0], NULL);
    hub_event_sender *sender = make_sender(id, r);
    hub_fault fault;

    const hub_result result = take(h, sender, r, &fault);
    hub_event_sender_free(sender);
    hub_identity_seen(id, hub_now(h));
    return result == HUB_OK ? rest_empty(out, 204) : rest_fault(out, &fault);
}

const rest_route rest_device_events_routes[] = {
    { "POST", "devices/{}/messages/events", HUB_RIGHT_DEVICE_CONNECT, send_events },
    { NULL, NULL, 0, NULL },
};
