#include "connection/session.h"

/* What the application asks of a session. These functions note a wish, or shorten a deadline; the
 * next turn acts. With a runner, other threads call them. */

iothub_result session_start(iothub_session *s)
{
    const char *fault = wish_start(&s->wish, s->context->state == IOTHUB_STOPPED);

    if (fault != NULL) {
        return context_refuse(s->context, IOTHUB_ERR_STATE, fault);
    }
    context_poke(s->context);
    return IOTHUB_OK;
}

void session_stop(iothub_session *s, uint32_t grace_ms)
{
    wish_stop(&s->wish, context_now(s->context) + grace_ms);
    context_poke(s->context);
}

iothub_result session_reconnect_now(iothub_session *s)
{
    if (s->context->state == IOTHUB_WAITING) {
        session_hurry(s);
        return IOTHUB_OK;
    }
    if (s->context->state != IOTHUB_CONNECTED) {
        return context_refuse(
            s->context, IOTHUB_ERR_STATE,
            "iothub_reconnect_now: neither connected nor waiting for the next attempt");
    }
    changeover_hurry(&s->changeover, context_now(s->context));
    context_poke(s->context);
    return IOTHUB_OK;
}

static iothub_result refuse_with_certificate(const iothub_session *s)
{
    return context_refuse(s->context, IOTHUB_ERR_STATE,
                          "iothub_set_credentials, iothub_set_token: options.certificate changes "
                          "the credentials of this client by itself");
}

iothub_result session_set_token(iothub_session *s, const char *shared_access_signature)
{
    if (s->context->options.certificate != NULL) {
        return refuse_with_certificate(s);
    }
    iothub_result r = credential_replace_token(&s->credential, shared_access_signature);
    if (r != IOTHUB_OK) {
        return r;
    }
    context_poke(s->context); /* the notice of its expiry may be due before the next deadline */
    if (s->context->state == IOTHUB_CONNECTED || s->context->state == IOTHUB_WAITING) {
        session_hurry(s); /* logs in with the new token soon */
    }
    return IOTHUB_OK;
}

iothub_result session_provide_token(iothub_session *s, const char *token)
{
    iothub_result r = credential_provide_token(&s->credential, token);

    if (r == IOTHUB_OK) {
        context_poke(s->context);
    }
    if (r == IOTHUB_OK && s->context->state == IOTHUB_CONNECTED) {
        session_hurry(s); /* log in with it soon */
    }
    return r;
}

iothub_result session_token_failed(iothub_session *s, const char *text)
{
    context_poke(s->context);
    return credential_token_failed(&s->credential, text);
}

/* Returns whether no login with the replaced credentials is in progress. */
static bool may_replace(const iothub_session *s)
{
    const iothub_state state = s->context->state;

    return !s->credential.uses_next || state == IOTHUB_STOPPED || state == IOTHUB_WAITING ||
           state == IOTHUB_PROVISIONING || state == IOTHUB_CONNECTED;
}

static iothub_result replace(iothub_session *s, const iothub_credential *list, size_t count,
                             size_t tried)
{
    const iothub_state state = s->context->state;

    if (!may_replace(s)) {
        return context_refuse(s->context, IOTHUB_ERR_STATE,
                              "iothub_set_credentials: the client is logging in with credentials "
                              "that were set before; try again after the next status callback");
    }
    iothub_result r = credential_replace(&s->credential, list, count, tried);
    if (r == IOTHUB_OK) {
        context_poke(s->context); /* an attempt that waits for a token begins with the new ones */
    }
    if (r == IOTHUB_OK && (state == IOTHUB_CONNECTED || state == IOTHUB_WAITING)) {
        session_hurry(s);
    }
    return r;
}

iothub_result session_set_credentials(iothub_session *s, const iothub_credential *list,
                                      size_t count)
{
    return s->context->options.certificate == NULL ? replace(s, list, count, count)
                                                   : refuse_with_certificate(s);
}

iothub_result session_try_credentials(iothub_session *s, const iothub_credential *list,
                                      size_t count)
{
    return replace(s, list, count, 1);
}
