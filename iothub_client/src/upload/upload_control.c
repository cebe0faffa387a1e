#include "upload/upload_control.h"

#include <stdlib.h>

#include "upload/upload_slots.h"

static uint64_t now_of(const iothub_upload_options *o)
{
    return o->platform->clock->monotonic_ms(o->platform->clock);
}

void upload_control_reset(upload_control *c)
{
    c->failures = 0;
    c->due = 0;
    c->may_be_done = false;
}

void upload_control_delay(upload_control *c)
{
    c->due = upload_next_attempt(c->o, &c->failures, 0);
}

void upload_control_assume_done(upload_control *c)
{
    c->may_be_done = true;
}

/* --- beginning -------------------------------------------------------------------------------- */

static plat_result start_commit(upload_control *c, const upload_target *target, uint32_t blocks,
                                iothub_error *why)
{
    const size_t size = upload_list_size(blocks);
    iothub_text list;

    free(c->list);
    c->list = malloc(size);
    iothub_text_init(&list, c->list, c->list != NULL ? size : 0);
    upload_put_list(&list, target->series, blocks);
    if (iothub_text_finish(&list) != IOTHUB_OK) {
        (void)iothub_fail(why, IOTHUB_ERR_MEMORY, "upload: no memory is left for the block list");
        return PLAT_ERR_MEMORY;
    }
    return upload_start_commit(target, c->http, &list, why);
}

static plat_result start(upload_control *c, const upload_target *target,
                         const upload_errand *errand, iothub_error *why)
{
    switch (errand->kind) {
    case UPLOAD_ERRAND_PLACE: return upload_start_place(target, c->http, why);
    case UPLOAD_ERRAND_COMMIT: return start_commit(c, target, errand->blocks, why);
    case UPLOAD_ERRAND_NOTIFY: break;
    }
    return upload_start_notification(target, c->http, errand->success, errand->status, why);
}

/* --- ending ----------------------------------------------------------------------------------- */

static const char *peer_of(const upload_errand *errand)
{
    return errand->kind == UPLOAD_ERRAND_COMMIT ? "the storage" : "the hub";
}

/* The hub has accepted this device before, so a refusal of its login passes: a clock is set, or a
 * key is changed back. Without the notification, the upload would stay active. */
static bool is_repeated(const upload_errand *errand, int status)
{
    return upload_status_passes(status) ||
           (errand->kind == UPLOAD_ERRAND_NOTIFY && upload_status_refuses_login(status));
}

static upload_control_answer repeat(upload_control *c, uint32_t retry_after_s)
{
    c->due = upload_next_attempt(c->o, &c->failures, retry_after_s);
    return UPLOAD_CONTROL_REPEAT;
}

/* Returns whether the hub has refused a token of the application, which may provide a better one.
 */
static bool wants_other_token(upload_token *token, const upload_errand *errand, int status)
{
    if (errand->kind == UPLOAD_ERRAND_COMMIT || !upload_status_refuses_login(status)) {
        return false;
    }
    return upload_token_refused(token);
}

static upload_control_answer judge(upload_control *c, const upload_target *target,
                                   const upload_errand *errand, const plat_http_answer *answer,
                                   iothub_error *why)
{
    const bool other_token = wants_other_token(target->token, errand, answer->status);

    if (!other_token && !is_repeated(errand, answer->status)) {
        return UPLOAD_CONTROL_ANSWERED;
    }
    c->may_be_done = c->may_be_done || upload_status_passes(answer->status);
    upload_tell_status(why, peer_of(errand), answer->status);
    return repeat(c, answer->retry_after_s);
}

/* Begins an attempt that is due. The answer counts only if no request is on its way then. */
static upload_control_answer begin(upload_control *c, const upload_target *target,
                                   const upload_errand *errand, iothub_error *why)
{
    if (now_of(c->o) < c->due) {
        return UPLOAD_CONTROL_WAIT;
    }
    const upload_token_answer token = errand->kind != UPLOAD_ERRAND_COMMIT
                                          ? upload_token_prepare(target->token, why)
                                          : UPLOAD_TOKEN_READY;
    if (token == UPLOAD_TOKEN_WAITS) {
        return UPLOAD_CONTROL_WAIT;
    }
    if (token == UPLOAD_TOKEN_MISSING || start(c, target, errand, why) != PLAT_OK) {
        return repeat(c, 0);
    }
    c->busy = true;
    return UPLOAD_CONTROL_WAIT;
}

upload_control_answer upload_control_run(upload_control *c, const upload_target *target,
                                         const upload_errand *errand, plat_http_answer *answer,
                                         iothub_error *why)
{
    if (!c->busy) {
        const upload_control_answer begun = begin(c, target, errand, why);
        if (!c->busy) {
            return begun;
        }
    }
    plat_result r = c->http->ops->progress(c->http, answer);
    if (r == PLAT_WOULD_BLOCK) {
        return UPLOAD_CONTROL_WAIT;
    }
    c->busy = false;
    if (r != PLAT_OK) {
        c->may_be_done = true;
        upload_tell_broken(why, r, c->http, peer_of(errand));
        return repeat(c, 0);
    }
    return judge(c, target, errand, answer, why);
}

/* --- life ------------------------------------------------------------------------------------- */

bool upload_control_init(upload_control *c, const iothub_upload_options *o,
                         plat_result (*make_http)(plat_http **out))
{
    *c = (upload_control){ .o = o };
    return make_http(&c->http) == PLAT_OK;
}

void upload_control_free(upload_control *c)
{
    if (c->http != NULL) {
        c->http->ops->free(c->http);
    }
    free(c->list);
}
