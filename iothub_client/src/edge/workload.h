#ifndef IOTHUB_WORKLOAD_H
#define IOTHUB_WORKLOAD_H

/**
 * @file
 * The texts of the workload API of IoT Edge: URLs and bodies of requests, and what answers hold.
 */

#include "platform/platform.h"
#include "text/text_writer.h"

/**
 * Who the module is, and where its workload API is. The texts are the values of environment
 * variables, and not empty.
 */
typedef struct workload_module {
    const char *workload_uri; /* "unix:///run/iotedge/workload.sock" or "http://host:port" */
    const char *module_id;
    const char *generation_id;
    const char *api_version;
} workload_module;

/** Returns the path of the Unix socket; NULL if the URI has none. */
const char *workload_socket(const workload_module *m);

void workload_put_bundle_url(iothub_text *t, const workload_module *m);
void workload_put_sign_url(iothub_text *t, const workload_module *m);

/** Writes the body of a request for the signature of a text of at most WORKLOAD_SIGNED_MAX bytes.
 */
#define WORKLOAD_SIGNED_MAX 1664
iothub_result workload_put_sign_body(iothub_text *t, const plat_crypto *crypto, mqc_span text);

/**
 * Reads the certificates of an answer, which are PEM text. The text is never longer than the
 * answer; *len does not count the NUL.
 */
iothub_result workload_read_bundle(mqc_span body, char *out, size_t cap, size_t *len,
                                   iothub_error *error);

enum { WORKLOAD_DIGEST_SIZE = 45 }; /* base64 of 32 bytes, with the NUL */
/** Reads the signature of an answer, in base64. */
iothub_result workload_read_digest(mqc_span body, char out[WORKLOAD_DIGEST_SIZE],
                                   iothub_error *error);

#endif
