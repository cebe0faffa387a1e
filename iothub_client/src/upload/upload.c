#include "iothub/upload.h"

#include <stdlib.h>
#include <string.h>

#include "text/sized_struct.h"
#include "text/wipe.h"
#include "upload/upload_control.h"
#include "upload/upload_credential.h"
#include "upload/upload_options.h"
#include "upload/upload_poll.h"
#include "upload/upload_saved.h"
#include "upload/upload_slots.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_REDIRECT = 300,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403,
    MOST_REFUSED_TOKENS = 3,
    CONTROL_POLLS = IOTHUB_UPLOAD_PARALLEL_MAX * PLAT_HTTP_POLLS, /* its first slot */
    SAVE_EACH = 16 * 1024 * 1024 /* bytes after which the state is stored again */
};

struct iothub_upload {
    iothub_upload_options o;
    upload_options_memory memory; /* of what the options point to */
    iothub_connection_string device;
    iothub_upload_info info;
    iothub_error latest; /* memory of info.text */
    upload_saved saved;
    upload_token token;
    upload_source source;
    upload_slots slots;
    upload_control control;
    iothub_error reason; /* why the upload fails, after the notification; IOTHUB_OK: it succeeds */
    bool goes_on;        /* after that notification, a new place is requested */
    bool rebuilt;        /* the blocks were sent again, because the storage had lost some */
    bool cancelled;
    unsigned refused_tokens; /* number of storage tokens in a row that the storage has refused */
    uint64_t last_success;   /* when something has succeeded, or the start */
    uint64_t unsaved;        /* bytes that arrived since the state was stored */
};

static uint64_t now_ms(const iothub_upload *u)
{
    return u->o.platform->clock->monotonic_ms(u->o.platform->clock);
}

static upload_target target_of(iothub_upload *u)
{
    return (upload_target){ .o = &u->o,
                            .device = &u->device,
                            .token = &u->token,
                            .place = &u->saved.place,
                            .series = u->saved.series };
}

/* --- what is known about the upload ----------------------------------------------------------- */

static void report(iothub_upload *u)
{
    u->info.result = u->latest.code;
    u->info.text = u->latest.text;
    u->info.size = u->source.about.size;
    if (u->o.progress != NULL) {
        u->o.progress(u, &u->info, u->o.user);
    }
}

static void enter(iothub_upload *u, iothub_upload_state state)
{
    u->info.state = state;
    upload_control_reset(&u->control);
    report(u);
}

/* A store that fails does not end the upload. But a state from before the outcome must not stay,
 * because a later run could report another outcome. */
static void save(iothub_upload *u)
{
    plat_kv *kv = u->o.state;

    u->unsaved = 0;
    if (kv == NULL) {
        return;
    }
    const plat_result r = upload_saved_put(kv, u->o.state_key, &u->saved, u->o.keep_token);
    if (r != PLAT_OK && u->saved.outcome != UPLOAD_OPEN) {
        (void)kv->ops->remove(kv, u->o.state_key);
    }
}

static void forget(iothub_upload *u)
{
    upload_saved_clear_place(&u->saved);
    if (u->o.state != NULL) {
        (void)u->o.state->ops->remove(u->o.state, u->o.state_key);
    }
}

static void count_sent(iothub_upload *u)
{
    u->info.sent = upload_source_count(&u->source, &u->saved.blocks);
}

static void succeed(iothub_upload *u)
{
    u->last_success = now_ms(u);
    u->latest = (iothub_error){ IOTHUB_OK, "" };
}

/* --- endings ---------------------------------------------------------------------------------- */

static void notify(iothub_upload *u, upload_outcome outcome, int status)
{
    upload_slots_stop(&u->slots);
    upload_saved_set_outcome(&u->saved, outcome, status);
    save(u);
    enter(u, IOTHUB_UPLOAD_NOTIFYING);
}

static void complete(iothub_upload *u)
{
    succeed(u);
    u->reason = (iothub_error){ IOTHUB_OK, "" };
    u->goes_on = false;
    notify(u, UPLOAD_SUCCEEDED, HTTP_OK);
}

static void end(iothub_upload *u)
{
    forget(u);
    u->latest = u->reason;
    enter(u, u->reason.code == IOTHUB_OK ? IOTHUB_UPLOAD_SUCCEEDED : IOTHUB_UPLOAD_FAILED);
}

/* The upload fails for the reason in latest. */
static void fail(iothub_upload *u, int status)
{
    u->reason = u->latest;
    u->goes_on = false;
    if (u->saved.place.correlation_id[0] != '\0') {
        notify(u, UPLOAD_FAILED, status);
    } else {
        end(u);
    }
}

/* The upload continues under a new storage token. */
static void start_over(iothub_upload *u, int status)
{
    u->goes_on = true;
    notify(u, UPLOAD_FAILED, status);
}

/* A new storage token helps if the old one has expired, but not if each one is refused. */
static void on_refused_token(iothub_upload *u)
{
    u->refused_tokens++;
    if (u->refused_tokens < MOST_REFUSED_TOKENS) {
        start_over(u, HTTP_FORBIDDEN);
        return;
    }
    (void)iothub_fail(&u->latest, IOTHUB_ERR_AUTH,
                      "upload: the storage refuses new storage tokens (HTTP status 403)");
    fail(u, HTTP_FORBIDDEN);
}

static void on_refused_by_storage(iothub_upload *u, int status)
{
    if (status == HTTP_FORBIDDEN) {
        on_refused_token(u);
    } else {
        fail(u, status);
    }
}

/* --- REQUESTING, COMMITTING, NOTIFYING: one request at a time --------------------------------- */

static void on_place(iothub_upload *u, const plat_http_answer *a)
{
    upload_place place;

    if (!upload_place_parse(mqc_span_of(a->body, a->body_len), &place)) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_JSON, "upload: the hub's answer is not valid");
        (void)upload_saved_set_place(&u->saved, &place); /* its id, if known, is notified */
        fail(u, a->status);
        return;
    }
    succeed(u);
    upload_token_accepted(&u->token);
    u->info.tokens++;
    const bool had_blocks = u->saved.blocks.arrived > 0;
    if (!upload_saved_set_place(&u->saved, &place) && had_blocks) {
        upload_slots_clear(&u->slots);
        count_sent(u);
        if (!upload_source_rewind(&u->source)) {
            (void)iothub_fail(&u->latest, IOTHUB_ERR_STORE,
                              "upload: source: it cannot be read again for another blob");
            fail(u, 0);
        }
    }
    iothub_wipe(&place, sizeof place);
    if (u->info.state == IOTHUB_UPLOAD_REQUESTING) {
        save(u);
        enter(u, IOTHUB_UPLOAD_SENDING);
    }
}

static void on_refused_place(iothub_upload *u, const plat_http_answer *a)
{
    upload_tell_refused_place(&u->latest, a);
    fail(u, a->status);
}

/* The storage has lost blocks, such as those that are older than a week. */
static bool send_all_again(iothub_upload *u)
{
    if (u->rebuilt || !upload_source_rewind(&u->source)) {
        return false;
    }
    u->rebuilt = true;
    upload_saved_clear_blocks(&u->saved);
    upload_slots_clear(&u->slots);
    count_sent(u);
    save(u);
    enter(u, IOTHUB_UPLOAD_SENDING);
    return true;
}

static void on_commit(iothub_upload *u, const plat_http_answer *a)
{
    if (a->status == HTTP_CREATED) {
        complete(u);
        return;
    }
    upload_tell_status(&u->latest, "the storage", a->status);
    if (a->status != HTTP_BAD_REQUEST || !send_all_again(u)) {
        on_refused_by_storage(u, a->status);
    }
}

/* A refusal after an attempt whose answer was lost means that the hub has ended the upload then. */
static void check_notification(iothub_upload *u, int status)
{
    const bool accepted = status >= HTTP_OK && status < HTTP_REDIRECT;

    if (accepted || u->control.may_be_done || u->goes_on || u->reason.code != IOTHUB_OK) {
        return;
    }
    upload_tell_status(&u->reason, "the notification was", status);
}

static void on_notified(iothub_upload *u, int status)
{
    check_notification(u, status);
    if (!u->goes_on) {
        end(u);
        return;
    }
    u->goes_on = false;
    upload_saved_clear_place_id(&u->saved);
    enter(u, IOTHUB_UPLOAD_REQUESTING);
    if (u->refused_tokens > 1) {
        upload_control_delay(&u->control);
    }
}

static void on_answer(iothub_upload *u, const plat_http_answer *a)
{
    if (u->info.state == IOTHUB_UPLOAD_COMMITTING) {
        on_commit(u, a);
    } else if (u->info.state == IOTHUB_UPLOAD_NOTIFYING) {
        on_notified(u, a->status);
    } else if (a->status == HTTP_OK) {
        on_place(u, a);
    } else {
        on_refused_place(u, a);
    }
}

static upload_errand errand_of(const iothub_upload *u)
{
    if (u->info.state == IOTHUB_UPLOAD_COMMITTING) {
        return (upload_errand){ .kind = UPLOAD_ERRAND_COMMIT,
                                .blocks = upload_source_blocks(&u->source) };
    }
    if (u->info.state == IOTHUB_UPLOAD_REQUESTING) {
        return (upload_errand){ .kind = UPLOAD_ERRAND_PLACE };
    }
    return (upload_errand){ .kind = UPLOAD_ERRAND_NOTIFY,
                            .success = u->saved.outcome == UPLOAD_SUCCEEDED,
                            .status = u->saved.status };
}

/* Returns true if the state may have changed. */
static bool run_control(iothub_upload *u)
{
    const upload_target target = target_of(u);
    const upload_errand errand = errand_of(u);
    plat_http_answer a;

    switch (upload_control_run(&u->control, &target, &errand, &a, &u->latest)) {
    case UPLOAD_CONTROL_WAIT: break;
    case UPLOAD_CONTROL_REPEAT:
        u->info.repeats++;
        report(u);
        break;
    case UPLOAD_CONTROL_ANSWERED: on_answer(u, &a); return true;
    }
    return false;
}

/* --- SENDING ---------------------------------------------------------------------------------- */

static void on_block(iothub_upload *u, const upload_slots_event *event)
{
    succeed(u);
    u->refused_tokens = 0;
    upload_saved_add_block(&u->saved, event->number);
    u->info.sent += event->len;
    u->unsaved += event->len;
    if (u->unsaved >= SAVE_EACH) {
        save(u);
    }
    report(u);
}

/* Returns true if the state may have changed. */
static bool run_slots(iothub_upload *u)
{
    const upload_target target = target_of(u);
    upload_slots_event event = { 0 };

    switch (
        upload_slots_run(&u->slots, &u->source, &u->saved.blocks, &target, &event, &u->latest)) {
    case UPLOAD_SLOTS_WAIT: return false;
    case UPLOAD_SLOTS_EMPTY:
        save(u);
        enter(u, IOTHUB_UPLOAD_COMMITTING);
        break;
    case UPLOAD_SLOTS_WHOLE:
        u->info.sent = event.len;
        complete(u);
        break;
    case UPLOAD_SLOTS_ARRIVED: on_block(u, &event); break;
    case UPLOAD_SLOTS_REPEAT:
        u->info.repeats++;
        report(u);
        break;
    case UPLOAD_SLOTS_REFUSED: on_refused_by_storage(u, event.status); break;
    case UPLOAD_SLOTS_BROKEN: fail(u, 0); break;
    }
    return true;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* A request for a place that is on its way is answered first, because the hub may count its upload
 * as active already. */
static bool can_end(const iothub_upload *u)
{
    return u->info.state == IOTHUB_UPLOAD_SENDING ||
           (u->info.state < IOTHUB_UPLOAD_NOTIFYING && !u->control.busy);
}

static bool check_ends(iothub_upload *u)
{
    if (!can_end(u)) {
        return false;
    }
    if (u->cancelled) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_CANCELLED, "upload: cancelled");
        fail(u, 0);
        return true;
    }
    if (u->o.give_up_ms == 0 || now_ms(u) - u->last_success < u->o.give_up_ms) {
        return false;
    }
    if (u->latest.code == IOTHUB_OK) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_TIMEOUT,
                          "upload: nothing has succeeded within give_up_ms");
    }
    fail(u, 0);
    return true;
}

static bool run(iothub_upload *u)
{
    if (check_ends(u)) {
        return true;
    }
    return u->info.state == IOTHUB_UPLOAD_SENDING ? run_slots(u) : run_control(u);
}

iothub_upload_state iothub_upload_process(iothub_upload *u)
{
    if (u == NULL) {
        return IOTHUB_UPLOAD_FAILED;
    }
    while (u->info.state < IOTHUB_UPLOAD_SUCCEEDED && run(u)) {
    }
    return u->info.state;
}

void iothub_upload_cancel(iothub_upload *u)
{
    if (u != NULL) {
        u->cancelled = true;
    }
}

iothub_result iothub_upload_provide_token(iothub_upload *u, const char *shared_access_signature,
                                          iothub_error *error)
{
    return u != NULL ? upload_token_provide(&u->token, shared_access_signature, error)
                     : iothub_fail(error, IOTHUB_ERR_ARG, "upload: there is no upload");
}

void iothub_upload_token_failed(iothub_upload *u, const char *reason)
{
    if (u != NULL) {
        upload_token_fail(&u->token, reason);
    }
}

void iothub_upload_get_info(const iothub_upload *u, iothub_upload_info *out)
{
    *out = u != NULL ? u->info
                     : (iothub_upload_info){ .state = IOTHUB_UPLOAD_FAILED,
                                             .result = IOTHUB_ERR_ARG,
                                             .text = "there is no upload" };
}

/* --- what to wait for ------------------------------------------------------------------------- */

static void collect_polls(iothub_upload *u, iothub_upload_poll *out)
{
    const uint64_t now = now_ms(u);

    if (u->info.state == IOTHUB_UPLOAD_SENDING) {
        upload_slots_poll(&u->slots, now, out);
    } else if (u->control.busy) {
        upload_http_poll(u->control.http, out->fds + CONTROL_POLLS, out);
    } else {
        upload_wake_at(out, now, upload_token_deadline(&u->token, u->control.due));
    }
    if (u->o.give_up_ms != 0 && u->info.state < IOTHUB_UPLOAD_NOTIFYING) {
        upload_wake_at(out, now, u->last_success + u->o.give_up_ms);
    }
    upload_wake_in(out, u->cancelled && can_end(u) ? 0 : -1);
}

void iothub_upload_poll_info(iothub_upload *u, iothub_upload_poll *out)
{
    upload_poll_clear(out);
    if (u != NULL && u->info.state < IOTHUB_UPLOAD_SUCCEEDED) {
        collect_polls(u, out);
    }
}

iothub_upload_state iothub_upload_wait(iothub_upload *u, uint32_t max_ms)
{
    iothub_upload_poll p;

    if (u != NULL && u->info.state < IOTHUB_UPLOAD_SUCCEEDED) {
        iothub_upload_poll_info(u, &p);
        upload_poll_sleep(&p, u->o.platform->net, max_ms);
    }
    return iothub_upload_process(u);
}

/* --- the start -------------------------------------------------------------------------------- */

static bool make_requests(iothub_upload *u)
{
    plat_result (*make)(plat_http **) =
        u->o.make_http != NULL ? u->o.make_http : plat_curl_http_new;

    return upload_control_init(&u->control, &u->o, make) &&
           upload_slots_init(&u->slots, &u->o, make);
}

static iothub_result begin_anew(iothub_upload *u, const char *source, iothub_error *error)
{
    const plat_crypto *crypto = u->o.platform->crypto;
    uint32_t series;

    if (crypto->random(crypto, &series, sizeof series) != PLAT_OK) {
        return iothub_fail(error, IOTHUB_ERR_CRYPTO, "upload: there are no random numbers");
    }
    upload_saved_set_source(&u->saved, source, series);
    return IOTHUB_OK;
}

static iothub_upload_state continue_from(iothub_upload *u, bool same)
{
    if (same && u->saved.outcome == UPLOAD_OPEN && upload_saved_has_token(&u->saved)) {
        return IOTHUB_UPLOAD_SENDING;
    }
    /* Only the success of the same bytes is that of this upload. */
    u->goes_on = !same || u->saved.outcome != UPLOAD_SUCCEEDED;
    if (u->saved.outcome == UPLOAD_OPEN) {
        upload_saved_set_outcome(&u->saved, UPLOAD_FAILED, 0);
    } else {
        upload_control_assume_done(&u->control);
    }
    return IOTHUB_UPLOAD_NOTIFYING;
}

/* Continues what an earlier run has begun. */
static iothub_result resume(iothub_upload *u, iothub_error *error)
{
    char source[UPLOAD_SOURCE_SIZE];
    bool found;

    upload_source_name(&u->source, &u->device, &u->o, source, sizeof source);
    iothub_result r = upload_saved_load(u->o.state, u->o.state_key, &u->saved, &found, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    const bool same = found && strcmp(source, u->saved.source) == 0 && u->source.about.rewinds;
    if (!same) {
        r = begin_anew(u, source, error);
    }
    count_sent(u);
    u->info.state = found ? continue_from(u, same) : IOTHUB_UPLOAD_REQUESTING;
    return r;
}

static iothub_result prepare(iothub_upload *u, iothub_error *error)
{
    iothub_result r = upload_options_check(&u->o, error);

    if (r != IOTHUB_OK) {
        return r;
    }
    if (!upload_options_copy(&u->o, &u->memory)) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
    }
    upload_token_init(&u->token, &u->o, u);
    (void)upload_credential_read(&u->o, &u->device, NULL);
    if (upload_source_init(&u->source, &u->o) != PLAT_OK) {
        return iothub_fail(error, IOTHUB_ERR_STORE, "upload: source: %s",
                           u->o.reader->ops->detail(u->o.reader));
    }
    r = upload_source_check(&u->source, error);
    if (r == IOTHUB_OK && !make_requests(u)) {
        r = iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
    }
    return r;
}

iothub_upload *iothub_upload_start(const iothub_upload_options *o, iothub_error *error)
{
    iothub_upload *u = calloc(1, sizeof *u);

    if (u == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
        return NULL;
    }
    iothub_result r =
        o == NULL ? iothub_fail(error, IOTHUB_ERR_ARG, "upload: the options are NULL")
                  : iothub_struct_in(&u->o, sizeof u->o, o, o->struct_size, "upload", error);
    r = r == IOTHUB_OK ? prepare(u, error) : r;
    r = r == IOTHUB_OK ? resume(u, error) : r;
    if (r != IOTHUB_OK) {
        iothub_upload_free(u);
        return NULL;
    }
    u->last_success = now_ms(u);
    u->info.size = u->source.about.size;
    u->info.text = u->latest.text;
    return u;
}

void iothub_upload_free(iothub_upload *u)
{
    if (u == NULL) {
        return;
    }
    if (u->info.state == IOTHUB_UPLOAD_SENDING) {
        save(u);
    }
    upload_slots_free(&u->slots);
    upload_control_free(&u->control);
    upload_options_free(&u->memory);
    iothub_wipe(u, sizeof *u);
    free(u);
}
