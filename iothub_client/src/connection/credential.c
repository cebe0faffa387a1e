#include "connection/credential.h"

#include <assert.h>
#include <string.h>

#include "connection/wall_clock.h"
#include "context/callbacks.h"
#include "text/split.h"

/* The application is notified after 80 % of the time that is left: this many ms of each second. */
enum { NOTICE_MS_PER_S = 800 };

/* If necessary, a token is used for up to 90 % of its life: 100 ms more of each second. */
enum { RESERVE_MS_PER_S = 100 };

/* Two refusals are needed before a credential counts as refused, because one may be an accident
 * of the hub. */
enum { REFUSALS_FOR_GOOD = 2 };

void credential_init(credential_part *k, iothub_context *context)
{
    k->context = context;
    k->list = &credential_own_key;
    k->count = 1;
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
    if (k->index >= k->count || (k->next == NULL) != (k->next_count == 0)) {
        return false;
    }
    if (k->next == NULL ? k->uses_next || k->next_index > 0 : k->next_index >= k->next_tried) {
        return false;
    }
    if (k->next_tried > k->next_count) {
        return false;
    }
    /* The application is not notified of tokens that are made from a key. */
    return !credential_has_key(k) || k->notice_at == IOTHUB_NEVER;
}
#endif

void credential_set_memory(credential_part *k, char *token, size_t token_cap, size_t connect_cap)
{
    context_set_token(k->context, token);
    k->token_cap = token_cap < UINT32_MAX ? (uint32_t)token_cap : UINT32_MAX;
    k->connect_cap = connect_cap < UINT32_MAX ? (uint32_t)connect_cap : UINT32_MAX;
}

/* --- validity -------------------------------------------------------------------- */

static credential_validity validity_of(const credential_part *k)
{
    const iothub_credential *c = credential_in_use(k);

    return c->type->validity(k->context, c);
}

/* Returns in how many ms the application must be notified. */
static uint64_t notice_in_ms(const credential_validity *v, int64_t now_s)
{
    if (v->notice_s != 0) {
        return v->notice_s > now_s ? (uint64_t)(v->notice_s - now_s) * 1000 : 0;
    }
    return v->until_s > now_s ? (uint64_t)(v->until_s - now_s) * NOTICE_MS_PER_S : 0;
}

/* Sets the time at which the application is notified. Call it when another credential is used. */
static void watch(credential_part *k)
{
    const credential_validity v = validity_of(k);
    const plat_clock *clock = context_clock(k->context);

    if (v.until_s == INT64_MAX || credential_in_use(k)->type->on_turn != NULL) {
        k->notice_at = IOTHUB_NEVER;
        return;
    }
    k->notice_at = context_now(k->context) + notice_in_ms(&v, wall_clock_s(clock));
    k->notice_clock_s = wall_clock_offset_s(clock);
}

iothub_result credential_ready(const credential_part *k, iothub_error *error)
{
    assert(credential_valid(k));
    const iothub_credential_type *type = credential_in_use(k)->type;
    const int64_t now_s = wall_clock_s(context_clock(k->context));

    if (!wall_clock_is_set(now_s)) {
        return iothub_fail(error, IOTHUB_ERR_NO_TIME,
                           "the wall clock is not set: tokens and certificates need the date");
    }
    const credential_validity v = validity_of(k);
    if (now_s < v.from_s) {
        return iothub_fail(error, type->unusable, "%s", type->too_early);
    }
    return now_s < v.until_s ? IOTHUB_OK : iothub_fail(error, type->unusable, "%s", type->too_late);
}

void credential_on_time(credential_part *k, mqc_time now)
{
    assert(credential_valid(k));
    const iothub_credential_type *type = credential_in_use(k)->type;

    if (type->on_turn != NULL) {
        k->notice_at = type->on_turn(k->context, credential_in_use(k), now);
        return;
    }
    if (wall_clock_moved(context_clock(k->context), k->notice_clock_s)) {
        watch(k);
    }
    if (now < k->notice_at) {
        return;
    }
    int64_t left_s = validity_of(k).until_s - wall_clock_s(context_clock(k->context));

    k->notice_at = left_s > 0 ? now + (uint64_t)left_s * 1000 : IOTHUB_NEVER;
    callback_log_text(k->context, IOTHUB_LOG_WARNING, "credential",
                      left_s > 0 ? type->ends_soon : type->has_ended);
    callback_token_expiring(k->context, left_s > 0 ? left_s : 0);
}

/* --- lists ------------------------------------------------------------------------ */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The size always includes the tokens of a key, because the application may replace other
 * credentials by a key. */
login_size credential_measure(const credential_part *k)
{
    login_size size = login_measure(k->context, k->list, k->count);

    if (k->list == k->context->options.credentials) {
        const login_size key = login_measure(k->context, &credential_own_key, 1);
        size.connect = larger(size.connect, key.connect);
        size.scratch = larger(size.scratch, key.scratch);
    }
    return size;
}

static iothub_result check_one(const iothub_context *context, const iothub_credential *c,
                               iothub_error *error)
{
    return c->type != NULL ? c->type->check(context, c, error)
                           : iothub_fail(error, IOTHUB_ERR_ARG,
                                         "it was not made by a function of iothub/credential.h");
}

static iothub_result check_list(const iothub_context *context, const iothub_credential *list,
                                size_t count, iothub_error *error)
{
    iothub_error why;

    for (size_t i = 0; i < count; i++) {
        iothub_result r = check_one(context, &list[i], &why);
        if (r != IOTHUB_OK) {
            return iothub_fail(error, r, "credentials[%zu]: %s", i, why.text);
        }
    }
    return IOTHUB_OK;
}

iothub_result credential_check_options(credential_part *k, iothub_error *error)
{
    assert(credential_valid(k));
    iothub_result r = check_list(k->context, k->list, k->count, error);

    if (r == IOTHUB_OK) {
        watch(k);
    }
    return r;
}

/* --- replacing --------------------------------------------------------------------- */

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
                : "iothub_set_token: the client has other credentials; use iothub_set_credentials");
    }
    if (signature == NULL) {
        return context_refuse(k->context, IOTHUB_ERR_ARG,
                              "iothub_set_token: SharedAccessSignature is NULL");
    }
    iothub_result r = credential_take_token(k, mqc_span_str(signature), context_error(k->context));
    if (r == IOTHUB_OK) {
        k->new_token = true;
    }
    return r;
}

static const iothub_credential *provider_of(const credential_part *k)
{
    const iothub_credential *c = credential_in_use(k);

    return c->type->take != NULL ? c : NULL;
}

static iothub_result refuse_without_provider(const credential_part *k)
{
    return context_refuse(k->context, IOTHUB_ERR_STATE,
                          "iothub_provide_token, iothub_token_failed: the credential in use is no "
                          "token provider");
}

iothub_result credential_provide_token(const credential_part *k, const char *token)
{
    assert(credential_valid(k));
    const iothub_credential *c = provider_of(k);

    if (c == NULL) {
        return refuse_without_provider(k);
    }
    if (token == NULL) {
        return context_refuse(k->context, IOTHUB_ERR_ARG,
                              "iothub_provide_token: the token is NULL; if there is none, call "
                              "iothub_token_failed");
    }
    return c->type->take(k->context, c, mqc_span_str(token), context_error(k->context));
}

iothub_result credential_token_failed(const credential_part *k, const char *text)
{
    assert(credential_valid(k));
    const iothub_credential *c = provider_of(k);

    if (c == NULL) {
        return refuse_without_provider(k);
    }
    c->type->fail(k->context, c, text != NULL ? text : "no reason given");
    return IOTHUB_OK;
}

/* The credentials that are not tried first are those that the client has had already. */
static iothub_result check_replacement(const credential_part *k, const iothub_credential *list,
                                       size_t count, size_t tried, iothub_error *error)
{
    if (list == NULL || count == 0 || count > IOTHUB_CREDENTIALS_MAX) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "iothub_set_credentials: there must be 1 to %zu credentials",
                           (size_t)IOTHUB_CREDENTIALS_MAX);
    }
    iothub_result r = check_list(k->context, list, tried, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    const login_size size = login_measure(k->context, list, count);
    return size.connect <= k->connect_cap && size.scratch <= k->context->scratch_len
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_MEMORY,
                             "iothub_set_credentials: a token is longer than the client's memory "
                             "for it");
}

/* Drops the replacement. If an attempt is in progress, it uses the list again. */
static void drop_next(credential_part *k)
{
    k->next = NULL;
    k->next_count = 0;
    k->next_tried = 0;
    k->next_index = 0;
    k->uses_next = false;
    k->refusals = 0;
    watch(k);
}

iothub_result credential_replace(credential_part *k, const iothub_credential *list, size_t count,
                                 size_t tried)
{
    assert(credential_valid(k));
    iothub_result r = check_replacement(k, list, count, tried, context_error(k->context));
    if (r != IOTHUB_OK) {
        return r;
    }
    if (k->uses_next) {
        drop_next(k);
    }
    k->next = list;
    k->next_count = (uint8_t)count;
    k->next_tried = (uint8_t)tried;
    k->next_index = 0;
    k->replaced_how = IOTHUB_OK;
    return IOTHUB_OK;
}

/* Returns NULL for the credential of a connection string, because the application did not pass
 * it. */
static const iothub_credential *shown(const iothub_credential *list)
{
    return list != &credential_own_key && list != &credential_own_token ? list : NULL;
}

void credential_describe(const credential_part *k, iothub_credentials_info *out)
{
    *out = (iothub_credentials_info){
        .kind = credential_in_use(k)->kind,
        .index = credential_index(k),
        .credentials = shown(k->list),
        .replacement = k->next,
        .replaced = (iothub_result)k->replaced_how,
    };
}

/* --- attempts ------------------------------------------------------------------------ */

/* Returns whether the first credential may be tried again. While a connection works, this is
 * allowed only after the clock was set. */
static bool may_use_first(const credential_part *k, mqc_time now)
{
    bool works = k->context->state == IOTHUB_CONNECTED || k->context->state == IOTHUB_RENEWING;

    return k->index > 0 && (works ? k->first_again_at == 0 : now >= k->first_again_at);
}

void credential_begin(credential_part *k, mqc_time now)
{
    assert(credential_valid(k));
    const iothub_credential *before = credential_in_use(k);

    if (may_use_first(k, now)) {
        k->index = 0;
        k->refusals = 0;
    }
    k->uses_next = k->next != NULL;
    if (credential_in_use(k) != before) {
        watch(k);
    }
}

credential_supply credential_prepare(const credential_part *k, credential_purpose purpose,
                                     mqc_time now, iothub_error *why)
{
    assert(credential_valid(k));
    const iothub_credential *c = credential_in_use(k);

    return c->type->prepare != NULL ? c->type->prepare(k->context, c, purpose, now, why)
                                    : CREDENTIAL_READY;
}

void credential_clock_was_set(credential_part *k)
{
    assert(credential_valid(k));
    k->first_again_at = 0;
}

iothub_result credential_log_in(credential_part *k, bool reports_flow, mqc_time now,
                                iothub_error *error)
{
    assert(credential_valid(k));
    iothub_result r = login_queue(k->context, credential_in_use(k), reports_flow, now, error);

    if (r == IOTHUB_OK) {
        k->new_token = false;
    }
    return r;
}

void credential_accepted(credential_part *k)
{
    assert(credential_valid(k));
    k->refusals = 0;
    k->hurries = false;
    if (!k->uses_next) {
        return;
    }
    k->list = k->next;
    k->count = k->next_count;
    k->index = k->next_index;
    drop_next(k);
    callback_log_text(k->context, IOTHUB_LOG_INFO, "credential", "the new credentials are in use");
}

/* Whether a failure is the fault of the credential. */
typedef enum blame { BLAME_NONE, BLAME_PERHAPS, BLAME_CERTAIN } blame;

static blame blame_for(iothub_result reason)
{
    switch ((int)reason) {
    case IOTHUB_ERR_TOKEN_EXPIRED:
    case IOTHUB_ERR_CREDENTIAL: return BLAME_CERTAIN;
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_NO_TOKEN:
    case IOTHUB_ERR_SIGNER: return BLAME_PERHAPS;
    default: return BLAME_NONE;
    }
}

static credential_step leave_next(credential_part *k, iothub_result reason)
{
    if (k->next_index + 1 < k->next_tried) {
        k->next_index++;
        watch(k);
        return CREDENTIAL_MOVES;
    }
    drop_next(k);
    k->replaced_how = (int8_t)reason;
    return CREDENTIAL_RETURNS;
}

static credential_step leave_in_list(credential_part *k, mqc_time now)
{
    const bool was_first = k->index == 0;
    const bool was_last = k->index + 1 == k->count;

    k->hurries = true;
    k->index = was_last ? 0 : (uint8_t)(k->index + 1);
    if (was_first) {
        k->first_again_at = now + k->context->options.auth_retry_max_ms;
    }
    /* A single credential keeps its time, so that its end is not announced again. */
    if (k->count > 1) {
        watch(k);
    }
    return was_last ? CREDENTIAL_STAYS : CREDENTIAL_MOVES;
}

credential_step credential_failed(credential_part *k, iothub_result reason, mqc_time now)
{
    assert(credential_valid(k));
    const bool more_follow = k->uses_next || k->index + 1 < k->count;
    const blame b = blame_for(reason);

    if (b == BLAME_NONE) {
        return CREDENTIAL_STAYS;
    }
    if (reason == IOTHUB_ERR_AUTH && credential_in_use(k)->type->forget != NULL) {
        credential_in_use(k)->type->forget(credential_in_use(k));
    }
    k->refusals++;
    if (b == BLAME_CERTAIN || k->hurries || k->refusals >= REFUSALS_FOR_GOOD) {
        k->refusals = 0;
        return k->uses_next ? leave_next(k, reason) : leave_in_list(k, now);
    }
    return more_follow ? CREDENTIAL_MOVES : CREDENTIAL_STAYS;
}

/* --- renewal ----------------------------------------------------------------------- */

mqc_time credential_renew_at(const credential_part *k, mqc_time login_at)
{
    assert(credential_valid(k));
    const iothub_credential *c = credential_in_use(k);

    return c->type->renew_at != NULL ? c->type->renew_at(k->context, c, login_at) : IOTHUB_NEVER;
}

uint64_t credential_reserve_ms(const credential_part *k)
{
    return (uint64_t)k->context->options.sas_lifetime_s * RESERVE_MS_PER_S;
}
