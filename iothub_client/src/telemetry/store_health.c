#include "telemetry/store_health.h"

#include "context/retry.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60000 };

void store_failed(iothub_client *c, plat_result r, const char *text)
{
    iothub_backlog *b = &c->backlog;

    c->stats.store_errors++;
    b->failures++;
    b->retry_at = client_now(c) + retry_limit_ms(RETRY_MIN_MS, RETRY_MAX_MS, b->failures);
    b->unsaid = true;
    b->fault = r;
    b->fault_text = text;
    c->kick = true;
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
    iothub_error error; /* a copy: during the callback the store may be called again */

    if (b->unsaid) {
        b->unsaid = false;
        (void)iothub_fail(&error, iothub_from_plat(b->fault), "%s",
                          b->fault_text != NULL ? b->fault_text
                                                : store_why(c->options.store, b->fault));
        callback_log_text(c, IOTHUB_LOG_ERROR, "store", error.text);
    }
}

bool store_rests(const iothub_client *c)
{
    return c->backlog.retry_at != 0;
}

bool store_remove(iothub_client *c, uint64_t seq)
{
    plat_store *s = c->options.store;

    if (!store_went_well(c, s->ops->remove(s, seq, client_now(c)))) {
        return false;
    }
    c->backlog.failures = 0;
    return true;
}

plat_store_info store_info(const iothub_client *c)
{
    plat_store_info info;
    c->options.store->ops->info(c->options.store, &info);
    return info;
}
