#include "certificate/issuance.h"

#include <assert.h>
#include <string.h>

#include "connection/back_off.h"
#include "context/retry.h"
#include "text/text_writer.h"

/* How long to wait for an accepted certificate if the hub does not say how long the operation
 * lives, or the clock is not set: a day. */
enum { OPERATION_MAX_S = 86400 };

/* Replaces whatever request is active. */
static const char any_request[] = "*";

static void enter(issuance *i, iothub_certificate_state state, mqc_time due)
{
    i->state = state;
    i->due = due;
}

static void forget_request(issuance *i)
{
    i->id[0] = '\0';
    i->replace[0] = '\0';
}

bool issuance_valid(const issuance *i)
{
    switch (i->state) {
    case IOTHUB_CERTIFICATE_VALID: return i->due == IOTHUB_NEVER && i->id[0] == '\0';
    case IOTHUB_CERTIFICATE_WANTED: return i->due != IOTHUB_NEVER;
    case IOTHUB_CERTIFICATE_REQUESTED:
    case IOTHUB_CERTIFICATE_ACCEPTED: return i->due != IOTHUB_NEVER && i->id[0] != '\0';
    case IOTHUB_CERTIFICATE_ISSUED: return i->due == IOTHUB_NEVER;
    }
    return false;
}

void issuance_init(issuance *i)
{
    memset(i, 0, sizeof *i);
    enter(i, IOTHUB_CERTIFICATE_VALID, IOTHUB_NEVER);
}

/* --- when ------------------------------------------------------------------------- */

void issuance_want(issuance *i, mqc_time when)
{
    assert(issuance_valid(i));
    if (i->state == IOTHUB_CERTIFICATE_VALID ||
        (i->state == IOTHUB_CERTIFICATE_WANTED && when < i->due)) {
        enter(i, IOTHUB_CERTIFICATE_WANTED, when);
    }
}

void issuance_drop(issuance *i, mqc_time now)
{
    assert(issuance_valid(i));
    forget_request(i);
    enter(i, IOTHUB_CERTIFICATE_WANTED, now);
}

/* Waits before the next request. With the same key, an answer that is late may still arrive. */
static void wait(issuance *i, bool new_key, uint32_t ms, mqc_time now)
{
    if (new_key) {
        forget_request(i);
    }
    enter(i, IOTHUB_CERTIFICATE_WANTED, now + ms);
}

static void count(issuance *i, const iothub_error *why)
{
    i->failures += i->failures < UINT32_MAX ? 1 : 0;
    i->fault = *why;
}

static uint32_t short_wait_ms(const issuance *i, const iothub_options *o)
{
    return back_off_random_ms(o, retry_limit_ms(o->retry_min_ms, o->retry_max_ms, i->failures), 0);
}

static uint32_t long_wait_ms(const issuance *i, const iothub_options *o)
{
    return back_off_random_ms(
        o, retry_limit_ms(o->auth_retry_min_ms, o->auth_retry_max_ms, i->failures), 0);
}

issuance_step issuance_turn(issuance *i, bool listens, uint32_t generation, mqc_time now)
{
    assert(issuance_valid(i));
    if (i->state == IOTHUB_CERTIFICATE_ACCEPTED && now >= i->due) {
        wait(i, true, 0, now); /* the operation has ended without a certificate */
    }
    if (!listens) {
        return ISSUANCE_WAITS;
    }
    switch (i->state) {
    case IOTHUB_CERTIFICATE_WANTED:
        if (now < i->due) {
            return ISSUANCE_WAITS;
        }
        return i->id[0] == '\0' ? ISSUANCE_BEGINS : ISSUANCE_REPEATS;
    case IOTHUB_CERTIFICATE_REQUESTED:
        return generation != i->generation || now >= i->due ? ISSUANCE_REPEATS : ISSUANCE_WAITS;
    case IOTHUB_CERTIFICATE_VALID:
    case IOTHUB_CERTIFICATE_ACCEPTED:
    case IOTHUB_CERTIFICATE_ISSUED: break;
    }
    return ISSUANCE_WAITS;
}

/* --- requests ----------------------------------------------------------------------- */

void issuance_begin(issuance *i, const uint8_t random[ISSUANCE_ID_LEN / 2])
{
    static const char digits[] = "0123456789abcdef";

    assert(issuance_valid(i));
    for (size_t n = 0; n < ISSUANCE_ID_LEN / 2; n++) {
        i->id[2 * n] = digits[random[n] >> 4];
        i->id[2 * n + 1] = digits[random[n] & 0xF];
    }
    i->id[ISSUANCE_ID_LEN] = '\0';
}

void issuance_sent(issuance *i, const iothub_options *o, uint32_t generation, mqc_time now)
{
    assert(i->id[0] != '\0');
    i->generation = generation;
    enter(i, IOTHUB_CERTIFICATE_REQUESTED, now + o->request_timeout_ms);
}

/* --- answers ------------------------------------------------------------------------- */

bool issuance_is_mine(const issuance *i, mqc_span id)
{
    return i->id[0] != '\0' && mqc_span_eq(id, mqc_span_str(i->id));
}

/* Returns how long an operation lives that ends at expires_s. */
static mqc_time operation_ms(int64_t expires_s, int64_t now_s)
{
    const bool known = expires_s > 0 && now_s > 0;
    const int64_t left_s = known ? expires_s - now_s : OPERATION_MAX_S;

    if (left_s <= 0) { /* by a clock that is not that of the hub */
        return 1000;
    }
    return (mqc_time)(left_s < OPERATION_MAX_S ? left_s : OPERATION_MAX_S) * 1000;
}

static void accepted(issuance *i, const issue_answer *a, int64_t now_s, mqc_time now)
{
    i->failures = 0;
    i->fault = (iothub_error){ .code = IOTHUB_OK };
    enter(i, IOTHUB_CERTIFICATE_ACCEPTED, now + operation_ms(a->expires_s, now_s));
}

/* Another request is active. If it is this one, its acceptance was lost with a connection. */
static void on_active(issuance *i, const iothub_options *o, const issue_answer *a, int64_t now_s,
                      mqc_time now)
{
    if (strcmp(a->active_id, i->id) == 0) {
        accepted(i, a, now_s, now);
        return;
    }
    const bool tried = i->replace[0] != '\0';
    count(i, &a->why);
    memcpy(i->replace, any_request, sizeof any_request);
    if (a->active_id[0] != '\0') {
        memcpy(i->replace, a->active_id, sizeof i->replace);
    }
    wait(i, false, tried ? short_wait_ms(i, o) : 0, now);
}

static void on_not_replaced(issuance *i, const iothub_options *o, const issue_answer *a,
                            mqc_time now)
{
    const bool tried = i->replace[0] == '\0';

    count(i, &a->why);
    i->replace[0] = '\0';
    wait(i, false, tried ? short_wait_ms(i, o) : 0, now);
}

static void on_busy(issuance *i, const iothub_options *o, const issue_answer *a, mqc_time now)
{
    count(i, &a->why);
    const uint32_t asked_ms = a->retry_after_s * 1000;
    const uint32_t own_ms = short_wait_ms(i, o);

    wait(i, false, asked_ms > own_ms ? asked_ms : own_ms, now);
}

bool issuance_on_answer(issuance *i, const iothub_options *o, int status, const issue_answer *a,
                        int64_t now_s, mqc_time now)
{
    assert(issuance_valid(i));
    i->status = status;
    switch (a->verdict) {
    case ISSUE_ISSUED: return true;
    case ISSUE_ACCEPTED: accepted(i, a, now_s, now); break;
    case ISSUE_ACTIVE: on_active(i, o, a, now_s, now); break;
    case ISSUE_NOT_REPLACED: on_not_replaced(i, o, a, now); break;
    case ISSUE_BUSY: on_busy(i, o, a, now); break;
    case ISSUE_REFUSED:
    case ISSUE_BROKEN: issuance_failed(i, o, &a->why, now); break;
    }
    assert(issuance_valid(i));
    return false;
}

/* --- how it ends ----------------------------------------------------------------------- */

void issuance_issued(issuance *i)
{
    forget_request(i);
    enter(i, IOTHUB_CERTIFICATE_ISSUED, IOTHUB_NEVER);
    assert(issuance_valid(i));
}

void issuance_succeeded(issuance *i)
{
    i->failures = 0;
    i->fault = (iothub_error){ .code = IOTHUB_OK };
    forget_request(i);
    enter(i, IOTHUB_CERTIFICATE_VALID, IOTHUB_NEVER);
}

void issuance_failed(issuance *i, const iothub_options *o, const iothub_error *why, mqc_time now)
{
    count(i, why);
    wait(i, true, long_wait_ms(i, o), now);
    assert(issuance_valid(i));
}
