#include "internal.h"

/* Callbacks may take locks and wait for other threads: the client's own lock is free meanwhile.
 * Whoever calls a notify function therefore finds the client as if the callback had made
 * requests, which it may do anyway. */
static void begin(const iothub_client *c)
{
    if (c->lock != NULL) {
        lock_leave(c->lock, false);
    }
}

static void end(const iothub_client *c)
{
    client_enter(c);
}

void callback_status(iothub_client *c, iothub_result reason, const char *text, uint32_t retry_in_ms)
{
    const iothub_status s = {
        .state = c->session.state,
        .reason = reason,
        .text = text,
        .retry_in_ms = retry_in_ms,
        .attempt = c->back_off.failures,
    };

    callback_log(c, reason == IOTHUB_OK ? IOTHUB_LOG_INFO : IOTHUB_LOG_WARNING, "session", "%s: %s",
                 iothub_state_str(s.state), text);
    if (c->options.callbacks.status != NULL) {
        begin(c);
        c->options.callbacks.status(c, &s, c->options.user);
        end(c);
    }
}

uint32_t callback_retry(iothub_client *c, const iothub_retry *r)
{
    if (c->options.callbacks.retry == NULL) {
        return r->delay_ms;
    }
    begin(c);
    uint32_t delay = c->options.callbacks.retry(c, r, c->options.user);
    end(c);
    return delay;
}

void callback_done(iothub_client *c, const iothub_done *d)
{
    if (c->options.callbacks.done != NULL) {
        begin(c);
        c->options.callbacks.done(c, d, c->options.user);
        end(c);
    }
}

iothub_disposition callback_c2d(iothub_client *c, const iothub_message *m)
{
    begin(c);
    iothub_disposition d = c->options.callbacks.c2d(c, m, c->options.user);
    end(c);
    return d;
}

void callback_desired(iothub_client *c, const iothub_desired *d)
{
    begin(c);
    c->options.callbacks.desired(c, d, c->options.user);
    end(c);
}

iothub_method_verdict callback_method(iothub_client *c, const iothub_method_call *call)
{
    begin(c);
    iothub_method_verdict v = c->options.callbacks.method(c, call, c->options.user);
    end(c);
    return v;
}

void callback_token_expiring(iothub_client *c, int64_t seconds_left)
{
    if (c->options.callbacks.token_expiring != NULL) {
        begin(c);
        c->options.callbacks.token_expiring(c, seconds_left, c->options.user);
        end(c);
    }
}

void callback_log(const iothub_client *c, iothub_log_level level, const char *module,
                  const char *format, ...)
{
    if (c->options.callbacks.log == NULL || level > c->options.log_level) {
        return;
    }
    iothub_error line; /* the one composer of bounded, printable lines */
    iothub_client *own = client_own(c);
    bool before = c->logging;
    va_list values;
    va_start(values, format);
    iothub_error_put(&line, IOTHUB_OK, format, values);
    va_end(values);
    own->logging = before || !lock_in_callback(c);
    begin(c);
    c->options.callbacks.log(level, module, line.text, c->options.user);
    end(c);
    own->logging = before;
}

void callback_log_text(const iothub_client *c, iothub_log_level level, const char *module,
                       const char *text)
{
    callback_log(c, level, module, "%s", text);
}
