#ifndef HUB_BLOB_CALL_H
#define HUB_BLOB_CALL_H

/**
 * @file
 * One request to the storage of file uploads, with libmicrohttpd: Put Blob, Put Block, Put Block
 * List, Get Block List, Get Blob with ranges, and Get Blob Properties, each with the token of an
 * upload. Bodies go to the disk as they arrive. Errors are XML, as those of the vendor's storage.
 */

#include <stdbool.h>

#include <microhttpd.h>

#include "hub/hub.h"

typedef struct blob_call blob_call;

/** Returns true if the path, as it was sent, is one of the storage. */
bool blob_call_wanted(const char *path);
/** Makes a request, on the heap. */
blob_call *blob_call_new(hub *h, struct MHD_Connection *connection, const char *method,
                         const char *path);
/** Drops what was not completed. c may be NULL. */
void blob_call_free(blob_call *c);

/**
 * Call these functions as libmicrohttpd calls back: once with the head, for each piece of the body,
 * and at its end. MHD_NO closes the connection.
 */
enum MHD_Result blob_call_begin(blob_call *c);
enum MHD_Result blob_call_body(blob_call *c, const char *data, size_t *size);
enum MHD_Result blob_call_end(blob_call *c);
/**
 * Returns true if, because of a fault, the client gets no answer: suspend the connection until it
 * leaves.
 */
bool blob_call_is_stalled(const blob_call *c);

#endif
