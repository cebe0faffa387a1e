#include "upload/upload_requests.h"

#include <string.h>

#include "context/result_map.h"
#include "iothub/sas.h"
#include "text/wipe.h"
#include "upload/upload_credential.h"
#include "upload/upload_options.h"

enum {
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_TIMEOUT = 408,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
    HEADER_SIZE = IOTHUB_SAS_TOKEN_SIZE + 32,
    TYPE_SIZE = UPLOAD_CONTENT_TYPE_MAX + 32,
    BODY_SIZE = 8192, /* largest body of a request to the hub */
    ANSWER_MAX = 16384,
    TOKEN_LIFE_S = 3600,
    STORAGE_REQUEST_MS = 3600 * 1000 /* longest time of a request that makes progress */
};

/* --- failures --------------------------------------------------------------------------------- */

bool upload_status_passes(int status)
{
    return status == HTTP_TIMEOUT || status == HTTP_TOO_MANY || status >= HTTP_SERVER_ERROR;
}

bool upload_status_refuses_login(int status)
{
    return status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN;
}

void upload_tell_status(iothub_error *why, const char *who, int status)
{
    char number[16];
    iothub_text t;

    iothub_text_init(&t, number, sizeof number);
    iothub_text_put_u64(&t, (uint64_t)status);
    (void)iothub_text_finish(&t);
    (void)iothub_fail(why,
                      upload_status_passes(status) ? IOTHUB_ERR_UNAVAILABLE : IOTHUB_ERR_REJECTED,
                      "upload: %s answered with HTTP status %s", who, number);
}

void upload_tell_refused_place(iothub_error *why, const plat_http_answer *a)
{
    if (a->status == HTTP_FORBIDDEN && strstr(a->body, "403006") != NULL) {
        (void)iothub_fail(why, IOTHUB_ERR_NO_SPACE,
                          "upload: the device has ten active uploads already (403006)");
    } else if (upload_status_refuses_login(a->status)) {
        (void)iothub_fail(why, IOTHUB_ERR_AUTH, "upload: the hub refuses the credential");
    } else {
        upload_tell_status(why, "the hub", a->status);
    }
}

void upload_tell_broken(iothub_error *why, plat_result r, const plat_http *http, const char *who)
{
    (void)iothub_fail(why, iothub_from_plat(r), "upload: %s: %s", who, http->ops->detail(http));
}

/* What all requests have in common. */
static plat_http_request request_for(const upload_target *t)
{
    const iothub_tls *tls = t->o->tls;
    plat_http_request r = {
        .answer_max = ANSWER_MAX,
        .ca_file = t->o->ca_file,
        .proxy = t->o->proxy,
        .bind = t->o->bind,
    };

    if (tls != NULL) {
        r.ca_data = tls->ca_data;
        r.ca_len = tls->ca_len;
        r.min_version = tls->min_version;
        r.max_version = tls->max_version;
    }
    if (r.ca_data != NULL && r.ca_len == 0) {
        r.ca_len = strlen(r.ca_data);
    }
    return r;
}

/* --- requests to the hub ---------------------------------------------------------------------- */

static iothub_result put_authorization(const upload_target *target, char *out, iothub_error *why)
{
    const plat_clock *clock = target->o->platform->clock;
    iothub_text t;

    iothub_text_init(&t, out, HEADER_SIZE);
    iothub_text_put(&t, "Authorization: ");
    const mqc_span provided = upload_token_text(target->token);
    const mqc_span signature = provided.len > 0 ? provided : target->device->signature;
    if (signature.len > 0) {
        iothub_text_put_span(&t, signature);
        return iothub_text_finish(&t);
    }
    const int64_t wall_s = clock->wall_s(clock);
    if (wall_s <= 0) {
        return iothub_fail(why, IOTHUB_ERR_NO_TIME,
                           "upload: the clock is not set, so no token can be made");
    }
    return iothub_sas_build_for(target->o->platform->crypto, target->device,
                                (uint64_t)wall_s + TOKEN_LIFE_S, out + t.len, HEADER_SIZE - t.len,
                                NULL, why);
}

/* authorization is NULL if a certificate proves which device it is. */
static plat_result post(const upload_target *target, plat_http *http, const char *what,
                        mqc_span body, const char *authorization)
{
    char url[UPLOAD_URL_SIZE];
    const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                    "Expect:", authorization };
    const size_t header_count = sizeof headers / sizeof headers[0];
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    upload_put_hub_url(&t, target->device->host_name, target->o->port, target->device->device_id,
                       what);
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return PLAT_ERR_ARG;
    }
    plat_http_request request = request_for(target);
    request.method = "POST";
    request.url = url;
    request.headers = headers;
    request.header_count = authorization != NULL ? header_count : header_count - 1;
    request.body = body.ptr;
    request.body_len = body.len;
    request.copy_body = true;
    request.timeout_ms = target->o->request_timeout_ms;
    request.identity = upload_credential_identity(target->o);
    request.identities = target->o->platform->identities;
    return http->ops->start(http, &request);
}

static plat_result ask_hub(const upload_target *target, plat_http *http, const char *what,
                           mqc_span body, iothub_error *why)
{
    const bool by_certificate = upload_credential_identity(target->o) != NULL;
    char authorization[HEADER_SIZE];
    plat_result r = PLAT_ERR_STATE;

    if (by_certificate || put_authorization(target, authorization, why) == IOTHUB_OK) {
        r = post(target, http, what, body, by_certificate ? NULL : authorization);
        if (r != PLAT_OK) {
            upload_tell_broken(why, r, http, "the hub");
        }
    }
    iothub_wipe(authorization, sizeof authorization);
    return r;
}

plat_result upload_start_place(const upload_target *t, plat_http *http, iothub_error *why)
{
    char body[BODY_SIZE];
    size_t len;

    if (upload_put_request(body, sizeof body, &len, t->o->blob_name) != IOTHUB_OK) {
        (void)iothub_fail(why, IOTHUB_ERR_ARG, "upload: blob_name is not UTF-8");
        return PLAT_ERR_ARG;
    }
    return ask_hub(t, http, "files", mqc_span_of(body, len), why);
}

plat_result upload_start_notification(const upload_target *t, plat_http *http, bool success,
                                      int status, iothub_error *why)
{
    char body[BODY_SIZE];
    size_t len;

    if (upload_put_notification(body, sizeof body, &len, t->place, success, status,
                                success ? "uploaded" : "not uploaded") != IOTHUB_OK) {
        (void)iothub_fail(why, IOTHUB_ERR_JSON, "upload: the correlation id is not UTF-8");
        return PLAT_ERR_ARG;
    }
    return ask_hub(t, http, "files/notifications", mqc_span_of(body, len), why);
}

/* --- requests to the storage ------------------------------------------------------------------ */

typedef struct put_request {
    const char *url;
    const char *const *headers;
    size_t header_count;
    const void *body;
    size_t len;
} put_request;

/* The device's own token is not sent to the storage. */
static plat_result put(const upload_target *t, plat_http *http, const put_request *p,
                       iothub_error *why)
{
    plat_http_request request = request_for(t);

    request.method = "PUT";
    request.url = p->url;
    request.headers = p->headers;
    request.header_count = p->header_count;
    request.body = p->len > 0 ? p->body : "";
    request.body_len = p->len;
    request.timeout_ms = STORAGE_REQUEST_MS;
    request.stall_ms = t->o->request_timeout_ms;
    plat_result r = http->ops->start(http, &request);
    if (r != PLAT_OK) {
        upload_tell_broken(why, r, http, "the storage");
    }
    return r;
}

static const char *content_type_of(const upload_target *target, char line[TYPE_SIZE])
{
    iothub_text t;

    iothub_text_init(&t, line, TYPE_SIZE);
    iothub_text_put(&t, "x-ms-blob-content-type: ");
    iothub_text_put(&t, target->o->content_type);
    (void)iothub_text_finish(&t);
    return line;
}

static plat_result refuse_url(iothub_error *why)
{
    (void)iothub_fail(why, IOTHUB_ERR_TOO_BIG, "upload: the URL of the blob is too long");
    return PLAT_ERR_ARG;
}

plat_result upload_start_piece(const upload_target *target, plat_http *http,
                               const upload_piece *piece, iothub_error *why)
{
    char url[UPLOAD_URL_SIZE];
    char type[TYPE_SIZE];
    const char *const headers[] = { "Content-Type: application/octet-stream",
                                    "Expect:", "x-ms-blob-type: BlockBlob",
                                    content_type_of(target, type) };
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    upload_put_blob_url(&t, target->place);
    if (!piece->is_single) {
        upload_put_block(&t, target->series, piece->number);
    }
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return refuse_url(why);
    }
    const put_request p = { url, headers, piece->is_single ? 4 : 2, piece->bytes, piece->len };
    plat_result r = put(target, http, &p, why);
    iothub_wipe(url, sizeof url);
    return r;
}

plat_result upload_start_commit(const upload_target *target, plat_http *http,
                                const iothub_text *list, iothub_error *why)
{
    char url[UPLOAD_URL_SIZE];
    char type[TYPE_SIZE];
    const char *const headers[] = { "Content-Type: application/xml",
                                    "Expect:", content_type_of(target, type) };
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    upload_put_blob_url(&t, target->place);
    upload_put_block_list(&t);
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return refuse_url(why);
    }
    const put_request p = { url, headers, 3, list->buf, list->len };
    plat_result r = put(target, http, &p, why);
    iothub_wipe(url, sizeof url);
    return r;
}
