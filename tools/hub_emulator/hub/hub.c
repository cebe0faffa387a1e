#include "hub/hub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "blobs/blob_files.h"

#define SWEEP_MS    50
#define MAX_FILTERS 5

hub_clock hub_time(const hub *h)
{
    return h->broker.now(h->broker.user);
}

int64_t hub_now(const hub *h)
{
    return hub_time(h).wall_ms;
}

int64_t hub_up(const hub *h)
{
    return hub_time(h).up_ms;
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

static void notice(void *user, const char *line)
{
    const hub *h = user;

    if (h->broker.notice != NULL) {
        h->broker.notice(h->broker.user, line);
    }
}

hub_result hub_open(hub *h, const char *state_dir, const hub_broker *broker, hub_fault *fault)
{
    *h = (hub){
        .broker = *broker,
        .c2d_limits = { (int64_t)HUB_C2D_LOCK_S * 1000, HUB_C2D_DELIVERIES },
    };
    hub_result r = hub_registry_open(&h->registry, state_dir, notice, h, fault);
    if (r != HUB_OK) {
        return r;
    }
    hub_registry_start(&h->registry, hub_time(h));
    h->swept_ms = hub_up(h);
    hub_uploads_init(&h->uploads);
    hub_blob_files_tidy(&h->registry.store);
    r = hub_telemetry_open(&h->telemetry, &h->registry.store, HUB_TELEMETRY_EVENTS_MAX,
                           HUB_TELEMETRY_BYTES_MAX, fault);
    if (r != HUB_OK) {
        hub_close(h);
    }
    return r;
}

/* Devices may log in with the certificates that the issuer has issued to them. */
static void trust_issuer(hub *h)
{
    char *text = hub_certificate_to_text(h->dps->issuer.root.certificate);
    hub_certificate *root;
    hub_fault ignored; /* it was read before */

    if (hub_certificate_from_text(&root, text, &ignored) == HUB_OK) {
        hub_authorities_add_own(&h->registry.authorities, root);
    }
    free(text);
}

hub_result hub_open_dps(hub *h, const dps_settings *settings, hub_fault *fault)
{
    dps *d = hub_calloc(1, sizeof *d);

    hub_result r = dps_open(d, &h->registry, settings, hub_now(h), fault);
    if (r != HUB_OK) {
        free(d);
        return r;
    }
    h->dps = d;
    trust_issuer(h);
    return HUB_OK;
}

static void close_dps(hub *h)
{
    if (h->dps != NULL) {
        dps_close(h->dps);
        free(h->dps);
        h->dps = NULL;
    }
}

void hub_close(hub *h)
{
    hub_connection *c;

    while ((c = hub_list_first(&h->connections.all)) != NULL) {
        hub_connections_remove(&h->connections, c);
    }
    hub_methods_free(&h->methods);
    hub_uploads_free(&h->uploads);
    hub_service_queue_free(&h->feedback);
    hub_service_queue_free(&h->file_notices);
    hub_telemetry_close(&h->telemetry);
    close_dps(h);
    hub_registry_close(&h->registry);
}

void hub_wake(hub *h, hub_identity *id)
{
    hub_list_push(&h->ready, &id->in_ready, id);
}

void hub_throttle(hub *h, unsigned twin_requests, int status)
{
    h->throttle_twins = twin_requests;
    h->throttle_status = status;
}

void hub_refuse_logins(hub *h, unsigned logins, unsigned code)
{
    h->refuse_logins = logins;
    h->refuse_code = code;
}

void hub_set_c2d_limits(hub *h, const hub_c2d_limits *limits)
{
    h->c2d_limits = *limits;
}

void hub_set_request_faults(hub *h, const hub_request_faults *faults)
{
    h->request_faults = *faults;
}

void hub_set_storage_faults(hub *h, const hub_storage_faults *faults)
{
    h->storage_faults = *faults;
}

int hub_take_request_fault(hub *h, unsigned kind)
{
    hub_request_faults *f = &h->request_faults;

    if ((f->on & kind) == 0 || f->count == 0) {
        return 0;
    }
    if (f->skip > 0) {
        f->skip--;
        return 0;
    }
    f->count--;
    return f->status;
}

bool hub_login_is_refused(hub *h)
{
    if (h->refuse_logins == 0) {
        return false;
    }
    h->refuse_logins--;
    return true;
}

bool hub_is_throttled(hub *h)
{
    if (h->throttle_twins == 0) {
        return false;
    }
    h->throttle_twins--;
    return true;
}

void hub_report_disk(hub *h, hub_result r, const hub_fault *fault)
{
    if (r != HUB_OK && !h->full) {
        hub_store_report(&h->registry.store, "telemetry is refused: %s", fault->text);
    } else if (r == HUB_OK && h->full) {
        hub_store_report(&h->registry.store, "telemetry is accepted again");
    }
    h->full = r != HUB_OK;
}

bool hub_take_sweep(hub *h, int64_t up_ms)
{
    if (up_ms - h->swept_ms < SWEEP_MS) {
        return false;
    }
    h->swept_ms = up_ms;
    return true;
}

/* --- connections ------------------------------------------------------- */

bool hub_knows(const hub *h, const void *key)
{
    return hub_connections_find(&h->connections, key) != NULL;
}

bool hub_is_online(const hub *h, const char *client_id)
{
    const hub_identity *id = hub_registry_find_client(&h->registry, client_id);
    return id != NULL && id->session.connection != NULL;
}

bool hub_may_resume(const hub *h, const void *key)
{
    const hub_connection *c = hub_connections_find(&h->connections, key);
    return c != NULL && c->resumed;
}

static void end_session(hub_identity *id)
{
    hub_session_end(&id->session);
    hub_c2d_session_lost(&id->c2d);
}

static hub_result keep_model(hub *h, hub_identity *id, const char *model, hub_fault *fault)
{
    hub_change change = { .model = model };

    return strcmp(id->model_id, model) == 0
               ? HUB_OK
               : hub_registry_change(&h->registry, id, &change, hub_now(h), fault);
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
    r = keep_model(h, id, login.model_id, fault);
    free(login.model_id);
    if (r != HUB_OK) {
        return r;
    }
    bool resumed = !clean_session && id->session.exists;
    if (!resumed) {
        end_session(id);
    }
    h->orphan = h->orphan == key ? NULL : h->orphan;
    const hub_connection_login accepted = {
        .key = key,
        .identity = id,
        .client_id = c->client_id,
        .number = c->number,
        .expires_s = login.expires_s,
        .resumed = resumed,
    };
    hub_session_connect(&id->session, hub_connections_add(&h->connections, &accepted),
                        !clean_session, login.old_api);
    hub_identity_connected(id, login.auth_scope, login.auth_type, now);
    hub_wake(h, id);
    hub_log(h, "%s: connected%s%s", c->client_id, c->peer != NULL ? " from " : "",
            c->peer != NULL ? c->peer : "");
    return HUB_OK;
}

void hub_disconnected(hub *h, const void *key)
{
    hub_connection *c = hub_connections_find(&h->connections, key);

    if (c == NULL) {
        return; /* no such connection, because its login was refused */
    }
    hub_identity *id = c->identity;
    h->orphan = id == NULL ? key : h->orphan;
    if (id != NULL && id->session.connection == c) {
        hub_session_leave(&id->session);
        hub_identity_disconnected(id, hub_now(h));
        if (!id->session.exists) {
            end_session(id);
        }
        hub_log(h, "%s: disconnected", c->client_id);
    }
    hub_connections_remove(&h->connections, c);
}

void hub_kick(hub *h, hub_identity *id)
{
    if (id->session.connection != NULL) {
        hub_connections_reject(&h->connections, id->session.connection);
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
    hub_connection *c = hub_connections_find(&h->connections, key);

    if (c == NULL || c->state != HUB_CONNECTION_LIVE || c->identity == NULL) {
        return HUB_OK; /* the broker unsubscribes each filter when it closes a session */
    }
    hub_identity *id = c->identity;
    hub_subscription s = hub_topic_filter(filter, id->device, id->module);
    if (s == HUB_SUB_NONE) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic filter %.150s is not allowed", filter);
    }
    if (bit_count(id->session.subscriptions | s) > MAX_FILTERS) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "more than %d topic filters", MAX_FILTERS);
    }
    hub_session_subscribe(&id->session, s, qos);
    hub_wake(h, id);
    return HUB_OK;
}

void hub_unsubscribe(hub *h, const void *key, const char *filter)
{
    const hub_connection *c = hub_connections_find(&h->connections, key);

    if (c != NULL && c->identity != NULL) {
        hub_identity *id = c->identity;
        hub_session_unsubscribe(&id->session, hub_topic_filter(filter, id->device, id->module));
    }
}

void hub_send_text(hub *h, const hub_identity *id, char *topic, const char *text)
{
    hub_connections_send(&h->connections, id->session.connection, topic, text, strlen(text));
}

void hub_send_queued(hub *h)
{
    hub_connection *c;

    while ((c = hub_connections_take_sending(&h->connections)) != NULL) {
        hub_outgoing_item *item;
        while ((item = hub_outgoing_take(&c->outgoing)) != NULL) {
            h->broker.publish(h->broker.user, c->client_id, item->topic, item->payload, item->len,
                              0);
            hub_outgoing_item_free(item);
        }
    }
}

/* --- twins and methods from the service side ---------------------------- */

/* Closes the connection of a disabled device, and those of its modules. */
static void kick_disabled(hub *h, hub_identity *id)
{
    size_t count = 0;
    hub_identity *const *modules =
        id->module == NULL ? hub_identities_modules(&h->registry.identities, id->device, &count)
                           : NULL;

    hub_kick(h, id);
    for (size_t i = 0; i < count; i++) {
        hub_kick(h, modules[i]);
    }
}

hub_result hub_apply(hub *h, hub_identity *id, hub_change *c, hub_fault *fault)
{
    hub_result r = hub_registry_change(&h->registry, id, c, hub_now(h), fault);

    if (r == HUB_OK && !id->enabled) {
        kick_disabled(h, id);
    }
    if (c->notify != NULL && hub_connection_listens(id, HUB_SUB_DESIRED)) {
        char *text = hub_json_print(c->notify);
        hub_send_text(h, id, hub_topic_desired(id->twin.desired.version), text);
        free(text);
    }
    hub_change_forget_notice(c);
    return r;
}

hub_result hub_invoke(hub *h, hub_identity *id, const hub_method_request *request,
                      hub_method_done done, void *user, hub_fault *fault)
{
    hub_wake(h, id);
    return hub_methods_add(&h->methods, id->client_id, request, hub_up(h), done, user, fault);
}

const char *hub_client_of(const hub *h, uint64_t number)
{
    const hub_connection *c = hub_connections_current(&h->connections, number);

    return c != NULL ? c->client_id : NULL;
}

/* --- registry ---------------------------------------------------------- */

/* Ends all open work of the identity, so that no answer reaches a later identity of the same
 * name. */
static void let_go(hub *h, hub_identity *id)
{
    static const hub_method_answer deleted = {
        .result = HUB_ERR_NO_DEVICE,
        .why = "the device was deleted while the method waited for it",
    };

    hub_kick(h, id);
    if (id->session.exists && h->broker.end_session != NULL) {
        h->broker.end_session(h->broker.user, id->client_id);
    }
    hub_connections_forget(id);
    hub_list_remove(&id->in_ready);
    hub_methods_end(&h->methods, id->client_id, &deleted);
}

static void forget_identity(hub *h, hub_identity *id)
{
    let_go(h, id);
    hub_registry_forget(&h->registry, id);
}

/* The modules are deleted with their device, even if their files cannot be removed. */
static void delete_modules(hub *h, const char *device)
{
    size_t count;
    hub_identity *const *modules;
    hub_fault fault;

    while ((modules = hub_identities_modules(&h->registry.identities, device, &count), count) > 0) {
        hub_identity *last = modules[count - 1];
        (void)hub_registry_remove_file(&h->registry, last, &fault);
        forget_identity(h, last);
    }
}

hub_result hub_delete(hub *h, hub_identity *id, hub_fault *fault)
{
    hub_result r = hub_registry_remove_file(&h->registry, id, fault);

    if (r != HUB_OK) {
        return r;
    }
    if (id->module == NULL) {
        delete_modules(h, id->device);
    }
    forget_identity(h, id);
    return HUB_OK;
}
