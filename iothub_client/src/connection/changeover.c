#include "connection/changeover.h"

#include <assert.h>

#include "connection/attempt.h"
#include "connection/spare.h"
#include "connection/wall_clock.h"
#include "context/callbacks.h"

/* How long to wait for open method calls, if no token expires, in ms. */
enum { PATIENCE_MS = 10000 };

static iothub_context *context_of(const iothub_changeover *c)
{
    return c->channels[0].context;
}

#ifndef NDEBUG
bool changeover_valid(const iothub_changeover *c)
{
    return c->used <= 1 && spare_valid(changeover_read_spare(c), &c->renewal);
}
#endif

void changeover_init(iothub_changeover *c, iothub_context *context)
{
    channel_init(&c->channels[0], context);
    channel_init(&c->channels[1], context);
}

void changeover_deinit(iothub_changeover *c)
{
    channel_deinit(&c->channels[0]);
    channel_deinit(&c->channels[1]);
}

/* --- when the login in use must be renewed --------------------------------------------------- */

void changeover_note_clock(iothub_changeover *c)
{
    c->clock_s = wall_clock_offset_s(context_clock(context_of(c)));
}

bool changeover_clock_moved(const iothub_changeover *c)
{
    return wall_clock_moved(context_clock(context_of(c)), c->clock_s);
}

void changeover_on_login(iothub_changeover *c, mqc_time now)
{
    c->login_at = now;
    changeover_note_clock(c);
}

bool changeover_plan(iothub_changeover *c, const credential_part *k)
{
    const mqc_time when = credential_renew_at(k, c->login_at);

    channel_set_deadline(changeover_channel(c), when);
    return when != IOTHUB_NEVER;
}

/* The token in use may expire at any time. But a clock that jumps back and forth must not cause a
 * reconnect each time. */
void changeover_on_clock_set(iothub_changeover *c, mqc_time now)
{
    assert(changeover_valid(c));
    iothub_channel *ch = changeover_channel(c);
    const mqc_time earliest = c->login_at + context_of(c)->options.retry_max_ms;
    const mqc_time when = now < earliest ? earliest : now;

    if (!c->renewal.due && when < channel_deadline(ch)) {
        channel_set_deadline(ch, when);
        callback_log_text(context_of(c), IOTHUB_LOG_WARNING, "session",
                          "the wall clock was set: making a new token");
    }
}

/* Returns how long open work on the old connection may postpone a renewal: up to 90 % of the
 * token's life, if that is known. */
static uint64_t patience_ms(const iothub_changeover *c, const credential_part *k)
{
    bool known = credential_has_key(k) && !credential_is_outdated(k) && !changeover_clock_moved(c);

    return known ? credential_reserve_ms(k) : PATIENCE_MS;
}

void changeover_begin(iothub_changeover *c, const credential_part *k, mqc_time now)
{
    assert(changeover_valid(c));
    renewal_begin(&c->renewal, patience_ms(c, k), now);
}

void changeover_hurry(iothub_changeover *c, mqc_time now)
{
    assert(changeover_valid(c));
    renewal_hurry(&c->renewal, now);
}

/* --- the steps of a renewal ------------------------------------------------------------------- */

/* Tries the renewal again, unless its only purpose were credentials that are refused. */
static void on_failure(iothub_changeover *c, credential_part *k, iothub_result reason, mqc_time now)
{
    if (attempt_renewal_failed(&c->renewal, k, reason, now)) {
        (void)changeover_plan(c, k);
    }
}

static void on_spare(iothub_changeover *c, credential_part *k, spare_answer answer, mqc_time now)
{
    if (answer == SPARE_FAILED) {
        c->failed_attempts++;
        on_failure(c, k, (iothub_result)c->renewal.reason, now);
    }
}

/* Returns true when the spare may be opened: the application has provided what it needs. */
static bool is_prepared(iothub_changeover *c, credential_part *k, mqc_time now)
{
    if (channel_in_use(changeover_spare(c))) {
        return true;
    }
    const credential_supply supply = attempt_prepare_renewal(k, now);
    if (supply == CREDENTIAL_MISSING) {
        on_failure(c, k, IOTHUB_ERR_NO_TOKEN, now);
    }
    return supply == CREDENTIAL_READY;
}

changeover_answer changeover_prepare(iothub_changeover *c, credential_part *k, mqc_time now)
{
    assert(changeover_valid(c));
    iothub_channel *spare = changeover_spare(c);

    if (credential_list_waits(k) && channel_in_use(spare)) {
        channel_close(spare); /* the spare was opened with another credential */
    }
    on_spare(c, k, spare_on_time(spare, &c->renewal, now), now);
    return is_prepared(c, k, now) ? CHANGEOVER_PREPARED : CHANGEOVER_WAITS;
}

/* Returns true if the connection in use may be closed. */
static bool may_leave(iothub_changeover *c, credential_part *k, mqc_time now)
{
    iothub_channel *spare = changeover_spare(c);
    iothub_error why;

    if (!channel_in_use(spare)) {
        credential_begin(k, now);
    }
    if (credential_ready(k, &why) == IOTHUB_OK) {
        if (!channel_in_use(spare)) { /* without a spare, which has done the same */
            context_prefer_websocket(spare->context, false);
        }
        return true;
    }
    /* An old token is better than no token. */
    renewal_put_off(&c->renewal, now + context_of(c)->options.retry_max_ms);
    if (channel_in_use(spare)) {
        on_spare(c, k, spare_give_up(spare, &c->renewal, &why, now), now);
    } else {
        on_failure(c, k, why.code, now);
    }
    return false;
}

changeover_answer changeover_go_on(iothub_changeover *c, credential_part *k, bool busy,
                                   mqc_time now)
{
    assert(changeover_valid(c));
    iothub_channel *spare = changeover_spare(c);

    switch (renewal_next(&c->renewal, context_of(c)->options.overlap, spare->state, busy, now)) {
    case RENEWAL_WAIT: break;
    case RENEWAL_OPEN: on_spare(c, k, spare_open(spare, &c->renewal, k, now), now); break;
    case RENEWAL_LEAVE: return may_leave(c, k, now) ? CHANGEOVER_LEAVES : CHANGEOVER_WAITS;
    }
    return CHANGEOVER_WAITS;
}

changeover_answer changeover_progress(iothub_changeover *c, credential_part *k, mqc_time now)
{
    assert(changeover_valid(c));
    iothub_channel *spare = changeover_spare(c);
    const spare_answer answer = spare_progress(spare, &c->renewal, now);

    on_spare(c, k, answer, now);
    return answer == SPARE_ADVANCED && spare->state == CHANNEL_OPEN ? CHANGEOVER_OPENED
                                                                    : CHANGEOVER_WAITS;
}

mqc_time changeover_deadline(const iothub_changeover *c, const credential_part *k)
{
    assert(changeover_valid(c));
    const iothub_channel *spare = changeover_read_spare(c);

    if (!channel_in_use(spare) && credential_is_requested(k)) {
        return IOTHUB_NEVER; /* the credential has a deadline of its own */
    }
    return channel_is_opening(spare) ? channel_deadline(spare) : renewal_deadline(&c->renewal);
}

/* --- the end of a renewal --------------------------------------------------------------------- */

iothub_state changeover_spare_state(const iothub_changeover *c, const credential_part *k)
{
    assert(changeover_valid(c));
    return credential_list_waits(k) ? IOTHUB_STOPPED : channel_as_state(changeover_read_spare(c));
}

void changeover_adopt(iothub_changeover *c, mqc_time now)
{
    assert(changeover_valid(c));
    c->used = 1 - c->used;
    channel_adopt(changeover_channel(c), now);
    renewal_reset(&c->renewal);
}

void changeover_cancel(iothub_changeover *c)
{
    assert(changeover_valid(c));
    if (channel_in_use(changeover_spare(c))) {
        channel_close(changeover_spare(c));
    }
    renewal_reset(&c->renewal);
}
