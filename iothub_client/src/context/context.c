#include "context/context.h"

#include <assert.h>

#include "context/result_map.h"
#include "text/text_writer.h"

_Static_assert(sizeof(iothub_error) <= PLAT_LOCAL_SIZE, "PLAT_LOCAL_SIZE is too small");

void context_init(iothub_context *context, void *handle, mqc_engine *engine,
                  const iothub_options *options)
{
    context->handle = handle;
    context->engine = engine;
    context->options = *options;
}

void context_prefer_websocket(iothub_context *context, bool websocket)
{
    context->prefers_websocket = websocket;
}

void context_set_identity(iothub_context *context, const hub_names *identity)
{
    context->identity = *identity;
}

void context_set_token(iothub_context *context, char *token)
{
    context->identity.token = token;
}

void context_set_scratch(iothub_context *context, char *scratch, size_t len, size_t events_len)
{
    context->scratch = scratch;
    context->scratch_len = (uint32_t)len;
    context->events_len = (uint16_t)events_len; /* it fits, because ids have at most 128 bytes */
}

void context_set_c2d(iothub_context *context, iothub_c2d_callback *c2d)
{
    context->options.callbacks.c2d = c2d;
}

void context_set_desired(iothub_context *context, iothub_desired_callback *desired)
{
    context->options.callbacks.desired = desired;
}

void context_set_method(iothub_context *context, iothub_method_callback *method)
{
    context->options.callbacks.method = method;
}

mqc_time context_now(const iothub_context *context)
{
    const plat_clock *clock = context->options.platform->clock;
    return clock->monotonic_ms(clock);
}

void context_set_state(iothub_context *context, iothub_state state)
{
    context->state = state;
    assert(context_valid(context));
}

void context_end_connection(iothub_context *context)
{
    assert(context_valid(context));
    context->generation++;
}

/* --- turns ------------------------------------------------------------------------- */

void context_begin_end(iothub_context *context)
{
    assert(context_valid(context));
    context->processing = true;
    context->closing = true;
}

bool context_set_logging(iothub_context *context, bool logging)
{
    assert(context_valid(context));
    bool before = context->logging;

    context->logging = logging;
    return before;
}

/* --- the lock ------------------------------------------------------------------------ */

plat_result context_make_lock(iothub_context *context)
{
    assert(context_valid(context));
    plat_result r = lock_init(&context->lock_memory, context->options.platform->threads);

    if (r == PLAT_OK) {
        context->lock = &context->lock_memory;
    }
    return r;
}

void context_drop_lock(iothub_context *context)
{
    assert(context_valid(context));
    if (context->lock != NULL) {
        lock_deinit(context->lock);
        context->lock = NULL;
    }
}

bool context_in_callback(const iothub_context *context)
{
    return context_has_runner(context) ? lock_is_driver(context->lock) : context->processing;
}

/* --- requests ------------------------------------------------------------------------ */

iothub_error *context_error(iothub_context *context)
{
    return context->lock != NULL ? context->lock->threads->local() : &context->error;
}

iothub_result context_refuse(iothub_context *context, iothub_result code, const char *text)
{
    return iothub_fail(context_error(context), code, "%s", text);
}

iothub_result context_refuse_mqc(iothub_context *context, mqc_result r, const char *queue)
{
    bool idle = context->generation == 0; /* the client was never started, so nothing can be sent */
    const char *then = idle ? ", and nothing is sent before iothub_start and iothub_process"
                            : ", process and try again";

    if (context->closing) {
        return iothub_fail(context_error(context), IOTHUB_ERR_STATE,
                           "%s: the client is being ended", queue);
    }
    return iothub_fail(context_error(context), iothub_from_mqc(r), "%s: %s%s", queue,
                       mqc_result_str(r), r == MQC_ERR_NO_SPACE ? then : "");
}

iothub_result context_refuse_size(iothub_context *context, const char *what, size_t len,
                                  const char *option, size_t size)
{
    return iothub_fail(context_error(context), IOTHUB_ERR_TOO_BIG,
                       "%s: too big: %zu bytes and the topic do not fit %s (%zu)", what, len,
                       option, size);
}

mqc_result context_publish(iothub_context *context, const mqc_outgoing *m)
{
    assert(context_valid(context));
    return context->closing ? MQC_ERR_STATE : mqc_publish(context->engine, m, NULL);
}

#ifndef NDEBUG
bool context_valid(const iothub_context *context)
{
    const bool connects = context->state >= IOTHUB_RESOLVING && context->state <= IOTHUB_STOPPING;

    if (context->lock != NULL && ((!context->joined && context->lock != &context->lock_memory) ||
                                  !lock_valid(context->lock))) {
        return false;
    }
    if (context->scratch == NULL && (context->scratch_len > 0 || context->events_len > 0)) {
        return false;
    }
    /* Each connection has a generation, and callbacks that run at the end of a client run as in
     * a turn. */
    return (!connects || context->generation != 0) && (!context->closing || context->processing);
}
#endif
