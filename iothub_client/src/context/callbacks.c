#include "context/callbacks.h"

#include "iothub/client.h"

/* Releases the client's lock during a callback, because callbacks may take locks and wait for
 * other threads. */
static void begin(const iothub_context *context)
{
    if (context->lock != NULL) {
        lock_leave(context->lock, false);
    }
}

static void end(const iothub_context *context)
{
    context_enter(context);
}

void callback_status(iothub_context *context, const iothub_status *s)
{
    const iothub_options *o = &context->options;

    callback_log(context, s->reason == IOTHUB_OK ? IOTHUB_LOG_INFO : IOTHUB_LOG_WARNING, "session",
                 "%s: %s", iothub_state_str(s->state), s->text);
    if (o->callbacks.status != NULL) {
        begin(context);
        o->callbacks.status(context->handle, s, o->user);
        end(context);
    }
}

uint32_t callback_retry(iothub_context *context, const iothub_retry *r)
{
    const iothub_options *o = &context->options;

    if (o->callbacks.retry == NULL) {
        return r->delay_ms;
    }
    begin(context);
    uint32_t delay = o->callbacks.retry(context->handle, r, o->user);
    end(context);
    return delay;
}

void callback_done(iothub_context *context, const iothub_done *d)
{
    const iothub_options *o = &context->options;

    if (o->callbacks.done != NULL) {
        begin(context);
        o->callbacks.done(context->handle, d, o->user);
        end(context);
    }
}

iothub_disposition callback_c2d(iothub_context *context, const iothub_message *m)
{
    const iothub_options *o = &context->options;
    /* A copy, because another thread may change it from now on. */
    iothub_c2d_callback *c2d = o->callbacks.c2d;

    begin(context);
    iothub_disposition d = c2d(context->handle, m, o->user);
    end(context);
    return d;
}

void callback_desired(iothub_context *context, const iothub_desired *d)
{
    const iothub_options *o = &context->options;
    iothub_desired_callback *desired = o->callbacks.desired;

    if (desired != NULL) { /* the callback may have been removed since the document was requested */
        begin(context);
        desired(context->handle, d, o->user);
        end(context);
    }
}

iothub_method_verdict callback_method(iothub_context *context, const iothub_method_call *call)
{
    const iothub_options *o = &context->options;
    iothub_method_callback *method = o->callbacks.method;

    begin(context);
    iothub_method_verdict v = method(context->handle, call, o->user);
    end(context);
    return v;
}

void callback_assigned(const iothub_context *context, iothub_assigned_callback *assigned,
                       const iothub_assignment *a)
{
    begin(context);
    assigned(context->handle, a, context->options.user);
    end(context);
}

void callback_certificate(const iothub_context *context, iothub_certificate_callback *changed,
                          const iothub_certificate_info *info)
{
    begin(context);
    changed(context->handle, info, context->options.user);
    end(context);
}

void callback_request_token(iothub_context *context, const iothub_token_provider *p)
{
    begin(context);
    p->request(context->handle, p->user);
    end(context);
}

uint32_t callback_token_progress(iothub_context *context, const iothub_token_provider *p)
{
    begin(context);
    uint32_t again_in_ms = p->progress(context->handle, p->user);
    end(context);
    return again_in_ms;
}

void callback_token_expiring(iothub_context *context, int64_t seconds_left)
{
    const iothub_options *o = &context->options;

    if (o->callbacks.token_expiring != NULL) {
        begin(context);
        o->callbacks.token_expiring(context->handle, seconds_left, o->user);
        end(context);
    }
}

/* The functions exist without texts, too, but nothing calls them, so that they are not linked. */
#undef callback_log
#undef callback_log_text

void callback_log(const iothub_context *context, iothub_log_level level, const char *module,
                  const char *format, ...)
{
    const iothub_options *o = &context->options;

    if (o->callbacks.log == NULL || level > o->log_level) {
        return;
    }
    iothub_error line; /* used to write one line of printable characters with a limited length */
    iothub_context *own = context_own(context);
    va_list values;
    va_start(values, format);
    iothub_error_put(&line, IOTHUB_OK, format, values);
    va_end(values);
    bool before = context_set_logging(own, context->logging || !context_in_callback(context));
    begin(context);
    o->callbacks.log(level, module, line.text, o->user);
    end(context);
    (void)context_set_logging(own, before);
}

void callback_log_text(const iothub_context *context, iothub_log_level level, const char *module,
                       const char *text)
{
    callback_log(context, level, module, "%s", text);
}
