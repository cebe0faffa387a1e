#include "hub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_internal.h"

#define SWEEP_MS    50
#define MAX_FILTERS 5

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

void hub_close(hub *h)
{
    while (h->connections != NULL) {
        hub_connection_remove(h, h->connections);
    }
    hub_methods_free(&h->methods);
    hub_telemetry_close(&h->telemetry);
    hub_registry_close(&h->registry);
}

/* --- connections ------------------------------------------------------- */

bool hub_knows(const hub *h, const void *key)
{
    return hub_find(h, key) != NULL;
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
    r = hub_registry_set_model(&h->registry, id, login.model_id, fault);
    free(login.model_id);
    if (r != HUB_OK) {
        return r;
    }
    if (clean_session || !id->session.exists) {
        end_session(id);
    }
    hub_connection *fresh = hub_calloc(1, sizeof *fresh);
    *fresh = (hub_connection){
        .key = key,
        .identity = id,
        .client_id = hub_strdup(c->client_id),
        .expires_s = login.expires_s,
    };
    hub_connection_add(h, fresh);
    id->session.connection = fresh;
    id->session.exists = !clean_session;
    id->session.old_api = login.old_api;
    id->auth_scope = login.auth_scope;
    id->connection_ms = now;
    id->activity_ms = now;
    hub_wake(h, id);
    hub_log(h, "%s: connected", c->client_id);
    return HUB_OK;
}

void hub_disconnected(hub *h, const void *key)
{
    hub_connection *c = hub_find(h, key);

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
    hub_connection_remove(h, c);
}

void hub_kick(hub *h, hub_identity *id)
{
    if (id->session.connection != NULL) {
        hub_reject(h, id->session.connection);
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
    hub_connection *c = hub_find(h, key);

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
    hub_wake(h, id);
    return HUB_OK;
}

void hub_unsubscribe(hub *h, const void *key, const char *filter)
{
    const hub_connection *c = hub_find(h, key);

    if (c != NULL && c->identity != NULL) {
        hub_identity *id = c->identity;
        id->session.subscriptions &= ~(unsigned)hub_topic_filter(filter, id->device, id->module);
    }
}

bool hub_listens(const hub_identity *id, hub_subscription s)
{
    const hub_connection *c = id->session.connection;
    return c != NULL && c->state == HUB_CONNECTION_LIVE && (id->session.subscriptions & s) != 0;
}

/* Publish at QoS 0 and free the topic. */
void hub_send_text(hub *h, const hub_identity *id, char *topic, const char *text)
{
    h->broker.publish(h->broker.user, id->client_id, topic, text, strlen(text), 0);
    free(topic);
}

/* --- twins and methods from the service side ---------------------------- */

hub_result hub_update_twin(hub *h, hub_identity *id, const cJSON *body, hub_twin_mode mode,
                           hub_fault *fault)
{
    cJSON *notify;

    hub_result r = hub_twin_update(&id->twin, body, mode, hub_now(h), &notify, fault);
    if (r == HUB_OK) {
        r = hub_registry_save(&h->registry, id, fault);
    }
    if (r == HUB_OK && notify != NULL && hub_listens(id, HUB_SUB_DESIRED)) {
        char *text = hub_json_print(notify);
        hub_send_text(h, id, hub_topic_desired(id->twin.desired.version), text);
        free(text);
    }
    cJSON_Delete(notify);
    return r;
}

hub_result hub_invoke(hub *h, hub_identity *id, const hub_method_request *request,
                      hub_method_done done, void *user, hub_fault *fault)
{
    hub_wake(h, id);
    return hub_methods_add(&h->methods, id->client_id, request, hub_now(h), done, user, fault);
}

static void send_methods(hub *h, const hub_identity *id)
{
    hub_method *method;

    if (!hub_listens(id, HUB_SUB_METHODS)) {
        return;
    }
    while ((method = hub_methods_waiting(&h->methods, id->client_id)) != NULL) {
        hub_send_text(h, id, hub_topic_method(method->name, method->rid), method->payload);
        hub_methods_sent(method, hub_now(h));
    }
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
        hub_wake(h, id);
    }
}

static void send_c2d(hub *h, hub_identity *id)
{
    hub_c2d_message *m;

    if (id->module != NULL || !hub_listens(id, HUB_SUB_C2D)) {
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
            hub_reject(h, c);
        }
    }
}

/* The broker reports the end of a connection while it is dropped, and maybe of others. */
static void drop_unwanted(hub *h)
{
    hub_connection *c;

    while ((c = hub_take_unwanted(h)) != NULL) {
        char *client_id = hub_strdup(c->client_id);
        h->broker.drop(h->broker.user, client_id);
        free(client_id);
    }
}

static void expire_messages(hub *h, hub_identity *id, int64_t now)
{
    size_t dropped = hub_c2d_expire(&id->c2d, &h->registry.store, now);

    if (dropped > 0) {
        hub_log(h, "%s: %zu messages have expired", id->client_id, dropped);
    }
}

static void send_to_ready(hub *h, int64_t now)
{
    hub_identity *id;

    while ((id = h->ready) != NULL) {
        hub_unready(id);
        expire_messages(h, id, now);
        send_methods(h, id);
        send_c2d(h, id);
    }
}

static void sweep(hub *h, int64_t now)
{
    reject_expired(h, now / 1000);
    for (size_t i = 0; i < h->registry.count; i++) {
        expire_messages(h, h->registry.items[i], now);
    }
    h->swept_ms = now;
}

void hub_tick(hub *h)
{
    int64_t now = hub_now(h);

    if (now - h->swept_ms >= SWEEP_MS || now < h->swept_ms) {
        sweep(h, now);
    }
    if (h->work) {
        h->work = false;
        drop_unwanted(h);
        send_to_ready(h, now);
    }
    hub_methods_expire(&h->methods, now);
}

/* --- registry ---------------------------------------------------------- */

static void delete_one(hub *h, hub_identity *id)
{
    hub_kick(h, id);
    hub_forget_identity(id);
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
