#include "telemetry/store_health.h"

#include "context/callbacks.h"

#include "context/retry.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60000 };

void store_failed(iothub_client *c, plat_result r, const char *text)
{
    iothub_backlog *b = &c->backlog;

    c->telemetry_counts.store_errors++;
    b->failures++;
    b->retry_at =
        context_now(&c->context) + retry_limit_ms(RETRY_MIN_MS, RETRY_MAX_MS, b->failures);
    b->unsaid = true;
    b->fault = r;
    b->fault_text = text;
    context_poke(&c->context);
}

const char *store_why(const plat_store *s, plat_result r)
{
    const char *detail = s->ops->detail(s);
    return detail[0] != '\0' ? detail : plat_result_str(r);
}

bool store_went_well(iothub_client *c, plat_result r)
{
    if (r != PLAT_OK && r != PLAT_EOF) {
        store_failed(c, r, NULL);
        return false;
    }
    return true;
}

void store_say_failure(iothub_client *c)
{
    iothub_backlog *b = &c->backlog;
    iothub_error error; /* a copy, since the store may be called again during the callback */

    if (b->unsaid) {
        b->unsaid = false;
        (void)iothub_fail(&error, iothub_from_plat(b->fault), "%s",
                          b->fault_text != NULL ? b->fault_text
                                                : store_why(c->context.options.store, b->fault));
        callback_log_text(&c->context, IOTHUB_LOG_ERROR, "store", error.text);
    }
}

bool store_rests(const iothub_client *c)
{
    return c->backlog.retry_at != 0;
}

bool store_remove(iothub_client *c, uint64_t seq)
{
    plat_store *s = c->context.options.store;

    if (!store_went_well(c, s->ops->remove(s, seq, context_now(&c->context)))) {
        return false;
    }
    c->backlog.failures = 0;
    return true;
}

plat_store_info store_info(const iothub_client *c)
{
    plat_store_info info;
    c->context.options.store->ops->info(c->context.options.store, &info);
    return info;
}
