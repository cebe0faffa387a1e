#include "messages/event_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"

struct hub_event_sender {
    char *device;
    char *ids;    /* the members "deviceId" and "moduleId" */
    char *origin; /* the system properties that name the sender and describe its login */
    char *model;  /* the system property dt-dataschema with a comma before it, or "" */
};

/* System properties: the name in a topic, and the name in events. */
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
    { "$.cdid", NULL }, /* NULL, because only the hub sets the sender */
    { "$.cmid", NULL },
};

bool hub_event_is_system(const char *name)
{
    return strncmp(name, "$.", 2) == 0;
}

/* Returns the name that a system property has in events, or NULL if a device may not set it. */
static const char *system_name(const char *wire)
{
    for (size_t i = 0; i < sizeof system_names / sizeof system_names[0]; i++) {
        if (strcmp(wire, system_names[i].wire) == 0) {
            return system_names[i].name;
        }
    }
    return wire;
}

/* --- members ----------------------------------------------------------- */

static void put_string(hub_text *out, const char *text)
{
    hub_json_put_string(out, text, strlen(text));
}

/* Writes a member; if value is NULL, writes JSON null. */
static void put_member(hub_text *out, const char *name, const char *value)
{
    put_string(out, name);
    hub_text_str(out, ":");
    if (value != NULL) {
        put_string(out, value);
    } else {
        hub_text_str(out, "null");
    }
}

static void put_next_member(hub_text *out, const char *name, const char *value)
{
    hub_text_str(out, ",");
    put_member(out, name, value);
}

/* --- the sender -------------------------------------------------------- */

static char *make_ids(const hub_event_login *login)
{
    hub_text out = { 0 };

    put_member(&out, "deviceId", login->device);
    if (login->module != NULL) {
        put_next_member(&out, "moduleId", login->module);
    }
    return out.p;
}

static char *make_origin(const hub_event_login *login)
{
    hub_text out = { 0 };
    char *method = hub_format("{\"scope\":\"%s\",\"type\":\"%s\",\"issuer\":\"iothub\","
                              "\"acceptingIpFilterRule\":null}",
                              login->auth_scope, login->auth_type);

    put_member(&out, "iothub-connection-device-id", login->device);
    if (login->module != NULL) {
        put_next_member(&out, "iothub-connection-module-id", login->module);
    }
    put_next_member(&out, "iothub-connection-auth-method", method);
    put_next_member(&out, "iothub-connection-auth-generation-id", login->generation_id);
    free(method);
    return out.p;
}

static char *make_model(const hub_event_login *login)
{
    hub_text out = { 0 };

    hub_text_str(&out, "");
    if (login->model_id[0] != '\0') {
        put_next_member(&out, "dt-dataschema", login->model_id);
    }
    return out.p;
}

hub_event_sender *hub_event_sender_new(const hub_event_login *login)
{
    hub_event_sender *s = hub_calloc(1, sizeof *s);

    *s = (hub_event_sender){
        .device = hub_strdup(login->device),
        .ids = make_ids(login),
        .origin = make_origin(login),
        .model = make_model(login),
    };
    return s;
}

void hub_event_sender_free(hub_event_sender *s)
{
    if (s != NULL) {
        free(s->device);
        free(s->ids);
        free(s->origin);
        free(s->model);
        free(s);
    }
}

const char *hub_event_sender_device(const hub_event_sender *s)
{
    return s->device;
}

/* --- the event --------------------------------------------------------- */

static void put_system(hub_text *out, const hub_event_input *in, const char *time)
{
    hub_text_str(out, ",\"systemProperties\":{");
    for (size_t i = 0; i < in->bag->count; i++) {
        const hub_bag_item *item = &in->bag->items[i];
        const char *name = hub_event_is_system(item->name) ? system_name(item->name) : NULL;
        if (name != NULL) {
            put_member(out, name, item->value);
            hub_text_str(out, ",");
        }
    }
    hub_text_str(out, in->sender->origin);
    hub_text_str(out, ",\"iothub-enqueuedtime\":\"");
    hub_text_str(out, time);
    hub_text_str(out, "\",\"iothub-message-source\":\"Telemetry\"");
    hub_text_str(out, in->sender->model);
    hub_text_str(out, "}");
}

static void put_application(hub_text *out, const hub_bag *bag)
{
    const char *separator = "";

    hub_text_str(out, ",\"properties\":{");
    for (size_t i = 0; i < bag->count; i++) {
        const hub_bag_item *item = &bag->items[i];
        if (!hub_event_is_system(item->name)) {
            hub_text_str(out, separator);
            put_member(out, item->name, item->value);
            separator = ",";
        }
    }
    hub_text_str(out, "}");
}

static void put_body(hub_text *out, const void *body, size_t len)
{
    if (hub_utf8_valid(body, len)) {
        hub_text_str(out, ",\"body\":");
        hub_json_put_string(out, body, len);
    } else {
        char *text = hub_base64_encode(body, len);
        put_next_member(out, "bodyBase64", text);
        free(text);
    }
}

void hub_event_write(hub_text *out, const hub_event_input *in, uint64_t sequence)
{
    char time[HUB_TIME_SIZE];

    hub_time_text(in->now_ms, time);
    hub_text_cut(out, 0);
    hub_text_str(out, "{\"sequence\":");
    hub_text_whole(out, sequence);
    hub_text_str(out, ",\"enqueuedTime\":\"");
    hub_text_str(out, time);
    hub_text_str(out, "\",");
    hub_text_str(out, in->sender->ids);
    put_system(out, in, time);
    put_application(out, in->bag);
    put_body(out, in->body, in->len);
    hub_text_str(out, ",\"bodyLength\":");
    hub_text_whole(out, in->len);
    hub_text_str(out, ",\"qos\":");
    hub_text_whole(out, (uint64_t)in->qos);
    hub_text_str(out, "}");
}
