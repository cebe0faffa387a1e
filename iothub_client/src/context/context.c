#include "internal.h"

mqc_time client_now(const iothub_client *c)
{
    const plat_clock *clock = c->options.platform->clock;
    return clock->monotonic_ms(clock);
}

iothub_result client_refuse(iothub_client *c, iothub_result code, const char *text)
{
    return iothub_fail(client_error(c), code, text);
}

iothub_result client_refuse_mqc(iothub_client *c, mqc_result r, const char *queue)
{
    bool idle = c->session.number == 0; /* nothing can leave */
    const char *then = idle ? ", and nothing leaves before iothub_start and iothub_process"
                            : ", process and try again";
    const mqc_span parts[] = { mqc_span_str(queue), MQC_SPAN_LIT(": "),
                               mqc_span_str(mqc_result_str(r)),
                               mqc_span_str(r == MQC_ERR_NO_SPACE ? then : "") };

    if (c->closing) {
        return iothub_fail_parts(
            client_error(c), IOTHUB_ERR_STATE,
            (const mqc_span[]){ parts[0], MQC_SPAN_LIT(": the client is being ended") }, 2);
    }
    return iothub_fail_parts(client_error(c), iothub_from_mqc(r), parts, 4);
}

iothub_result client_refuse_size(iothub_client *c, const char *what, size_t len, const char *option,
                                 size_t size)
{
    char text[100];
    iothub_text t;

    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, what);
    iothub_text_put(&t, ": too big: ");
    iothub_text_put_u64(&t, len);
    iothub_text_put(&t, " bytes and the topic do not fit ");
    iothub_text_put(&t, option);
    iothub_text_put(&t, " (");
    (void)iothub_text_finish(&t);
    return iothub_fail_number(client_error(c), IOTHUB_ERR_TOO_BIG, text, size, ")");
}

mqc_result client_publish(iothub_client *c, const mqc_outgoing *m)
{
    return c->closing ? MQC_ERR_STATE : mqc_publish(&c->engine, m, NULL);
}
