#ifndef IOTHUB_CALLBACKS_H
#define IOTHUB_CALLBACKS_H

/**
 * @file
 * Every callback leaves from here, and only from here: without the lock.  Whoever calls one of
 * these functions finds the client afterwards as if the callback had made requests, which it may.
 */

#include "context/context.h"
#include "text/text_writer.h"

void callback_status(iothub_context *context, const iothub_status *s);
/** Ask the application how long to wait. */
uint32_t callback_retry(iothub_context *context, const iothub_retry *r);
void callback_done(iothub_context *context, const iothub_done *d);
iothub_disposition callback_c2d(iothub_context *context, const iothub_message *m);
void callback_desired(iothub_context *context, const iothub_desired *d);
iothub_method_verdict callback_method(iothub_context *context, const iothub_method_call *call);
void callback_token_expiring(iothub_context *context, int64_t seconds_left);

/** One line, in the format of iothub_fail. */
IOTHUB_FORMAT(4, 5)
void callback_log(const iothub_context *context, iothub_log_level level, const char *module,
                  const char *format, ...);
void callback_log_text(const iothub_context *context, iothub_log_level level, const char *module,
                       const char *text);

#endif
