/* Endpoints for what the real hub offers only over other protocols: cloud-to-device messages and
 * telemetry. README.md describes them. */

#include "rest/rest_emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "hub/hub_c2d.h"
#include "rest/rest_target.h"

#define MESSAGE_ID_MAX   128
#define CODE_UNAVAILABLE 3 /* return code of a CONNACK: the server is not available */
#define FAULTS_MAX       1000000

/* Each entry has the member of the request and the name in the topic. */
static const struct {
    const char *member;
    const char *wire;
} system_properties[] = {
    { "messageId", "$.mid" },  { "correlationId", "$.cid" },  { "userId", "$.uid" },
    { "contentType", "$.ct" }, { "contentEncoding", "$.ce" }, { "ack", "iothub-ack" },
};

static bool system_value_valid(const char *member, const char *value)
{
    static const char *const acks[] = { "none", "positive", "negative", "full" };

    if (strcmp(member, "messageId") == 0) {
        return strlen(value) <= MESSAGE_ID_MAX && hub_utf8_plain(value);
    }
    if (strcmp(member, "ack") != 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof acks / sizeof acks[0]; i++) {
        if (strcmp(value, acks[i]) == 0) {
            return true;
        }
    }
    return false;
}

static hub_result add_system(hub_bag *bag, const cJSON *json, hub_fault *fault)
{
    for (size_t i = 0; i < sizeof system_properties / sizeof system_properties[0]; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, system_properties[i].member);
        if (item == NULL || cJSON_IsNull(item)) {
            continue;
        }
        if (!cJSON_IsString(item)) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "%s: not a string",
                            system_properties[i].member);
        }
        if (!system_value_valid(system_properties[i].member, item->valuestring)) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "%s: not a value that the hub allows",
                            system_properties[i].member);
        }
        hub_bag_add(bag, system_properties[i].wire, item->valuestring);
    }
    return HUB_OK;
}

static hub_result add_application(hub_bag *bag, const cJSON *properties, hub_fault *fault)
{
    const cJSON *item;

    if (properties != NULL && !cJSON_IsObject(properties)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "properties: not an object");
    }
    cJSON_ArrayForEach(item, properties)
    {
        if (!cJSON_IsString(item) && !cJSON_IsNull(item)) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "properties: neither a string nor null");
        }
        if (item->string[0] == '\0' || strncmp(item->string, "$.", 2) == 0 ||
            hub_bag_find(bag, item->string) != NULL) {
            return hub_fail(fault, HUB_ERR_ARGUMENT,
                            "properties: a name is empty, is given twice or starts with $.");
        }
        hub_bag_add(bag, item->string, cJSON_GetStringValue(item));
    }
    return HUB_OK;
}

static bool text_or_null(const cJSON *item)
{
    return item == NULL || cJSON_IsNull(item) || cJSON_IsString(item);
}

/* Reads body (text) or bodyBase64; the caller frees *out. */
static hub_result read_body(const cJSON *json, uint8_t **out, size_t *len, hub_fault *fault)
{
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(json, "body");
    const cJSON *base64 = cJSON_GetObjectItemCaseSensitive(json, "bodyBase64");
    const char *text = cJSON_GetStringValue(body);
    const char *encoded = cJSON_GetStringValue(base64);

    if (!text_or_null(body) || !text_or_null(base64)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "body or bodyBase64: not a string");
    }
    if (text != NULL && encoded != NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "both body and bodyBase64");
    }
    if (encoded != NULL) {
        *out = hub_base64_decode(encoded, len);
        return *out != NULL ? HUB_OK : hub_fail(fault, HUB_ERR_ARGUMENT, "bodyBase64: not base64");
    }
    text = text != NULL ? text : "";
    *len = strlen(text);
    *out = (uint8_t *)hub_memdup(text, *len);
    return HUB_OK;
}

static hub_result read_ttl(const cJSON *json, int64_t *ttl, hub_fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "ttlSeconds");

    *ttl = HUB_C2D_TTL_S;
    if (item != NULL && !hub_json_whole(item, 1, HUB_C2D_TTL_MAX_S, ttl)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "ttlSeconds: not a whole number from 1 to 172800");
    }
    return HUB_OK;
}

/* Adds the destination to the message, as the real hub does. */
static void add_destination(hub_bag *bag, const hub_identity *id)
{
    char *to = hub_format("/devices/%s/messages/devicebound", id->device);
    hub_bag_add(bag, "$.to", to);
    free(to);
}

static hub_result queue_message(hub *h, hub_identity *id, const cJSON *json, hub_fault *fault)
{
    hub_bag bag = { 0 };
    uint8_t *body = NULL;
    size_t len = 0;
    int64_t ttl;

    hub_result r = add_system(&bag, json, fault);
    add_destination(&bag, id);
    if (r == HUB_OK) {
        r = add_application(&bag, cJSON_GetObjectItemCaseSensitive(json, "properties"), fault);
    }
    if (r == HUB_OK) {
        r = read_ttl(json, &ttl, fault);
    }
    if (r == HUB_OK) {
        r = read_body(json, &body, &len, fault);
    }
    if (r == HUB_OK) {
        r = hub_c2d_add(&id->c2d, &h->registry.store, &bag, body, len, hub_time(h), ttl, fault);
    }
    free(body);
    hub_bag_free(&bag);
    return r;
}

static rest_outcome send_message(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = rest_identity(h, r, out);
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    if (!cJSON_IsObject(r->json)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "the body is not a JSON object");
    }
    if (queue_message(h, id, r->json, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    hub_wake(h, id);
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(json, "sequence", (double)id->c2d.last_sequence);
    (void)cJSON_AddNumberToObject(json, "waiting", (double)id->c2d.count);
    return rest_json(out, 201, json);
}

static rest_outcome list_messages(hub *h, rest_request *r, rest_handling *out)
{
    static const char *const states[] = { "queued", "handed over", "sent", "locked" };
    const hub_identity *id = rest_identity(h, r, out);

    if (id == NULL) {
        return REST_REPLY;
    }
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < id->c2d.count; i++) {
        const hub_c2d_message *m = id->c2d.items[i];
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddNumberToObject(item, "sequence", (double)m->sequence);
        hub_json_add_text(item, "state", states[m->state]);
        hub_json_add_time(item, "enqueuedTime", m->enqueued_ms);
        hub_json_add_time(item, "expiryTime", m->expires_ms);
        hub_json_add_text(item, "properties", m->bag);
        (void)cJSON_AddNumberToObject(item, "bodyLength", (double)m->body_len);
        (void)cJSON_AddItemToArray(list, item);
    }
    return rest_json(out, 200, list);
}

/* The real hub has this path, too; the vendor's service SDK uses it. */
static rest_outcome purge_messages(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = rest_identity(h, r, out);
    size_t purged;
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    if (hub_purge(h, id, &purged, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(json, "totalMessagesPurged", (double)purged);
    hub_json_add_text(json, "deviceId", id->device);
    (void)cJSON_AddNullToObject(json, "moduleId");
    return rest_json(out, 200, json);
}

/* Reads a number that may be missing. */
static bool read_number(const rest_request *r, const char *name, int64_t min, int64_t max,
                        int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->json, name);

    return item == NULL || hub_json_whole(item, min, max, out);
}

/* Changes how long and how often devices may lock messages over HTTPS. */
static rest_outcome change_message_settings(hub *h, rest_request *r, rest_handling *out)
{
    int64_t lock_s = h->c2d_limits.lock_ms / 1000;
    int64_t deliveries = h->c2d_limits.deliveries;

    if (!read_number(r, "lockTimeout", 1, HUB_C2D_LOCK_MAX_S, &lock_s) ||
        !read_number(r, "maxDeliveryCount", 1, HUB_C2D_DELIVERIES_MAX, &deliveries)) {
        return rest_fail(out, HUB_ERR_ARGUMENT,
                         "lockTimeout: not 1 to 300 seconds, or maxDeliveryCount: not 1 to 100");
    }
    const hub_c2d_limits limits = { lock_s * 1000, (unsigned)deliveries };
    hub_set_c2d_limits(h, &limits);
    return rest_empty(out, 204);
}

static rest_outcome watch_events(hub *h, rest_request *r, rest_handling *out)
{
    int64_t from = (int64_t)h->telemetry.next_sequence;
    int64_t limit = INT64_MAX;
    int64_t timeout = -1;

    if (!rest_query_number(r, "from", INT64_MAX, &from) ||
        !rest_query_number(r, "limit", INT64_MAX, &limit) ||
        !rest_query_number(r, "timeout", 86400, &timeout)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "from, limit or timeout is not a whole number");
    }
    const char *device = r->query(r, "device");
    const rest_watch watch = {
        .next = (uint64_t)from,
        .left = (uint64_t)limit,
        .deadline_ms = timeout >= 0 ? hub_up(h) + timeout * 1000 : 0,
        .device = device != NULL ? hub_strdup(device) : NULL,
    };
    return rest_events(out, &watch);
}

static rest_outcome throttle(hub *h, rest_request *r, rest_handling *out)
{
    int64_t twins = -1;
    int64_t status = 429;
    int64_t logins = -1;
    int64_t code = CODE_UNAVAILABLE;

    if (!read_number(r, "twinRequests", 0, FAULTS_MAX, &twins) ||
        !read_number(r, "logins", 0, FAULTS_MAX, &logins) || (twins < 0 && logins < 0)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "twinRequests or logins: not a whole number");
    }
    if (!read_number(r, "status", 400, 599, &status)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "status: not a whole number from 400 to 599");
    }
    if (!read_number(r, "code", 1, 5, &code)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "code: not a whole number from 1 to 5");
    }
    if (twins >= 0) {
        hub_throttle(h, (unsigned)twins, (int)status);
    }
    if (logins >= 0) {
        hub_refuse_logins(h, (unsigned)logins, (unsigned)code);
    }
    return rest_empty(out, 204);
}

const rest_route rest_emulator_routes[] = {
    { "DELETE", "devices/{}/commands", HUB_RIGHT_SERVICE_CONNECT, purge_messages },
    { "POST", "emulator/devices/{}/messages", HUB_RIGHT_SERVICE_CONNECT, send_message },
    { "GET", "emulator/devices/{}/messages", HUB_RIGHT_SERVICE_CONNECT, list_messages },
    { "PUT", "emulator/messages/settings", HUB_RIGHT_SERVICE_CONNECT, change_message_settings },
    { "GET", "emulator/events", HUB_RIGHT_SERVICE_CONNECT, watch_events },
    { "PUT", "emulator/throttle", HUB_RIGHT_SERVICE_CONNECT, throttle },
    { NULL, NULL, 0, NULL },
};
