#include "connection/back_off.h"

#include <assert.h>
#include <string.h>

#include "context/retry.h"

/* Interval between two checks whether the wall clock was set, in ms. */
enum { LOOK_FOR_STEP_MS = 5000 };

#ifndef NDEBUG
bool back_off_valid(const iothub_back_off *b)
{
    /* Each refusal is a failure, and a successful login resets both. */
    if (b->refusals > b->failures) {
        return false;
    }
    return (b->look_ms == 0) == (b->look_at == IOTHUB_NEVER);
}
#endif

uint32_t back_off_random_ms(const iothub_options *o, uint32_t limit_ms, uint64_t spent_ms)
{
    const plat_crypto *crypto = o->platform->crypto;
    uint32_t random = UINT32_MAX;

    (void)crypto->random(crypto, &random, sizeof random);
    return retry_delay_ms(limit_ms, random, spent_ms);
}

/* Call it after the failure was counted. */
static uint32_t limit_ms(const iothub_back_off *b, const iothub_options *o, iothub_result reason)
{
    switch ((int)reason) {
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_CREDENTIAL:
    case IOTHUB_ERR_TOKEN_EXPIRED:
        return b->refusals < 2
                   ? o->retry_min_ms
                   : retry_limit_ms(o->auth_retry_min_ms, o->auth_retry_max_ms, b->refusals - 1);
    case IOTHUB_ERR_TLS_UNTRUSTED: /* only a person can correct this fault, so the waits are long */
    case IOTHUB_ERR_TLS_HOST:
    case IOTHUB_ERR_TLS_DATE:
    case IOTHUB_ERR_TLS_CERT:
    case IOTHUB_ERR_TRUST_STORE: return o->retry_max_ms;
    default: return retry_limit_ms(o->retry_min_ms, o->retry_max_ms, b->failures);
    }
}

/* Returns how often to check the wall clock: some failures may end when it is corrected. */
static uint16_t look_ms(iothub_result reason)
{
    switch ((int)reason) {
    case IOTHUB_ERR_NO_TIME: return BACK_OFF_LOOK_MS;
    case IOTHUB_ERR_TLS_DATE:
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_CREDENTIAL:
    case IOTHUB_ERR_TOKEN_EXPIRED: return LOOK_FOR_STEP_MS;
    default: return 0;
    }
}

static bool is_refusal(iothub_result reason)
{
    return reason == IOTHUB_ERR_AUTH || reason == IOTHUB_ERR_CREDENTIAL ||
           reason == IOTHUB_ERR_TOKEN_EXPIRED;
}

void back_off_forgive(iothub_back_off *b)
{
    assert(back_off_valid(b));
    b->forgives = true;
}

iothub_retry back_off_failed(iothub_back_off *b, const iothub_options *o, iothub_result reason,
                             mqc_time now)
{
    assert(back_off_valid(b));
    if (b->failures++ == 0) {
        b->failing_since = now;
    }
    if (is_refusal(reason)) {
        b->refusals += b->forgives ? 0 : 1;
    }
    b->connected_at = 0;
    b->look_ms = look_ms(reason);
    b->look_at = b->look_ms > 0 ? now + b->look_ms : IOTHUB_NEVER;
    const uint32_t limit = b->forgives ? o->retry_min_ms : limit_ms(b, o, reason);
    b->forgives = false;
    return (iothub_retry){
        .reason = reason,
        .attempt = b->failures,
        .failing_ms = now - b->failing_since,
        .delay_ms = back_off_random_ms(o, limit, now - b->began),
    };
}

void back_off_watch_clock(iothub_back_off *b, uint16_t every_ms, mqc_time now)
{
    assert(back_off_valid(b));
    b->look_ms = every_ms;
    b->look_at = every_ms > 0 ? now : IOTHUB_NEVER;
}

bool back_off_look(iothub_back_off *b, mqc_time now)
{
    assert(back_off_valid(b));
    if (now < b->look_at) {
        return false;
    }
    b->look_at = now + b->look_ms;
    return true;
}

static bool is_stable(const iothub_back_off *b, const iothub_options *o, mqc_time now)
{
    return now - b->connected_at >= 2 * (uint64_t)o->retry_max_ms;
}

bool back_off_evicted(iothub_back_off *b, const iothub_options *o, mqc_time now)
{
    assert(back_off_valid(b));
    if (is_stable(b, o, now)) {
        return false;
    }
    b->evictions++;
    return b->evictions > 1;
}

void back_off_reset(iothub_back_off *b, mqc_time now)
{
    memset(b, 0, sizeof *b);
    b->look_at = IOTHUB_NEVER;
    b->began = now;
}

void back_off_begin(iothub_back_off *b, mqc_time now)
{
    assert(back_off_valid(b));
    b->began = now;
}

void back_off_connected(iothub_back_off *b, mqc_time now)
{
    assert(back_off_valid(b));
    b->refusals = 0; /* cleared, because the hub has accepted the credential */
    if (b->connected_at == 0) {
        b->connected_at = now;
    }
}

void back_off_disconnected(iothub_back_off *b, const iothub_options *o, mqc_time now)
{
    assert(back_off_valid(b));
    b->began = now;
    if (is_stable(b, o, now)) {
        b->failures = 0;
        b->evictions = 0;
    }
}
