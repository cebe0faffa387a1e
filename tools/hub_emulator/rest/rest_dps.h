#ifndef HUB_REST_DPS_H
#define HUB_REST_DPS_H

#include "rest/rest_route.h"

/**
 * Routes of the Device Provisioning Service. Their paths are compared without regard to case,
 * because the vendor's SDKs need it.
 */
extern const rest_route rest_dps_routes[];

/** Returns whether the request is for the provisioning service, whose errors have another form. */
bool rest_dps_is_for(const hub *h, const rest_request *r);
/** Writes a refusal in that form. */
rest_outcome rest_dps_fault(const hub *h, rest_handling *out, const hub_fault *fault);

#endif
