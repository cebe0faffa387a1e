#ifndef IOTHUB_BASE64_H
#define IOTHUB_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "mqtt_core/span.h"

/**
 * Returns true for standard base64 with padding (RFC 4648 section 4), without white space and
 * unused bits. *len is set to the decoded size. So a key can be checked without a crypto library.
 */
bool iothub_base64_valid(mqc_span text, size_t *len);

#endif
