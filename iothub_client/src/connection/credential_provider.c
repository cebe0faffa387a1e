#include <string.h>

#include "connection/back_off.h"
#include "connection/credential_type.h"
#include "connection/wall_clock.h"
#include "context/callbacks.h"
#include "context/deadline.h"
#include "context/retry.h"
#include "text/split.h"

/* SAS tokens that a function of the application provides. The state is in the application's
 * iothub_token_provider, so that a client without one has no memory for it. */

/* A token is renewed after this part of the life that it had when it was provided. */
enum { TOKEN_MS_PER_S = 800 };

/* The shortest token has about this length. */
enum { MEMORY_MIN = 64 };

static iothub_result check(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error)
{
    const iothub_token_provider *p = c->as.provider;

    (void)context;
    if (p == NULL || p->request == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "the token provider has no function request");
    }
    if (p->memory == NULL || p->memory_size < MEMORY_MIN) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "the token provider has less than %zu bytes of memory for a token",
                           (size_t)MEMORY_MIN);
    }
    return IOTHUB_OK;
}

static size_t password_size(const iothub_context *context, const iothub_credential *c)
{
    (void)context;
    /* The provider was not checked yet. */
    return c->as.provider != NULL ? c->as.provider->memory_size : 0;
}

static credential_validity validity(const iothub_context *context, const iothub_credential *c)
{
    (void)context;
    return (credential_validity){ .until_s = c->as.provider->until_s };
}

static iothub_result put_password(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error)
{
    (void)context;
    (void)t;
    (void)error;
    c->as.provider->unused = false;
    *password = mqc_span_str(c->as.provider->memory);
    return IOTHUB_OK;
}

/* --- requests ------------------------------------------------------------------------- */

static void on_failure(const iothub_context *context, iothub_token_provider *p, const char *text)
{
    const iothub_options *o = &context->options;
    const uint32_t limit_ms = retry_limit_ms(o->retry_min_ms, o->retry_max_ms, ++p->failures);

    p->phase = IOTHUB_TOKEN_FAILED;
    p->wake_at_ms = context_now(context) + back_off_random_ms(o, limit_ms, 0);
    (void)iothub_fail(&p->fault, IOTHUB_ERR_NO_TOKEN, "the token provider failed: %s", text);
    callback_log_text(context, IOTHUB_LOG_WARNING, "credential", p->fault.text);
}

static void request(iothub_context *context, iothub_token_provider *p, mqc_time now)
{
    p->phase = IOTHUB_TOKEN_REQUESTED;
    p->wake_at_ms = now + context->options.request_timeout_ms;
    callback_log_text(context, IOTHUB_LOG_INFO, "credential", "requesting a token");
    callback_request_token(context, p);
}

static bool is_valid_for(const iothub_token_provider *p, int64_t now_s, credential_purpose purpose)
{
    if (purpose == CREDENTIAL_RENEWS) {
        return p->unused && now_s < p->until_s;
    }
    return now_s < p->until_s;
}

static bool may_request(const iothub_token_provider *p, credential_purpose purpose, mqc_time now)
{
    switch (p->phase) {
    case IOTHUB_TOKEN_IDLE: return true;
    case IOTHUB_TOKEN_RESTS: return purpose == CREDENTIAL_OPENS || now >= p->wake_at_ms;
    case IOTHUB_TOKEN_REQUESTED:
    case IOTHUB_TOKEN_FAILED: break;
    }
    return false;
}

static credential_supply prepare(iothub_context *context, const iothub_credential *c,
                                 credential_purpose purpose, mqc_time now, iothub_error *why)
{
    iothub_token_provider *p = c->as.provider;
    const int64_t now_s = wall_clock_s(context_clock(context));

    if (!wall_clock_is_set(now_s) || is_valid_for(p, now_s, purpose)) {
        return CREDENTIAL_READY; /* without a clock, the attempt fails later, for that reason */
    }
    if (p->phase == IOTHUB_TOKEN_FAILED) { /* reported once */
        p->phase = IOTHUB_TOKEN_RESTS;
        *why = p->fault;
        return CREDENTIAL_MISSING;
    }
    if (may_request(p, purpose, now)) {
        request(context, p, now); /* the callback may provide the token immediately */
    }
    return is_valid_for(p, now_s, purpose) ? CREDENTIAL_READY : CREDENTIAL_WAITS;
}

/* Returns when the provider wants to be called again. */
static mqc_time make_progress(iothub_context *context, const iothub_token_provider *p, mqc_time now)
{
    if (p->phase != IOTHUB_TOKEN_REQUESTED || p->progress == NULL) {
        return IOTHUB_NEVER;
    }
    const uint32_t again_in_ms = callback_token_progress(context, p);
    return again_in_ms != UINT32_MAX ? now + again_in_ms : IOTHUB_NEVER;
}

static mqc_time on_turn(iothub_context *context, const iothub_credential *c, mqc_time now)
{
    iothub_token_provider *p = c->as.provider;
    const mqc_time progress_at = make_progress(context, p, now);

    if (p->phase == IOTHUB_TOKEN_REQUESTED && now >= p->wake_at_ms) {
        on_failure(context, p, "no answer within request_timeout_ms");
        context_poke(context);
    }
    switch (p->phase) {
    case IOTHUB_TOKEN_REQUESTED: return deadline_earlier(p->wake_at_ms, progress_at);
    case IOTHUB_TOKEN_RESTS: return now < p->wake_at_ms ? p->wake_at_ms : IOTHUB_NEVER;
    case IOTHUB_TOKEN_IDLE:
    case IOTHUB_TOKEN_FAILED: break; /* the next attempt continues */
    }
    return IOTHUB_NEVER;
}

static iothub_result take(const iothub_context *context, const iothub_credential *c, mqc_span token,
                          iothub_error *error)
{
    iothub_token_provider *p = c->as.provider;
    int64_t until_s = 0;

    token = iothub_trim(token);
    iothub_result r = credential_token_check(context, token, &until_s, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    const int64_t left_s = until_s - wall_clock_s(context_clock(context));
    if (left_s <= 0) {
        return iothub_fail(error, IOTHUB_ERR_TOKEN_EXPIRED,
                           "iothub_provide_token: this token has expired already");
    }
    if (token.len >= p->memory_size) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY,
                           "iothub_provide_token: the token is longer than the provider's memory");
    }
    memcpy(p->memory, token.ptr, token.len);
    p->memory[token.len] = '\0';
    p->until_s = until_s;
    /* The wall clock has whole seconds, so that almost one of left_s may be over already. */
    p->renew_at_ms = context_now(context) + (uint64_t)(left_s - 1) * TOKEN_MS_PER_S;
    p->unused = true;
    p->failures = 0;
    p->phase = IOTHUB_TOKEN_IDLE;
    return IOTHUB_OK;
}

static void fail(const iothub_context *context, const iothub_credential *c, const char *text)
{
    if (c->as.provider->phase == IOTHUB_TOKEN_REQUESTED) {
        on_failure(context, c->as.provider, text);
    }
}

static void forget(const iothub_credential *c)
{
    c->as.provider->until_s = 0;
    c->as.provider->unused = false;
}

static mqc_time renew_at(const iothub_context *context, const iothub_credential *c,
                         mqc_time login_at)
{
    (void)context;
    (void)login_at;
    return c->as.provider->renew_at_ms;
}

static const iothub_credential_type provider_type = {
    .check = check,
    .password_size = password_size,
    .validity = validity,
    .put_password = put_password,
    .renew_at = renew_at,
    .prepare = prepare,
    .on_turn = on_turn,
    .take = take,
    .fail = fail,
    .forget = forget,
    .unusable = IOTHUB_ERR_TOKEN_EXPIRED,
    .too_late = "the token of the token provider has expired",
};

iothub_credential iothub_provider_credential(iothub_token_provider *provider)
{
    return (iothub_credential){ .kind = IOTHUB_CREDENTIAL_PROVIDER,
                                .type = &provider_type,
                                .as = { .provider = provider } };
}
