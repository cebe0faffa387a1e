#include "hub/hub_issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* --- answers ---------------------------------------------------------------------- */

/* The receiver of an answer, and the fault that spoils it. */
typedef struct target {
    hub *hub;
    hub_identity *identity;
    const char *rid;
    size_t rid_len;
    dps_fault_kind fault;
} target;

/* Sends an answer and frees its text. */
static void answer(const target *t, int status, char *text)
{
    if (t->fault == DPS_FAULT_NONSENSE) {
        free(text);
        text = hub_format("<html>%d</html>", status);
    }
    size_t len = strlen(text);
    len = t->fault == DPS_FAULT_HALF ? len / 2 : len;
    if (hub_connection_listens(t->identity, HUB_SUB_CREDENTIALS)) {
        hub_connections_send(&t->hub->connections, t->identity->session.connection,
                             hub_topic_issue_answer(status, t->rid, t->rid_len), text, len);
    }
    free(text);
}

/* active is the request that prevents this one, or NULL. A retry_after_s below 0 means none. */
static void refuse(const target *t, const dps_error *e, const hub_issuance *active,
                   int retry_after_s)
{
    char *text = dps_error_text(e, hub_now(t->hub));
    cJSON *json = hub_json_read(text, strlen(text));

    if (active != NULL) {
        cJSON *info = cJSON_AddObjectToObject(json, "info");
        hub_json_add_text(info, "requestId", active->rid);
        hub_json_add_text(info, "correlationId", active->correlation_id);
        hub_json_add_time(info, "operationExpires", active->expires_wall_ms);
    }
    if (retry_after_s >= 0) {
        (void)cJSON_AddNumberToObject(json, "retryAfter", retry_after_s);
    }
    hub_log(t->hub, "%s: certificate request: %d %s", t->identity->client_id, e->code, e->text);
    answer(t, dps_error_status(e), hub_json_print(json));
    cJSON_Delete(json);
    free(text);
}

/* Returns whether the fault has taken the place of the answer. */
static bool fault_stands_for_answer(target *t, dps_fault_target on)
{
    dps_faults *f = &t->hub->dps->issue_faults;
    dps_error e;

    t->fault = dps_faults_take(f, on);
    if (t->fault == DPS_FAULT_STATUS) {
        (void)dps_fail(&e, f->code, "%d on request", f->code / 1000);
        refuse(t, &e, NULL, f->retry_after_s);
    } else if (t->fault == DPS_FAULT_CLOSE) {
        hub_kick(t->hub, t->identity);
    }
    return t->fault == DPS_FAULT_STATUS || t->fault == DPS_FAULT_CLOSE ||
           t->fault == DPS_FAULT_SILENCE;
}

/* --- requests ---------------------------------------------------------------------- */

/* The body of a request. The texts belong to its JSON. */
typedef struct issue_request {
    const char *csr;
    const char *replace; /* "*", the rid of the request to be replaced, or NULL */
} issue_request;

static bool read_request(const cJSON *json, const hub_identity *id, issue_request *out,
                         dps_error *e)
{
    const char *named = hub_json_string(json, "id");
    const cJSON *replace = cJSON_GetObjectItemCaseSensitive(json, "replace");

    *out = (issue_request){ .csr = hub_json_string(json, "csr"),
                            .replace = cJSON_GetStringValue(replace) };
    if (id->module != NULL) {
        return dps_fail(e, DPS_CODE_REQUEST, "a module cannot request a certificate");
    }
    if (!cJSON_IsObject(json) || named == NULL || strcmp(named, id->device) != 0) {
        return dps_fail(e, DPS_CODE_REQUEST, "id: not that of the device");
    }
    if (out->csr == NULL) {
        return dps_fail(e, DPS_CODE_REQUEST, "csr is missing");
    }
    return replace == NULL || cJSON_IsNull(replace) || out->replace != NULL ||
           dps_fail(e, DPS_CODE_REQUEST, "replace: not a text");
}

/* Allows one request of a device at a time, unless the new one says which request it replaces. */
static bool check_active(const hub_issuance *active, const issue_request *r, dps_error *e)
{
    if (active == NULL) {
        return r->replace == NULL ||
               dps_fail(e, DPS_CODE_NO_ISSUANCE, "there is no active request to replace");
    }
    if (r->replace == NULL) {
        return dps_fail(e, DPS_CODE_ISSUANCE_ACTIVE,
                        "another request is active: replace it, or wait for its answer");
    }
    return strcmp(r->replace, "*") == 0 || strcmp(r->replace, active->rid) == 0 ||
           dps_fail(e, DPS_CODE_NO_ISSUANCE, "the active request is not the one to replace");
}

static bool make(const hub *h, const char *device, const char *csr, hub_issued *out, dps_error *e)
{
    const hub_issuer_order order = {
        .request = csr, .name = device, .device = device, .life_s = h->dps->certificate_life_s
    };
    hub_fault fault;

    if (hub_issuer_issue(&h->dps->issuer, &order, hub_now(h) / 1000, out, &fault) == HUB_OK) {
        return true;
    }
    return dps_fail(e, fault.code == HUB_ERR_ARGUMENT ? DPS_CODE_REQUEST : DPS_CODE_SERVER, "%s",
                    fault.text);
}

/* A request that cannot be answered must be refused immediately, so a certificate is issued on
 * trial. */
static bool check_csr(const hub *h, const hub_identity *id, const char *csr, dps_error *e)
{
    hub_issued issued;

    if (!make(h, id->device, csr, &issued, e)) {
        return false;
    }
    hub_issued_free(&issued);
    return true;
}

static const hub_issuance *add(hub *h, const target *t, const issue_request *r)
{
    const dps *d = h->dps;
    const hub_clock now = hub_time(h);
    char *rid = hub_memdup(t->rid, t->rid_len);
    char *correlation = dps_uuid();
    char *csr = hub_strdup(r->csr);
    const hub_issuance request = {
        .device = t->identity->device,
        .generation = t->identity->generation_id,
        .rid = rid,
        .request = csr,
        .correlation_id = correlation,
        .due_ms = now.up_ms + d->issue_delay_s * 1000,
        .expires_ms = now.up_ms + d->issue_expires_s * 1000,
        .expires_wall_ms = now.wall_ms + d->issue_expires_s * 1000,
    };

    hub_issuances_drop(&h->dps->issuances, t->identity->device);
    const hub_issuance *added = hub_issuances_add(&h->dps->issuances, &request);
    free(rid);
    free(correlation);
    free(csr);
    return added;
}

static void accept(const target *t, const issue_request *r)
{
    const hub_issuance *added = add(t->hub, t, r);
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "correlationId", added->correlation_id);
    hub_json_add_time(json, "operationExpires", added->expires_wall_ms);
    answer(t, 202, hub_json_print(json));
    cJSON_Delete(json);
}

void hub_issue_accept(hub *h, hub_identity *id, const hub_topic *topic, const void *body,
                      size_t len)
{
    target t = { .hub = h, .identity = id, .rid = topic->rid, .rid_len = topic->rid_len };
    issue_request r;
    dps_error e = { 0 };

    if (h->dps == NULL) {
        (void)dps_fail(&e, DPS_CODE_FORBIDDEN,
                       "this hub issues no certificates: start hub_emulator with --dps");
        refuse(&t, &e, NULL, -1);
        return;
    }
    if (fault_stands_for_answer(&t, DPS_ON_REGISTER)) {
        return;
    }
    const hub_issuance *active = hub_issuances_find(&h->dps->issuances, id->device);
    cJSON *json = hub_json_read(body, len);
    if (read_request(json, id, &r, &e) && check_active(active, &r, &e) &&
        check_csr(h, id, r.csr, &e)) {
        accept(&t, &r);
    } else {
        refuse(&t, &e, active, -1);
    }
    cJSON_Delete(json);
}

/* --- results ------------------------------------------------------------------------ */

static void deliver(hub *h, hub_identity *id, const hub_issuance *request)
{
    target t = { .hub = h, .identity = id, .rid = request->rid, .rid_len = strlen(request->rid) };
    hub_issued issued;
    dps_error e = { 0 };

    if (fault_stands_for_answer(&t, DPS_ON_POLL)) {
        return;
    }
    if (!make(h, id->device, request->request, &issued, &e)) {
        refuse(&t, &e, NULL, -1);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(json, "certificates", hub_issued_view(&issued, h->dps->pem));
    hub_json_add_text(json, "correlationId", request->correlation_id);
    answer(&t, 200, hub_json_print(json));
    cJSON_Delete(json);
    hub_issued_free(&issued);
}

/* Returns whether nothing is left to be done for the request. */
static bool settle(hub *h, const hub_issuance *request, int64_t up_ms)
{
    hub_identity *id = hub_registry_find(&h->registry, request->device, NULL);

    if (id == NULL || strcmp(id->generation_id, request->generation) != 0 ||
        request->expires_ms <= up_ms) {
        return true;
    }
    if (request->due_ms > up_ms || !hub_connection_listens(id, HUB_SUB_CREDENTIALS)) {
        return false;
    }
    deliver(h, id, request);
    return true;
}

void hub_issue_tick(hub *h)
{
    if (h->dps == NULL) {
        return;
    }
    hub_issuances *l = &h->dps->issuances;
    const int64_t up_ms = l->count > 0 ? hub_up(h) : 0;
    for (size_t i = l->count; i > 0; i--) {
        if (settle(h, l->items[i - 1], up_ms)) {
            hub_issuances_remove(l, i - 1);
        }
    }
}
