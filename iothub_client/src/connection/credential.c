#include <string.h>

#include "context/callbacks.h"
#include "internal.h"
#include "iothub/sas.h"
#include "iothub/version.h"
#include "text/percent.h"
#include "text/split.h"

#define API_VERSION "2021-04-12"

static bool has_key(const iothub_client *c)
{
    return c->context.identity.key.len > 0;
}

/* The notice comes after 80 % of the life that is left. */
static void watch_token(iothub_client *c)
{
    int64_t left_s = c->session.token_expiry_s - wall_clock_s(context_clock(&c->context));
    mqc_time now = context_now(&c->context);

    c->session.token_notice_at = left_s > 0 ? now + (uint64_t)left_s * 800 : now;
    c->session.notice_clock_s = wall_clock_offset_s(context_clock(&c->context));
}

iothub_result credential_ready(iothub_client *c, iothub_error *error)
{
    int64_t now_s = wall_clock_s(context_clock(&c->context));

    if (!wall_clock_is_set(now_s)) {
        return iothub_fail(error, IOTHUB_ERR_NO_TIME,
                           "the wall clock is not set: tokens and certificates need the date");
    }
    if (!has_key(c) && now_s >= c->session.token_expiry_s) {
        return iothub_fail(error, IOTHUB_ERR_TOKEN_EXPIRED,
                           "the SharedAccessSignature has expired, and there is no key to make "
                           "a new one");
    }
    return IOTHUB_OK;
}

static bool is_module(const iothub_client *c)
{
    return c->context.identity.module_id.len > 0;
}

/* "{host}/{device}[/{module}]/?api-version=..&DeviceClientType=..[&model-id=..]" */
static void put_user_name(iothub_text *t, const iothub_client *c)
{
    const iothub_options *o = &c->context.options;

    iothub_text_put_span(t, c->context.identity.host_name);
    iothub_text_put_char(t, '/');
    iothub_text_put_span(t, c->context.identity.device_id);
    if (is_module(c)) {
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, c->context.identity.module_id);
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

/* "{device}/{module}"; that of a device stands in the connection string. */
static void put_client_id(iothub_text *t, const iothub_client *c)
{
    if (is_module(c)) {
        iothub_text_put_span(t, c->context.identity.device_id);
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, c->context.identity.module_id);
    }
}

/* The text put since `from`. */
static mqc_span since(const iothub_text *t, size_t from)
{
    return mqc_span_of(t->buf + from, t->len - from);
}

/* The token comes last in the scratch: it is built in place. */
static iothub_result put_password(iothub_client *c, iothub_text *t, mqc_span *password,
                                  iothub_error *error)
{
    char *at = t->buf + t->len;
    size_t len = 0;

    if (!has_key(c)) {
        *password = mqc_span_str(c->token);
        return IOTHUB_OK;
    }
    uint64_t expiry_s =
        (uint64_t)wall_clock_s(context_clock(&c->context)) + c->context.options.sas_lifetime_s;
    iothub_result r =
        iothub_sas_build_for(c->context.options.platform->crypto, &c->context.identity, expiry_s,
                             at, t->cap - t->len, &len, error);
    *password = mqc_span_of(at, len);
    return r;
}

iothub_result credential_connect(iothub_client *c, mqc_connect_options *o, iothub_error *error)
{
    iothub_text t;

    iothub_text_init(&t, c->context.scratch, c->context.scratch_len);
    memset(o, 0, sizeof *o);
    put_client_id(&t, c);
    o->client_id = is_module(c) ? since(&t, 0) : c->context.identity.device_id;
    size_t user_name_at = t.len;
    put_user_name(&t, c);
    o->username = since(&t, user_name_at);
    if (t.overflow) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG, "user name too long: model_id, user_agent");
    }
    o->keep_alive_s = c->context.options.keep_alive_s;
    o->clean_session = c->context.options.clean_session;
    o->ack_timeout_ms = c->context.options.ack_timeout_ms;
    o->stall_timeout_ms = c->context.options.stall_timeout_ms;
    return put_password(c, &t, &o->password, error);
}

/* The fixed header, the variable one, and the lengths of three texts (sections 2.2 and 3.1). */
enum { CONNECT_FRAME = 5 + 10 + 3 * 2 };

/* What a token of our own has beside its resource, with a signature that is percent-encoded at its
 * worst and a NUL. */
enum { TOKEN_FRAME = sizeof "SharedAccessSignature sr=&sig=&se=18446744073709551615" + 3 * 44 };

credential_size credential_measure(const iothub_client *c)
{
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_text t;

    iothub_text_count(&t);
    put_client_id(&t, c);
    put_user_name(&t, c);
    const size_t frame = CONNECT_FRAME + (is_module(c) ? 0 : c->context.identity.device_id.len);
    (void)iothub_sas_resource(&c->context.identity, resource, sizeof resource);
    if (!has_key(c)) { /* check_resource wants the resource twice */
        const size_t check = 2 * (strlen(resource) + 1);
        return (credential_size){ frame + t.len, t.len + 1 > check ? t.len + 1 : check };
    }
    iothub_percent_put(&t, mqc_span_str(resource));
    if (c->context.identity.policy_name.len != 0) {
        iothub_text_put(&t, "&skn=");
        iothub_percent_put(&t, c->context.identity.policy_name);
    }
    return (credential_size){ frame + t.len + TOKEN_FRAME, t.len + TOKEN_FRAME };
}

/* --- ready-made tokens --------------------------------------------------------- */

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

/* A token counts for its resource and all below it, by whole segments. */
static bool covers(const char *granted, const char *wanted)
{
    while (*granted != '\0' && lower(*granted) == lower(*wanted)) {
        granted++;
        wanted++;
    }
    return *granted == '\0' && (*wanted == '\0' || *wanted == '/');
}

static iothub_result check_resource(const iothub_client *c, const iothub_sas_token *token,
                                    iothub_error *error)
{
    const size_t half = c->context.scratch_len / 2; /* what is longer than wanted covers nothing */
    char *wanted = c->context.scratch;
    char *granted = c->context.scratch + half;

    if (iothub_sas_resource(&c->context.identity, wanted, half) != IOTHUB_OK ||
        iothub_sas_decode(token->resource, granted, half) != IOTHUB_OK ||
        !covers(granted, wanted)) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                           "SharedAccessSignature: sr is for another resource than this device");
    }
    return IOTHUB_OK;
}

iothub_result credential_take_token(iothub_client *c, mqc_span signature, iothub_error *error)
{
    iothub_sas_token token;

    signature = iothub_trim(signature);
    iothub_result r = iothub_sas_parse(&token, signature, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = check_resource(c, &token, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (signature.len >= c->token_cap) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY,
                           "SharedAccessSignature: longer than the memory kept for it");
    }
    memmove(c->token, signature.ptr, signature.len);
    c->token[signature.len] = '\0';
    c->session.token_expiry_s = token.expiry_s < INT32_MAX * INT64_C(1000)
                                    ? (int64_t)token.expiry_s
                                    : INT32_MAX * INT64_C(1000);
    watch_token(c);
    return IOTHUB_OK;
}

void credential_on_time(iothub_client *c, mqc_time now)
{
    if (wall_clock_moved(context_clock(&c->context), c->session.notice_clock_s)) {
        watch_token(c);
    }
    if (c->session.token_notice_at == 0 || now < c->session.token_notice_at) {
        return;
    }
    int64_t left_s = c->session.token_expiry_s - wall_clock_s(context_clock(&c->context));

    c->session.token_notice_at = left_s > 0 ? now + (uint64_t)left_s * 1000 : 0;
    callback_log_text(&c->context, IOTHUB_LOG_WARNING, "credential",
                      left_s > 0 ? "the SharedAccessSignature expires soon and cannot be renewed"
                                 : "the SharedAccessSignature has expired");
    callback_token_expiring(&c->context, left_s > 0 ? left_s : 0);
}
