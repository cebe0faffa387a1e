#ifndef IOTHUB_KEY_SIGNATURE_H
#define IOTHUB_KEY_SIGNATURE_H

/** @file Signatures with a shared access key: of SAS tokens, and for the keys of devices. */

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"

enum { KEY_SIGNATURE_CHARS = 44 }; /* base64 of the 32 bytes of HMAC-SHA256 */

/**
 * Computes HMAC-SHA256 of text with a key in base64; out is base64, without a NUL. White space
 * around the key is ignored.
 */
iothub_result key_signature_make(const plat_crypto *crypto, mqc_span key, mqc_span text,
                                 char out[KEY_SIGNATURE_CHARS], iothub_error *err);

#endif
