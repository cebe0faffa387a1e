#ifndef IOTHUB_OPTIONS_CHECK_H
#define IOTHUB_OPTIONS_CHECK_H

/**
 * @file
 * The options that an application gives, taken and checked.  Every fault names the option, and what
 * it may be.
 */

#include "iothub/options.h"

/** Copy what iothub_options_init has prepared; IOTHUB_ERR_ARG when it has not, or from is NULL. */
iothub_result options_take(iothub_options *to, const iothub_options *from, iothub_error *error);

/** IOTHUB_ERR_ARG names the first option that cannot be. */
iothub_result options_check(const iothub_options *o, iothub_error *error);

/** The same for a tx_size that is too small for messages with a topic of so many bytes. */
iothub_result options_check_topic(const iothub_options *o, size_t topic, iothub_error *error);

#endif
