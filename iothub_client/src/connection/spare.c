#include "connection/spare.h"

#include <assert.h>

#include "connection/life.h"
#include "context/callbacks.h"

static spare_answer fail(iothub_channel *spare, iothub_renewal *r, const iothub_error *why,
                         uint64_t spent_ms, mqc_time now)
{
    const iothub_context *context = spare->context;

    callback_log(context, IOTHUB_LOG_WARNING, "renewal",
                 "the new connection failed: %s; the old one stays in use", why->text);
    channel_close(spare);
    renewal_on_failure(r, &context->options, why->code, spent_ms, now);
    return SPARE_FAILED;
}

spare_answer spare_open(iothub_channel *spare, iothub_renewal *r, credential_part *k, mqc_time now)
{
    assert(spare_valid(spare, r));
    iothub_error why;

    callback_log_text(spare->context, IOTHUB_LOG_INFO, "renewal", "opening a second connection");
    credential_begin(k, now);
    context_prefer_websocket(spare->context, false); /* a planned connect tries port 8883 first */
    if (credential_ready(k, &why) != IOTHUB_OK ||
        channel_open(spare, credential_identity(k), &why) != IOTHUB_OK) {
        return fail(spare, r, &why, 0, now);
    }
    return SPARE_ADVANCED;
}

/* Neither side sends anything before CONNECT, but the hub may close an idle connection. */
spare_answer spare_progress(iothub_channel *spare, iothub_renewal *r, mqc_time now)
{
    assert(spare_valid(spare, r));
    const channel_state was = spare->state;
    iothub_error why;

    channel_answer answer =
        was == CHANNEL_OPEN ? channel_watch(spare, &why) : channel_progress(spare, now, &why);
    if (answer == CHANNEL_FAILED) {
        return fail(spare, r, &why, now - spare->began, now);
    }
    return spare->state == was ? SPARE_UNCHANGED : SPARE_ADVANCED;
}

spare_answer spare_on_time(iothub_channel *spare, iothub_renewal *r, mqc_time now)
{
    assert(spare_valid(spare, r));
    if (!channel_is_opening(spare) || !channel_is_late(spare, now)) {
        return SPARE_UNCHANGED;
    }
    iothub_error why;

    (void)iothub_fail(&why, IOTHUB_ERR_TIMEOUT, "%s",
                      channel_late_text(spare, channel_as_state(spare)));
    return fail(spare, r, &why, now - spare->began, now);
}

spare_answer spare_give_up(iothub_channel *spare, iothub_renewal *r, const iothub_error *why,
                           mqc_time now)
{
    assert(spare_valid(spare, r));
    return fail(spare, r, why, now - spare->began, now);
}

#ifndef NDEBUG
bool spare_valid(const iothub_channel *spare, const iothub_renewal *r)
{
    /* Only a renewal opens the spare. */
    return channel_valid(spare) && renewal_valid(r) && (r->due || !channel_in_use(spare));
}
#endif
