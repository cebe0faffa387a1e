#ifndef HUB_REST_SERVER_HEAD_H
#define HUB_REST_SERVER_HEAD_H

/**
 * @file
 * Checks of the head of an HTTP request, in addition to those of libmicrohttpd: a request that two
 * readers could understand in two ways is refused.
 */

#include <microhttpd.h>

#define REST_BODY_MAX (1024u * 1024)

/** A refusal with its HTTP status; status 0: not refused. */
typedef struct rest_head_fault {
    unsigned status;
    const char *text;
} rest_head_fault;

/** Look at the headers before the body is read. */
rest_head_fault rest_head_check(struct MHD_Connection *connection, const char *version);

/** What follows scheme and host of a request target, which it need not have. */
const char *rest_head_local(const char *target);
/** The path of a request target, still encoded, on the heap: without scheme, host and query. */
char *rest_head_path(const char *target);

#endif
