#ifndef IOTHUB_OPTIONS_CHECK_H
#define IOTHUB_OPTIONS_CHECK_H

/**
 * @file Copies and checks the options of an application. Each error names the option and its
 * allowed values.
 */

#include "iothub/options.h"

/**
 * Copies options. Returns IOTHUB_ERR_ARG if from is NULL or iothub_options_init was not called for
 * it.
 */
iothub_result options_take(iothub_options *to, const iothub_options *from, iothub_error *error);

/** Checks all options. With IOTHUB_ERR_ARG, the error names the first invalid option. */
iothub_result options_check(const iothub_options *o, iothub_error *error);

/** Checks whether tx_size is large enough for messages with a topic of this length. */
iothub_result options_check_topic(const iothub_options *o, size_t topic, iothub_error *error);

/** Returns the port of the options; if that is 0, the port of the transport. */
uint16_t options_port(const iothub_options *o);

/** Returns the port of WebSocket with the transport IOTHUB_AUTO. */
uint16_t options_websocket_port(const iothub_options *o);

/** Returns what is wrong with these settings of TLS, or NULL. */
const char *options_tls_fault(const iothub_tls *tls);

#endif
