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

/* Tokens expire at whole seconds, so a token may be valid for up to a second less than
 * requested. */
enum { SHORTEST_BY_MS = 1200 };

/* If necessary, a token is used up to 90 % of its life. */
enum { RESERVE_MS_PER_S = 100 };

void credential_init(iothub_credential *k, iothub_context *context)
{
    k->context = context;
    k->notice_at = IOTHUB_NEVER;
}

#ifndef NDEBUG
bool credential_valid(const iothub_credential *k)
{
    /* A key needs no token that is watched. */
    return !credential_has_key(k) ||
           (k->token == NULL && k->token_cap == 0 && k->notice_at == IOTHUB_NEVER && !k->replaced);
}
#endif

void credential_set_memory(iothub_credential *k, char *token, size_t cap)
{
    k->token = token;
    k->token_cap = cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
}

/* The application is notified after 80 % of the remaining life. */
static void watch_token(iothub_credential *k)
{
    int64_t left_s = k->expiry_s - wall_clock_s(context_clock(k->context));
    mqc_time now = context_now(k->context);

    k->notice_at = left_s > 0 ? now + (uint64_t)left_s * CREDENTIAL_USE_MS_PER_S : now;
    k->notice_clock_s = wall_clock_offset_s(context_clock(k->context));
}

iothub_result credential_ready(const iothub_credential *k, iothub_error *error)
{
    assert(credential_valid(k));
    int64_t now_s = wall_clock_s(context_clock(k->context));

    if (!wall_clock_is_set(now_s)) {
        return iothub_fail(error, IOTHUB_ERR_NO_TIME,
                           "the wall clock is not set: tokens and certificates need the date");
    }
    if (!credential_has_key(k) && now_s >= k->expiry_s) {
        return iothub_fail(error, IOTHUB_ERR_TOKEN_EXPIRED,
                           "the SharedAccessSignature has expired, and there is no key to make "
                           "a new one");
    }
    return IOTHUB_OK;
}

static bool is_module(const iothub_credential *k)
{
    return k->context->identity.module_id.len > 0;
}

/* "{host}/{device}[/{module}]/?api-version=..&DeviceClientType=..[&model-id=..]" */
static void put_user_name(iothub_text *t, const iothub_credential *k)
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

/* Writes "{device}/{module}"; a device's client id is taken from the connection string as it is. */
static void put_client_id(iothub_text *t, const iothub_credential *k)
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

/* The token is the last text in the scratch buffer, so it can be built in place. */
static iothub_result put_password(iothub_credential *k, iothub_text *t, mqc_span *password,
                                  iothub_error *error)
{
    char *at = t->buf + t->len;
    size_t len = 0;

    if (!credential_has_key(k)) {
        *password = mqc_span_str(k->token);
        return IOTHUB_OK;
    }
    uint64_t expiry_s =
        (uint64_t)wall_clock_s(context_clock(k->context)) + k->context->options.sas_lifetime_s;
    iothub_result r =
        iothub_sas_build_for(k->context->options.platform->crypto, &k->context->identity, expiry_s,
                             at, t->cap - t->len, &len, error);
    *password = mqc_span_of(at, len);
    return r;
}

/* The texts of *o stand in the scratch buffer. */
static iothub_result fill_connect(iothub_credential *k, mqc_connect_options *o, iothub_error *error)
{
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
    return put_password(k, &t, &o->password, error);
}

iothub_result credential_log_in(iothub_credential *k, bool reports_flow, mqc_time now,
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

/* The fixed header, the variable one, and the lengths of three texts (sections 2.2 and 3.1). */
enum { CONNECT_FRAME = 5 + 10 + 3 * 2 };

/* What a token of our own has besides its resource, with a NUL. The expiry has at most 12 digits,
 * since wall_clock_s ends with the year 9999. Of the 44 characters of a signature all but one may
 * be percent-encoded: the last one before the padding has only four bits, so it is no '+' and no
 * '/'. */
enum { TOKEN_FRAME = sizeof "SharedAccessSignature sr=&sig=&se=253402300799" + 3 * 43 + 1 };

credential_size credential_measure(const iothub_credential *k)
{
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_text t;

    iothub_text_count(&t);
    put_client_id(&t, k);
    put_user_name(&t, k);
    const size_t frame = CONNECT_FRAME + (is_module(k) ? 0 : k->context->identity.device_id.len);
    (void)iothub_sas_resource(&k->context->identity, resource, sizeof resource);
    if (!credential_has_key(k)) { /* check_resource writes the resource twice */
        const size_t check = 2 * (strlen(resource) + 1);
        return (credential_size){ frame + t.len, t.len + 1 > check ? t.len + 1 : check };
    }
    iothub_percent_put(&t, mqc_span_str(resource));
    if (k->context->identity.policy_name.len != 0) {
        iothub_text_put(&t, "&skn=");
        iothub_percent_put(&t, k->context->identity.policy_name);
    }
    return (credential_size){ frame + t.len + TOKEN_FRAME, t.len + TOKEN_FRAME };
}

/* --- ready-made tokens --------------------------------------------------------- */

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

/* A token is valid for its resource and everything below it, compared by whole segments. */
static bool covers(const char *granted, const char *wanted)
{
    while (*granted != '\0' && lower(*granted) == lower(*wanted)) {
        granted++;
        wanted++;
    }
    return *granted == '\0' && (*wanted == '\0' || *wanted == '/');
}

static iothub_result check_resource(const iothub_credential *k, const iothub_sas_token *token,
                                    iothub_error *error)
{
    const size_t half =
        k->context->scratch_len / 2; /* a longer resource cannot cover the wanted one */
    char *wanted = k->context->scratch;
    char *granted = k->context->scratch + half;

    if (iothub_sas_resource(&k->context->identity, wanted, half) != IOTHUB_OK ||
        iothub_sas_decode(token->resource, granted, half) != IOTHUB_OK ||
        !covers(granted, wanted)) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                           "SharedAccessSignature: sr is for another resource than this device");
    }
    return IOTHUB_OK;
}

iothub_result credential_take_token(iothub_credential *k, mqc_span signature, iothub_error *error)
{
    assert(credential_valid(k));
    iothub_sas_token token;

    signature = iothub_trim(signature);
    iothub_result r = iothub_sas_parse(&token, signature, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = check_resource(k, &token, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (signature.len >= k->token_cap) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY,
                           "SharedAccessSignature: longer than the memory kept for it");
    }
    memmove(k->token, signature.ptr, signature.len);
    k->token[signature.len] = '\0';
    k->expiry_s = token.expiry_s < INT32_MAX * INT64_C(1000) ? (int64_t)token.expiry_s
                                                             : INT32_MAX * INT64_C(1000);
    watch_token(k);
    return IOTHUB_OK;
}

iothub_result credential_replace_token(iothub_credential *k, const char *signature)
{
    assert(credential_valid(k));
    if (credential_has_key(k)) {
        return context_refuse(
            k->context, IOTHUB_ERR_STATE,
            "iothub_set_token: the client makes its tokens from its key, and needs none");
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

uint64_t credential_use_ms(const iothub_credential *k)
{
    const uint64_t life_s = k->context->options.sas_lifetime_s;
    const uint64_t latest_ms = life_s * 1000 - SHORTEST_BY_MS;

    if (!credential_has_key(k)) {
        return IOTHUB_NEVER;
    }
    return deadline_earlier(life_s * CREDENTIAL_USE_MS_PER_S, latest_ms);
}

uint64_t credential_reserve_ms(const iothub_credential *k)
{
    return (uint64_t)k->context->options.sas_lifetime_s * RESERVE_MS_PER_S;
}

void credential_on_time(iothub_credential *k, mqc_time now)
{
    assert(credential_valid(k));
    if (wall_clock_moved(context_clock(k->context), k->notice_clock_s)) {
        watch_token(k);
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
