#include "rest/rest_device_bound.h"

#include <stdlib.h>
#include <string.h>

#include "hub/hub_c2d.h"

/* Each entry has the name of a property of a message, the header that carries it, and whether the
 * hub sends this header without the property, too. Its clients rely on that. */
static const struct {
    const char *wire;
    const char *header;
    const char *otherwise; /* NULL: no header */
} system_headers[] = {
    { "$.mid", "iothub-messageid", "" },    { "$.cid", "iothub-correlationid", "" },
    { "$.uid", "iothub-userid", "" },       { "$.to", "iothub-to", "" },
    { "iothub-ack", "iothub-ack", "none" }, { "$.ct", "ContentType", NULL },
    { "$.ce", "ContentEncoding", NULL },
};

static bool is_system(const char *name)
{
    return hub_event_is_system(name) || strcmp(name, "iothub-ack") == 0;
}

static void add_system(rest_handling *out, const hub_bag *bag)
{
    for (size_t i = 0; i < sizeof system_headers / sizeof system_headers[0]; i++) {
        const hub_bag_item *item = hub_bag_find(bag, system_headers[i].wire);
        const char *value =
            item != NULL && item->value != NULL ? item->value : system_headers[i].otherwise;
        if (value != NULL) {
            rest_add_header(out, system_headers[i].header, value);
        }
    }
}

static void add_application(rest_handling *out, const hub_bag *bag)
{
    for (size_t i = 0; i < bag->count; i++) {
        const hub_bag_item *item = &bag->items[i];
        if (!is_system(item->name)) {
            char *name = hub_format("iothub-app-%s", item->name);
            rest_add_header(out, name, item->value != NULL ? item->value : "");
            free(name);
        }
    }
}

static void add_number(rest_handling *out, const char *name, uint64_t number)
{
    hub_text text = { 0 };

    hub_text_whole(&text, number);
    rest_add_header(out, name, text.p);
    hub_text_free(&text);
}

static void add_time(rest_handling *out, const char *name, int64_t ms)
{
    char text[HUB_TIME_SIZE];

    hub_time_header(ms, text);
    rest_add_header(out, name, text);
}

static rest_outcome answer(rest_handling *out, const hub_c2d_message *m)
{
    hub_bag bag;
    hub_fault ignored; /* the bag was made by the hub */

    (void)hub_bag_parse(m->bag, strlen(m->bag), &bag, &ignored);
    add_system(out, &bag);
    add_application(out, &bag);
    add_number(out, "iothub-sequencenumber", m->sequence);
    add_number(out, "iothub-deliverycount", m->deliveries - 1); /* of earlier deliveries */
    add_time(out, "iothub-enqueuedtime", m->enqueued_ms);
    add_time(out, "iothub-expiry", m->expires_ms);
    rest_set_etag(out, hub_strdup(m->lock));
    hub_bag_free(&bag);
    return rest_bytes(out, 200, m->body, m->body_len);
}

static hub_identity *device_of(hub *h, const rest_request *r)
{
    return hub_registry_find(&h->registry, r->args[0], NULL);
}

static rest_outcome receive(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = device_of(h, r);
    const hub_c2d_message *m = hub_c2d_receive(h, id);

    hub_identity_seen(id, hub_now(h));
    return m != NULL ? answer(out, m) : rest_empty(out, 204);
}

static rest_outcome end(hub *h, rest_request *r, rest_handling *out)
{
    const hub_c2d_outcome outcome =
        r->query(r, "reject") != NULL ? HUB_C2D_REJECTED : HUB_C2D_COMPLETED;
    hub_fault fault;

    return hub_c2d_end(h, device_of(h, r), r->args[1], outcome, &fault) == HUB_OK
               ? rest_empty(out, 204)
               : rest_fault(out, &fault);
}

static rest_outcome give_back(hub *h, rest_request *r, rest_handling *out)
{
    hub_fault fault;

    return hub_c2d_give_back(h, device_of(h, r), r->args[1], &fault) == HUB_OK
               ? rest_empty(out, 204)
               : rest_fault(out, &fault);
}

const rest_route rest_device_bound_routes[] = {
    { "GET", "devices/{}/messages/devicebound", HUB_RIGHT_DEVICE_CONNECT, receive },
    { "DELETE", "devices/{}/messages/devicebound/{}", HUB_RIGHT_DEVICE_CONNECT, end },
    { "POST", "devices/{}/messages/devicebound/{}/abandon", HUB_RIGHT_DEVICE_CONNECT, give_back },
    { NULL, NULL, 0, NULL },
};
