#include "provisioning/poll_wait.h"

#include "connection/back_off.h"
#include "context/retry.h"

/* First limit of the wait between two polls. */
enum { POLL_MS = 4000 };

uint64_t poll_wait_asked_ms(const iothub_options *o, uint64_t retry_after_s)
{
    const uint64_t wait_ms =
        (retry_after_s < POLL_WAIT_MAX_S ? retry_after_s : (uint64_t)POLL_WAIT_MAX_S) * 1000;

    return wait_ms + back_off_random_ms(o, (uint32_t)(wait_ms / 8), 0);
}

uint64_t poll_wait_own_ms(const iothub_options *o, uint32_t waits, bool busy)
{
    const uint32_t first = busy ? o->retry_min_ms : (uint32_t)POLL_MS;

    return back_off_random_ms(o, retry_limit_ms(first, o->retry_max_ms, waits), 0);
}
