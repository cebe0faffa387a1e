#include "hub/hub_dps.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "dps/dps.h"
#include "dps/dps_topics.h"
#include "hub/hub_assign.h"

#define REQUEST_BYTES_MAX (64 * 1024)

/* --- connections --------------------------------------------------------------- */

/* Returns the client id without the prefix of the front. */
static const char *registration_id(const char *client_id)
{
    const size_t len = strlen(HUB_DPS_CLIENT_PREFIX);

    if (strncmp(client_id, HUB_DPS_CLIENT_PREFIX, len) != 0) {
        return client_id;
    }
    const char *space = strchr(client_id + len, ' ');
    return space != NULL ? space + 1 : client_id;
}

bool hub_dps_wants(const hub *h, const hub_credentials *c)
{
    return h->dps != NULL && dps_session_wanted(registration_id(c->client_id), c->user_name);
}

hub_result hub_dps_connect(hub *h, const void *key, const hub_credentials *c, hub_fault *fault)
{
    dps_session *s = dps_session_new(c, registration_id(c->client_id), fault);

    if (s == NULL) {
        return fault->code;
    }
    const hub_connection_login accepted = {
        .key = key,
        .client_id = c->client_id,
        .expires_s = INT64_MAX, /* the token is checked when the device registers */
        .provisioning = s,
    };
    (void)hub_connections_add(&h->connections, &accepted);
    hub_log(h, "%s: connected to the provisioning service", s->registration_id);
    return HUB_OK;
}

hub_result hub_dps_subscribe(hub_connection *c, const char *filter, hub_fault *fault)
{
    if (c->state != HUB_CONNECTION_LIVE) {
        return HUB_OK; /* the broker unsubscribes each filter of a session that it closes */
    }
    if (!dps_topic_filter_valid(filter)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic filter %.150s is not allowed", filter);
    }
    dps_session_subscribe(c->provisioning);
    return HUB_OK;
}

void hub_dps_unsubscribe(hub_connection *c, const char *filter)
{
    if (dps_topic_filter_valid(filter)) {
        dps_session_unsubscribe(c->provisioning);
    }
}

hub_result hub_dps_check_publish(const hub_publish *p, hub_fault *fault)
{
    if (dps_topic_read(p->topic).kind == DPS_TOPIC_UNKNOWN) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "topic %.150s is not allowed", p->topic);
    }
    return p->len <= REQUEST_BYTES_MAX
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_TOO_LARGE, "a request of more than 64 KB");
}

/* --- answers ------------------------------------------------------------------- */

/* A request, and what is needed to answer it. */
typedef struct exchange {
    hub *hub;
    hub_connection *connection;
    dps_topic topic;
    dps_fault_kind fault; /* how its answer must be falsified */
} exchange;

/* Sends an answer and frees its text. If retry_after_s is less than 0, it is left out. */
static void answer(const exchange *x, int status, int retry_after_s, char *text)
{
    size_t len = strlen(text);

    if (x->fault == DPS_FAULT_NONSENSE) {
        free(text);
        text = hub_format("<html>%d</html>", status);
        len = strlen(text);
    }
    len = x->fault == DPS_FAULT_HALF ? len / 2 : len;
    if (x->connection->provisioning->subscribed) {
        hub_connections_send(&x->hub->connections, x->connection,
                             dps_topic_answer(status, &x->topic, retry_after_s), text, len);
    }
    free(text);
}

static void refuse(const exchange *x, const dps_error *e, int retry_after_s)
{
    hub_log(x->hub, "%s: provisioning: %d %s", x->connection->provisioning->registration_id,
            e->code, e->text);
    answer(x, dps_error_status(e), retry_after_s, dps_error_text(e, hub_now(x->hub)));
}

static void report(const exchange *x, dps_registration *r)
{
    if (dps_registration_assigning(r)) {
        answer(x, 202, x->hub->dps->retry_after_s, dps_registration_assigning_text(r));
    } else {
        answer(x, 200, -1, dps_registration_final_text(r));
    }
}

/* --- register ------------------------------------------------------------------- */

/* Reads the body, which may be empty; the caller frees the result. Returns NULL after a refusal. */
static cJSON *read_request(const exchange *x, const hub_publish *p, dps_error *e)
{
    const char *id = x->connection->provisioning->registration_id;

    if (p->len == 0) {
        return cJSON_CreateObject();
    }
    cJSON *json = hub_json_read(p->payload, p->len);
    const cJSON *named = cJSON_GetObjectItemCaseSensitive(json, "registrationId");
    const char *text = cJSON_GetStringValue(named);
    if (!cJSON_IsObject(json)) {
        (void)dps_fail(e, DPS_CODE_ARGUMENT, "Bad request: the body is not a JSON object");
    } else if (named != NULL && (text == NULL || strcasecmp(text, id) != 0)) {
        (void)dps_fail(e, DPS_CODE_ARGUMENT,
                       "Bad request: registrationId is not that of the user name");
    } else {
        return json;
    }
    cJSON_Delete(json);
    return NULL;
}

static bool fault_ends(const exchange *x, dps_outcome *out)
{
    if (x->fault == DPS_FAULT_FAILED) {
        out->status = DPS_FAILED;
        (void)dps_fail(&out->error, x->hub->dps->faults.code, "failed on request");
        return true;
    }
    out->status = DPS_UNASSIGNED;
    return x->fault == DPS_FAULT_UNASSIGNED;
}

/* Reads the certificate signing request of the body. Returns false after a refusal. */
static bool read_csr(const exchange *x, const cJSON *body, const char **csr, dps_error *e)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "csr");

    *csr = cJSON_GetStringValue(item);
    if (item == NULL || cJSON_IsNull(item)) {
        return true;
    }
    if (*csr == NULL) {
        return dps_fail(e, DPS_CODE_REQUEST, "csr: not a text");
    }
    return x->connection->provisioning->preview ||
           dps_fail(e, DPS_CODE_ARGUMENT, "csr: the api-version of the user name is not a preview");
}

/* Returns the chain for the device, which the caller frees; NULL after a refusal. */
static cJSON *issue(const exchange *x, const dps_admission *a, const char *csr, dps_error *e)
{
    const dps *d = x->hub->dps;
    const char *id = x->connection->provisioning->registration_id;
    const hub_issuer_order order = {
        .request = csr,
        .name = id,
        .device = hub_assigned_id(x->hub, a, id),
        .life_s = d->certificate_life_s,
    };
    hub_issued issued;
    hub_fault fault;

    if (hub_issuer_issue(&d->issuer, &order, hub_now(x->hub) / 1000, &issued, &fault) != HUB_OK) {
        (void)dps_fail(e, fault.code == HUB_ERR_ARGUMENT ? DPS_CODE_REQUEST : DPS_CODE_SERVER, "%s",
                       fault.text);
        return NULL;
    }
    cJSON *chain = hub_issued_view(&issued, d->pem);
    hub_issued_free(&issued);
    return chain;
}

/* Saves the registration after the identity, so that a saved registration never names an
 * identity that does not exist. */
static dps_registration *record(const exchange *x, const dps_admission *a, const cJSON *body,
                                const cJSON *chain, dps_error *e)
{
    hub *h = x->hub;
    const char *id = x->connection->provisioning->registration_id;
    dps_outcome outcome = { .payload = cJSON_GetObjectItemCaseSensitive(body, "payload") };

    if (!a->enrollment->enabled) {
        outcome.status = DPS_DISABLED;
    } else if (!fault_ends(x, &outcome) && !hub_assign(h, a, id, chain != NULL, &outcome, e)) {
        return NULL;
    }
    dps_registration *r = dps_record(h->dps, a->enrollment, id, &outcome, hub_now(h), e);
    if (r != NULL) {
        const dps_operation operation = { .assigning = h->dps->assigning,
                                          .profile = h->dps->profile,
                                          .x509 = a->primary_thumbprint != NULL,
                                          .certificates =
                                              outcome.status == DPS_ASSIGNED ? chain : NULL };
        dps_registration_begin(r, &operation);
    }
    return r;
}

static dps_registration *register_device(const exchange *x, const dps_admission *a,
                                         const cJSON *body, dps_error *e)
{
    cJSON *chain = NULL;
    const char *csr;

    if (!read_csr(x, body, &csr, e)) {
        return NULL;
    }
    if (csr != NULL && a->enrollment->enabled && (chain = issue(x, a, csr, e)) == NULL) {
        return NULL;
    }
    dps_registration *r = record(x, a, body, chain, e);
    cJSON_Delete(chain);
    return r;
}

static void accept_register(const exchange *x, const hub_publish *p)
{
    const hub *h = x->hub;
    dps_admission admission = { 0 };
    dps_registration *r = NULL;
    dps_error e = { 0 };

    cJSON *body = read_request(x, p, &e);
    if (body != NULL &&
        dps_admit(h->dps, x->connection->provisioning, hub_now(h) / 1000, &admission, &e)) {
        r = register_device(x, &admission, body, &e);
    }
    dps_admission_free(&admission);
    cJSON_Delete(body);
    if (r != NULL) {
        report(x, r);
    } else {
        refuse(x, &e, -1);
    }
}

/* --- poll ----------------------------------------------------------------------- */

static void accept_poll(const exchange *x)
{
    const char *id = x->connection->provisioning->registration_id;
    dps_registration *r = dps_find_registration(x->hub->dps, id);
    dps_error e;

    if (r != NULL &&
        dps_registration_has_operation(r, x->topic.operation_id, x->topic.operation_id_len)) {
        report(x, r);
        return;
    }
    (void)dps_fail(&e, DPS_CODE_NO_OPERATION, "Operation not found");
    refuse(x, &e, -1);
}

/* --- what a device publishes ----------------------------------------------------- */

/* Returns whether a fault was carried out instead of the request. */
static bool fault_stands_for_answer(exchange *x, dps_fault_target target)
{
    dps_faults *f = &x->hub->dps->faults;
    dps_error e;

    x->fault = dps_faults_take(f, target);
    switch (x->fault) {
    case DPS_FAULT_STATUS:
        (void)dps_fail(&e, f->code, "%d on request", f->code / 1000);
        refuse(x, &e, f->retry_after_s);
        return true;
    case DPS_FAULT_SILENCE: return true;
    case DPS_FAULT_CLOSE: hub_connections_reject(&x->hub->connections, x->connection); return true;
    case DPS_FAULT_NONE:
    case DPS_FAULT_NONSENSE:
    case DPS_FAULT_HALF:
    case DPS_FAULT_FAILED:
    case DPS_FAULT_UNASSIGNED: return false;
    }
    return false;
}

void hub_dps_accept_publish(hub *h, hub_connection *c, const hub_publish *p)
{
    exchange x = { .hub = h, .connection = c, .topic = dps_topic_read(p->topic) };
    const bool polls = x.topic.kind == DPS_TOPIC_POLL;

    if (fault_stands_for_answer(&x, polls ? DPS_ON_POLL : DPS_ON_REGISTER)) {
        return;
    }
    if (polls) {
        accept_poll(&x);
    } else {
        accept_register(&x, p);
    }
}
