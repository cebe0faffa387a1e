/* Checks and carries out what clients publish. */

#include "hub/hub_publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hub/hub_issue.h"

#define MAX_TWIN_REPORT   HUB_TELEMETRY_SIZE_MAX
#define MAX_ISSUE_REQUEST (16 * 1024) /* the CSR has its own limit */

/* --- telemetry --------------------------------------------------------- */

hub_result hub_accept_event(hub *h, const hub_event_input *in, hub_fault *fault)
{
    const hub_result r = hub_telemetry_add(&h->telemetry, in, fault);

    hub_report_disk(h, r, fault);
    return r;
}

static hub_result take_telemetry(hub *h, const hub_identity *id, const hub_topic *topic,
                                 const hub_publish *p, bool will)
{
    hub_bag bag;
    hub_fault fault;

    if (hub_bag_parse(topic->bag, topic->bag_len, &bag, &fault) != HUB_OK) {
        return HUB_OK; /* checked before */
    }
    if (p->retain) {
        hub_bag_add(&bag, id->session.old_api ? "x-opt-retain" : "mqtt-retain", "true");
    }
    if (will) {
        hub_bag_add(&bag, "iothub-MessageType", "Will");
    }
    const hub_event_input in = {
        .sender = id->sender,
        .bag = &bag,
        .body = p->payload,
        .len = p->len,
        .qos = p->qos,
        .now_ms = hub_now(h),
    };
    hub_result r = hub_accept_event(h, &in, &fault);
    hub_bag_free(&bag);
    return r;
}

static hub_result check_telemetry(const hub_topic *topic, const hub_publish *p, hub_fault *fault)
{
    hub_bag bag;

    hub_result r = hub_bag_parse(topic->bag, topic->bag_len, &bag, fault);
    if (r == HUB_OK) {
        r = hub_telemetry_check(&bag, p->len, fault);
    }
    hub_bag_free(&bag);
    return r;
}

/* --- twins ------------------------------------------------------------- */

static void answer_twin(hub *h, const hub_identity *id, const hub_topic *request, int status,
                        int64_t version, const char *text)
{
    if (hub_connection_listens(id, HUB_SUB_TWIN_ANSWERS)) {
        hub_send_text(h, id, hub_topic_twin_answer(status, request, version), text);
    }
}

static void refuse_twin(hub *h, const hub_identity *id, const hub_topic *request, int status,
                        const char *reason)
{
    cJSON *json = cJSON_CreateObject();

    (void)cJSON_AddNumberToObject(json, "errorCode", status * 1000);
    hub_json_add_text(json, "message", reason);
    char *text = hub_json_print(json);
    answer_twin(h, id, request, status, -1, text);
    hub_log(h, "%s: %s", id->client_id, reason);
    cJSON_Delete(json);
    free(text);
}

static bool throttled(hub *h, const hub_identity *id, const hub_topic *request)
{
    if (!hub_is_throttled(h)) {
        return false;
    }
    refuse_twin(h, id, request, h->throttle_status, "throttled on request");
    return true;
}

static void get_twin(hub *h, const hub_identity *id, const hub_topic *request)
{
    char *text = hub_twin_device_text(&id->twin);

    answer_twin(h, id, request, 200, -1, text);
    free(text);
}

static void report_twin(hub *h, hub_identity *id, const hub_topic *request, const hub_publish *p)
{
    hub_fault fault;
    cJSON *patch = hub_json_read(p->payload, p->len);
    hub_change change = { .reported = patch };

    hub_result r = patch == NULL ? hub_fail(&fault, HUB_ERR_ARGUMENT, "twin: the body is not JSON")
                                 : hub_apply(h, id, &change, &fault);
    cJSON_Delete(patch);
    if (r != HUB_OK) {
        refuse_twin(h, id, request, hub_result_status(fault.code), fault.text);
        return;
    }
    answer_twin(h, id, request, 204, id->twin.reported.version, "");
}

/* --- methods ----------------------------------------------------------- */

static void take_answer(hub *h, const hub_identity *id, const hub_topic *topic,
                        const hub_publish *p)
{
    hub_method_answer answer = {
        .status = topic->status,
        .payload = p->payload,
        .payload_len = p->len,
    };

    if (p->len > 0 && !hub_json_valid(p->payload, p->len)) {
        answer.result = HUB_ERR_ARGUMENT;
        answer.why = "the device answered with something that is not JSON";
    }
    if (!hub_methods_answer(&h->methods, id->client_id, topic->rid, topic->rid_len, &answer)) {
        hub_log(h, "%s: an answer to a method that is not in progress", id->client_id);
    }
}

/* --- what a client publishes ------------------------------------------- */

static hub_result check(const hub_topic *topic, const hub_publish *p, hub_fault *fault)
{
    switch (topic->kind) {
    case HUB_TOPIC_UNKNOWN:
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic %.150s is not allowed", p->topic);
    case HUB_TOPIC_TELEMETRY: return check_telemetry(topic, p, fault);
    case HUB_TOPIC_TWIN_GET: return HUB_OK;
    case HUB_TOPIC_TWIN_REPORT:
        return p->len <= MAX_TWIN_REPORT ? HUB_OK
                                         : hub_fail(fault, HUB_ERR_TOO_LARGE, "twin: too large");
    case HUB_TOPIC_METHOD_ANSWER:
        return p->len <= HUB_METHOD_BYTES_MAX
                   ? HUB_OK
                   : hub_fail(fault, HUB_ERR_TOO_LARGE, "method answer of more than 128 KB");
    case HUB_TOPIC_ISSUE:
        return p->len <= MAX_ISSUE_REQUEST
                   ? HUB_OK
                   : hub_fail(fault, HUB_ERR_TOO_LARGE, "certificate request of more than 16 KB");
    }
    return HUB_OK;
}

hub_result hub_check_publish(hub *h, const void *key, const hub_publish *p, hub_fault *fault)
{
    const hub_connection *c = hub_connections_find(&h->connections, key);

    if (c == NULL || c->identity == NULL) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the device was deleted");
    }
    hub_topic topic = hub_topic_read(p->topic, c->identity->device, c->identity->module);
    return check(&topic, p, fault);
}

hub_result hub_accept_publish(hub *h, const void *key, const hub_publish *p)
{
    const hub_connection *c = hub_connections_find(&h->connections, key);

    if (c == NULL || c->identity == NULL) {
        return HUB_OK;
    }
    hub_identity *id = c->identity;
    hub_topic topic = hub_topic_read(p->topic, id->device, id->module);
    hub_identity_seen(id, hub_now(h));
    switch (topic.kind) {
    case HUB_TOPIC_UNKNOWN: break;
    case HUB_TOPIC_TELEMETRY: return take_telemetry(h, id, &topic, p, false);
    case HUB_TOPIC_TWIN_GET:
        if (!throttled(h, id, &topic)) {
            get_twin(h, id, &topic);
        }
        break;
    case HUB_TOPIC_TWIN_REPORT:
        if (!throttled(h, id, &topic)) {
            report_twin(h, id, &topic, p);
        }
        break;
    case HUB_TOPIC_METHOD_ANSWER: take_answer(h, id, &topic, p); break;
    case HUB_TOPIC_ISSUE: hub_issue_accept(h, id, &topic, p->payload, p->len); break;
    }
    return HUB_OK;
}

void hub_accept_will(hub *h, const void *key, const char *client_id, const hub_publish *p)
{
    const hub_identity *id = hub_registry_find_client(&h->registry, client_id);
    hub_fault fault;

    /* The identity was deleted. It may have been registered again, but no client has logged in
     * with the new one. */
    if (id == NULL || id->sender == NULL || key == h->orphan) {
        return;
    }
    hub_topic topic = hub_topic_read(p->topic, id->device, id->module);
    if (topic.kind != HUB_TOPIC_TELEMETRY || check(&topic, p, &fault) != HUB_OK) {
        hub_log(h, "%s: its Will breaks a rule and is dropped", client_id);
        return;
    }
    /* The client is gone, so a failure cannot be reported to it. */
    (void)take_telemetry(h, id, &topic, p, true);
}
