/* Cloud-to-device messages: when they are passed to the broker, and when they end. */

#include "hub/hub_c2d.h"

#include <stdlib.h>
#include <string.h>

/* --- feedback ---------------------------------------------------------- */

static const char *outcome_name(hub_c2d_outcome outcome)
{
    switch (outcome) {
    case HUB_C2D_COMPLETED: return "Success";
    case HUB_C2D_EXPIRED: return "Expired";
    case HUB_C2D_DELIVERY_EXCEEDED: return "DeliveryCountExceeded";
    case HUB_C2D_REJECTED: return "Rejected";
    case HUB_C2D_PURGED: return "Purged";
    }
    return "Expired";
}

static const char *value_of(const hub_bag *bag, const char *name)
{
    const hub_bag_item *item = hub_bag_find(bag, name);

    return item != NULL && item->value != NULL ? item->value : "";
}

static bool is_wanted(const char *ack, hub_c2d_outcome outcome)
{
    const char *one = outcome == HUB_C2D_COMPLETED ? "positive" : "negative";

    return strcmp(ack, "full") == 0 || strcmp(ack, one) == 0;
}

/* The real hub joins the records of a short time to one message. Here each is a message of its own:
 * a list with one record. */
static void add_feedback(hub *h, const hub_identity *id, const char *message_id,
                         hub_c2d_outcome outcome)
{
    cJSON *list = cJSON_CreateArray();
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "originalMessageId", message_id);
    hub_json_add_text(json, "statusCode", outcome_name(outcome));
    hub_json_add_text(json, "description", outcome_name(outcome));
    hub_json_add_time(json, "enqueuedTimeUtc", hub_now(h));
    hub_json_add_text(json, "deviceId", id->device);
    hub_json_add_text(json, "deviceGenerationId", id->generation_id);
    (void)cJSON_AddItemToArray(list, json);
    hub_service_queue_add(&h->feedback, hub_json_print(list), hub_now(h));
    cJSON_Delete(list);
}

/* Reports the messages that have ended, if their senders want to know. */
static void report_ended(hub *h, hub_identity *id)
{
    hub_c2d_message *m;
    hub_bag bag;
    hub_fault ignored; /* the bag was made by the hub */

    while ((m = hub_c2d_take_ended(&id->c2d)) != NULL) {
        (void)hub_bag_parse(m->bag, strlen(m->bag), &bag, &ignored);
        if (is_wanted(value_of(&bag, "iothub-ack"), m->outcome)) {
            add_feedback(h, id, value_of(&bag, "$.mid"), m->outcome);
        }
        hub_bag_free(&bag);
        hub_c2d_message_free(m);
    }
}

/* --- over MQTT --------------------------------------------------------- */

void hub_c2d_on_wire(hub *h, const char *client_id, uint16_t packet_id)
{
    hub_identity *id = hub_registry_find_client(&h->registry, client_id);

    if (id != NULL) {
        hub_c2d_sent(&id->c2d, packet_id);
    }
}

void hub_c2d_on_ack(hub *h, const char *client_id, uint16_t packet_id)
{
    hub_identity *id = hub_registry_find_client(&h->registry, client_id);

    if (id != NULL && hub_c2d_acknowledged(&id->c2d, &h->registry.store, packet_id)) {
        report_ended(h, id);
        hub_wake(h, id);
    }
}

void hub_c2d_send(hub *h, hub_identity *id)
{
    hub_c2d_message *m;

    if (id->module != NULL || !hub_connection_listens(id, HUB_SUB_C2D)) {
        return;
    }
    while ((m = hub_c2d_next(&id->c2d)) != NULL) {
        char *topic = hub_topic_c2d(id->device, m->bag);
        h->broker.publish(h->broker.user, id->client_id, topic, m->body, m->body_len,
                          id->session.c2d_qos);
        free(topic);
        hub_c2d_handed(&id->c2d, m);
        if (id->session.c2d_qos == 0) { /* with QoS 0 no acknowledgement will arrive */
            hub_c2d_sent(&id->c2d, 0);
            (void)hub_c2d_acknowledged(&id->c2d, &h->registry.store, 0);
            report_ended(h, id);
        }
    }
}

/* --- over HTTPS -------------------------------------------------------- */

static hub_result lock_lost(hub_fault *fault)
{
    return hub_fail(fault, HUB_ERR_LOCK, "no message of the device is locked by this token");
}

const hub_c2d_message *hub_c2d_receive(hub *h, hub_identity *id)
{
    const int64_t up_ms = hub_up(h);

    hub_c2d_drop_expired(h, id, up_ms);
    return hub_c2d_lock(&id->c2d, up_ms, &h->c2d_limits);
}

hub_result hub_c2d_end(hub *h, hub_identity *id, const char *lock, hub_c2d_outcome outcome,
                       hub_fault *fault)
{
    hub_c2d_drop_expired(h, id, hub_up(h));
    if (!hub_c2d_settle(&id->c2d, &h->registry.store, lock, outcome)) {
        return lock_lost(fault);
    }
    report_ended(h, id);
    return HUB_OK;
}

hub_result hub_c2d_give_back(hub *h, hub_identity *id, const char *lock, hub_fault *fault)
{
    hub_c2d_drop_expired(h, id, hub_up(h));
    if (!hub_c2d_abandon(&id->c2d, &h->registry.store, lock, &h->c2d_limits)) {
        return lock_lost(fault);
    }
    report_ended(h, id);
    hub_wake(h, id);
    return HUB_OK;
}

/* --- the end ----------------------------------------------------------- */

void hub_c2d_drop_expired(hub *h, hub_identity *id, int64_t up_ms)
{
    if (id->c2d.count == 0) {
        return;
    }
    if (hub_c2d_unlock(&id->c2d, &h->registry.store, up_ms, &h->c2d_limits)) {
        hub_wake(h, id);
    }
    size_t dropped = hub_c2d_expire(&id->c2d, &h->registry.store, up_ms);
    report_ended(h, id);

    if (dropped > 0) {
        hub_log(h, "%s: %zu messages have expired", id->client_id, dropped);
    }
}

hub_result hub_purge(hub *h, hub_identity *id, size_t *dropped, hub_fault *fault)
{
    hub_change change = { .purge = true };

    *dropped = 0;
    if (id->c2d.count == 0) {
        return HUB_OK;
    }
    hub_result r = hub_registry_change(&h->registry, id, &change, hub_now(h), fault);
    if (r == HUB_OK) {
        *dropped = hub_c2d_drop_all(&id->c2d, &h->registry.store);
        report_ended(h, id);
    }
    return r;
}
