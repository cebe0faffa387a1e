#include "internal.h"

void notify_status(iothub_client *c, iothub_result reason, const char *text, uint32_t retry_in_ms)
{
    const iothub_status s = {
        .state = c->session.state,
        .reason = reason,
        .text = text,
        .retry_in_ms = retry_in_ms,
        .attempt = c->session.failures,
    };
    mqc_span parts[] = { mqc_span_str(iothub_state_str(s.state)), MQC_SPAN_LIT(": "),
                         mqc_span_str(text) };

    notify_log(c, reason == IOTHUB_OK ? IOTHUB_LOG_INFO : IOTHUB_LOG_WARNING, "session", parts, 3);
    if (c->options.callbacks.status != NULL) {
        c->options.callbacks.status(c, &s, c->options.user);
    }
}

void notify_done(iothub_client *c, const iothub_done *d)
{
    if (c->options.callbacks.done != NULL) {
        c->options.callbacks.done(c, d, c->options.user);
    }
}

void notify_log(const iothub_client *c, iothub_log_level level, const char *module,
                const mqc_span *parts, size_t count)
{
    if (c->options.callbacks.log == NULL || level > c->options.log_level) {
        return;
    }
    iothub_error line; /* the one composer of bounded, printable lines */
    (void)iothub_fail_parts(&line, IOTHUB_OK, parts, count);
    c->options.callbacks.log(level, module, line.text, c->options.user);
}

void notify_log_text(const iothub_client *c, iothub_log_level level, const char *module,
                     const char *text)
{
    mqc_span part = mqc_span_str(text);
    notify_log(c, level, module, &part, 1);
}
