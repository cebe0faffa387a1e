#ifndef IOTHUB_UPLOAD_OPTIONS_H
#define IOTHUB_UPLOAD_OPTIONS_H

/** @file The options of an upload: defaults, checks, and a copy of their texts. */

#include "iothub/connection_string.h"
#include "iothub/upload.h"

enum { UPLOAD_CONTENT_TYPE_MAX = 128 };

/** Checks the options, and that their connection string is that of a device that can upload. */
iothub_result upload_options_check(const iothub_upload_options *o, iothub_error *error);

/**
 * Sets the texts of the options to copies in one block of the heap, and missing ones to their
 * defaults. The connection string is the first text of the block. Returns the block, which the
 * caller frees, or NULL without memory.
 */
char *upload_options_copy_texts(iothub_upload_options *o);

#endif
