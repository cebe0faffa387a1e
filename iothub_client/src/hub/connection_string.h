#ifndef IOTHUB_HUB_CONNECTION_STRING_H
#define IOTHUB_HUB_CONNECTION_STRING_H

/** @file Parses the connection string of a client whose credential may be elsewhere. */

#include "iothub/connection_string.h"

/**
 * Like iothub_connection_string_parse, for a string that holds no key and no token, since the
 * credentials are in the options.
 */
iothub_result connection_string_parse_names(iothub_connection_string *out, const char *text,
                                            iothub_error *err);

#endif
