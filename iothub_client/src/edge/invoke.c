#include "iothub/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "context/result_map.h"
#include "iothub/connection_string.h"
#include "iothub/json.h"
#include "iothub/json_writer.h"
#include "text/json_fault.h"
#include "text/percent.h"
#include "text/sized_struct.h"
#include "text/text_writer.h"

#define API_VERSION "2021-04-12"

enum {
    INVOKE_NAME_MAX = 128,
    URL_SIZE = 2048,
    HEADER_SIZE = 2048,
    FRAME_SIZE = 512, /* size of a body without its payload */
    TIMEOUT_MIN_S = 5,
    TIMEOUT_MAX_S = 300,
    PATIENCE_S = 10, /* time for the request itself, in addition to the time-outs of the gateway */
    ANSWER_MAX = IOTHUB_INVOKE_PAYLOAD_MAX + 4096
};

void iothub_invoke_init_sized(iothub_invoke *call, size_t struct_size)
{
    const iothub_invoke defaults = {
        .struct_size = struct_size,
        .port = 443,
        .response_timeout_s = 30,
    };

    if (call != NULL) {
        iothub_struct_out(call, struct_size, &defaults, sizeof defaults);
    }
}

/* --- checks ---------------------------------------------------------------------------------- */

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Returns the name of the first text that is missing. */
static const char *find_missing(const iothub_invoke *call)
{
    const struct {
        const char *text, *name;
    } texts[] = {
        { call->gateway, "gateway" },     { call->caller, "caller" }, { call->token, "token" },
        { call->device_id, "device_id" }, { call->method, "method" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!is_given(texts[i].text)) {
            return texts[i].name;
        }
    }
    return NULL;
}

static iothub_result check_lengths(const iothub_invoke *call, iothub_error *error)
{
    const size_t module = call->module_id != NULL ? strlen(call->module_id) : 0;

    if (strlen(call->device_id) > INVOKE_NAME_MAX || module > INVOKE_NAME_MAX ||
        strlen(call->method) > INVOKE_NAME_MAX) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                           "invoke: device_id, module_id or method has more than 128 characters");
    }
    if (call->payload.len > IOTHUB_INVOKE_PAYLOAD_MAX) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG, "invoke: the payload is larger than 128 KB");
    }
    return call->payload.len > 0 ? iothub_json_judge(call->payload, false, "invoke: payload", error)
                                 : IOTHUB_OK;
}

static iothub_result check(const iothub_invoke *call, iothub_error *error)
{
    const char *missing = find_missing(call);

    if (missing != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "invoke: %s is missing", missing);
    }
    if (call->port == 0) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "invoke: port is 0");
    }
    if (call->response_timeout_s < TIMEOUT_MIN_S || call->response_timeout_s > TIMEOUT_MAX_S) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "invoke: response_timeout_s is not 5 to 300");
    }
    if (call->connect_timeout_s > TIMEOUT_MAX_S) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "invoke: connect_timeout_s is more than 300");
    }
    return check_lengths(call, error);
}

/* --- the request ----------------------------------------------------------------------------- */

static iothub_result put_url(iothub_text *t, const iothub_invoke *call)
{
    iothub_text_put(t, "https://");
    iothub_text_put(t, call->gateway);
    iothub_text_put_char(t, ':');
    iothub_text_put_u64(t, call->port);
    iothub_text_put(t, "/twins/");
    iothub_percent_put(t, mqc_span_str(call->device_id));
    if (call->module_id != NULL) {
        iothub_text_put(t, "/modules/");
        iothub_percent_put(t, mqc_span_str(call->module_id));
    }
    iothub_text_put(t, "/methods?api-version=" API_VERSION);
    return iothub_text_finish(t);
}

static iothub_result put_header(char *out, const char *name, const char *value)
{
    iothub_text t;

    iothub_text_init(&t, out, HEADER_SIZE);
    iothub_text_put(&t, name);
    iothub_text_put(&t, value);
    return iothub_text_finish(&t);
}

static iothub_result put_body(iothub_json_writer *w, const iothub_invoke *call)
{
    iothub_json_put_object(w, NULL);
    iothub_json_put_string(w, "methodName", call->method);
    iothub_json_put_uint(w, "responseTimeoutInSeconds", call->response_timeout_s);
    iothub_json_put_uint(w, "connectTimeoutInSeconds", call->connect_timeout_s);
    if (call->payload.len > 0) {
        iothub_json_put_raw(w, "payload", call->payload);
    }
    iothub_json_put_end(w);
    return iothub_json_writer_finish(w);
}

static iothub_result begin(plat_http *http, const iothub_invoke *call, mqc_span body,
                           iothub_error *error)
{
    char url[URL_SIZE];
    char authorization[HEADER_SIZE];
    char caller[HEADER_SIZE];
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    if (put_url(&t, call) != IOTHUB_OK ||
        put_header(authorization, "Authorization: ", call->token) != IOTHUB_OK ||
        put_header(caller, "x-ms-edge-moduleId: ", call->caller) != IOTHUB_OK) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                           "invoke: gateway, caller or token is too long");
    }
    const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                    authorization, caller };
    const plat_http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = body.ptr,
        .body_len = body.len,
        .copy_body = true,
        .answer_max = ANSWER_MAX,
        .timeout_ms = (call->response_timeout_s + call->connect_timeout_s + PATIENCE_S) * 1000,
        .ca_file = call->ca_file,
        .ca_data = call->ca_data,
        .ca_len = call->ca_len,
    };
    plat_result r = http->ops->start(http, &request);
    return r == PLAT_OK
               ? IOTHUB_OK
               : iothub_fail(error, iothub_from_plat(r), "invoke: %s", http->ops->detail(http));
}

iothub_result iothub_invoke_start(plat_http *http, const iothub_invoke *call, iothub_error *error)
{
    iothub_invoke known;
    iothub_json_writer w;

    if (http == NULL || call == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "invoke: http or call is NULL");
    }
    iothub_result r =
        iothub_struct_in(&known, sizeof known, call, call->struct_size, "invoke", error);
    if (r == IOTHUB_OK) {
        r = check(&known, error);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    const size_t cap = 6 * strlen(known.method) + known.payload.len + FRAME_SIZE;
    char *body = malloc(cap);
    if (body == NULL) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY, "invoke: no heap is left for the body");
    }
    iothub_json_writer_init(&w, body, cap);
    r = put_body(&w, &known);
    r = r == IOTHUB_OK ? begin(http, &known, mqc_span_of(w.buf, w.len), error)
                       : iothub_fail(error, IOTHUB_ERR_ARG, "invoke: method is not UTF-8");
    free(body);
    return r;
}

/* --- the answer ------------------------------------------------------------------------------ */

static iothub_result result_of_status(int http_status)
{
    switch (http_status) {
    case 200: return IOTHUB_OK;
    case 401: return IOTHUB_ERR_AUTH;
    case 408:
    case 504: return IOTHUB_ERR_TIMEOUT;
    case 429: return IOTHUB_ERR_UNAVAILABLE;
    default: return http_status >= 500 ? IOTHUB_ERR_UNAVAILABLE : IOTHUB_ERR_REJECTED;
    }
}

static const char *text_of_status(int http_status)
{
    switch (http_status) {
    case 401: return "the gateway refuses the token or the caller";
    case 404: return "there is no such target, or it is not connected or has no such method";
    case 408:
    case 504: return "the target did not answer in time";
    case 429: return "the gateway throttles";
    default:
        return http_status >= 500 ? "the gateway has an internal error"
                                  : "the gateway refuses the request";
    }
}

/* {"status":200,"payload":..} */
static bool read_answer(mqc_span body, iothub_invoke_answer *answer)
{
    iothub_json_reader r;
    int64_t status = INT64_MIN; /* missing */

    answer->payload = mqc_span_str("null");
    iothub_json_reader_init(&r, body);
    while (iothub_json_next(&r)) {
        if (r.depth != 1 || r.kind == IOTHUB_JSON_END) {
            continue;
        }
        const bool is_payload = iothub_json_equals(r.name, "payload");
        if (iothub_json_equals(r.name, "status") &&
            iothub_json_get_int(r.value, &status) != IOTHUB_OK) {
            return false;
        }
        (void)iothub_json_skip(&r);
        if (is_payload) {
            answer->payload = r.value;
        }
    }
    answer->status = (int)status;
    return r.result == IOTHUB_OK && status >= INT32_MIN && status <= INT32_MAX;
}

static void take_answer(const plat_http_answer *from, iothub_invoke_answer *answer)
{
    answer->http_status = from->status;
    answer->result = result_of_status(from->status);
    if (answer->result != IOTHUB_OK) {
        answer->text = text_of_status(from->status);
    } else if (!read_answer(mqc_span_of(from->body, from->body_len), answer)) {
        answer->result = IOTHUB_ERR_JSON;
        answer->text = "the answer of the gateway is not valid";
    }
}

bool iothub_invoke_progress(plat_http *http, iothub_invoke_answer *answer)
{
    plat_http_answer from;

    plat_result r = http->ops->progress(http, &from);
    if (r == PLAT_WOULD_BLOCK) {
        return false;
    }
    *answer = (iothub_invoke_answer){ .text = "" };
    if (r == PLAT_OK) {
        take_answer(&from, answer);
    } else {
        answer->result = iothub_from_plat(r);
        answer->text = http->ops->detail(http);
    }
    return true;
}
