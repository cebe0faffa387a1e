#include "hub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS        50
#define MAX_FILTERS     5
#define MAX_TWIN_REPORT HUB_TELEMETRY_SIZE_MAX

int64_t hub_now(const hub *h)
{
    return h->broker.now_ms(h->broker.user);
}

void hub_log(const hub *h, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    h->broker.log(h->broker.user, line);
}

hub_result hub_open(hub *h, const char *state_dir, const hub_broker *broker, hub_fault *fault)
{
    *h = (hub){ .broker = *broker };
    hub_result r = hub_registry_open(&h->registry, state_dir, fault);
    if (r == HUB_OK) {
        r = hub_telemetry_open(&h->telemetry, &h->registry.store, HUB_TELEMETRY_EVENTS_MAX,
                               HUB_TELEMETRY_BYTES_MAX, fault);
    }
    return r;
}

static void free_connection(hub_connection *c)
{
    free(c->client_id);
    free(c);
}

void hub_close(hub *h)
{
    while (h->connections != NULL) {
        hub_connection *c = h->connections;
        h->connections = c->next;
        free_connection(c);
    }
    hub_methods_free(&h->methods);
    hub_telemetry_close(&h->telemetry);
    hub_registry_close(&h->registry);
}

/* --- connections ------------------------------------------------------- */

static hub_connection *find(const hub *h, const void *key)
{
    hub_connection *c = h->connections;

    while (c != NULL && c->key != key) {
        c = c->next;
    }
    return c;
}

bool hub_knows(const hub *h, const void *key)
{
    return find(h, key) != NULL;
}

static void forget(hub *h, hub_connection *gone)
{
    hub_connection **at = &h->connections;

    while (*at != gone) {
        at = &(*at)->next;
    }
    *at = gone->next;
    free_connection(gone);
}

static void end_session(hub_identity *id)
{
    id->session = (hub_session){ .connection = id->session.connection };
    hub_c2d_session_lost(&id->c2d);
}

hub_result hub_connect(hub *h, const void *key, const hub_credentials *c, bool clean_session,
                       hub_fault *fault)
{
    hub_login login;
    int64_t now = hub_now(h);

    hub_result r = hub_login_check(&h->registry, c, now / 1000, &login, fault);
    if (r != HUB_OK) {
        return r;
    }
    hub_identity *id = login.identity;
    if (clean_session || !id->session.exists) {
        end_session(id);
    }
    hub_connection *fresh = hub_calloc(1, sizeof *fresh);
    *fresh = (hub_connection){
        .key = key,
        .identity = id,
        .client_id = hub_strdup(c->client_id),
        .expires_s = login.expires_s,
        .next = h->connections,
    };
    h->connections = fresh;
    id->session.connection = fresh;
    id->session.exists = !clean_session;
    id->session.old_api = login.old_api;
    id->connection_ms = now;
    id->activity_ms = now;
    h->work = true;
    hub_log(h, "%s: connected", c->client_id);
    return HUB_OK;
}

void hub_disconnected(hub *h, const void *key)
{
    hub_connection *c = find(h, key);

    if (c == NULL) {
        return; /* a login that was refused */
    }
    hub_identity *id = c->identity;
    if (id != NULL && id->session.connection == c) {
        id->session.connection = NULL;
        id->connection_ms = hub_now(h);
        if (!id->session.exists) {
            end_session(id);
        }
        hub_log(h, "%s: disconnected", c->client_id);
    }
    forget(h, c);
}

static void reject(hub *h, hub_connection *c)
{
    if (c->state == HUB_CONNECTION_LIVE) {
        c->state = HUB_CONNECTION_UNWANTED;
        h->work = true;
    }
}

void hub_kick(hub *h, hub_identity *id)
{
    if (id->session.connection != NULL) {
        reject(h, id->session.connection);
    }
}

static unsigned bit_count(unsigned set)
{
    unsigned n = 0;

    for (; set != 0; set &= set - 1) {
        n++;
    }
    return n;
}

hub_result hub_subscribe(hub *h, const void *key, const char *filter, int qos, hub_fault *fault)
{
    hub_connection *c = find(h, key);

    if (c == NULL || c->state != HUB_CONNECTION_LIVE || c->identity == NULL) {
        return HUB_OK; /* the broker goes through the filters of a session it closes */
    }
    hub_identity *id = c->identity;
    hub_subscription s = hub_topic_filter(filter, id->device, id->module);
    if (s == HUB_SUB_NONE) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic filter %.150s is not allowed", filter);
    }
    if (bit_count(id->session.subscriptions | s) > MAX_FILTERS) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "more than %d topic filters", MAX_FILTERS);
    }
    id->session.subscriptions |= s;
    if (s == HUB_SUB_C2D) {
        id->session.c2d_qos = qos > 0 ? 1 : 0;
    }
    h->work = true;
    return HUB_OK;
}

void hub_unsubscribe(hub *h, const void *key, const char *filter)
{
    const hub_connection *c = find(h, key);

    if (c != NULL && c->identity != NULL) {
        hub_identity *id = c->identity;
        id->session.subscriptions &= ~(unsigned)hub_topic_filter(filter, id->device, id->module);
    }
}

static bool listens(const hub_identity *id, hub_subscription s)
{
    const hub_connection *c = id->session.connection;
    return c != NULL && c->state == HUB_CONNECTION_LIVE && (id->session.subscriptions & s) != 0;
}

/* Publish at QoS 0 and free the topic. */
static void send(hub *h, const hub_identity *id, char *topic, const char *text)
{
    h->broker.publish(h->broker.user, id->client_id, topic, text, strlen(text), 0);
    free(topic);
}

/* --- telemetry --------------------------------------------------------- */

static void take_telemetry(hub *h, const hub_identity *id, const char *bag_text,
                           const hub_publish *p, bool will)
{
    hub_bag bag;
    hub_fault fault;

    if (hub_bag_parse(bag_text, &bag, &fault) != HUB_OK) {
        return; /* checked before */
    }
    if (p->retain) {
        hub_bag_add(&bag, id->session.old_api ? "x-opt-retain" : "mqtt-retain", "true");
    }
    if (will) {
        hub_bag_add(&bag, "iothub-MessageType", "Will");
    }
    const hub_telemetry_input in = {
        .device = id->device,
        .module = id->module,
        .bag = &bag,
        .body = p->payload,
        .len = p->len,
        .qos = p->qos,
        .now_ms = hub_now(h),
    };
    if (hub_telemetry_add(&h->telemetry, &in, &fault) != HUB_OK) {
        hub_log(h, "telemetry will not survive a restart: %s", fault.text);
    }
    hub_bag_free(&bag);
}

static hub_result check_telemetry(const char *bag_text, const hub_publish *p, hub_fault *fault)
{
    hub_bag bag;

    hub_result r = hub_bag_parse(bag_text, &bag, fault);
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
    if (listens(id, HUB_SUB_TWIN_ANSWERS)) {
        send(h, id, hub_topic_twin_answer(status, request, version), text);
    }
}

static void refuse_twin(hub *h, const hub_identity *id, const hub_topic *request,
                        const hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();
    int status = hub_result_status(fault->code);

    (void)cJSON_AddNumberToObject(json, "errorCode", status * 1000);
    hub_json_add_text(json, "message", fault->text);
    char *text = hub_json_print(json);
    answer_twin(h, id, request, status, -1, text);
    hub_log(h, "%s: %s", id->client_id, fault->text);
    cJSON_Delete(json);
    free(text);
}

static bool throttled(hub *h, const hub_identity *id, const hub_topic *request)
{
    hub_fault fault;

    if (h->throttle_twins == 0) {
        return false;
    }
    h->throttle_twins--;
    (void)hub_fail(&fault, HUB_ERR_THROTTLED, "throttled on request");
    refuse_twin(h, id, request, &fault);
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

    hub_result r = patch == NULL ? hub_fail(&fault, HUB_ERR_ARGUMENT, "twin: not JSON")
                                 : hub_twin_report(&id->twin, patch, hub_now(h), &fault);
    cJSON_Delete(patch);
    if (r == HUB_OK) {
        r = hub_registry_save(&h->registry, id, &fault);
    }
    if (r != HUB_OK) {
        refuse_twin(h, id, request, &fault);
        return;
    }
    answer_twin(h, id, request, 204, id->twin.reported.version, "");
}

hub_result hub_update_twin(hub *h, hub_identity *id, const cJSON *body, hub_twin_mode mode,
                           hub_fault *fault)
{
    cJSON *notify;

    hub_result r = hub_twin_update(&id->twin, body, mode, hub_now(h), &notify, fault);
    if (r == HUB_OK) {
        r = hub_registry_save(&h->registry, id, fault);
    }
    if (r == HUB_OK && notify != NULL && listens(id, HUB_SUB_DESIRED)) {
        char *text = hub_json_print(notify);
        send(h, id, hub_topic_desired(id->twin.desired.version), text);
        free(text);
    }
    cJSON_Delete(notify);
    return r;
}

/* --- methods ----------------------------------------------------------- */

hub_result hub_invoke(hub *h, const hub_identity *id, const cJSON *body, hub_method_done done,
                      void *user, hub_fault *fault)
{
    h->work = true;
    return hub_methods_add(&h->methods, id->client_id, body, hub_now(h), done, user, fault);
}

static void send_methods(hub *h, const hub_identity *id)
{
    hub_method *method;

    if (!listens(id, HUB_SUB_METHODS)) {
        return;
    }
    while ((method = hub_methods_waiting(&h->methods, id->client_id)) != NULL) {
        send(h, id, hub_topic_method(method->name, method->rid), method->payload);
        hub_methods_sent(method, hub_now(h));
    }
}

static void take_answer(hub *h, const hub_identity *id, const hub_topic *topic,
                        const hub_publish *p)
{
    hub_method_answer answer = {
        .status = topic->status,
        .payload = p->payload,
        .payload_len = p->len,
    };
    cJSON *json = hub_json_read(p->payload, p->len);

    if (json == NULL && p->len > 0) {
        answer.result = HUB_ERR_ARGUMENT;
        answer.why = "the device answered with something that is not JSON";
    }
    cJSON_Delete(json);
    if (!hub_methods_answer(&h->methods, id->client_id, topic->rid, topic->rid_len, &answer)) {
        hub_log(h, "%s: an answer nobody waits for", id->client_id);
    }
}

/* --- what a client publishes ------------------------------------------- */

static hub_result check(const hub_topic *topic, const hub_publish *p, hub_fault *fault)
{
    switch (topic->kind) {
    case HUB_TOPIC_UNKNOWN:
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic %.150s is not allowed", p->topic);
    case HUB_TOPIC_TELEMETRY: return check_telemetry(topic->bag, p, fault);
    case HUB_TOPIC_TWIN_GET: return HUB_OK;
    case HUB_TOPIC_TWIN_REPORT:
        return p->len <= MAX_TWIN_REPORT ? HUB_OK
                                         : hub_fail(fault, HUB_ERR_TOO_LARGE, "twin: too large");
    case HUB_TOPIC_METHOD_ANSWER:
        return p->len <= HUB_METHOD_BYTES_MAX
                   ? HUB_OK
                   : hub_fail(fault, HUB_ERR_TOO_LARGE, "method answer of more than 128 KB");
    }
    return HUB_OK;
}

hub_result hub_check_publish(hub *h, const void *key, const hub_publish *p, hub_fault *fault)
{
    const hub_connection *c = find(h, key);

    if (c == NULL || c->identity == NULL) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the device is gone");
    }
    hub_topic topic = hub_topic_read(p->topic, c->identity->device, c->identity->module);
    return check(&topic, p, fault);
}

void hub_accept_publish(hub *h, const void *key, const hub_publish *p)
{
    const hub_connection *c = find(h, key);

    if (c == NULL || c->identity == NULL) {
        return;
    }
    hub_identity *id = c->identity;
    hub_topic topic = hub_topic_read(p->topic, id->device, id->module);
    id->activity_ms = hub_now(h);
    switch (topic.kind) {
    case HUB_TOPIC_UNKNOWN: break;
    case HUB_TOPIC_TELEMETRY: take_telemetry(h, id, topic.bag, p, false); break;
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
    }
}

void hub_accept_will(hub *h, const char *client_id, const hub_publish *p)
{
    const hub_identity *id = hub_registry_find_client(&h->registry, client_id);
    hub_fault fault;

    if (id == NULL) {
        return;
    }
    hub_topic topic = hub_topic_read(p->topic, id->device, id->module);
    if (topic.kind != HUB_TOPIC_TELEMETRY || check(&topic, p, &fault) != HUB_OK) {
        hub_log(h, "%s: its Will breaks a rule and is dropped", client_id);
        return;
    }
    take_telemetry(h, id, topic.bag, p, true);
}

void hub_forbidden(hub *h, const char *client_id)
{
    hub_identity *id = hub_registry_find_client(&h->registry, client_id);

    if (id != NULL) {
        hub_log(h, "%s: closed: topic below $SYS", client_id);
        hub_kick(h, id);
    }
}

/* --- cloud to device --------------------------------------------------- */

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
        h->work = true;
    }
}

static void send_c2d(hub *h, hub_identity *id)
{
    hub_c2d_message *m;

    if (id->module != NULL || !listens(id, HUB_SUB_C2D)) {
        return;
    }
    while ((m = hub_c2d_next(&id->c2d)) != NULL) {
        char *topic = hub_topic_c2d(id->device, m->bag);
        h->broker.publish(h->broker.user, id->client_id, topic, m->body, m->body_len,
                          id->session.c2d_qos);
        free(topic);
        m->state = HUB_C2D_HANDED;
        if (id->session.c2d_qos == 0) { /* nobody will acknowledge it */
            hub_c2d_sent(&id->c2d, 0);
            (void)hub_c2d_acknowledged(&id->c2d, &h->registry.store, 0);
        }
    }
}

/* --- time -------------------------------------------------------------- */

static void reject_expired(hub *h, int64_t now_s)
{
    for (hub_connection *c = h->connections; c != NULL; c = c->next) {
        if (c->state == HUB_CONNECTION_LIVE && c->expires_s <= now_s) {
            hub_log(h, "%s: its token has expired", c->client_id);
            reject(h, c);
        }
    }
}

static hub_connection *find_unwanted(const hub *h)
{
    hub_connection *c = h->connections;

    while (c != NULL && c->state != HUB_CONNECTION_UNWANTED) {
        c = c->next;
    }
    return c;
}

/* The broker reports the end of a connection while it is dropped, so start over each time. */
static void drop_unwanted(hub *h)
{
    hub_connection *c;

    while ((c = find_unwanted(h)) != NULL) {
        char *client_id = hub_strdup(c->client_id);
        c->state = HUB_CONNECTION_DROPPED;
        h->broker.drop(h->broker.user, client_id);
        free(client_id);
    }
}

static void sweep(hub *h, int64_t now)
{
    reject_expired(h, now / 1000);
    for (size_t i = 0; i < h->registry.count; i++) {
        hub_identity *id = h->registry.items[i];
        size_t dropped = hub_c2d_expire(&id->c2d, &h->registry.store, now);
        if (dropped > 0) {
            hub_log(h, "%s: %zu messages have expired", id->client_id, dropped);
        }
    }
    h->swept_ms = now;
}

void hub_tick(hub *h)
{
    int64_t now = hub_now(h);

    if (h->work || now - h->swept_ms >= SWEEP_MS || now < h->swept_ms) {
        sweep(h, now);
    }
    if (h->work) {
        h->work = false;
        drop_unwanted(h);
        for (size_t i = 0; i < h->registry.count; i++) {
            send_methods(h, h->registry.items[i]);
            send_c2d(h, h->registry.items[i]);
        }
    }
    hub_methods_expire(&h->methods, now);
}

/* --- registry ---------------------------------------------------------- */

static void delete_one(hub *h, hub_identity *id)
{
    hub_kick(h, id);
    for (hub_connection *c = h->connections; c != NULL; c = c->next) {
        if (c->identity == id) {
            c->identity = NULL;
        }
    }
    hub_registry_remove(&h->registry, id);
}

void hub_delete(hub *h, hub_identity *id)
{
    for (size_t i = h->registry.count; id->module == NULL && i-- > 0;) {
        hub_identity *other = h->registry.items[i];
        if (other->module != NULL && strcmp(other->device, id->device) == 0) {
            delete_one(h, other);
        }
    }
    delete_one(h, id);
}
