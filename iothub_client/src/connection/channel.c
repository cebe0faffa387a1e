#include "internal.h"

iothub_result channel_why(const plat_stream *s, plat_result r, iothub_error *error)
{
    const char *detail = s != NULL ? s->ops->detail(s) : "";

    if (r == PLAT_EOF) {
        detail = "the hub closed the connection";
    }
    return iothub_fail(error, iothub_from_plat(r), "%s",
                       detail[0] != '\0' ? detail : plat_result_str(r));
}

/* A stream is made once, with the first attempt that needs it, and opened again for each later
 * one.  NULL: failed. */
static plat_stream *make(iothub_client *c, plat_stream_storage *memory, iothub_error *error)
{
    const plat_stream_config config = { .kind = PLAT_STREAM_TLS,
                                        .ca_file = c->context.options.ca_file };
    const plat_net *net = c->context.options.platform->net;
    plat_stream *made = NULL;

    plat_result r = net->stream(net, memory, &config, &made);
    if (r == PLAT_OK) {
        return made;
    }
    (void)channel_why(made, r, error);
    if (made != NULL) {
        made->ops->deinit(made);
    }
    return NULL;
}

iothub_result channel_open(iothub_client *c, plat_stream **slot, plat_stream_storage *memory,
                           iothub_error *error)
{
    if (credential_ready(c, error) != IOTHUB_OK) {
        return error->code;
    }
    plat_stream *s = *slot != NULL ? *slot : make(c, memory, error);
    if (s == NULL) {
        return error->code;
    }
    *slot = s;
    plat_result r =
        s->ops->open(s, c->context.host, c->context.options.port, context_now(&c->context));
    return r == PLAT_OK ? IOTHUB_OK : channel_why(s, r, error);
}

plat_result channel_progress(iothub_client *c, plat_stream *s, mqc_time now, plat_stage *stage)
{
    bool opened = context_open_lock(&c->context);
    plat_result r = s->ops->progress(s, now, stage);
    context_close_lock(&c->context, opened);
    return r;
}
