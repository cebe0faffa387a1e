#ifndef REST_FAULTS_H
#define REST_FAULTS_H

/**
 * @file
 * Faults on request of a test: of the connections of a device, of the next connections of anybody,
 * of requests to the service API, and of the storage. README.md describes them.
 */

#include "rest/rest_route.h"

extern const rest_route rest_faults_routes[];

/**
 * Returns whether a request of this route must fail on request, and counts it; then the reply is
 * complete.
 */
bool rest_faults_refuse(hub *h, const rest_route *route, rest_handling *out);

#endif
