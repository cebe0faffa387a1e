#ifndef IOTHUB_UPLOAD_OPTIONS_H
#define IOTHUB_UPLOAD_OPTIONS_H

/** @file The options of an upload: defaults, checks, and a copy of their texts. */

#include "iothub/connection_string.h"
#include "iothub/upload.h"

enum { UPLOAD_CONTENT_TYPE_MAX = 128 };

/** Checks the options, and that their connection string is that of a device that can upload. */
iothub_result upload_options_check(const iothub_upload_options *o, iothub_error *error);

/** The memory of what the options point to. All zero: nothing was copied. */
typedef struct upload_options_memory {
    iothub_credential credential;
    iothub_tls tls;
    char *texts; /* one block of the heap; the connection string is its first text */
    size_t texts_size;
} upload_options_memory;

/**
 * Makes the options point to copies of their structs and texts, and sets missing texts to their
 * defaults. Returns false without memory.
 */
bool upload_options_copy(iothub_upload_options *o, upload_options_memory *memory);

/** Erases the texts, which contain the key of the device and the password of the proxy, and frees
 * them. */
void upload_options_free(upload_options_memory *memory);

#endif
