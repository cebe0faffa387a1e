#ifndef IOTHUB_CALLBACKS_H
#define IOTHUB_CALLBACKS_H

/**
 * @file
 * The only file that calls callbacks, with the lock released. After a callback the client may have
 * changed, because the callback may have made requests.
 */

#include "context/context.h"
#include "iothub/certificate.h"
#include "iothub/provisioning.h"
#include "text/text_writer.h"

void callback_status(iothub_context *context, const iothub_status *s);
/** Asks the application how long to wait. */
uint32_t callback_retry(iothub_context *context, const iothub_retry *r);
void callback_done(iothub_context *context, const iothub_done *d);
iothub_disposition callback_c2d(iothub_context *context, const iothub_message *m);
void callback_desired(iothub_context *context, const iothub_desired *d);
iothub_method_verdict callback_method(iothub_context *context, const iothub_method_call *call);
/** Calls a function of iothub_provisioning_options. */
void callback_assigned(const iothub_context *context, iothub_assigned_callback *assigned,
                       const iothub_assignment *a);
/** Calls a function of iothub_certificate_options. */
void callback_certificate(const iothub_context *context, iothub_certificate_callback *changed,
                          const iothub_certificate_info *info);
/** Asks the application for a token. */
void callback_request_token(iothub_context *context, const iothub_token_provider *p);
/** Returns in how many ms to call it again. */
uint32_t callback_token_progress(iothub_context *context, const iothub_token_provider *p);
void callback_token_expiring(iothub_context *context, int64_t seconds_left);

/** Logs one line. The format is that of iothub_fail. */
IOTHUB_FORMAT(4, 5)
void callback_log(const iothub_context *context, iothub_log_level level, const char *module,
                  const char *format, ...);
void callback_log_text(const iothub_context *context, iothub_log_level level, const char *module,
                       const char *text);

/* Without texts nothing is logged; see text_writer.h. */
#ifdef IOTHUB_NO_TEXTS
#define callback_log(context, level, module, ...) \
    ((void)(context), (void)sizeof((level) + iothub_no_text(__VA_ARGS__)))
#define callback_log_text(context, level, module, text) \
    ((void)(context), (void)sizeof((level) + iothub_no_text("%s", text)))
#endif

#endif
