#ifndef IOTHUB_ASSIGNMENT_CACHE_H
#define IOTHUB_ASSIGNMENT_CACHE_H

/**
 * @file
 * Keeps the last assignment of a device in a store of the application.
 */

#include <stdbool.h>

#include "iothub/connection_string.h"
#include "provisioning/request.h"

enum { ASSIGNMENT_TEXT_MAX = 640 };

/** An assignment as it is stored. */
typedef struct stored_assignment {
    char hub[IOTHUB_HOST_MAX + 1];
    char device_id[IOTHUB_ID_MAX + 1];
} stored_assignment;

/**
 * Reads the assignment of this device. PLAT_EOF means that there is none, or that it is not valid.
 * Any other failure comes from the store, or from the cryptography that makes the name of the
 * value.
 */
plat_result assignment_cache_get(const dps_request *r, const plat_crypto *crypto,
                                 stored_assignment *out);

/** Writes the assignment of this device, which replaces the old one. */
plat_result assignment_cache_put(const dps_request *r, const plat_crypto *crypto, const char *hub,
                                 const char *device_id);

/**
 * Reads the text of a stored value. Returns false if it is not valid, or belongs to another device.
 */
bool assignment_text_parse(const dps_request *r, mqc_span text, stored_assignment *out);

#endif
