#include "connection/renewal.h"

#include <assert.h>
#include <string.h>

#include "connection/back_off.h"
#include "context/retry.h"

enum { URGENT_PATIENCE_MS = 3000 };

#ifndef NDEBUG
bool renewal_valid(const iothub_renewal *r)
{
    /* All members are zero if no renewal is due. */
    return r->due || (!r->urgent && r->reason == 0 && r->failures == 0 && r->retry_at == 0 &&
                      r->switch_by == 0);
}
#endif

void renewal_begin(iothub_renewal *r, uint64_t patience_ms, mqc_time now)
{
    assert(renewal_valid(r));
    mqc_time by = now + patience_ms;

    r->switch_by = r->due ? deadline_earlier(r->switch_by, by) : by;
    r->due = true;
}

void renewal_hurry(iothub_renewal *r, mqc_time now)
{
    assert(renewal_valid(r));
    renewal_begin(r, URGENT_PATIENCE_MS, now);
    r->urgent = true;
    if (r->failures > 0) {
        r->retry_at = now;
    }
}

void renewal_reset(iothub_renewal *r)
{
    memset(r, 0, sizeof *r);
}

renewal_step renewal_next(iothub_renewal *r, bool overlap, channel_state spare, bool busy,
                          mqc_time now)
{
    assert(renewal_valid(r));
    const bool postponed = renewal_waits_for_work(r, busy, now);
    const bool rests = now < r->retry_at;

    if (!rests) {
        r->retry_at = 0; /* there is no deadline any more */
    }
    if (overlap && spare != CHANNEL_OPEN) {
        /* A renewal that was begun continues, even if new work arises. */
        bool tried = r->failures > 0;
        bool opens = spare == CHANNEL_CLOSED && !rests && (tried || r->urgent || !postponed);
        return opens ? RENEWAL_OPEN : RENEWAL_WAIT;
    }
    /* With overlap, the spare must be open. Without it, the last refusal must be some time ago. */
    return postponed || (!overlap && rests) ? RENEWAL_WAIT : RENEWAL_LEAVE;
}

mqc_time renewal_deadline(const iothub_renewal *r)
{
    assert(renewal_valid(r));
    return r->retry_at != 0 ? r->retry_at : r->switch_by;
}

void renewal_on_failure(iothub_renewal *r, const iothub_options *o, iothub_result reason,
                        uint64_t spent_ms, mqc_time now)
{
    assert(renewal_valid(r));
    r->reason = (int8_t)reason;
    r->failures++;
    r->retry_at =
        now + back_off_random_ms(o, retry_limit_ms(o->retry_min_ms, o->retry_max_ms, r->failures),
                                 spent_ms);
}

void renewal_put_off(iothub_renewal *r, mqc_time until)
{
    assert(renewal_valid(r));
    r->retry_at = until;
}
