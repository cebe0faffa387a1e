#ifndef IOTHUB_KEY_SIGNATURE_H
#define IOTHUB_KEY_SIGNATURE_H

/**
 * @file
 * Signatures with a shared access key, for SAS tokens and for the keys of devices.
 */

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"

enum { KEY_SIGNATURE_CHARS = 44 }; /* length of the base64 of an HMAC-SHA256, which has 32 bytes */

/**
 * Computes HMAC-SHA256 of text. The key is base64, and so is out, which does not end in a NUL.
 * White space around the key is ignored.
 */
iothub_result key_signature_make(const plat_crypto *crypto, mqc_span key, mqc_span text,
                                 char out[KEY_SIGNATURE_CHARS], iothub_error *err);

#endif
