#include "connection/credential.h"

#include <assert.h>
#include <string.h>

#include "connection/wall_clock.h"
#include "context/callbacks.h"
#include "context/result_map.h"
#include "iothub/sas.h"
#include "iothub/version.h"
#include "text/percent.h"
#include "text/split.h"

#define API_VERSION "2021-04-12"

/* A token is not used in the last 1.2 s of its life, because tokens expire at whole seconds and
 * may be valid for up to a second less than requested. */
enum { SHORTEST_BY_MS = 1200 };

/* If necessary, a token is used for up to 90 % of its life: 100 ms more of each second. */
enum { RESERVE_MS_PER_S = 100 };

void credential_init(credential_part *k, iothub_context *context)
{
    k->context = context;
    k->list = &credential_own_key;
    k->count = 1;
    k->expiry_s = INT64_MAX;
    k->notice_at = IOTHUB_NEVER;
}

void credential_take_options(credential_part *k)
{
    const iothub_options *o = &k->context->options;

    if (o->credentials != NULL) {
        k->list = o->credentials;
        k->count = (uint8_t)o->credential_count;
    } else if (k->context->identity.key.len == 0) {
        k->list = &credential_own_token;
    }
}

#ifndef NDEBUG
bool credential_valid(const credential_part *k)
{
    if (k->index >= k->count) {
        return false;
    }
    /* Tokens that are made from a key need no notice, and only the token of a connection string
     * has memory. */
    return (!credential_has_key(k) || (k->notice_at == IOTHUB_NEVER && !k->replaced)) &&
           (k->token_cap == 0 || k->list == &credential_own_token);
}
#endif

void credential_set_memory(credential_part *k, char *token, size_t cap)
{
    context_set_token(k->context, token);
    k->token_cap = cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
}

/* Sets the time of the notice to the application: after 80 % of the remaining life. */
static void watch(credential_part *k)
{
    if (k->expiry_s == INT64_MAX) {
        k->notice_at = IOTHUB_NEVER;
        return;
    }
    int64_t left_s = k->expiry_s - wall_clock_s(context_clock(k->context));
    mqc_time now = context_now(k->context);

    k->notice_at = left_s > 0 ? now + (uint64_t)left_s * CREDENTIAL_USE_MS_PER_S : now;
    k->notice_clock_s = wall_clock_offset_s(context_clock(k->context));
}

iothub_result credential_ready(const credential_part *k, iothub_error *error)
{
    assert(credential_valid(k));
    int64_t now_s = wall_clock_s(context_clock(k->context));

    if (!wall_clock_is_set(now_s)) {
        return iothub_fail(error, IOTHUB_ERR_NO_TIME,
                           "the wall clock is not set: tokens and certificates need the date");
    }
    return now_s < k->expiry_s ? IOTHUB_OK
                               : iothub_fail(error, IOTHUB_ERR_TOKEN_EXPIRED, "%s",
                                             credential_in_use(k)->type->expired);
}

/* Call it when another credential is used. */
static void use(credential_part *k)
{
    const iothub_credential *c = credential_in_use(k);

    k->expiry_s = c->type->expiry_s(k->context, c);
    watch(k);
}

static iothub_result check_one(const credential_part *k, const iothub_credential *c,
                               iothub_error *error)
{
    return c->type != NULL ? c->type->check(k->context, c, error)
                           : iothub_fail(error, IOTHUB_ERR_ARG,
                                         "it was not made by a function of iothub/credential.h");
}

iothub_result credential_check_list(credential_part *k, iothub_error *error)
{
    assert(credential_valid(k));
    iothub_error why;

    for (size_t i = 0; i < k->count; i++) {
        iothub_result r = check_one(k, &k->list[i], &why);
        if (r != IOTHUB_OK) {
            return iothub_fail(error, r, "credentials[%zu]: %s", i, why.text);
        }
    }
    use(k);
    return IOTHUB_OK;
}

static bool is_module(const credential_part *k)
{
    return k->context->identity.module_id.len > 0;
}

/* "{host}/{device}[/{module}]/?api-version=..&DeviceClientType=..[&model-id=..]" */
static void put_user_name(iothub_text *t, const credential_part *k)
{
    const iothub_options *o = &k->context->options;

    iothub_text_put_span(t, k->context->identity.host_name);
    iothub_text_put_char(t, '/');
    iothub_text_put_span(t, k->context->identity.device_id);
    if (is_module(k)) {
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, k->context->identity.module_id);
    }
    iothub_text_put(t, "/?api-version=" API_VERSION "&DeviceClientType=");
    iothub_percent_put(t, mqc_span_str(o->user_agent != NULL
                                           ? o->user_agent
                                           : "iothub_device/" IOTHUB_VERSION_STRING));
    if (o->model_id != NULL) {
        iothub_text_put(t, "&model-id=");
        iothub_percent_put(t, mqc_span_str(o->model_id));
    }
}

/* Writes "{device}/{module}". The client id of a device is taken from the connection string
 * unchanged. */
static void put_client_id(iothub_text *t, const credential_part *k)
{
    if (is_module(k)) {
        iothub_text_put_span(t, k->context->identity.device_id);
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, k->context->identity.module_id);
    }
}

/* Returns the text that was written after position `from`. */
static mqc_span since(const iothub_text *t, size_t from)
{
    return mqc_span_of(t->buf + from, t->len - from);
}

/* Fills in the options of CONNECT. Their texts are in the scratch buffer. */
static iothub_result fill_connect(credential_part *k, mqc_connect_options *o, iothub_error *error)
{
    const iothub_credential *c = credential_in_use(k);
    iothub_text t;

    iothub_text_init(&t, k->context->scratch, k->context->scratch_len);
    memset(o, 0, sizeof *o);
    put_client_id(&t, k);
    o->client_id = is_module(k) ? since(&t, 0) : k->context->identity.device_id;
    size_t user_name_at = t.len;
    put_user_name(&t, k);
    o->username = since(&t, user_name_at);
    if (t.overflow) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG, "user name too long: model_id, user_agent");
    }
    o->keep_alive_s = k->context->options.keep_alive_s;
    o->clean_session = k->context->options.clean_session;
    o->ack_timeout_ms = k->context->options.ack_timeout_ms;
    o->stall_timeout_ms = k->context->options.stall_timeout_ms;
    return c->type->put_password(k->context, c, &t, &o->password, error);
}

iothub_result credential_log_in(credential_part *k, bool reports_flow, mqc_time now,
                                iothub_error *error)
{
    assert(credential_valid(k));
    mqc_connect_options o;

    iothub_result filled = fill_connect(k, &o, error);
    if (filled != IOTHUB_OK) {
        return filled;
    }
    k->replaced = false;
    o.reports_flow = reports_flow;
    mqc_result r = mqc_connect(k->context->engine, &o, now);
    return r == MQC_OK ? IOTHUB_OK
                       : iothub_fail(error, iothub_from_mqc(r), "CONNECT does not fit its buffer");
}

/* Bytes of the fixed header, the variable header, and the lengths of three texts (MQTT 3.1.1,
 * sections 2.2 and 3.1). */
enum { CONNECT_FRAME = 5 + 10 + 3 * 2 };

/* Returns the scratch space that a check of a token needs, in which the buffer holds the
 * resource twice. */
static size_t check_size(const credential_part *k)
{
    const iothub_connection_string cs = hub_names_as_string(&k->context->identity);
    char resource[IOTHUB_SAS_RESOURCE_SIZE];

    (void)iothub_sas_resource(&cs, resource, sizeof resource);
    return 2 * (strlen(resource) + 1);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

credential_size credential_measure(const credential_part *k)
{
    credential_size size = { 0, 0 };
    iothub_text t;

    iothub_text_count(&t);
    put_client_id(&t, k);
    put_user_name(&t, k);
    for (size_t i = 0; i < k->count; i++) {
        const iothub_credential *c = &k->list[i];
        const bool watched = c->kind != IOTHUB_CREDENTIAL_KEY;
        const size_t password = c->type != NULL ? c->type->password_size(k->context, c) : 0;
        const size_t scratch = watched ? larger(t.len + 1, check_size(k)) : t.len + password;
        size.connect = larger(size.connect, password);
        size.scratch = larger(size.scratch, scratch);
    }
    size.connect += CONNECT_FRAME + (is_module(k) ? 0 : k->context->identity.device_id.len) + t.len;
    return size;
}

/* --- ready-made tokens --------------------------------------------------------- */

iothub_result credential_take_token(credential_part *k, mqc_span signature, iothub_error *error)
{
    assert(credential_valid(k));
    int64_t expiry_s;

    signature = iothub_trim(signature);
    iothub_result r = credential_token_check(k->context, signature, &expiry_s, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (signature.len >= k->token_cap) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY,
                           "SharedAccessSignature: longer than the memory kept for it");
    }
    memmove(k->context->identity.token, signature.ptr, signature.len);
    k->context->identity.token[signature.len] = '\0';
    k->expiry_s = expiry_s;
    watch(k);
    return IOTHUB_OK;
}

iothub_result credential_replace_token(credential_part *k, const char *signature)
{
    assert(credential_valid(k));
    if (k->list != &credential_own_token) {
        return context_refuse(
            k->context, IOTHUB_ERR_STATE,
            k->list == &credential_own_key
                ? "iothub_set_token: the client makes its tokens from its key, and needs none"
                : "iothub_set_token: the client logs in with options.credentials");
    }
    if (signature == NULL) {
        return context_refuse(k->context, IOTHUB_ERR_ARG,
                              "iothub_set_token: SharedAccessSignature is NULL");
    }
    iothub_result r = credential_take_token(k, mqc_span_str(signature), context_error(k->context));
    if (r == IOTHUB_OK) {
        k->replaced = true;
    }
    return r;
}

/* --- time ------------------------------------------------------------------------- */

uint64_t credential_use_ms(const credential_part *k)
{
    const uint64_t life_s = k->context->options.sas_lifetime_s;
    const uint64_t latest_ms = life_s * 1000 - SHORTEST_BY_MS;

    if (!credential_has_key(k)) {
        return IOTHUB_NEVER;
    }
    return deadline_earlier(life_s * CREDENTIAL_USE_MS_PER_S, latest_ms);
}

uint64_t credential_reserve_ms(const credential_part *k)
{
    return (uint64_t)k->context->options.sas_lifetime_s * RESERVE_MS_PER_S;
}

void credential_on_time(credential_part *k, mqc_time now)
{
    assert(credential_valid(k));
    if (wall_clock_moved(context_clock(k->context), k->notice_clock_s)) {
        watch(k);
    }
    if (now < k->notice_at) {
        return;
    }
    int64_t left_s = k->expiry_s - wall_clock_s(context_clock(k->context));

    k->notice_at = left_s > 0 ? now + (uint64_t)left_s * 1000 : IOTHUB_NEVER;
    callback_log_text(k->context, IOTHUB_LOG_WARNING, "credential",
                      left_s > 0 ? "the SharedAccessSignature expires soon and cannot be renewed"
                                 : "the SharedAccessSignature has expired");
    callback_token_expiring(k->context, left_s > 0 ? left_s : 0);
}
