#ifndef HUB_REST_SERVER_HEAD_H
#define HUB_REST_SERVER_HEAD_H

/**
 * @file
 * Checks the head of an HTTP request, in addition to the checks of libmicrohttpd: a request that
 * two readers could understand differently is refused.
 */

#include <microhttpd.h>

#define REST_BODY_MAX (1024u * 1024)
#define REST_HEAD_MAX (64u * 1024) /* bytes of the target and the headers of a request */

/** A refusal with its HTTP status; status 0 means that the request is not refused. */
typedef struct rest_head_fault {
    unsigned status;
    const char *text;
} rest_head_fault;

/** Checks the headers before the body is read; path is the path of the request target. */
rest_head_fault rest_head_check(struct MHD_Connection *connection, const char *path,
                                const char *version);

/** Returns the part of a request target after scheme and host, which may be missing. */
const char *rest_head_local(const char *target);
/**
 * Returns the path of a request target, still encoded, on the heap: without scheme, host and query.
 */
char *rest_head_path(const char *target);

#endif
