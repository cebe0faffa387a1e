#ifndef IOTHUB_HUB_CONNECTION_STRING_H
#define IOTHUB_HUB_CONNECTION_STRING_H

/** @file Parses the connection string of a client whose credential may be elsewhere. */

#include "iothub/connection_string.h"

/**
 * Parses like iothub_connection_string_parse, but the string must contain no key and no token,
 * because the credentials are in the options.
 */
iothub_result connection_string_parse_names(iothub_connection_string *out, const char *text,
                                            iothub_error *err);

#endif
