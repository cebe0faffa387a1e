#ifndef IOTHUB_CONNECTION_STRING_TAKE_H
#define IOTHUB_CONNECTION_STRING_TAKE_H

/** @file A parsed connection string that a program passes to a function. */

#include "iothub/connection_string.h"

/**
 * Copies the caller's struct, which may be of another version. Returns IOTHUB_ERR_ARG if it is
 * NULL.
 */
iothub_result iothub_connection_string_take(iothub_connection_string *to,
                                            const iothub_connection_string *cs, size_t struct_size,
                                            iothub_error *err);

#endif
