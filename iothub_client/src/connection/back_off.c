#include <string.h>

#include "context/callbacks.h"
#include "context/retry.h"
#include "internal.h"

/* A clock that is set late is seen soon. */
enum { LOOK_FOR_TIME_MS = 1000, LOOK_FOR_STEP_MS = 5000 };

uint32_t back_off_random_ms(const iothub_client *c, uint32_t limit_ms, mqc_time began)
{
    const plat_crypto *crypto = c->context.options.platform->crypto;
    uint32_t random = UINT32_MAX;

    (void)crypto->random(crypto, &random, sizeof random);
    return retry_delay_ms(limit_ms, random, context_now(&c->context) - began);
}

/* The failure has been counted. */
static uint32_t limit_ms(const iothub_client *c, iothub_result reason)
{
    const iothub_options *o = &c->context.options;
    const iothub_back_off *b = &c->back_off;

    switch ((int)reason) {
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_TOKEN_EXPIRED:
        return b->refusals < 2
                   ? o->retry_min_ms
                   : retry_limit_ms(o->auth_retry_min_ms, o->auth_retry_max_ms, b->refusals - 1);
    case IOTHUB_ERR_TLS_UNTRUSTED: /* a person has to act: no hurry */
    case IOTHUB_ERR_TLS_HOST:
    case IOTHUB_ERR_TLS_DATE:
    case IOTHUB_ERR_TLS_CERT:
    case IOTHUB_ERR_TRUST_STORE: return o->retry_max_ms;
    default: return retry_limit_ms(o->retry_min_ms, o->retry_max_ms, b->failures);
    }
}

/* Failures that another time of day may cure. */
static uint32_t look_ms(iothub_result reason)
{
    switch ((int)reason) {
    case IOTHUB_ERR_NO_TIME: return LOOK_FOR_TIME_MS;
    case IOTHUB_ERR_TLS_DATE:
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_TOKEN_EXPIRED: return LOOK_FOR_STEP_MS;
    default: return 0;
    }
}

uint32_t back_off_ms(iothub_client *c, iothub_result reason, const char *text)
{
    iothub_back_off *b = &c->back_off;
    mqc_time now = context_now(&c->context);

    if (b->failures++ == 0) {
        b->failing_since = now;
    }
    b->refusals += reason == IOTHUB_ERR_AUTH || reason == IOTHUB_ERR_TOKEN_EXPIRED;
    b->look_ms = look_ms(reason);
    b->look_at = now + b->look_ms;
    const iothub_retry r = {
        .reason = reason,
        .text = text,
        .attempt = b->failures,
        .failing_ms = now - b->failing_since,
        .delay_ms = back_off_random_ms(c, limit_ms(c, reason), c->session.attempt_began),
    };
    uint32_t delay = callback_retry(&c->context, &r);
    return delay > 0 ? delay : 1;
}

bool back_off_look(iothub_client *c, mqc_time now)
{
    iothub_back_off *b = &c->back_off;

    if (now < b->look_at) {
        return false;
    }
    bool renewable = c->context.state == IOTHUB_CONNECTED && c->context.identity.key.len > 0;
    bool curable = c->context.state == IOTHUB_WAITING && b->look_ms > 0;

    if (!renewable && !curable) {
        return false;
    }
    b->look_at = now + (curable ? b->look_ms : LOOK_FOR_TIME_MS);
    return wall_clock_moved(context_clock(&c->context), c->session.clock_s);
}

mqc_time back_off_next_look(const iothub_client *c)
{
    const iothub_back_off *b = &c->back_off;

    return c->context.state == IOTHUB_WAITING && b->look_ms > 0 ? b->look_at : 0;
}

/* Up for so long, it is not one client pushing the other out: each comes back within the longest
 * back-off. */
static bool is_stable(const iothub_client *c)
{
    return context_now(&c->context) - c->session.connected_at >=
           2 * (uint64_t)c->context.options.retry_max_ms;
}

void back_off_forget(iothub_client *c)
{
    if (is_stable(c)) {
        c->back_off.failures = 0;
        c->back_off.evictions = 0;
    }
}

void back_off_accepted(iothub_client *c)
{
    c->back_off.refusals = 0;
}

void back_off_reset(iothub_client *c)
{
    memset(&c->back_off, 0, sizeof c->back_off);
}

bool back_off_evicted(iothub_client *c)
{
    if (c->context.state != IOTHUB_CONNECTED || is_stable(c)) {
        return false;
    }
    c->back_off.evictions++;
    return c->back_off.evictions > 1;
}
