#include "upload/upload_token.h"

#include <string.h>

#include "text/split.h"
#include "text/text_writer.h"
#include "text/wipe.h"

enum { MOST_REFUSALS = 2 }; /* in a row; the hub does not accept the device then */

static uint64_t now_of(const upload_token *t)
{
    return t->o->platform->clock->monotonic_ms(t->o->platform->clock);
}

static void set_phase(upload_token *t, upload_token_phase phase)
{
    t->phase = phase;
    if (phase != UPLOAD_TOKEN_PROVIDED) {
        iothub_wipe(t->text, sizeof t->text);
    }
}

void upload_token_init(upload_token *t, const iothub_upload_options *o, iothub_upload *owner)
{
    *t = (upload_token){ .o = o, .owner = owner };
}

void upload_token_fail(upload_token *t, const char *reason)
{
    (void)iothub_fail(&t->fault, IOTHUB_ERR_NO_TOKEN, "upload: no token was provided: %s",
                      reason != NULL ? reason : "the application gave no reason");
    set_phase(t, UPLOAD_TOKEN_FAILED);
}

static bool has_expired(const upload_token *t)
{
    const int64_t now_s = t->o->platform->clock->wall_s(t->o->platform->clock);

    return now_s > 0 && t->until_s <= now_s;
}

/* The callback may provide the token at once. */
static void request(upload_token *t)
{
    set_phase(t, UPLOAD_TOKEN_REQUESTED);
    t->due = now_of(t) + t->o->request_timeout_ms;
    t->o->request_token(t->owner, t->o->user);
}

upload_token_answer upload_token_prepare(upload_token *t, iothub_error *why)
{
    if (t->o->request_token == NULL) {
        return UPLOAD_TOKEN_READY;
    }
    if (t->phase == UPLOAD_TOKEN_NONE || (t->phase == UPLOAD_TOKEN_PROVIDED && has_expired(t))) {
        request(t);
    }
    if (t->phase == UPLOAD_TOKEN_REQUESTED && now_of(t) >= t->due) {
        upload_token_fail(t, "the application did not answer within request_timeout_ms");
    }
    if (t->phase == UPLOAD_TOKEN_FAILED) {
        *why = t->fault;
        set_phase(t, UPLOAD_TOKEN_NONE);
        return UPLOAD_TOKEN_MISSING;
    }
    return t->phase == UPLOAD_TOKEN_PROVIDED ? UPLOAD_TOKEN_READY : UPLOAD_TOKEN_WAITS;
}

iothub_result upload_token_provide(upload_token *t, const char *signature, iothub_error *error)
{
    iothub_sas_token parts;

    if (t->o->request_token == NULL) {
        return iothub_fail(error, IOTHUB_ERR_STATE,
                           "upload: the options have no request_token, so no token is needed");
    }
    if (signature == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "upload: the token is NULL");
    }
    const mqc_span token = iothub_trim(mqc_span_str(signature));
    if (token.len >= sizeof t->text) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG, "upload: the token is too long");
    }
    const iothub_result r = iothub_sas_parse(&parts, token, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    memcpy(t->text, token.ptr, token.len);
    t->text[token.len] = '\0';
    t->until_s = parts.expiry_s < INT64_MAX ? (int64_t)parts.expiry_s : INT64_MAX;
    set_phase(t, UPLOAD_TOKEN_PROVIDED);
    if (has_expired(t)) {
        set_phase(t, UPLOAD_TOKEN_REQUESTED);
        return iothub_fail(error, IOTHUB_ERR_TOKEN_EXPIRED,
                           "upload: the token has expired already");
    }
    return IOTHUB_OK;
}

bool upload_token_refused(upload_token *t)
{
    if (t->o->request_token == NULL) {
        return false;
    }
    set_phase(t, UPLOAD_TOKEN_NONE);
    t->refusals++;
    return t->refusals < MOST_REFUSALS;
}

void upload_token_accepted(upload_token *t)
{
    t->refusals = 0;
}

mqc_span upload_token_text(const upload_token *t)
{
    return mqc_span_str(t->text);
}

uint64_t upload_token_deadline(const upload_token *t, uint64_t due)
{
    return t->phase == UPLOAD_TOKEN_REQUESTED ? t->due : due;
}
