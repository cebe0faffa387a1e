#ifndef HUB_REST_ROUTE_H
#define HUB_REST_ROUTE_H

/**
 * @file
 * A table of routes, which the file of each topic provides to rest.c. The method of its last entry
 * is NULL.
 */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

typedef rest_outcome (*rest_handler)(hub *h, rest_request *r, rest_handling *out);

typedef struct rest_route {
    const char *method;
    const char *pattern; /* segments; {} stands for any one segment */
    unsigned rights;     /* permissions of which the policy must have one */
    rest_handler handler;
} rest_route;

#endif
