#ifndef IOTHUB_UPLOAD_WIRE_H
#define IOTHUB_UPLOAD_WIRE_H

/** @file The texts of an upload: URLs, bodies of requests, and the hub's answer. */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/upload.h"
#include "mqtt_core/span.h"
#include "text/text_writer.h"

enum {
    UPLOAD_CORRELATION_MAX = 512,
    UPLOAD_HOST_MAX = 260, /* with a port */
    UPLOAD_CONTAINER_MAX = 63,
    UPLOAD_TOKEN_MAX = 1024,
    UPLOAD_URL_SIZE = 5120
};

/** Where the hub lets the device put a blob. */
typedef struct upload_place {
    char correlation_id[UPLOAD_CORRELATION_MAX + 1]; /* "": there is no place */
    char host[UPLOAD_HOST_MAX + 1];
    char container[UPLOAD_CONTAINER_MAX + 1];
    char blob[IOTHUB_UPLOAD_NAME_MAX + 1];
    char token[UPLOAD_TOKEN_MAX + 1]; /* the storage token, with the '?' in front; a secret */
} upload_place;

/** Returns NULL if this is a name for a blob, or a static text that says what is wrong. */
const char *upload_name_fault(const char *name);

/**
 * Reads the hub's answer, or a stored place. Returns false if it is not valid; then only the
 * correlation id is set, if at least that could be read.
 */
bool upload_place_parse(mqc_span json, upload_place *out);

/** Returns whether each text of the place may stand in a URL as upload_put_blob_url puts it. */
bool upload_place_valid(const upload_place *p);

/** Erases the correlation id and the token, but not which blob it is. */
void upload_place_forget(upload_place *p);

/** Writes the URL of a request to the hub; what is "files" or "files/notifications". */
void upload_put_hub_url(iothub_text *t, mqc_span host, uint16_t port, mqc_span device_id,
                        const char *what);

/** Writes the URL of the blob, with the storage token. */
void upload_put_blob_url(iothub_text *t, const upload_place *p);

/**
 * Appends to the URL of the blob what makes it that of a block, or of the list of blocks. Uploads
 * with different series of ids do not mix their blocks.
 */
void upload_put_block(iothub_text *t, uint32_t series, uint32_t number);
void upload_put_block_list(iothub_text *t);

/** Returns the largest size of the list of `count` blocks. */
size_t upload_list_size(uint32_t count);

/** Writes the list of the blocks from 0 to count - 1. */
void upload_put_list(iothub_text *t, uint32_t series, uint32_t count);

/** Writes the body of the request for a place. */
iothub_result upload_put_request(char *buf, size_t cap, size_t *len, const char *blob_name);

/** Writes the body of the notification. */
iothub_result upload_put_notification(char *buf, size_t cap, size_t *len, const upload_place *p,
                                      bool success, int status, const char *description);

#endif
