#ifndef IOTHUB_UPLOAD_REQUESTS_H
#define IOTHUB_UPLOAD_REQUESTS_H

/** @file Begins the HTTP requests of an upload. */

#include "iothub/connection_string.h"
#include "upload/upload_token.h"
#include "upload/upload_wire.h"

/** What all requests of an upload have in common. */
typedef struct upload_target {
    const iothub_upload_options *o;
    const iothub_connection_string *device;
    upload_token *token;       /* what request_token has provided */
    const upload_place *place; /* not used by upload_start_place */
    uint32_t series;           /* the ids of the blocks */
} upload_target;

/** The bytes of a block. */
typedef struct upload_piece {
    const void *bytes; /* borrowed until the request has ended */
    size_t len;
    uint32_t number;
    bool is_single; /* it is the whole blob */
} upload_piece;

/* Each of the following functions returns PLAT_OK if the request has begun. Otherwise *why is set.
 */

/** Asks the hub for a place. */
plat_result upload_start_place(const upload_target *t, plat_http *http, iothub_error *why);

/** Notifies the hub of the outcome. */
plat_result upload_start_notification(const upload_target *t, plat_http *http, bool success,
                                      int status, iothub_error *why);

/** Sends a block to the storage, or the whole blob. */
plat_result upload_start_piece(const upload_target *t, plat_http *http, const upload_piece *piece,
                               iothub_error *why);

/** Asks the storage to make the blob of its blocks. The list is borrowed until the request ends. */
plat_result upload_start_commit(const upload_target *t, plat_http *http, const iothub_text *list,
                                iothub_error *why);

/* --- failures --------------------------------------------------------------------------------- */

/** Returns whether a request that was answered with this status should be repeated. */
bool upload_status_passes(int status);

/** Returns whether the hub refuses the credential with this status. */
bool upload_status_refuses_login(int status);

/** Sets *why to the answer of the hub or of the storage, which `who` names. */
void upload_tell_status(iothub_error *why, const char *who, int status);

/** Sets *why to the reason why the hub gives the device no place. */
void upload_tell_refused_place(iothub_error *why, const plat_http_answer *a);

/** Sets *why to a failure of the request itself. */
void upload_tell_broken(iothub_error *why, plat_result r, const plat_http *http, const char *who);

#endif
