#include "telemetry/store_health.h"

#include <assert.h>

#include "context/callbacks.h"
#include "context/result_map.h"
#include "context/retry.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60000 };

void store_health_init(store_health *h, iothub_context *context)
{
    *h = (store_health){ .context = context, .retry_at = IOTHUB_NEVER };
}

static plat_store *store_of(const store_health *h)
{
    return h->context->options.store;
}

void store_health_fail(store_health *h, plat_result r, const char *text)
{
    h->errors++;
    h->failures++;
    h->retry_at = context_now(h->context) + retry_limit_ms(RETRY_MIN_MS, RETRY_MAX_MS, h->failures);
    h->fault = r;
    h->fault_text = text;
    context_poke(h->context);
    assert(store_health_valid(h));
}

void store_health_count_refusal(store_health *h)
{
    h->errors++;
}

bool store_health_check(store_health *h, plat_result r)
{
    if (r != PLAT_OK && r != PLAT_EOF) {
        store_health_fail(h, r, NULL);
        return false;
    }
    return true;
}

void store_health_recover(store_health *h)
{
    h->failures = 0;
}

void store_health_log(store_health *h)
{
    const plat_result fault = h->fault;
    iothub_error error; /* a copy, because the callback may call the store again */

    if (fault == PLAT_OK) {
        return;
    }
    h->fault = PLAT_OK;
    (void)iothub_fail(&error, iothub_from_plat(fault), "%s",
                      h->fault_text != NULL ? h->fault_text : store_health_why(h, fault));
    callback_log_text(h->context, IOTHUB_LOG_ERROR, "store", error.text);
}

bool store_health_resume(store_health *h, mqc_time now)
{
    assert(store_health_valid(h));
    if (store_health_rests(h) && now < h->retry_at) {
        return false;
    }
    h->retry_at = IOTHUB_NEVER;
    return true;
}

const char *store_health_why(const store_health *h, plat_result r)
{
    const char *detail = store_of(h)->ops->detail(store_of(h));

    return detail[0] != '\0' ? detail : plat_result_str(r);
}

bool store_health_remove(store_health *h, uint64_t seq)
{
    plat_store *s = store_of(h);

    if (!store_health_check(h, s->ops->remove(s, seq, context_now(h->context)))) {
        return false;
    }
    store_health_recover(h);
    return true;
}

plat_store_info store_health_info(const store_health *h)
{
    plat_store_info info;

    store_of(h)->ops->info(store_of(h), &info);
    return info;
}

#ifndef NDEBUG
bool store_health_valid(const store_health *h)
{
    /* If the store rests, or a failure must be logged, a call has failed. */
    bool failed = store_health_rests(h) || h->fault != PLAT_OK;

    if (failed && h->errors == 0) {
        return false;
    }
    return h->failures <= h->errors && h->fault != PLAT_EOF;
}
#endif
