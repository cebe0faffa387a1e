#include "internal.h"

mqc_time client_now(const iothub_client *c)
{
    const plat_clock *clock = c->options.platform->clock;
    return clock->monotonic_ms(clock);
}

iothub_result client_refuse(iothub_client *c, iothub_result code, const char *text)
{
    return iothub_fail(client_error(c), code, "%s", text);
}

iothub_result client_refuse_mqc(iothub_client *c, mqc_result r, const char *queue)
{
    bool idle = c->session.number == 0; /* nothing can leave */
    const char *then = idle ? ", and nothing leaves before iothub_start and iothub_process"
                            : ", process and try again";

    if (c->closing) {
        return iothub_fail(client_error(c), IOTHUB_ERR_STATE, "%s: the client is being ended",
                           queue);
    }
    return iothub_fail(client_error(c), iothub_from_mqc(r), "%s: %s%s", queue, mqc_result_str(r),
                       r == MQC_ERR_NO_SPACE ? then : "");
}

iothub_result client_refuse_size(iothub_client *c, const char *what, size_t len, const char *option,
                                 size_t size)
{
    return iothub_fail(client_error(c), IOTHUB_ERR_TOO_BIG,
                       "%s: too big: %zu bytes and the topic do not fit %s (%zu)", what, len,
                       option, size);
}

mqc_result client_publish(iothub_client *c, const mqc_outgoing *m)
{
    return c->closing ? MQC_ERR_STATE : mqc_publish(&c->engine, m, NULL);
}
