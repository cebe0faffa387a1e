#include "connection/attempt.h"

#include "connection/home.h"
#include "context/callbacks.h"

iothub_result attempt_open(iothub_channel *ch, credential_part *k, iothub_error *why)
{
    const mqc_time now = context_now(ch->context);

    credential_begin(k, now);
    switch (credential_prepare(k, CREDENTIAL_OPENS, now, why)) {
    case CREDENTIAL_WAITS: return IOTHUB_OK;
    case CREDENTIAL_MISSING: return why->code;
    case CREDENTIAL_READY: break;
    }
    iothub_result r = credential_ready(k, why);
    return r == IOTHUB_OK ? channel_open(ch, credential_identity(k), why) : r;
}

uint32_t attempt_failed(iothub_back_off *b, credential_part *k, iothub_error *why, mqc_time now)
{
    const iothub_error reason = *why;
    const credential_step after = credential_failed(k, reason.code, now);

    if (after != CREDENTIAL_STAYS) {
        back_off_forgive(b);
    }
    if (after == CREDENTIAL_RETURNS) {
        (void)iothub_fail(why, reason.code, "%s; the earlier credentials are used again",
                          reason.text);
    }
    iothub_retry retry = back_off_failed(b, &k->context->options, reason.code, now);
    retry.text = why->text;
    retry.delay_ms = home_delay_ms(k->context, reason.code, retry.delay_ms, now);
    const uint32_t delay_ms = callback_retry(k->context, &retry);
    return delay_ms > 0 ? delay_ms : 1;
}

credential_supply attempt_prepare_renewal(credential_part *k, mqc_time now)
{
    iothub_error why; /* not used, because the failure was logged when it occurred */

    credential_begin(k, now);
    return credential_prepare(k, CREDENTIAL_RENEWS, now, &why);
}

bool attempt_renewal_failed(iothub_renewal *r, credential_part *k, iothub_result reason,
                            mqc_time now)
{
    if (credential_failed(k, reason, now) != CREDENTIAL_RETURNS) {
        return false;
    }
    callback_log_text(k->context, IOTHUB_LOG_WARNING, "credential",
                      "the new credentials were refused; the earlier ones stay in use");
    renewal_reset(r);
    return true;
}
