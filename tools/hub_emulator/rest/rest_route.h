#ifndef HUB_REST_ROUTE_H
#define HUB_REST_ROUTE_H

/** @file  What the file of each topic gives rest.c: a table of routes, whose last method is NULL.
 */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

typedef rest_outcome (*rest_handler)(hub *h, rest_request *r, rest_handling *out);

typedef struct rest_route {
    const char *method;
    const char *pattern; /* segments; {} takes any one */
    unsigned rights;     /* a policy needs one of these */
    rest_handler handler;
} rest_route;

#endif
