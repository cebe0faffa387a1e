#include "iothub/edge.h"

#include <stdlib.h>

#include "context/result_map.h"
#include "edge/edge_environment.h"
#include "hub/connection_string.h"
#include "hub/sas_text.h"
#include "iothub/client.h"
#include "iothub/sas.h"
#include "text/sized_struct.h"
#include "text/wipe.h"

enum {
    BUNDLE_MAX = 256 * 1024,
    DIGEST_MAX = 4096,
    URL_SIZE = 1024,
    BODY_SIZE = 4096,
    CONNECTION_STRING_SIZE = 2048,
    LOOK_MS = 20 /* a signature of the workload API takes a few milliseconds */
};

struct iothub_edge {
    const plat_platform *platform;
    plat_http *http;
    uint32_t timeout_ms;
    uint32_t sas_lifetime_s;
    edge_environment environment;
    char connection_string[CONNECTION_STRING_SIZE];
    iothub_connection_string identity; /* spans of connection_string */
    char *bundle;                      /* PEM; NULL with the simulator's variables */
    iothub_tls tls;                    /* trusts the bundle */

    iothub_token_provider provider;
    iothub_credential credential;
    char token[IOTHUB_SAS_TOKEN_SIZE]; /* memory of the provider; "" before the first one */
    char draft[IOTHUB_SAS_TOKEN_SIZE]; /* the one that is being signed */
    iothub_text draft_text;
    sas_draft draft_parts;
    uint64_t draft_expiry_s;
    bool signing; /* a request for a signature is in progress */
};

void iothub_edge_options_init_sized(iothub_edge_options *o, size_t struct_size)
{
    const iothub_edge_options defaults = {
        .struct_size = struct_size,
        .timeout_ms = 30000,
        .sas_lifetime_s = 3600,
    };

    if (o != NULL) {
        iothub_struct_out(o, struct_size, &defaults, sizeof defaults);
    }
}

static iothub_result check_options(const iothub_edge_options *o, iothub_error *error)
{
    if (o->platform == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "edge: platform is NULL, e.g. plat_posix()");
    }
    if (o->http == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "edge: http is NULL, see plat_curl_http_new");
    }
    if (o->environment == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "edge: environment is NULL, e.g. getenv");
    }
    if (o->timeout_ms == 0) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "edge: timeout_ms is 0");
    }
    return o->sas_lifetime_s >= 2
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_ARG, "edge: sas_lifetime_s is less than 2");
}

/* --- the trust bundle ------------------------------------------------------------------------ */

static iothub_result fail_http(const iothub_edge *e, plat_result r, iothub_error *error)
{
    return iothub_fail(error, iothub_from_plat(r), "workload API: %s",
                       e->http->ops->detail(e->http));
}

static iothub_result start_bundle(iothub_edge *e, iothub_error *error)
{
    char url[URL_SIZE];
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    workload_put_bundle_url(&t, &e->environment.module);
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                           "environment: IOTEDGE_WORKLOADURI is too long");
    }
    const plat_http_request request = {
        .method = "GET",
        .url = url,
        .unix_socket = workload_socket(&e->environment.module),
        .answer_max = BUNDLE_MAX,
        .timeout_ms = e->timeout_ms,
    };
    plat_result r = e->http->ops->start(e->http, &request);
    return r == PLAT_OK ? IOTHUB_OK : fail_http(e, r, error);
}

static iothub_result take_bundle(iothub_edge *e, const plat_http_answer *answer,
                                 iothub_error *error)
{
    if (answer->status != 200) {
        return iothub_fail(error, IOTHUB_ERR_REJECTED,
                           "workload API: status %d instead of the trust bundle", answer->status);
    }
    const size_t cap = answer->body_len + 1;
    e->bundle = malloc(cap);
    if (e->bundle == NULL) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY, "edge: no heap is left for the trust bundle");
    }
    e->tls.ca_data = e->bundle;
    return workload_read_bundle(mqc_span_of(answer->body, answer->body_len), e->bundle, cap,
                                &e->tls.ca_len, error);
}

static iothub_result fetch_bundle(iothub_edge *e, iothub_error *error)
{
    plat_http_answer answer;
    plat_result r;

    iothub_result started = start_bundle(e, error);
    if (started != IOTHUB_OK) {
        return started;
    }
    while ((r = e->http->ops->progress(e->http, &answer)) == PLAT_WOULD_BLOCK) {
        e->http->ops->wait(e->http, e->timeout_ms);
    }
    return r == PLAT_OK ? take_bundle(e, &answer, error) : fail_http(e, r, error);
}

/* --- tokens ---------------------------------------------------------------------------------- */

static iothub_result begin_token(iothub_edge *e, mqc_span *text)
{
    char resource[IOTHUB_SAS_RESOURCE_SIZE];

    iothub_result r = iothub_sas_resource(&e->identity, resource, sizeof resource);
    if (r != IOTHUB_OK) {
        return r;
    }
    e->draft_expiry_s =
        (uint64_t)e->platform->clock->wall_s(e->platform->clock) + e->sas_lifetime_s;
    iothub_text_init(&e->draft_text, e->draft, sizeof e->draft);
    *text =
        sas_text_begin(&e->draft_text, mqc_span_str(resource), e->draft_expiry_s, &e->draft_parts);
    return e->draft_text.overflow ? IOTHUB_ERR_TOO_BIG : IOTHUB_OK;
}

static plat_result start_signature(iothub_edge *e, mqc_span text)
{
    static const char *const headers[] = { "Content-Type: application/json" };
    char url[URL_SIZE];
    char body[BODY_SIZE];
    iothub_text u;
    iothub_text b;

    iothub_text_init(&u, url, sizeof url);
    workload_put_sign_url(&u, &e->environment.module);
    iothub_text_init(&b, body, sizeof body);
    if (workload_put_sign_body(&b, e->platform->crypto, text) != IOTHUB_OK ||
        iothub_text_finish(&u) != IOTHUB_OK || iothub_text_finish(&b) != IOTHUB_OK) {
        return PLAT_ERR_NO_SPACE;
    }
    const plat_http_request request = {
        .method = "POST",
        .url = url,
        .unix_socket = workload_socket(&e->environment.module),
        .headers = headers,
        .header_count = 1,
        .body = body,
        .body_len = b.len,
        .copy_body = true,
        .answer_max = DIGEST_MAX,
        .timeout_ms = e->timeout_ms,
    };
    return e->http->ops->start(e->http, &request);
}

static void on_request(iothub_client *c, void *user)
{
    iothub_edge *e = user;
    mqc_span text;

    /* Ends an earlier request, whose answer the client no longer needs. */
    e->http->ops->cancel(e->http);
    e->signing = begin_token(e, &text) == IOTHUB_OK && start_signature(e, text) == PLAT_OK;
    if (!e->signing) {
        iothub_token_failed(c, "IoT Edge: the request for a signature cannot be made");
    }
}

static iothub_result end_token(iothub_edge *e, const plat_http_answer *answer, iothub_error *error)
{
    char digest[WORKLOAD_DIGEST_SIZE];

    if (answer->status != 200) {
        return iothub_fail(error, IOTHUB_ERR_REJECTED,
                           "workload API: status %d instead of a signature", answer->status);
    }
    iothub_result r =
        workload_read_digest(mqc_span_of(answer->body, answer->body_len), digest, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    sas_text_end(&e->draft_text, &e->draft_parts, mqc_span_str(digest), e->draft_expiry_s,
                 mqc_span_of(NULL, 0));
    iothub_wipe(digest, sizeof digest);
    r = iothub_text_finish(&e->draft_text);
    return r == IOTHUB_OK ? r : iothub_fail(error, r, "IoT Edge: the token is too long");
}

static uint32_t on_progress(iothub_client *c, void *user)
{
    iothub_edge *e = user;
    plat_http_answer answer;
    iothub_error error;

    if (!e->signing) {
        return UINT32_MAX;
    }
    plat_result r = e->http->ops->progress(e->http, &answer);
    if (r == PLAT_WOULD_BLOCK) {
        return LOOK_MS;
    }
    e->signing = false;
    iothub_result ended = r == PLAT_OK ? end_token(e, &answer, &error) : fail_http(e, r, &error);
    if (ended == IOTHUB_OK) {
        ended = iothub_provide_token(c, e->draft);
        error = *iothub_last_error(c);
    }
    if (ended != IOTHUB_OK) {
        iothub_token_failed(c, error.text);
    }
    return UINT32_MAX;
}

/* --- life ------------------------------------------------------------------------------------ */

static iothub_result set_up(iothub_edge *e, const iothub_edge_options *o, iothub_error *error)
{
    iothub_text t;

    e->platform = o->platform;
    e->http = o->http;
    e->timeout_ms = o->timeout_ms;
    e->sas_lifetime_s = o->sas_lifetime_s;
    e->provider = (iothub_token_provider){
        .request = on_request,
        .progress = on_progress,
        .user = e,
        .memory = e->token,
        .memory_size = sizeof e->token,
    };
    e->credential = iothub_provider_credential(&e->provider);
    iothub_result r = edge_environment_read(&e->environment, o->environment, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    iothub_text_init(&t, e->connection_string, sizeof e->connection_string);
    edge_environment_put_connection_string(&t, &e->environment);
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID, "environment: the names are too long");
    }
    if (e->environment.simulator != NULL) {
        return IOTHUB_OK;
    }
    r = connection_string_parse_names(&e->identity, e->connection_string, error);
    return r == IOTHUB_OK ? fetch_bundle(e, error) : r;
}

iothub_edge *iothub_edge_open(const iothub_edge_options *o, iothub_error *error)
{
    iothub_edge_options known;

    if (o == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_ARG, "edge: options are NULL");
        return NULL;
    }
    if (iothub_struct_in(&known, sizeof known, o, o->struct_size, "edge options", error) !=
            IOTHUB_OK ||
        check_options(&known, error) != IOTHUB_OK) {
        return NULL;
    }
    iothub_edge *e = calloc(1, sizeof *e);
    if (e == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_MEMORY, "edge: no heap is left");
        return NULL;
    }
    if (set_up(e, &known, error) != IOTHUB_OK) {
        iothub_edge_close(e);
        return NULL;
    }
    return e;
}

const char *iothub_edge_connection_string(const iothub_edge *edge)
{
    return edge->connection_string;
}

const char *iothub_edge_token(const iothub_edge *edge)
{
    return edge->token;
}

void iothub_edge_configure(iothub_edge *edge, iothub_options *o)
{
    if (edge->environment.simulator != NULL) {
        o->ca_file = edge->environment.ca_file;
        return;
    }
    o->tls = &edge->tls;
    o->credentials = &edge->credential;
    o->credential_count = 1;
}

void iothub_edge_close(iothub_edge *edge)
{
    if (edge == NULL) {
        return;
    }
    if (edge->http != NULL) {
        edge->http->ops->cancel(edge->http);
    }
    free(edge->bundle);
    iothub_wipe(edge, sizeof *edge);
    free(edge);
}
